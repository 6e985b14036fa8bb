"""Endless cheap samples for the small alignment network: 64-pixel images and the field's nodes.

Images are deformed at 128 pixels and then averaged, so that the blur of one interpolation is
half a pixel of what is read. Fields live on a 64-pixel grid. Not the Sampler of whole training.
"""
from __future__ import annotations

from typing import Callable, Dict, NamedTuple, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform
from .data import Intensity, Pairs, _extended, _pseudo_modality, head_weight, recolour, resized
from .moments import SIDE
from .samplers import warp_image

FINE, COARSE = 128, 64
AFFINE = deform.Range(rotation=10, scale=0.09, shear=0.04, translation=22, elastic=3.5, still=0)
COMMON = deform.COMMON._replace(rotation=7, scale=0.10, translation=10)
INTENSITY = Intensity(gamma=0.3, gain=0.2, noise=0.02, offset=0.06)
PHANTOM_PAIRS = (("T2", "CT"), ("CT", "PET"), ("T1", "PET"), ("T2", "SPECT"), ("T1", "CT"))


class Small(NamedTuple):
    fixed: Tensor  # (B, 1, 64, 64)
    moving: Tensor
    target: Tensor  # (B, 2, 16, 16) full-resolution pixels at the first level's nodes
    weight: Tensor  # (B, 1, 16, 16)


def nodes(full: Tensor) -> Tensor:
    """Values where the first level's field lies once it is upsampled (corners aligned)."""
    return F.interpolate(full, size=(SIDE, SIDE), mode="bilinear", align_corners=True)


def with_phantoms(pairs: Pairs, path: str) -> Pairs:
    """Adds a digital phantom's aligned slices: an .npz of T1, T2, CT, PET, SPECT, each
    (N, 128, 128) in 0...1. Each combination counts as a set."""
    stored = np.load(path)
    known = resized(pairs, FINE)
    fixed, moving, kind, names = [known.fixed], [known.moving], [known.kind], list(known.names)
    for label, (a, b) in enumerate(PHANTOM_PAIRS, 3):
        count = min(len(stored[a]), len(stored[b]))
        fixed.append(torch.from_numpy(stored[a][:count])[:, None])
        moving.append(torch.from_numpy(stored[b][:count])[:, None])
        kind.append(torch.full((count,), label))
        names += [f"phantom/{a}-{b}/{k}" for k in range(count)]
    return Pairs(torch.cat(fixed), torch.cat(moving), torch.cat(kind), names)


def holders(images: Tensor, gen: Generator) -> Tensor:
    """Draws a bowl or a board below each head, where the image is dark: what carries a head in a
    CT scanner. (B, 1, S, S)."""
    count, size = images.shape[0], images.shape[-1]
    u = lambda a, b: a + (b - a) * torch.rand(count, 1, 1, 1, generator=gen)  # noqa: E731
    axis = torch.arange(size, dtype=images.dtype) / size - 0.5
    x, y = axis.view(1, 1, 1, -1), axis.view(1, 1, -1, 1)
    body = (images > 0.12).to(images.dtype)
    rows = body.flatten(1, 2).amax(-1)  # (B, S): rows the head reaches
    bottom = (rows * (axis + 0.5)).amax(-1).view(-1, 1, 1, 1) - 0.5
    curve = bottom + u(-0.01, 0.06) - u(0.0, 2.2) * (x - u(-0.05, 0.05)) ** 2 + u(-0.1, 0.1) * x
    thick, reach = u(0.004, 0.02), u(0.15, 0.48)
    line = ((y - curve).abs() < thick) & (x.abs() < reach)
    near = F.max_pool2d(body, 3, stride=1, padding=1)
    return torch.where(line & (near < 0.5), u(0.15, 0.9).expand_as(images), images)


