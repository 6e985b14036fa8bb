#!/usr/bin/env python3
"""Heads to register: phantoms of several subjects, sampled once in every contrast.

    dense.py FOLDER SEED … [--pitch 1]    one .npz a head: arrays [z, y, x] of that pitch, mm, centred at 0
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sample-studies"))
from phantom import scanners  # noqa: E402
from phantom.anatomy import TISSUES, Subject, composition  # noqa: E402

EXTENT = (190, 222, 176)  # z, y, x, mm
CONTRASTS = {"t1": scanners.T1, "t2": scanners.T2, "ct": scanners.CT, "fdg": scanners.FDG,
             "perfusion": scanners.PERFUSION}


def drawn_subject(seed):
    """A head unlike the others: size, atrophy and lesion follow from the seed."""
    random = np.random.default_rng(seed)
    side = random.choice([-1, 1])
    return Subject(
        seed=seed, size=tuple(random.uniform([0.94, 0.94, 0.93], [1.06, 1.06, 1.06])), atrophy=random.uniform(0.85, 1.5),
        lesion=(side * random.uniform(24, 38), random.uniform(-25, 38), random.uniform(18, 32)),
        lesion_radius=random.uniform(7, 11))


def phantom(seed, pitch):
    subject = drawn_subject(seed)
    tables = np.array([[table[name] for name in TISSUES] for table in CONTRASTS.values()], float)
    nz, ny, nx = (round(extent / pitch) for extent in EXTENT)
    y, x = np.mgrid[0:ny, 0:nx]
    out = np.empty((len(tables), nz, ny, nx), np.float32)
    plane = np.stack([x.ravel() - (nx - 1) / 2, y.ravel() - (ny - 1) / 2, np.zeros(x.size)], axis=1)
    plane *= pitch
    for k in range(nz):
        plane[:, 2] = (k - (nz - 1) / 2) * pitch
        values = tables @ composition(subject, plane)
        uneven = 1 + 0.035 * subject.wave("coarse", 32)(plane) + 0.03 * subject.wave("fine", 9)(plane)
        values[[0, 1, 3, 4]] *= uneven
        out[:, k] = values.reshape(len(tables), ny, nx)
    return dict(zip(CONTRASTS, out))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--pitch", type=float, default=1.0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for seed in arguments.seeds:
        path = arguments.folder / f"phantom-{seed}.npz"
        if not path.exists():
            np.savez(path, pitch=arguments.pitch, **phantom(seed, arguments.pitch))
            print(path, flush=True)


if __name__ == "__main__":
    main()
