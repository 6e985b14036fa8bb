#!/usr/bin/env python3
"""Real head MR against a CT made from it: brain, fluid, scalp and a skull shell in Hounsfield units, another grid, noise, a
gantry tilt, a cropped field of view, a pose drawn at random; optionally slightly bent.

    real_mr.py FOLDER_OF_MR_FILES TOOL COUNT [--bend MM] [--other FOLDER]

`--bend` bends the CT slightly; `--other` makes it from another patient's MR: a wrong pair.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402


def read(folder):
    """The longest evenly spaced run of slices of the MR in the folder and those below it, as an image."""
    slices = [pydicom.dcmread(p, force=True) for p in sorted(Path(folder).rglob("*")) if p.is_file()]
    slices = [d for d in slices if d.get("Modality") == "MR" and "ImageOrientationPatient" in d and "PixelData" in d]
    slices = [d for d in slices if d.SeriesInstanceUID == slices[0].SeriesInstanceUID]
    directions = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(*directions)
    slices.sort(key=lambda d: float(np.dot(normal, np.array(d.ImagePositionPatient, float))))
    depths = [float(np.dot(normal, np.array(d.ImagePositionPatient, float))) for d in slices]
    best, start = (0, 1), 0
    for end in range(2, len(slices) + 1):
        steps = np.diff(depths[start:end])
        if np.ptp(steps) > 0.1:
            start = end - 2
        if end - start > best[1] - best[0]:
            best = (start, end)
    slices = slices[best[0]:best[1]]
    array = np.stack([d.pixel_array for d in slices]).astype(np.float32)
    image = sitk.GetImageFromArray(array)
    rows, columns = map(float, slices[0].PixelSpacing)
    step = (depths[best[1] - 1] - depths[best[0]]) / (len(slices) - 1)
    image.SetSpacing([columns, rows, step])
    image.SetOrigin([float(v) for v in slices[0].ImagePositionPatient])
    image.SetDirection(np.column_stack([directions[0], directions[1], normal]).ravel().tolist())
    return image


def made_ct(mr):
    """What a CT of the same head might look like: from the MR's own head and its tissue's brightness."""
    array = sitk.GetArrayFromImage(mr)
    x, y, z = mr.GetSpacing()
    smooth = ndimage.gaussian_filter(array, (0, 1 / y, 1 / x))
    bright = np.percentile(smooth, 99)
    head = ndimage.binary_closing(smooth > 0.12 * bright, np.ones((1, 15, 15)))
    head = np.stack([ndimage.binary_fill_holes(s) for s in head])
    labels, _ = ndimage.label(head)
    head = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    depth = np.stack([ndimage.distance_transform_edt(s, sampling=(y, x)) for s in head])
    share = np.clip(smooth / bright, 0, 1)
    hounsfield = np.where(head, 38 - 30 * share, -1000.0)  # bright on PD and FLAIR is not dense on CT
    hounsfield[head & (depth < 6)] = -60
    hounsfield[head & (depth >= 6) & (depth < 12)] = 1000
    result = sitk.GetImageFromArray(ndimage.gaussian_filter(hounsfield, (0, 0.6, 0.6)).astype(np.float32))
    result.CopyInformation(mr)
    return result, head


def bent(ct, random, millimetres):
    """The image warped by a smooth random field of that mean length."""
    size = [5, 5, 4]
    transform = sitk.BSplineTransformInitializer(ct, size, 3)
    parameters = random.standard_normal(len(transform.GetParameters()))
    transform.SetParameters((parameters * millimetres * 1.2).tolist())
    return sitk.Resample(ct, ct, transform, sitk.sitkLinear, -1000.0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("tool")
    parser.add_argument("count", type=int)
    parser.add_argument("--bend", type=float, default=0)
    parser.add_argument("--other")
    arguments = parser.parse_args()
    mr, tool, count, bend = read(arguments.folder), arguments.tool, arguments.count, arguments.bend
    ct, head = made_ct(read(arguments.other) if arguments.other else mr)
    where = np.argwhere(head)[:, ::-1]
    directions = np.array(ct.GetDirection()).reshape(3, 3)
    for number in range(count):
        random = np.random.default_rng(7000 + number)
        points = where[random.integers(len(where), size=500)] * ct.GetSpacing() @ directions.T + ct.GetOrigin()
        middle = points.mean(axis=0)
        to_moving = cases.rigid(random.uniform(-30, 30, 3), random.uniform(-60, 60, 3))
        to_moving[:3, 3] += middle - to_moving[:3, :3] @ middle
        center = (to_moving @ [*middle, 1])[:3] + random.uniform(-6, 6, 3)
        thick = random.choice([1.25, 2.5, 5.0])
        height = 160 * random.uniform(0.75, 1)
        spacing = np.array([0.49, 0.49, thick]) * [2, 2, 1]
        grid = cases.grid(center, cases.euler(random.uniform(-18, 18, 3) * [1, 0, 0]), spacing,
                          [256, 256, max(8, round(height / thick))])
        source = bent(ct, random, bend) if bend else ct
        array = cases.scanned(source, grid, np.linalg.inv(to_moving), -1000, 1)
        moving = cases.image_of(array + random.standard_normal(array.shape) * 6, grid)
        there = points @ to_moving[:3, :3].T + to_moving[:3, 3]
        overlap = (cases.inside(moving, there)).mean()
        case = cases.Case(f"real-{number}", mr, moving, to_moving, points, float(overlap), mr.GetSpacing()[2])
        with tempfile.TemporaryDirectory() as folder:
            paths = [f"{folder}/{name}.mha" for name in ("fixed", "moving")]
            for image, path in zip((case.fixed, case.moving), paths):
                sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32), path, useCompression=False)
            done = subprocess.run([tool, *paths], capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        distances = cases.error(case, answer["result"]["transform"])
        print(json.dumps(dict(tool="fuseline", kind="real-wrong" if arguments.other else "real", case=case.name, overlap=case.overlap, thickness=case.thickness,
                              ct_step=float(thick), bend=bend, tre=float(distances.mean()), worst=float(distances.max()),
                              cpu=answer["cpu_seconds"], evidence=answer["evidence"], result=answer["result"])), flush=True)


if __name__ == "__main__":
    main()
