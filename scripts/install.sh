#!/usr/bin/env bash
# Copies a built fuseline and what it reads below a prefix:  scripts/install.sh BINARY PREFIX
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
(($# == 2)) || { echo "usage: scripts/install.sh BINARY PREFIX" >&2; exit 64; }
binary=$1 prefix=${2%/}

install -D -m 755 "$binary" "$prefix/bin/fuseline"
for model in Models/*; do
  [[ -f $model ]] && install -D -m 644 "$model" "$prefix/share/fuseline/models/$(basename "$model")"
done
install -D -m 644 -t "$prefix/share/doc/fuseline" README.md pipeline.yaml
for unit in packaging/*.service packaging/*.timer; do
  [[ -f $unit ]] && install -D -m 644 "$unit" "$prefix/lib/systemd/system/$(basename "$unit")"
done
echo "installed: $prefix/bin/fuseline; models in $prefix/share/fuseline/models"
