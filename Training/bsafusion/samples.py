"""Endless cheap samples for the small alignment network: 128-pixel images and the flow's nodes.

Registered pairs are recoloured, shaded, turned, scaled and bent in stocks; each is then deformed several times.
The flow that aligns is drawn, not its inverse, so the target is exact. What a step sees depends
on its number alone, so that a run can be resumed. Not the Sampler of whole training.
"""
from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform
from .data import Intensity, Pairs, _pseudo_modality, head_weight, recolour, resized
from .local import IMAGE, SIDE
from .samplers import warp_image
from .variety import common_field, holders, relit, shaded, softened, some

GRID = 32  # flows are drawn on this grid
STOCK, STEPS = 512, 64  # pairs, and the steps they serve for
SLIGHT = deform.Range(rotation=4, scale=0.04, shear=0.02, translation=6, elastic=0, still=0)
WIDE = deform.Range(rotation=8, scale=0.07, shear=0.03, translation=14, elastic=3, still=0)
# Pairs that are to stay put are moved by up to so many pixels all the same: an image that has never been interpolated
# is sharper than any other, and the network would look for that instead.
STILL = 0.7
LARGEST = 1.7  # times the published displacements, from nothing up: pairs that are nearly right are the usual ones
OWN = 0.12  # share of pairs whose moving image is the fixed one in another contrast
INTENSITY = Intensity(gamma=0.3, gain=0.2, noise=0.02, offset=0.06)
PHANTOM_PAIRS = (("T2", "CT"), ("CT", "PET"), ("T1", "PET"), ("T2", "SPECT"), ("T1", "CT"))


class Small(NamedTuple):
    fixed: Tensor  # (B, 1, 128, 128)
    moving: Tensor
    target: Tensor  # (B, 2, 16, 16) full-resolution pixels at the first level's nodes
    weight: Tensor  # (B, 1, 16, 16)
    edges: Tensor  # (B, 3, 16, 16) of the undeformed moving image, see `structure`
    aligned: Tensor  # (B, 1, 128, 128) the moving image before it was deformed
    kind: Tensor  # (B,) number of the set; phantoms have 3 and more


def nodes(full: Tensor) -> Tensor:
    """Values where the first level's field lies once it is upsampled (corners aligned)."""
    return F.interpolate(full, size=(SIDE, SIDE), mode="bilinear", align_corners=True)


def structure(image: Tensor) -> Tensor:
    """What an error of the flow does to the image: squares and product (xx, xy, yy) of the slightly
    blurred image's gradients, gathered at the nodes with the weights of bilinear upsampling."""
    size = image.shape[-1]
    taps = torch.tensor([0.05, 0.25, 0.4, 0.25, 0.05], dtype=image.dtype)
    padded = F.pad(image, (2,) * 4, mode="replicate")
    blurred = F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))
    wide = F.pad(blurred, (1,) * 4, mode="replicate")
    gx = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
    gy = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
    where = torch.arange(size, dtype=image.dtype) * (SIDE - 1) / (size - 1)
    hats = (1 - (where - torch.arange(SIDE, dtype=image.dtype)[:, None]).abs()).clamp(min=0)
    return hats @ torch.cat((gx * gx, gx * gy, gy * gy), 1) @ hats.T


def with_phantoms(pairs: Pairs, path: str) -> Pairs:
    """Adds a digital phantom's aligned slices: an .npz of T1, T2, CT, PET, SPECT, each
    (N, 128, 128) in 0...1. Each combination counts as a set."""
    stored = np.load(path)
    known = resized(pairs, IMAGE)
    fixed, moving, kind, names = [known.fixed], [known.moving], [known.kind], list(known.names)
    for label, (a, b) in enumerate(PHANTOM_PAIRS, 3):
        count = min(len(stored[a]), len(stored[b]))
        fixed.append(torch.from_numpy(stored[a][:count])[:, None])
        moving.append(torch.from_numpy(stored[b][:count])[:, None])
        kind.append(torch.full((count,), label))
        names += [f"phantom/{a}-{b}/{k}" for k in range(count)]
    return Pairs(torch.cat(fixed), torch.cat(moving), torch.cat(kind), names)


