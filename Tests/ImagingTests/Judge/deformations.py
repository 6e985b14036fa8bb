"""Registered slice pairs under known deformations: for each pair (fixed, moving) a random deformation of the moving
slice, then its exact inverse applied, and a random wrong field applied to the deformed and to the registered slice.
Writes planes (fixed, undeformed, aligned; float32) and cases.json."""
import glob
import json
import sys

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

SIDE = 256
ROW, COLUMN = np.mgrid[0:SIDE, 0:SIDE].astype(float)
random = np.random.default_rng(20)


def grey(path):
    pixels = np.array(Image.open(path)).astype(float)
    return (pixels if pixels.ndim == 2 else pixels[..., :3] @ [0.299, 0.587, 0.114]) / 255


def field(bend, degrees, shift):
    """Offsets (dx, dy) in pixels: smooth bending up to `bend`, a rotation and a shift up to the given sizes."""
    waves = np.stack([gaussian_filter(random.standard_normal((SIDE, SIDE)), random.uniform(12, 28)) for _ in "xy"])
    waves *= bend / np.sqrt((waves**2).sum(0)).max()
    a, (tx, ty) = np.deg2rad(random.uniform(-degrees, degrees)), random.uniform(-shift, shift, 2)
    x, y = COLUMN - (SIDE - 1) / 2, ROW - (SIDE - 1) / 2
    return waves + np.stack([np.cos(a) * x - np.sin(a) * y - x + tx, np.sin(a) * x + np.cos(a) * y - y + ty])


def warped(image, f, mode="nearest"):
    return map_coordinates(image, [ROW + f[1], COLUMN + f[0]], order=1, mode=mode)


def inverse(f):
    g = -f
    for _ in range(30):
        g = -np.stack([warped(f[k], g) for k in range(2)])
    return g


def main(source, folder):
    planes, cases = [], []
    for name in ("CT", "PET", "SPECT"):
        for path in sorted(glob.glob(f"{source}/{name}-MRI/val/{name}/*.png")):
            fixed, moving = grey(path.replace(f"/{name}/", "/MRI/")), grey(path)
            f = field(8, 5, 5)
            deformed = warped(moving, f, "constant")
            for kind, before, after in (
                ("inverse", deformed, warped(deformed, inverse(f))),
                ("wrong on deformed", deformed, warped(deformed, field(8, 5, 5))),
                ("wrong on registered", moving, warped(moving, field(4, 2.5, 2.5))),
            ):
                cases.append({"set": name, "kind": kind, "index": len(cases)})
                planes += [fixed, before, after]
    np.array(planes, dtype="<f4").tofile(f"{folder}/planes")
    json.dump(cases, open(f"{folder}/cases.json", "w"))


main(*sys.argv[1:])
