#!/usr/bin/env python3
"""Right and wrong pairs for the verdict: series of many heads, each scanned once a contrast, joined in every way.

    pairs.py draw HEADS FOLDER [--variants 4]       series as FOLDER/*.mha, what they show in FOLDER/series.json
    pairs.py register FOLDER OUT.jsonl TOOL [--wrong 300]

A head is a phantom, as it is (variant 0) or bent: sizes by up to 5 % along each axis and a smooth random field of 4 mm.
Bodies that are no heads – two legs, a trunk – are made of a few ellipsoids. Series of one head make right pairs; two heads,
or a head and another body, wrong ones.
"""

import argparse
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402

PAIRS = {"t1": ["ct", "fdg", "perfusion"], "t2": ["ct", "fdg", "perfusion"], "ct": ["fdg"]}
SCANS = [("t1", 0), ("t2", 1), ("ct", 2), ("ct", 3), ("fdg", 4), ("perfusion", 5)]  # contrast, number of the scan
SHADES = {"t1": (0.0, 0.75, 0.45, 0.1), "t2": (0.0, 0.4, 0.5, 0.1), "ct": (-1000.0, -90.0, 45.0, 900.0),
          "fdg": (0.0, 0.1, 0.5, 0.15), "perfusion": (0.0, 0.1, 0.4, 0.05)}  # air, fat, muscle, bone