class Source:
    """`shares`: of pairs that are hardly moved, and of wide deformations; the others are as published, up to
    1.7 times as large, a third of them with a slight affine change. `mono`: the fixed image is the
    moving one before it was deformed, in another light."""

    def __init__(self, pairs: Pairs, phantoms: float = 0.25, still: float = 0.15, wide: float = 0.12,
                 seed: int = 1, mono: bool = False) -> None:
        self.pairs = resized(pairs, IMAGE)
        self.phantoms, self.still, self.wide, self.seed = phantoms, still, wide, seed
        self.mono = mono
        self.by_kind: Dict[int, Tensor] = {
            int(k): torch.nonzero(pairs.kind == k)[:, 0] for k in pairs.kind.unique()}
        self.real = [k for k in self.by_kind if k < 3]
        self.made = [k for k in self.by_kind if k >= 3]
        self.number = -1

    def _index(self, count: int, gen: Generator) -> Tensor:
        chosen = []
        for _ in range(count):
            made = self.made and float(torch.rand(1, generator=gen)) < self.phantoms
            kinds = self.made if made else self.real
            among = self.by_kind[kinds[int(torch.randint(len(kinds), (1,), generator=gen))]]
            chosen.append(among[int(torch.randint(len(among), (1,), generator=gen))])
        return torch.stack(chosen)

    def _images(self, count: int, gen: Generator) -> Tuple[Tensor, Tensor, Tensor]:
        """Fixed and moving images, aligned, and the numbers of their sets."""
        index = self._index(count, gen)
        kind = self.pairs.kind[index]
        fixed, moving = self.pairs.fixed[index], self.pairs.moving[index]
        chance = lambda p: (torch.rand(count, 1, 1, 1, generator=gen) < p)  # noqa: E731
        of = kind.view(-1, 1, 1, 1)
        scanned = (of == 0) | (of == 3) | (of == 7)  # CT moves
        moving = some(moving, scanned & chance(0.4), holders, gen)
        fixed = some(fixed, (of == 4) & chance(0.6), holders, gen)
        fixed = some(fixed, (of != 4) & chance(0.15), _pseudo_modality, gen)
        moving = some(moving, chance(0.1), _pseudo_modality, gen)
        moving = torch.where(chance(OWN), _pseudo_modality(fixed, gen), moving)
        fixed = recolour(fixed, INTENSITY._replace(offset=0.02), gen)
        moving = recolour(moving, INTENSITY, gen)
        return shaded(softened(fixed, gen), gen), shaded(softened(moving, gen), gen), kind

    def _restock(self, number: int) -> None:
        """Fixed and moving image, (STOCK, 1, 128, 128) each, their weight and structure, and which set they are of."""
        gen = Generator().manual_seed(1000003 * self.seed + number)
        parts = []
        for _ in range(STOCK // 32):
            fixed, moving, kind = self._images(32, gen)
            fixed = relit(moving, gen) if self.mono else fixed
            common = common_field(32, IMAGE, gen)
            fixed, moving = warp_image(fixed, common), warp_image(moving, common)
            parts.append((fixed, moving, nodes(head_weight(fixed, moving)), structure(moving), kind))
        self.stock = [torch.cat(part) for part in zip(*parts)]
        self.number = number

    def _flows(self, count: int, gen: Generator) -> Tensor:
        """(B, 2, 32, 32) full-resolution pixels: what aligns."""
        u = lambda: torch.rand(count, 1, 1, 1, generator=gen)  # noqa: E731
        full = 256 / GRID
        known = full * deform.published(count, GRID, gen) * (LARGEST * u())
        slight = full * deform.draw(count, GRID, SLIGHT, gen) * (u() < 0.35)
        wide, drawn = full * deform.draw(count, GRID, WIDE, gen), u()
        flow = torch.where(drawn < self.still + self.wide, wide, known + slight)
        nudged = (STILL * (2 * torch.rand(count, 2, 1, 1, generator=gen) - 1)).expand_as(flow)
        return torch.where(drawn < self.still, nudged, flow)

    def draw(self, step: int, count: int) -> Small:
        if step // STEPS != self.number:
            self._restock(step // STEPS)
        gen = Generator().manual_seed(7919 * self.seed + step)
        index = torch.randint(STOCK, (count,), generator=gen)
        fixed, moving, weight, edges, kind = (part[index] for part in self.stock)
        flow = self._flows(count, gen)
        forward = deform.invert(flow * (GRID / 256), steps=6)
        finer = F.interpolate(forward, size=(IMAGE, IMAGE), mode="bilinear", align_corners=False)
        moved = warp_image(moving, finer * (IMAGE / GRID))
        noise = INTENSITY.noise * torch.rand(count, 2, 1, 1, generator=gen)
        seen = torch.cat((fixed, moved), 1)
        seen = (seen + torch.randn(seen.shape, generator=gen) * noise).clamp(0, 1)
        drawn = Small(seen[:, :1], seen[:, 1:], nodes(flow), weight, edges, moving, kind)
        return mirrored(drawn) if float(torch.rand(1, generator=gen)) < 0.5 else drawn


def mirrored(sample: Small) -> Small:
    """Left and right exchanged."""
    flipped = Small(*(part.flip(-1) for part in sample[:-1]), sample.kind)
    sign = torch.tensor([-1.0, 1.0, 1.0, -1.0, 1.0])
    return flipped._replace(target=flipped.target * sign[:2].view(1, 2, 1, 1),
                            edges=flipped.edges * sign[2:].view(1, 3, 1, 1))
