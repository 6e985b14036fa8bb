#!/usr/bin/env bash
# Runs all Swift tests; where some fail, says at the end which and why, which is long out of sight by then.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
log=.build/tests.log
mkdir -p .build
swift test --disable-xctest "$@" 2>&1 | tee "$log"
code=${PIPESTATUS[0]}
if ((code)); then
  printf '\nWhat failed (all of it: %s):\n' "$log"
  grep -aE -A 3 '^✘ Test .* recorded an issue|error: |Fatal error|unexpected signal' "$log" | grep -av '^[✔◇]' | cut -c1-1500 | tail -n 80
  grep -a '^✘ Test run' "$log"
fi
exit "$code"
