"""Aligned slices of the digital head phantom, as training data without a patient in it.

Invented subjects with their own seeds (the sample studies have 11 to 14), random size, atrophy,
lesion and tilt. Writes an .npz of T1, T2, CT, PET and SPECT, each (N, 128, 128) in 0...1, for
`python -m bsafusion.pretrain --phantoms`. Takes about a quarter of a minute per subject.

Usage: python phantom_slices.py phantoms.npz [subjects]
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, List

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "sample-studies"))

from phantom import scanners  # noqa: E402
from phantom.anatomy import Subject  # noqa: E402
from phantom.grid import Grid  # noqa: E402


def percentiles(volume: np.ndarray, low: float = 1, high: float = 99.5) -> np.ndarray:
    a, b = np.percentile(volume[volume > 0], [low, high])
    return np.clip((volume - a) / (b - a), 0, 1)


def draw(number: int, random: np.random.Generator) -> Dict[str, np.ndarray]:
    uniform = lambda a, b: float(random.uniform(a, b))  # noqa: E731
    subject = Subject(
        seed=200 + number, size=tuple(random.uniform(0.93, 1.07, 3)), atrophy=uniform(0.85, 1.3),
        lesion=(float(random.choice([-1, 1])) * uniform(15, 40), uniform(-40, 40), uniform(10, 40)),
        lesion_radius=uniform(5, 12), oedema=uniform(5, 12))
    grid = Grid((uniform(-2, 2), uniform(-4, 2), uniform(10, 22)), (128, 128, 6), 1.8, 12.0, 5.0,
                tilt=(uniform(-8, 8), uniform(-2, 2), uniform(-2, 2)))
    magnitude = lambda t, n: percentiles(  # noqa: E731
        scanners.magnetic_resonance(subject, grid, t, n).astype(float))
    pet = scanners.emission(subject, grid, scanners.FDG, number, 5.0, 120)
    spect = scanners.emission(subject, grid, scanners.PERFUSION, number, 8.5, 60)
    return {"T1": magnitude(scanners.T1, number), "T2": magnitude(scanners.T2, number + 50),
            "CT": np.clip(scanners.computed_tomography(subject, grid, number) / 80, 0, 1),
            "PET": np.clip(pet * uniform(0.4, 0.75), 0, 1),
            "SPECT": np.clip(spect * uniform(0.7, 0.9), 0, 1)}


def main(path: str, subjects: int = 10) -> None:
    random = np.random.default_rng(5)
    made: Dict[str, List[np.ndarray]] = {}
    for number in range(subjects):
        for name, volume in draw(number, random).items():
            made.setdefault(name, []).append(volume.astype(np.float32))
    np.savez_compressed(path, **{name: np.concatenate(parts) for name, parts in made.items()})


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) for a in sys.argv[2:]))
