"""Alignment and fusion measures, on numpy planes. Definitions as cited; no images are read here."""
from __future__ import annotations

from typing import Tuple

import numpy as np
from scipy import ndimage, signal

Plane = np.ndarray  # (H, W) float


def ncc(a: Plane, b: Plane) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(np.sqrt((a * a).sum() * (b * b).sum()), 1e-12))


def mae(a: Plane, b: Plane) -> float:
    return float(np.abs(a - b).mean())


def _bytes(image: Plane) -> np.ndarray:
    return np.clip(np.floor(image * 255 + 0.5), 0, 255).astype(np.int64)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def _information(a: Plane, b: Plane) -> Tuple[float, float, float]:
    joint = np.bincount((_bytes(a) * 256 + _bytes(b)).ravel(), minlength=65536).reshape(256, 256)
    ha, hb = _entropy(joint.sum(1)), _entropy(joint.sum(0))
    return ha + hb - _entropy(joint.ravel()), ha, hb


def mutual_information(a: Plane, b: Plane) -> float:
    """Bits, 256 bins."""
    return _information(a, b)[0]


def q_mi(a: Plane, b: Plane, fused: Plane) -> float:
    """Normalised mutual information of the fused image with both sources, times two."""
    total = 0.0
    for source in (a, b):
        shared, hs, hf = _information(source, fused)
        total += shared / max(hs + hf, 1e-12)
    return 2 * total


def _gauss(size: int, sigma: float) -> np.ndarray:
    x = np.arange(size) - (size - 1) / 2
    k = np.exp(-0.5 * (x / sigma) ** 2)
    return k / k.sum()


def _valid(image: Plane, kernel: np.ndarray) -> Plane:
    reach = len(kernel) // 2
    out = ndimage.convolve1d(ndimage.convolve1d(image, kernel, axis=0), kernel, axis=1)
    return out[reach:-reach, reach:-reach]


def ssim(a: Plane, b: Plane) -> float:
    """Wang et al. 2004: 11x11 Gaussian of sigma 1.5, range 255, valid region; planes in 0...1."""
    a, b, k = a * 255.0, b * 255.0, _gauss(11, 1.5)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = _valid(a, k), _valid(b, k)
    va, vb = _valid(a * a, k) - ma**2, _valid(b * b, k) - mb**2
    cov = _valid(a * b, k) - ma * mb
    top = (2 * ma * mb + c1) * (2 * cov + c2)
    return float((top / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def _edges(image: Plane) -> Tuple[Plane, Plane]:
    image = image * 255.0
    sx = ndimage.sobel(image, axis=1, mode="nearest")
    sy = ndimage.sobel(image, axis=0, mode="nearest")
    return np.hypot(sx, sy), np.arctan(sy / np.where(sx == 0, 1e-12, sx))


def q_abf(a: Plane, b: Plane, fused: Plane) -> float:
    """Xydeas and Petrovic 2000: how much edge strength and direction the fused image keeps."""
    gf, af = _edges(fused)
    top = bottom = 0.0
    for source in (a, b):
        gs, angle = _edges(source)
        strength = np.minimum(gs, gf) / np.maximum(np.maximum(gs, gf), 1e-12)
        strength = np.where(np.maximum(gs, gf) == 0, 0, strength)
        direction = 1 - np.abs(angle - af) / (np.pi / 2)
        kept = (0.9994 / (1 + np.exp(-15 * (strength - 0.5)))
                * 0.9879 / (1 + np.exp(-22 * (direction - 0.8))))
        top, bottom = top + (kept * gs).sum(), bottom + gs.sum()
    return float(top / max(bottom, 1e-12))


def vif(reference: Plane, image: Plane) -> float:
    """Pixel-domain visual information fidelity, Sheikh and Bovik 2006, noise variance 2."""
    ref, img = reference * 255.0, image * 255.0
    top = bottom = 0.0
    for scale in range(1, 5):
        n = 2 ** (4 - scale + 1) + 1
        k = _gauss(n, n / 5)
        if scale > 1:
            ref, img = _valid(ref, k)[::2, ::2], _valid(img, k)[::2, ::2]
        mr, mi = _valid(ref, k), _valid(img, k)
        vr = np.maximum(_valid(ref * ref, k) - mr**2, 0)
        vi = np.maximum(_valid(img * img, k) - mi**2, 0)
        cov = _valid(ref * img, k) - mr * mi
        gain = cov / (vr + 1e-10)
        rest = vi - gain * cov
        gain, rest = np.where(vr < 1e-10, 0, gain), np.where(vr < 1e-10, vi, rest)
        vr = np.where(vr < 1e-10, 0, vr)
        gain, rest = np.where(vi < 1e-10, 0, gain), np.where(vi < 1e-10, 0, rest)
        rest = np.maximum(np.where(gain < 0, vi, rest), 1e-10)
        gain = np.maximum(gain, 0)
        top += np.log10(1 + gain**2 * vr / (rest + 2)).sum()
        bottom += np.log10(1 + vr / 2).sum()
    return float(top / max(bottom, 1e-12))


def _box(image: Plane, size: int = 8) -> Plane:
    kernel = np.full(size, 1 / size)
    return signal.convolve(signal.convolve(image, kernel[:, None], "valid"), kernel[None], "valid")


def q_s(a: Plane, b: Plane, fused: Plane) -> float:
    """Piella and Heijmans 2003: universal quality index in 8x8 windows, weighted by variance."""
    planes = [p * 255.0 for p in (a, b, fused)]
    means = [_box(p) for p in planes]
    variances = [np.maximum(_box(p * p) - m * m, 0) for p, m in zip(planes, means)]

    def quality(i: int) -> Plane:
        cov = _box(planes[i] * planes[2]) - means[i] * means[2]
        bottom = (variances[i] + variances[2]) * (means[i] ** 2 + means[2] ** 2)
        flat = bottom < 1e-9
        return np.where(flat, 1.0, 4 * cov * means[i] * means[2] / np.where(flat, 1, bottom))

    total = variances[0] + variances[1]
    share = np.where(total > 1e-9, variances[0] / np.maximum(total, 1e-9), 0.5)
    return float((share * quality(0) + (1 - share) * quality(1)).mean())


def _seen(difference: Plane) -> Plane:
    """Difference filtered by the contrast sensitivity of Mannos and Sakrison."""
    h, w = difference.shape
    fy, fx = np.fft.fftfreq(h)[:, None] * h / 8, np.fft.fftfreq(w)[None] * w / 8
    r = np.hypot(fx, fy)
    sensitivity = 2.6 * (0.0192 + 0.114 * r) * np.exp(-((0.114 * r) ** 1.1))
    return np.real(np.fft.ifft2(np.fft.fft2(difference) * sensitivity))


def q_cv(a: Plane, b: Plane, fused: Plane, block: int = 16) -> float:
    """Chen and Varshney 2007; lower is better, comparable only within this code."""
    def blocks(image: Plane) -> Plane:
        h, w = (s // block * block for s in image.shape)
        return image[:h, :w].reshape(h // block, block, w // block, block).mean((1, 3))

    top = bottom = 0.0
    for source in (a, b):
        saliency = blocks((_edges(source)[0] / 255.0) ** 5)
        error = blocks(_seen((source - fused) * 255.0) ** 2)
        top, bottom = top + (saliency * error).sum(), bottom + saliency.sum()
    return float(top / max(bottom, 1e-12))
