#!/usr/bin/env bash
# Times the release build over the sample studies, intake to published files, in a temporary folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuseline=$PWD/.build/release/fuseline
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
mkdir "$site/inbox"
cp pipeline.yaml "$site/"
for truth in sample-studies/truth/*.json; do
  cp -R "sample-studies/$(basename "$truth" .json)" "$site/inbox/"
done
find "$site/inbox" -type f -exec touch -d '1 hour ago' {} +

"$fuseline" --version
"$fuseline" run -c "$site/pipeline.yaml" --json > "$site/report.json"
python3 - "$site/report.json" <<'PYTHON'
import json
import os
import sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
slices, seconds = report["slices"]["fused"], report["seconds"]
print(f"{report['instances']['accepted']} files, {slices} slices fused, {seconds:.1f} s in all on {os.cpu_count()} cores")
for job in report["jobs"]:
    print(f"  job {job['job']}: {job['slices']} slices, {job['seconds']:.2f} s, {job['seconds'] / max(job['slices'], 1):.2f} s a slice")
PYTHON
