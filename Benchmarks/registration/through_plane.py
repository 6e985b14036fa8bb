#!/usr/bin/env python3
"""Do deformations jump from slice to slice? Thin slices of phantom heads whose displacement is known, every slice through the
network alone, its fields averaged along the normal as `alignment.through_plane` does it.

    through_plane.py HEADS FUSELINE OUT.json [--slices 20] [--step 2.5] [--heads 2]

Jitter: length of the second difference of the field along the normal, |u(k-1) - 2 u(k) + u(k+1)| / 2, mm. Error: distance
from the known displacement, mm. Both over the head, in all slices but the outermost of the stack.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.ndimage import gaussian_filter, map_coordinates

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sample-studies"))
from phantom.deformation import drawn  # noqa: E402
from phantom.grid import Grid  # noqa: E402

PAIRS = {"CT-MR": ("t2", "ct"), "PET-MR": ("t1", "fdg"), "SPECT-MR": ("t2", "perfusion")}
BLUR = {"fdg": 5.5, "perfusion": 8.5}  # mm, full width at half maximum
MODEL = Path(__file__).resolve().parents[2] / "Models/bsafusion-joint.safetensors"
SIDE, PIXEL = 256, 0.94
SIGMAS = (0, 1, 1.5, 2, 3, 4, 6, 8)  # mm
REACH = 2.0  # standard deviations, as the program


def sampled(array, pitch, points):
    """Values of a dense head at positions [N, 3], mm."""
    index = (points[:, ::-1] / pitch).T + (np.array(array.shape) - 1)[:, None] / 2
    return map_coordinates(array, index, order=1, mode="nearest")


def percentiles(volume, low, high):
    a, b = np.percentile(volume, [low, high])
    return np.clip((volume - a) / (b - a), 0, 1)


def stacks(path, pair, slices, step, seed):
    """Fixed and moving stacks in 0…1, [k, y, x], and the displacement along rows and columns, pixels, [k, 2, y, x]."""
    fixed_contrast, moving_contrast = PAIRS[pair]
    random = np.random.default_rng(seed)
    grid = Grid((0, -2, 22), (SIDE, SIDE, slices), PIXEL, step, step, tilt=(4, 1, 2))
    bend = drawn(seed, grid, float(random.uniform(-3, 3)), tuple(random.uniform(-3, 3, 2)), 1.8)
    with np.load(path) as arrays:
        pitch = float(arrays["pitch"])
        fixed_head, moving_head = arrays[fixed_contrast], arrays[moving_contrast]
    if moving_contrast in BLUR:
        moving_head = gaussian_filter(moving_head, BLUR[moving_contrast] / 2.3548 / pitch)
    fixed, moving, truth = (np.empty((slices, SIDE, SIDE), np.float32) for _ in range(3))
    truth = np.empty((slices, 2, SIDE, SIDE), np.float32)
    for k in range(slices):
        points = grid.points(k)
        fixed[k] = sampled(fixed_head, pitch, points).reshape(SIDE, SIDE)
        moving[k] = sampled(moving_head, pitch, bend.undone(points)).reshape(SIDE, SIDE)
        u = bend(points) / PIXEL
        truth[k] = np.stack([u @ grid.row, u @ grid.column]).reshape(2, SIDE, SIDE)
    noise = random.standard_normal((2, *fixed.shape), dtype=np.float32)
    fixed = np.hypot(fixed + 0.015 * noise[0], 0.015 * noise[1])
    head = gaussian_filter(fixed, (0, 2, 2)) > 0.1 * fixed.max()
    if moving_contrast == "ct":
        moving = np.clip((moving + 4 * random.standard_normal(moving.shape, dtype=np.float32)) / 80, 0, 1)
    else:
        moving = np.maximum(moving + np.sqrt(np.maximum(moving, 0.004) / 120) * gaussian_filter(
            random.standard_normal(moving.shape, dtype=np.float32), 0.8), 0)
        moving = percentiles(moving, 1, 99.9)
    return percentiles(fixed, 1, 99.5), moving, truth, head


def flows(program, fixed, moving, folder):
    """The network's field of each slice alone, pixels, [k, 2, y, x]."""
    result = []
    for k in range(len(fixed)):
        paths = [str(Path(folder) / f"{name}.safetensors") for name in ("fixed", "moving", "out")]
        for path, image in zip(paths, (fixed[k], moving[k])):
            save_file({"image": np.ascontiguousarray(image, np.float32)[None, None]}, path)
        subprocess.run([program, "model", "apply", "--model", str(MODEL), "--fixed", paths[0], "--moving", paths[1],
                        "--output", paths[2]], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        result.append(load_file(paths[2])["flow"][0])
    return np.stack(result)


def averaged(fields, step, sigma):
    """Weighted mean along the normal over slices within the reach."""
    if sigma == 0:
        return fields
    depths = np.arange(len(fields)) * step
    apart = (depths[:, None] - depths[None]) / sigma
    weights = np.where(np.abs(apart) <= REACH + 1e-9, np.exp(-apart**2 / 2), 0)
    return np.einsum("ij,jcyx->icyx", weights / weights.sum(1, keepdims=True), fields)


def numbers(fields, truth, head):
    length = lambda v: np.linalg.norm(v, axis=1)[head[1:-1]] * PIXEL  # noqa: E731
    jump = length((fields[:-2] - 2 * fields[1:-1] + fields[2:]) / 2)
    miss = length(fields[1:-1] - truth[1:-1])
    return dict(jitter=float(jump.mean()), jitter95=float(np.percentile(jump, 95)), error=float(miss.mean()),
                error95=float(np.percentile(miss, 95)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("program")
    parser.add_argument("out", type=Path)
    parser.add_argument("--slices", type=int, default=20)
    parser.add_argument("--step", type=float, default=2.5)
    parser.add_argument("--heads", type=int, default=2)
    arguments = parser.parse_args()
    rows = []
    for number, path in enumerate(sorted(arguments.source.glob("*.npz"))[:arguments.heads]):
        for pair in PAIRS:
            fixed, moving, truth, head = stacks(path, pair, arguments.slices, arguments.step, 40 + number)
            with tempfile.TemporaryDirectory() as folder:
                fields = flows(arguments.program, fixed, moving, folder)
            still = numbers(np.zeros_like(truth), truth, head)
            for step, chosen in ((arguments.step, slice(None)), (2 * arguments.step, slice(None, None, 2))):
                for sigma in SIGMAS:
                    rows.append(dict(pair=pair, head=path.stem, step=step, sigma=sigma, before=still["error"],
                                     truth=numbers(truth[chosen], truth[chosen], head[chosen])["jitter"],
                                     **numbers(averaged(fields[chosen], step, sigma), truth[chosen], head[chosen])))
                    print(json.dumps(rows[-1]), flush=True)
            arguments.out.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