def bend(seed, size, amount, reference):
    """Body coordinates to those of the phantom it is made from."""
    random = np.random.default_rng(seed)
    field = sitk.BSplineTransformInitializer(reference, [4, 5, 5], 3)
    field.SetParameters((random.standard_normal(len(field.GetParameters())) * amount).tolist())
    scale = sitk.AffineTransform(3)
    scale.SetMatrix(np.diag(1 / np.asarray(size)).ravel().tolist())
    coarse = [n // 4 + 2 for n in reference.GetSize()]  # a table of it is quicker than the splines
    return sitk.DisplacementFieldTransform(sitk.TransformToDisplacementField(
        sitk.CompositeTransform([scale, field]), sitk.sitkVectorFloat64, coarse, reference.GetOrigin(),
        [4 * s for s in reference.GetSpacing()]))


def ellipsoids(kind, contrast, pitch=2.0):
    """Legs or trunk as an image in body coordinates."""
    air, fat, muscle, bone = SHADES[contrast]
    z, y, x = np.mgrid[-100:100:pitch, -120:120:pitch, -160:160:pitch].astype(np.float32)
    array = np.full(x.shape, air, np.float32)

    def paint(value, cx, cy, rx, ry, cz=0.0, rz=1e9):
        array[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 < 1] = value

    if kind == "legs":
        for side in (-1, 1):
            paint(fat, side * 85, 0, 72, 78)
            paint(muscle, side * 85, 2, 60, 66)
            paint(bone, side * 80, -8, 15, 15)
            paint(fat, side * 80, -8, 8, 8)
    else:
        paint(fat, 0, 0, 150, 105)
        paint(muscle, 0, 0, 132, 90)
        for side in (-1, 1):
            paint(air, side * 62, -5, 48, 68, 30, 110)
        paint(muscle, 12, -20, 45, 45, 0, 70)
        paint(bone, 0, 62, 18, 18)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([pitch] * 3)
    image.SetOrigin([-160, -120, -100])
    return image


def series(path, contrast, scan, warp, reach=(60.0, 30.0)):
    """One scan: image and the matrix from body to scanner coordinates."""
    random = np.random.default_rng(scan)
    fixed = contrast in ("t1", "t2") or scan % 10 == 2
    to_scanner = np.eye(4) if fixed else cases.rigid(
        random.uniform(-reach[1], reach[1], 3), random.uniform(-reach[0], reach[0], 3))
    thick = [None, None, 3.0, 5.0][random.integers(4)]
    spacing, size, directions = cases.layout(contrast, random, thick, "axial")
    middle = to_scanner[:3, 3] + random.uniform(-8, 8, 3)
    if random.random() < 0.3:  # a scan that ends early
        size[2] = round(size[2] * random.uniform(0.65, 0.9))
        middle[2] += random.uniform(-20, 20)
    grid = cases.grid(middle, directions @ cases.euler(random.uniform(-5, 5, 3)), spacing, size)
    body = ellipsoids(path, contrast) if isinstance(path, str) else cases.head(path, contrast)
    outside = -1000 if contrast == "ct" else 0
    back = cases.transform(np.linalg.inv(to_scanner))
    total = sitk.CompositeTransform([warp, back]) if warp else back
    layers = 3 if thick else 1  # a thick slice averages what lies in it
    turned = np.array(grid.GetDirection()).reshape(3, 3)
    fine = cases.grid(middle, turned, spacing / [1, 1, layers], size * [1, 1, layers])
    array = sitk.GetArrayFromImage(sitk.Resample(body, fine, total, sitk.sitkLinear, outside, sitk.sitkFloat32))
    array = array.reshape(-1, layers, *array.shape[1:]).mean(axis=1)
    array = cases.measured(array, contrast, spacing, random, random.uniform(25, 50))
    return cases.image_of(array, grid), to_scanner


def bodies(heads, variants):
    """Name, phantom and warp of every body."""
    for number, path in enumerate(heads):
        for variant in range(variants):
            seed = 100 * number + variant
            random = np.random.default_rng(9000 + seed)
            size = random.uniform(0.95, 1.05, 3)
            yield f"head{seed:04}", path, (None if variant == 0 else (seed, size, 4.0))
    for number, kind in enumerate(["legs", "trunk"]):
        for variant in range(2):
            size = np.random.default_rng(variant).uniform(0.85, 1.1, 3)
            yield f"{kind}{variant}", kind, (5000 + 10 * number + variant, size, 4.0)


def draw(heads, folder, variants):
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "series.json"
    known = json.loads(index.read_text()) if index.exists() else []
    names = {s["name"] for s in known}
    for order, (body, path, warp) in enumerate(bodies(heads, variants)):
        for contrast, number in SCANS:
            name = f"{body}-{contrast}-{number}"
            if name in names:
                continue
            bent = warp and bend(*warp, cases.head(heads[0], "ct"))
            image, matrix = series(path, contrast, 1000 * order + number, bent)
            sitk.WriteImage(image, str(folder / f"{name}.mha"), useCompression=False)
            known.append(dict(name=name, body=body, contrast=contrast, matrix=matrix.ravel().tolist()))
            index.write_text(json.dumps(known))
            print(name, flush=True)


def joined(known, wrong, seed=1):
    """All right pairs, and so many wrong ones drawn from the rest: nine in ten of two heads, one of a head and no head."""
    fixed = [s for s in known if s["contrast"] in PAIRS and not s["name"].endswith("-3")]
    moving = [s for s in known if not s["name"].endswith("-2") and s["contrast"] not in ("t1", "t2")]
    every = [(f, m) for f, m in itertools.product(fixed, moving) if m["contrast"] in PAIRS[f["contrast"]]]
    right = [(f, m) for f, m in every if f["body"] == m["body"] and f["body"].startswith("head")]
    two = [(f, m) for f, m in every if f["body"] != m["body"] and f["body"].startswith("head")]
    heads = [p for p in two if p[1]["body"].startswith("head")]
    others = [p for p in two if not p[1]["body"].startswith("head")]
    random = np.random.default_rng(seed)
    take = lambda pairs, n: [pairs[i] for i in random.permutation(len(pairs))[:n]]  # noqa: E731
    return [("right", p) for p in right] + [("wrong", p) for p in take(heads, wrong)] + [
        ("other", p) for p in take(others, wrong // 5)]


def register(folder, out, tool, wrong):
    known = json.loads((folder / "series.json").read_text())
    done = {(r["fixed"], r["moving"]) for r in map(json.loads, out.open())} if out.exists() else set()
    random = np.random.default_rng(3)
    points = cases.brain_points(random)
    with out.open("a") as lines:
        for kind, (fixed, moving) in joined(known, wrong):
            if (fixed["name"], moving["name"]) in done:
                continue
            paths = [str(folder / f"{s['name']}.mha") for s in (fixed, moving)]
            answer = json.loads(subprocess.run([tool, *paths], capture_output=True, text=True, check=True).stdout)
            row = dict(kind=kind, fixed=fixed["name"], moving=moving["name"], cpu=answer["cpu_seconds"],
                       evidence=answer["evidence"], result=answer["result"])
            if kind == "right":
                truth = np.array(moving["matrix"]).reshape(4, 4)
                found = np.array(answer["result"]["transform"]).reshape(4, 4) - truth
                row["tre"] = float(np.linalg.norm(points @ found[:3, :3].T + found[:3, 3], axis=1).mean())
            lines.write(json.dumps(row) + "\n")
            lines.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["draw", "register"])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("tool", nargs="?")
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--wrong", type=int, default=300)
    arguments = parser.parse_args()
    if arguments.what == "draw":
        draw(cases.heads_in(arguments.source), arguments.target, arguments.variants)
    else:
        register(arguments.source, arguments.target, arguments.tool, arguments.wrong)


if __name__ == "__main__":
    main()
