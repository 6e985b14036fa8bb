"""Random affine and elastic displacement fields and their inverses. Not a registration method."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .samplers import pixel_grid, warp_image


class Range(NamedTuple):
    """Largest values drawn; lengths in pixels of a 256-pixel image."""

    rotation: float = 10.0  # degrees
    scale: float = 0.10  # log
    shear: float = 0.06
    translation: float = 25.0
    elastic: float = 5.0  # standard deviation
    still: float = 0.08  # share of pairs that are not deformed at all


COMMON = Range(rotation=8.0, scale=0.12, shear=0.04, translation=10.0, elastic=0.0, still=0.1)


def _uniform(count: int, limit: float, gen: Generator) -> Tensor:
    return (2 * torch.rand(count, generator=gen) - 1) * limit


def affine(count: int, size: int, limits: Range, strength: Tensor, gen: Generator) -> Tensor:
    """Displacements (B, 2, S, S) in px about the image centre, each scaled by `strength` (B)."""
    angle = _uniform(count, math.radians(limits.rotation), gen) * strength
    log_x = _uniform(count, limits.scale, gen) * strength
    log_y = log_x + _uniform(count, limits.scale / 3, gen) * strength
    shear = _uniform(count, limits.shear, gen) * strength
    shift = limits.translation * size / 256
    tx, ty = _uniform(count, shift, gen) * strength, _uniform(count, shift, gen) * strength
    cos, sin = torch.cos(angle), torch.sin(angle)
    a, b = cos * log_x.exp(), -sin * log_y.exp() + shear
    c, d = sin * log_x.exp(), cos * log_y.exp()
    where = pixel_grid(size, size, angle) - (size - 1) / 2
    x, y = where[:, 0], where[:, 1]
    view = (count, 1, 1)
    dx = (a.view(view) - 1) * x + b.view(view) * y + tx.view(view)
    dy = c.view(view) * x + (d.view(view) - 1) * y + ty.view(view)
    return torch.stack((dx, dy), 1)


def elastic(count: int, size: int, limits: Range, gen: Generator) -> Tensor:
    """Smooth noise: a coarse random grid upsampled bicubically. Cells of 1/8 to 1/3 image."""
    cells = int(torch.randint(3, 9, (1,), generator=gen))
    noise = torch.randn(count, 2, cells + 3, cells + 3, generator=gen)
    full = F.interpolate(noise, size=(size * (cells + 3)) // cells, mode="bicubic",
                         align_corners=True)
    margin = (full.shape[-1] - size) // 2
    full = full[..., margin:margin + size, margin:margin + size]
    # beyond about a fifth of a cell the field would fold
    largest = min(limits.elastic * size / 256, 0.2 * size / cells)
    return full * (torch.rand(count, 1, 1, 1, generator=gen) * largest)


def draw(count: int, size: int, limits: Range, gen: Generator) -> Tensor:
    """Forward fields (B, 2, S, S): the deformed image is image(x + field)."""
    strength = torch.rand(count, generator=gen)
    field = affine(count, size, limits, strength, gen)
    if limits.elastic > 0:
        field = field + elastic(count, size, limits, gen)
    moved = torch.rand(count, generator=gen) >= limits.still
    return field * moved.view(-1, 1, 1, 1).to(field.dtype)


def invert(field: Tensor, steps: int = 12) -> Tensor:
    """psi with psi(x) = -field(x + psi(x)): aligns what `field` deformed. Fixed point."""
    inverse = -field
    for _ in range(steps):
        inverse = -warp_image(field, inverse)
    return inverse


def published(count: int, size: int, gen: Generator) -> Tensor:
    """The published generator: translation up to 2.56 px, Gaussian noise of about 2.9 px."""
    radius, sigma = 50 * size // 256, 16.0 * size / 256
    x = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = kernel / kernel.sum()
    noise = 2 * torch.rand(2 * count, 1, size, size, generator=gen) - 1
    noise = F.conv2d(F.pad(noise, (radius,) * 4, mode="reflect"), kernel.view(1, 1, -1, 1))
    noise = F.conv2d(noise, kernel.view(1, 1, 1, -1)).view(count, 2, size, size)
    shift = -0.01 * (2 * torch.rand(count, 2, 1, 1, generator=gen) - 1)
    return 256 * (noise * (size / 256) + shift) * (size / 256)


def jacobian(flow: Tensor) -> Tensor:
    """Determinant of x + flow(x), forward differences, (B, S-1, S-1)."""
    dx = flow[..., :-1, 1:] - flow[..., :-1, :-1]
    dy = flow[..., 1:, :-1] - flow[..., :-1, :-1]
    return (1 + dx[:, 0]) * (1 + dy[:, 1]) - dx[:, 1] * dy[:, 0]
