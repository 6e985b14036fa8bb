#!/usr/bin/env python3
"""Counts the instructions of the hot kernels under callgrind and compares them with thresholds.json.

run.py            exits 1 where a piece takes more than the threshold allows
run.py --record   writes what was counted as the new thresholds

Instruction counts do not depend on what else the machine does. Valgrind knows no AVX-512, so the AVX2 kernels are counted.
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNELS = HERE.parent.parent / "Sources" / "CKernels"
THRESHOLDS = HERE / "thresholds.json"
# Compilers of different versions schedule differently; a kernel that got worse shows by more than this.
TOLERANCE = 0.10
PIECES = ("piece_winograd", "piece_gate", "piece_pointwise", "piece_product", "piece_resampling", "piece_oblique")


def build(folder):
    program = folder / "count"
    subprocess.run(["clang", "-O2", "-std=c17", f"-I{KERNELS}/include", str(HERE / "count.c"),
                    *map(str, sorted(KERNELS.glob("*.c"))), "-lm", "-o", str(program)], check=True)
    return program


def count(program, piece, folder):
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--toggle-collect={piece}", f"--callgrind-out-file={folder / piece}",
         str(program)], capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"valgrind failed on {piece}: {result.stderr[-300:]}")
    return int(found.group(1))


def main():
    for tool in ("valgrind", "clang"):
        if not shutil.which(tool):
            print(f"instruction counts: skipped, no {tool} here")
            return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = build(folder)
        counted = {piece: count(program, piece, folder) for piece in PIECES}
    if "--record" in sys.argv:
        THRESHOLDS.write_text(json.dumps(counted, indent=1) + "\n")
        return
    allowed = json.loads(THRESHOLDS.read_text())
    slower = {p: n for p, n in counted.items() if n > allowed[p] * (1 + TOLERANCE)}
    for piece, number in counted.items():
        print(f"{piece}: {number} instructions, {number / allowed[piece] - 1:+.1%}{'  TOO MANY' if piece in slower else ''}")
    if slower:
        sys.exit("kernels take more instructions than before; if that is meant, run Tests/Instructions/run.py --record")


if __name__ == "__main__":
    main()
