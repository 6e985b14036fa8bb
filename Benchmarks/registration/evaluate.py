#!/usr/bin/env python3
"""Registers drawn cases with Fuseline and, on some of them, with SimpleITK, elastix and ANTs; one JSON line a result.

    evaluate.py HEADS OUT.jsonl --tool .build/release/register-volumes --kind full --count 200 [--peers elastix,sitk]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402

MODES = list(cases.MODES)
KINDS = {
    "full": dict(), "cropped": dict(cropped=True), "thick": dict(thick=5.0), "thick7": dict(thick=7.0),
    "sagittal": dict(orientation="sagittal"), "coronal": dict(orientation="coronal"), "wrong": dict(),
}


def draw(kind, number, heads, mode=None):
    options = dict(KINDS[kind])
    mode = mode or MODES[number % len(MODES)]
    if mode == "PET-CT" and "orientation" in options:
        mode = "CT-MR"
    if kind == "wrong":
        path = heads[np.random.default_rng(number).integers(len(heads))]
        others = [h for h in heads if h != path]
        options["moving_head"] = others[number % len(others)]
    return cases.draw(number, heads, mode, **options)


def fuseline(case, tool):
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.mha" for name in ("fixed", "moving")]
        for image, path in zip((case.fixed, case.moving), paths):
            sitk.WriteImage(image, path, useCompression=False)
        started = time.perf_counter()
        done = subprocess.run([tool, *paths], capture_output=True, text=True)
        wall = time.perf_counter() - started
    if done.returncode:
        return dict(failed=done.stderr.strip()[-200:], wall=wall)
    answer = json.loads(done.stdout)
    return dict(matrix=answer["result"]["transform"], cpu=answer["cpu_seconds"], wall=wall, result=answer["result"],
                prepare=answer["prepare_seconds"], evidence=answer["evidence"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("heads")
    parser.add_argument("out")
    parser.add_argument("--tool", default=".build/release/register-volumes")
    parser.add_argument("--kind", default="full", choices=KINDS)
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--peers", default="")
    arguments = parser.parse_args()
    heads = cases.heads_in(arguments.heads)
    peers = [p for p in arguments.peers.split(",") if p]
    with open(arguments.out, "a", encoding="utf-8") as out:
        for number in range(arguments.first, arguments.first + arguments.count):
            case = draw(arguments.kind, number, heads, arguments.mode)
            answers = {"fuseline": fuseline(case, arguments.tool)}
            if peers:
                import peers as others
                answers |= {name: others.RUN[name](case) for name in peers}
            for tool, answer in answers.items():
                row = dict(tool=tool, kind=arguments.kind, case=case.name, overlap=case.overlap,
                           thickness=case.thickness, **answer)
                if "matrix" in answer:
                    distances = cases.error(case, answer["matrix"])
                    row |= dict(tre=float(distances.mean()), worst=float(distances.max()))
                out.write(json.dumps(row) + "\n")
                out.flush()
                print(f"{case.name:14} {tool:9} overlap {case.overlap:.2f} TRE {row.get('tre', np.nan):8.3f} "
                      f"cpu {answer.get('cpu', np.nan):6.2f} {answer.get('failed', '')}", flush=True)


if __name__ == "__main__":
    main()
