"""Writes the seeds of the fuzzer's corpus: the fixtures of the reader's tests, as small as they go. Usage: seeds.py FOLDER"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "DICOMTests" / "Judge"))
import fixtures  # noqa: E402

# JPEG has no encoder in pydicom; DCMTK's tool writes lossless, baseline and twelve-bit lossy.
JPEG = {"lossless": (["+e1"], "raw-u2-3"), "baseline": (["+eb"], "raw-u1-3"), "extended": (["+ee"], "overlay-bits")}


def main():
    folder = Path(sys.argv[1])
    fixtures.ROWS, fixtures.COLUMNS = 32, 33  # the least that JPEG 2000 takes
    folder.mkdir(parents=True, exist_ok=True)
    for write in (fixtures.syntaxes, fixtures.fragments, fixtures.layouts, fixtures.enhanced, fixtures.spect, fixtures.values):
        write(folder)
    for name, (options, source) in JPEG.items():
        subprocess.run(["dcmcjpeg", *options, folder / f"{source}.dcm", folder / f"jpeg-{name}.dcm"], check=True)


main()
