#!/usr/bin/env python3
"""Two studies of a CT and an MR without a common frame of reference, into a folder: `same`, of one head, and `other`, where
the CT shows another head under the same name. Prints the transform from MR to CT positions, 4×4, row-major, as JSON."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sample-studies"))
from phantom.anatomy import Subject  # noqa: E402
from phantom.grid import Grid  # noqa: E402
from phantom.headers import Person, Series, Study, uid  # noqa: E402
from phantom.modalities import ct_slices, mr_slices  # noqa: E402
from phantom.scanners import T1, computed_tomography, magnetic_resonance  # noqa: E402
from phantom.writing import write  # noqa: E402

TURN, SHIFT = (11.0, -8.0, 14.0), (42.0, -55.0, 63.0)  # degrees about x, y, z; mm


def main(folder):
    turn = Grid((0, 0, 0), (2, 2, 2), 1, 1, 1, tilt=TURN).axes.T
    fixed = Grid((0, -2, 14), (96, 112, 14), 2.1, 6.0, 5.0, tilt=(6, 0, 2))
    moving = Grid(tuple(turn @ (0, 0, 8) + SHIFT), (100, 112, 30), 2.1, 4.8, 4.8, tilt=(10, -6, 12))
    head, stranger = Subject(seed=21), Subject(seed=22, size=(0.95, 1.04, 0.96), atrophy=1.4, lesion=(-34, 10, 24))
    magnitude = magnetic_resonance(head, fixed, T1, 5)
    for number, (name, subject) in enumerate([("same", head), ("other", stranger)], start=1):
        person = Person(20 + number, f"Phantom^{name}", "F", "19700101", "056Y", 64, 1.66)
        study = Study(f"two-scanners-{name}", person, "20260105", "081500", "Synthetic phantom: CT and MR of two scanners")
        mr = Series(study, "mr", "MR", 3, "082500", "AX T1 SE synthetic phantom")
        ct = Series(study, "ct", "CT", 2, "081800", "HEAD 4.8 SOFT synthetic phantom")
        out = Path(folder) / name
        for k, data in enumerate(mr_slices(mr, fixed, magnitude, "T1")):
            write(data, out / "MR" / f"{k}.dcm", "explicit")
        hounsfield = computed_tomography(subject, moving, 6, lambda points: (points - SHIFT) @ turn)
        for k, data in enumerate(ct_slices(ct, moving, hounsfield)):
            data.FrameOfReferenceUID = uid(study.key, "frame of reference of the CT")
            write(data, out / "CT" / f"{k}.dcm", "explicit")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, SHIFT
    print(json.dumps(matrix.ravel().tolist()))


if __name__ == "__main__":
    main(sys.argv[1])
