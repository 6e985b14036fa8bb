#!/usr/bin/env bash
# Runs the release build over the sample studies in a fresh demo/ folder – with the default settings, nothing special.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuseline=.build/release/fuseline
demo=demo
[[ -x $fuseline ]] || { echo "demo: no $fuseline; run 'make build'" >&2; exit 69; }

# Only what an earlier demo left is removed.
rm -rf "$demo"/{inbox,store,output,quarantine,work} "$demo"/fuseline.sqlite* "$demo/pipeline.yaml" "$demo/contact-sheet.png"
mkdir -p "$demo/inbox"
cp pipeline.yaml "$demo/"
for truth in sample-studies/truth/*.json; do
  cp -R "sample-studies/$(basename "$truth" .json)" "$demo/inbox/"
done
# Exports that arrived a while ago: complete, nobody is still writing them.
find "$demo/inbox" -type f -exec touch -d '1 hour ago' {} +

status=0
"$fuseline" run -c "$demo/pipeline.yaml" || status=$?

echo
if .venv/bin/python -c 'import PIL, pydicom, scipy' 2>/dev/null; then
  .venv/bin/python scripts/contact_sheet.py "$demo" "$demo/contact-sheet.png" ||
    echo "picture: none could be made of $demo" >&2
else
  echo "picture: after 'make setup', .venv/bin/python scripts/contact_sheet.py $demo $demo/contact-sheet.png draws one"
fi

cat <<TEXT
Fused series:   $demo/output/<StudyInstanceUID>/<SeriesInstanceUID>/  (open the folder in any DICOM viewer)
What was done:  $fuseline audit jobs -c $demo/pipeline.yaml
Where from:     $fuseline audit lineage -c $demo/pipeline.yaml <SOPInstanceUID>
The truth:      docs/sample-studies.md
TEXT
exit "$status"