def _some(images: Tensor, which: Tensor, change: Callable[[Tensor, Generator], Tensor],
          gen: Generator) -> Tensor:
    """Changes the images that `which` (B, 1, 1, 1) says."""
    rows = which.flatten().nonzero()[:, 0]
    return images.index_copy(0, rows, change(images[rows], gen)) if len(rows) else images


class Source:
    """All randomness comes from `gen`. `shares`: of undeformed pairs, and of published fields."""

    def __init__(self, pairs: Pairs, phantoms: float = 0.2, still: float = 0.10,
                 published: float = 0.25) -> None:
        self.pairs = resized(pairs, FINE)
        self.phantoms, self.still, self.published = phantoms, still, published
        self.by_kind: Dict[int, Tensor] = {
            int(k): torch.nonzero(pairs.kind == k)[:, 0] for k in pairs.kind.unique()}
        self.real = [k for k in self.by_kind if k < 3]
        self.made = [k for k in self.by_kind if k >= 3]

    def _index(self, count: int, gen: Generator) -> Tensor:
        chosen = []
        for _ in range(count):
            made = self.made and float(torch.rand(1, generator=gen)) < self.phantoms
            kinds = self.made if made else self.real
            among = self.by_kind[kinds[int(torch.randint(len(kinds), (1,), generator=gen))]]
            chosen.append(among[int(torch.randint(len(among), (1,), generator=gen))])
        return torch.stack(chosen)

    def _images(self, count: int, gen: Generator) -> Tuple[Tensor, Tensor]:
        index = self._index(count, gen)
        fixed, moving = self.pairs.fixed[index], self.pairs.moving[index]
        chance = lambda p: (torch.rand(count, 1, 1, 1, generator=gen) < p)  # noqa: E731
        flip = chance(0.5)
        fixed, moving = (torch.where(flip, i.flip(-1), i) for i in (fixed, moving))
        kind = self.pairs.kind[index].view(-1, 1, 1, 1)
        scanned = (kind == 0) | (kind == 3) | (kind == 7)  # CT moves
        moving = _some(moving, scanned & chance(0.4), holders, gen)
        fixed = _some(fixed, (kind == 4) & chance(0.6), holders, gen)
        fixed = _some(fixed, (kind != 4) & chance(0.15), _pseudo_modality, gen)
        moving = _some(moving, chance(0.1), _pseudo_modality, gen)
        return (recolour(fixed, INTENSITY._replace(offset=0.02), gen),
                recolour(moving, INTENSITY, gen))

    def _fields(self, count: int, gen: Generator) -> Tensor:
        drawn = torch.rand(count, 1, 1, 1, generator=gen)
        strength = 0.3 + 0.9 * torch.rand(count, 1, 1, 1, generator=gen)
        known = deform.published(count, COARSE, gen) * strength
        wide = deform.draw(count, COARSE, AFFINE, gen)
        field = torch.where(drawn < self.still + self.published, known, wide)
        return torch.where(drawn < self.still, torch.zeros_like(field), field)

    def draw(self, count: int, gen: Generator) -> Small:
        fixed, moving = self._images(count, gen)
        common = deform.draw(count, FINE, COMMON, gen)
        forward = self._fields(count, gen)
        finer = 2 * F.interpolate(forward, scale_factor=2, mode="bilinear", align_corners=False)
        moved = warp_image(moving, finer + _extended(common, finer))
        images = torch.cat((warp_image(fixed, common), moved, warp_image(moving, common)), 1)
        images = F.avg_pool2d(images, 2)
        weight = head_weight(images[:, :1], images[:, 2:])
        noise = INTENSITY.noise * torch.rand(count, 2, 1, 1, generator=gen)
        seen = images[:, :2] + torch.randn(count, 2, COARSE, COARSE, generator=gen) * noise
        target = deform.invert(forward, steps=8) * (256 / COARSE)
        return Small(seen[:, :1].clamp(0, 1), seen[:, 1:].clamp(0, 1), nodes(target), nodes(weight))
