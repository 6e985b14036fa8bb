"""Similarity measures and percentiles of a pair of planes by NumPy and SciPy; writes measures.json."""
import json
import sys

import numpy as np
from scipy.ndimage import correlate1d


def entropy(counts):
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def information(a, b, bins):
    joint, _, _ = np.histogram2d(a.ravel(), b.ravel(), bins=bins, range=[[0, 1], [0, 1]])
    ha, hb, hab = entropy(joint.sum(1)), entropy(joint.sum(0)), entropy(joint.ravel())
    return ha + hb - hab, (ha + hb) / hab


def ssim_map(a, b, data_range):
    w = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5**2))
    w /= w.sum()

    def mean(x):
        return correlate1d(correlate1d(x, w, axis=0), w, axis=1)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))


def main(folder):
    rows, columns = json.load(open(f"{folder}/shape.json"))
    a = np.fromfile(f"{folder}/a", "<f4").reshape(rows, columns).astype(float)
    b = np.fromfile(f"{folder}/b", "<f4").reshape(rows, columns).astype(float)
    mask = np.fromfile(f"{folder}/mask", "<f4").reshape(rows, columns) > 0
    inner = np.zeros_like(mask)
    inner[5:-5, 5:-5] = True
    ssim = ssim_map(a, b, 1.0)
    result = {
        "ncc": np.corrcoef(a.ravel(), b.ravel())[0, 1],
        "nccMasked": np.corrcoef(a[mask], b[mask])[0, 1],
        "mae": np.abs(a - b).mean(),
        "maeMasked": np.abs(a - b)[mask].mean(),
        "mi": information(a, b, 256)[0],
        "miMasked": information(a[mask], b[mask], 64)[0],
        "nmi": information(a, b, 32)[1],
        "ssim": ssim[inner].mean(),
        "ssimMasked": ssim[inner & mask].mean(),
    }
    values = np.fromfile(f"{folder}/values", "<f4")
    result["percentiles"] = [float(np.percentile(values.astype(float), p)) for p in (0, 1, 37.5, 50, 99.5, 100)]
    json.dump({k: v if isinstance(v, list) else float(v) for k, v in result.items()},
              open(f"{folder}/measures.json", "w"))


main(sys.argv[1])
