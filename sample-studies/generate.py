#!/usr/bin/env python3
"""Makes the sample studies from the digital head phantom, or checks that they are what this program makes.

    generate.py [--into FOLDER]     write studies and their ground truth (default: beside this file)
    generate.py --check             make them in a temporary folder and compare byte by byte
"""

import argparse
import filecmp
import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from phantom import studies  # noqa: E402

HERE = Path(__file__).resolve().parent


def make(folder):
    with ProcessPoolExecutor(max_workers=min(len(studies.ALL), os.cpu_count() or 1)) as pool:
        made = [pool.submit(study, folder) for study in studies.ALL]
    for truth in (future.result() for future in made):
        path = folder / "truth" / (truth["study"] + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
        print(f"{truth['study']}: {truth['series']}", file=sys.stderr)


def listing(folder):
    tops = [study.__name__.replace("_", "-") for study in studies.ALL] + ["truth"]
    return sorted(p.relative_to(folder) for top in tops for p in (folder / top).rglob("*") if p.is_file())


def check():
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        make(fresh)
        ours, theirs = listing(HERE), listing(fresh)
        wrong = [p for p in sorted({*ours, *theirs}) if p not in ours or p not in theirs
                 or not filecmp.cmp(HERE / p, fresh / p, shallow=False)]
    for path in wrong:
        print(f"differs, missing or left over: {path}")
    print(f"{len(ours)} sample files, {len(wrong)} not as generated")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=HERE)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    make(arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
