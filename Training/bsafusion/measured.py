"""The fusion measures as losses: differentiable twins of `metrics`, batched. Not for reporting.

Windows are banded matrices from both sides: two products, and their gradient two more.
"""
from __future__ import annotations

import math
from functools import lru_cache
from typing import List, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_EPS = 1e-2  # of a squared Sobel strength on planes of 0...255


@lru_cache(maxsize=64)
def _band(side: int, size: int, sigma: float, step: int) -> Tensor:
    """(outputs, side): a Gaussian window, a box where sigma is 0, at every step-th valid place."""
    x = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    window = torch.exp(-0.5 * (x / sigma) ** 2) if sigma else torch.ones(size)
    count = (side - size) // step + 1
    band = torch.zeros(count, side)
    for row in range(count):
        band[row, row * step:row * step + size] = window / window.sum()
    return band


def _windows(image: Tensor, size: int, sigma: float, step: int = 1) -> Tensor:
    rows = _band(image.shape[-2], size, sigma, step).to(image)
    columns = _band(image.shape[-1], size, sigma, step).to(image)
    return rows @ image @ columns.t()


class _Moments(NamedTuple):
    ms: Tensor  # of a source: mean, variance
    vs: Tensor
    mf: Tensor  # of the fused image
    vf: Tensor
    cov: Tensor


def _moments(sources: List[Tensor], fused: Tensor, size: int, sigma: float) -> List[_Moments]:
    maps = [fused, fused * fused] + [s * fused for s in sources]
    mf, ff, *cross = _windows(torch.stack(maps), size, sigma)
    vf, result = (ff - mf * mf).clamp(min=0), []
    for source, product in zip(sources, cross):
        ms, ss = _windows(torch.stack((source, source * source)), size, sigma)
        result.append(_Moments(ms, (ss - ms * ms).clamp(min=0), mf, vf, product - ms * mf))
    return result


def ssim(sources: List[Tensor], fused: Tensor) -> Tensor:
    """Summed over the sources (B)."""
    total = torch.zeros(fused.shape[0]).to(fused)
    for m in _moments(sources, fused, 11, 1.5):
        top = (2 * m.ms * m.mf + 1e-4) * (2 * m.cov + 9e-4)
        total = total + (top / ((m.ms**2 + m.mf**2 + 1e-4) * (m.vs + m.vf + 9e-4))).mean((1, 2, 3))
    return total


def _edges(image: Tensor) -> List[Tensor]:
    p = F.pad(255 * image, (1,) * 4, mode="replicate")
    across, down = p[..., 2:] - p[..., :-2], p[..., 2:, :] - p[..., :-2, :]
    x = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    y = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    return [torch.sqrt(x * x + y * y + _EPS), x, y]


def q_abf(sources: List[Tensor], fused: Tensor) -> Tensor:
    """Edge preservation (B). The angle between edges is taken modulo half a turn, so it has not
    the jump of the published arctangent."""
    strength, fx, fy = _edges(fused)
    top = bottom = torch.zeros(fused.shape[0]).to(fused)
    for source in sources:
        size, x, y = _edges(source)
        kept = torch.minimum(size, strength) / torch.maximum(size, strength)
        sine = (x * fy - y * fx).abs() / (size * strength)
        turned = 1 - torch.asin(sine.clamp(max=0.999)) / (math.pi / 2)
        both = 0.9994 * torch.sigmoid(15 * (kept - 0.5)) * 0.9879 * torch.sigmoid(22 * (turned - 0.8))
        weight = size - math.sqrt(_EPS)
        top, bottom = top + (both * weight).sum((1, 2, 3)), bottom + weight.sum((1, 2, 3))
    return top / bottom


def vif(sources: List[Tensor], fused: Tensor) -> Tensor:
    """Pixel-domain visual information fidelity of each source (sources, B); small variances are
    softened."""
    planes = torch.stack([255 * s for s in (*sources, fused)])
    top = [torch.zeros(fused.shape[0]).to(fused) for _ in sources]
    bottom = list(top)
    for scale in range(1, 5):
        size = 2 ** (5 - scale) + 1
        if scale > 1:
            planes = _windows(planes, size, size / 5, 2)
        for k, m in enumerate(_moments(list(planes[:-1]), planes[-1], size, size / 5)):
            gain = (m.cov / (m.vs + 0.05)).clamp(min=0)
            rest = (m.vf - gain * m.cov).clamp(min=1e-3)
            top[k] = top[k] + torch.log10(1 + gain**2 * m.vs / (rest + 2)).sum((1, 2, 3))
            bottom[k] = bottom[k] + torch.log10(1 + m.vs / 2).sum((1, 2, 3))
    return torch.stack([t / b for t, b in zip(top, bottom)])


def q_s(sources: List[Tensor], fused: Tensor) -> Tensor:
    """Universal quality index in 8x8 windows, weighted by the sources' variances (B). As in the
    measure a window is perfect where both are flat; 0.02 is about
    the variance of one pixel in a window that is a grey value off."""
    moments = _moments([255 * s for s in sources], 255 * fused, 8, 0.0)
    total, shares = torch.zeros(1).to(fused), torch.zeros(1).to(fused)
    for m in moments:
        share = m.vs + 1e-3
        grey = 2 * m.ms * m.mf / (m.ms**2 + m.mf**2 + 1e-2)
        both = m.vs + m.vf
        cov = torch.maximum(torch.minimum(m.cov, both / 2), -both / 2)  # beyond is rounding
        quality = (2 * cov * grey + 0.02) / (both + 0.02)
        total, shares = total + share * quality, shares + share
    return (total / shares).mean((1, 2, 3))
