#!/usr/bin/env bash
# Makes a Debian (12 or newer) or Ubuntu machine ready – and does nothing, without network, where it already is.
#
#   scripts/setup.sh build   Debian packages and the Swift toolchain
#   scripts/setup.sh         that, and the Python environment of the tests in .venv
#   scripts/setup.sh browser a Chromium for the tests that look at reports in one; they are skipped without (400 MB)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minimum_swift=6.2
packages=(
  make g++ libdcmtk-dev dcmtk libsqlite3-dev libopenjp2-7-dev libpng-dev libjpeg-dev zlib1g-dev libzip-dev
)
test_packages=(python3 python3-venv)
# Shared libraries of the Swift toolchain itself, wanted only where it does not start without them.
toolchain_packages=(libcurl4-openssl-dev libncurses-dev libxml2-dev)

die() {
  printf 'setup: %s\n' "$1" >&2
  exit 69
}

is_installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

install_packages() {
  local missing=() package as_root=()
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "no apt here; install DCMTK 3.6.7, SQLite, OpenJPEG 2.5, libpng, zlib and libzip with their headers, then 'swift build -c release'"
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs root for: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  printf 'setup: installing %s\n' "${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq </dev/null >&2 || printf 'setup: package lists are old, going on\n' >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
    die "apt could not install: ${missing[*]}"
}

check_swift() {
  local found
  if command -v swift >/dev/null && ! { swift --version && swift package --version; } >/dev/null 2>&1; then
    install_packages "${toolchain_packages[@]}"
  fi
  found=$( (swift --version 2>/dev/null || true) | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
  [[ -n "$found" && "$(printf '%s\n' "$minimum_swift" "$found" | sort -V | head -n 1)" == "$minimum_swift" ]] ||
    die "needs Swift $minimum_swift or newer on the PATH (found: ${found:-none}); get it from https://www.swift.org/install/linux"
}

# Exits 0 if .venv holds every pinned distribution of Tests/requirements.txt.
has_requirements() {
  [[ -x .venv/bin/python ]] && .venv/bin/python - Tests/requirements.txt <<'PYTHON' 2>/dev/null
import sys
from importlib.metadata import version
for line in open(sys.argv[1], encoding="utf-8"):
    name, _, wanted = line.split("#")[0].strip().partition("==")
    if name and version(name) != wanted:
        sys.exit(1)
PYTHON
}

install_requirements() {
  has_requirements && return 0
  printf 'setup: making .venv from Tests/requirements.txt\n' >&2
  [[ -x .venv/bin/python ]] || python3 -m venv .venv >&2 || die "python3 -m venv .venv failed"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt </dev/null >&2 ||
    die "pip could not install Tests/requirements.txt into .venv; is the network reachable?"
}

case "${1:-all}" in
build)
  install_packages "${packages[@]}"
  check_swift
  ;;
all)
  install_packages "${packages[@]}" "${test_packages[@]}"
  check_swift
  install_requirements
  ;;
browser) command -v chromium >/dev/null || command -v google-chrome >/dev/null || install_packages chromium ;;
*) die "unknown part '$1'; say build, browser or nothing" ;;
esac
