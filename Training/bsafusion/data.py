"""Registered pairs from folders, and random training samples made of them. No training here."""
from __future__ import annotations

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor

from . import deform
from .colour import rgb_to_ycbcr
from .samplers import pixel_grid, warp_image

SETS = ("CT", "PET", "SPECT")
MODALITIES = ("CT", "PT", "NM")  # of their moving images, in DICOM's terms
# subjects that the split "subjects-train" has no slice of; "subjects-test" has nobody else and
# all their slices. "subjects-train" leaves `val` out, too
HELD_OUT = ("11", "20", "28", "36", "41")
SPLITS = {"train": ("train",), "val": ("val",), "subjects-train": ("train",),
          "subjects-test": ("train", "val")}


class Pairs(NamedTuple):
    fixed: Tensor  # (N, 1, S, S) 0...1
    moving: Tensor  # (N, 1, S, S) 0...1; luminance where the file has colour
    kind: Tensor  # (N) index into SETS
    names: List[str]


def _grey(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255


def _luminance(path: Path) -> np.ndarray:
    rgb = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
    return rgb_to_ycbcr(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0, 0].numpy()


def subject(file: str) -> str:
    """What precedes the three digits of the slice: 41007.png -> 41."""
    return Path(file).stem[:-3]


def _files(folder: Path, split: str) -> List[Tuple[Path, str]]:
    found = [(folder / part, p.name) for part in SPLITS[split]
             for p in sorted((folder / part / "MRI").iterdir())]
    if not split.startswith("subjects"):
        return found
    return [f for f in found if (subject(f[1]) in HELD_OUT) == (split == "subjects-test")]


def load_pairs(root: Path, split: str, sets: Sequence[str] = SETS, limit: int = 0) -> Pairs:
    """<root>/<M>-MRI/<train|val>/{MRI,<M>}/<equal names>. CT is read as grey, colour as Y.
    With a limit, that many pairs of each set, evenly spread."""
    fixed, moving, kind, names = [], [], [], []
    for name in sets:
        files = _files(Path(root) / f"{name}-MRI", split)
        count = min(limit or len(files), len(files))
        for k in range(count):
            folder, file = files[k * len(files) // count]
            fixed.append(_grey(folder / "MRI" / file))
            read = _grey if name == "CT" else _luminance
            moving.append(read(folder / name / file))
            kind.append(SETS.index(name))
            names.append(f"{name}/{file}")
    stack = lambda images: torch.from_numpy(np.stack(images))[:, None]  # noqa: E731
    return Pairs(stack(fixed), stack(moving), torch.tensor(kind), names)


def resized(pairs: Pairs, size: int) -> Pairs:
    factor = pairs.fixed.shape[-1] // size
    if factor == 1:
        return pairs
    return pairs._replace(fixed=F.avg_pool2d(pairs.fixed, factor),
                          moving=F.avg_pool2d(pairs.moving, factor))


class Sample(NamedTuple):
    fixed: Tensor  # (B, 1, S, S)
    moving: Tensor  # deformed
    aligned: Tensor  # the moving image before deformation
    target: Tensor  # (B, 2, S, S) the flow that aligns
    weight: Tensor  # (B, 1, S, S) where the flow matters
    pose1: Tensor  # (B, 2, S, S) where the registered pair's points lie in the fixed image ...
    pose2: Tensor  # ... and in the moving one, as displacements


class Intensity(NamedTuple):
    gamma: float = 0.4  # log
    gain: float = 0.2
    noise: float = 0.02
    offset: float = 0.0625  # the background of a luminance plane


def recolour(image: Tensor, how: Intensity, gen: Generator) -> Tensor:
    """Random gamma, gain and background per image; 0...1 stays 0...1."""
    shape = (image.shape[0], 1, 1, 1)
    gamma = torch.exp((2 * torch.rand(shape, generator=gen) - 1) * how.gamma)
    gain = 1 + (2 * torch.rand(shape, generator=gen) - 1) * how.gain
    offset = torch.rand(shape, generator=gen) * how.offset
    image = (image.clamp(1e-4, 1) ** gamma * gain).clamp(0, 1)
    return image * (1 - offset) + offset


def _pseudo_modality(image: Tensor, gen: Generator) -> Tensor:
    """A smooth random curve over the intensities, air staying dark: another contrast."""
    knots = torch.rand(image.shape[0], 5, generator=gen)
    knots[:, 0] = 0
    place = image.clamp(0, 1).flatten(1) * 4
    low = place.floor().clamp(max=3)
    left = torch.gather(knots, 1, low.long())
    right = torch.gather(knots, 1, low.long() + 1)
    return (left + (right - left) * (place - low)).view_as(image)


class Sampler:
    """Endless random samples. All randomness comes from `gen`, so a run can be resumed."""

    def __init__(self, pairs: Pairs, size: int, limits: deform.Range = deform.Range(),
                 mono: float = 0.15, intensity: Intensity = Intensity(),
                 common: deform.Range = deform.COMMON) -> None:
        self.pairs, self.size = resized(pairs, size), size
        self.limits, self.mono, self.intensity, self.common = limits, mono, intensity, common
        self.by_kind: Dict[int, Tensor] = {
            int(k): torch.nonzero(pairs.kind == k)[:, 0] for k in pairs.kind.unique()}

    def _choose(self, count: int, gen: Generator) -> Tensor:
        kinds = sorted(self.by_kind)
        drawn = torch.randint(len(kinds), (count,), generator=gen)
        chosen = [self.by_kind[kinds[int(k)]] for k in drawn]
        return torch.stack([c[int(torch.randint(len(c), (1,), generator=gen))] for c in chosen])

    def _pair(self, count: int, gen: Generator) -> Tuple[Tensor, Tensor]:
        index = self._choose(count, gen)
        fixed, moving = self.pairs.fixed[index], self.pairs.moving[index]
        mono = torch.rand(count, generator=gen) < self.mono
        if bool(mono.any()):
            moving = moving.clone()
            source = torch.where((torch.rand(count, generator=gen) < 0.7).view(-1, 1, 1, 1),
                                 fixed, moving)
            moving[mono] = _pseudo_modality(source[mono], gen)
            fixed = torch.where(mono.view(-1, 1, 1, 1), source, fixed)
        flip = torch.rand(count, generator=gen) < 0.5
        turn = lambda x: torch.where(flip.view(-1, 1, 1, 1), x.flip(-1), x)  # noqa: E731
        return turn(fixed), turn(moving)

    def draw(self, count: int, gen: Generator) -> Sample:
        fixed, moving = self._pair(count, gen)
        fixed = recolour(fixed, self.intensity._replace(offset=0.02), gen)
        moving = recolour(moving, self.intensity, gen)
        common = deform.draw(count, self.size, self.common, gen)
        forward = deform.draw(count, self.size, self.limits, gen)
        # one interpolation each: the deformed image is read at common(x + forward(x))
        deformed = forward + _extended(common, forward)
        sample_fixed, aligned = warp_image(fixed, common), warp_image(moving, common)
        moved = warp_image(moving, deformed)
        noise = self.intensity.noise * torch.rand(2, count, 1, 1, 1, generator=gen)
        hiss = torch.randn(2, *moved.shape, generator=gen) * noise
        weight = head_weight(sample_fixed, aligned)
        target = deform.invert(forward)
        return Sample((sample_fixed + hiss[0]).clamp(0, 1), (moved + hiss[1]).clamp(0, 1),
                      aligned, target, weight, deform.invert(common), deform.invert(deformed))


def _extended(field: Tensor, by: Tensor) -> Tensor:
    """field(x + by); `field` is affine, so it is continued beyond the border exactly."""
    size = field.shape[-1]
    where = pixel_grid(size, size, field) + by
    origin = field[:, :, :1, :1]
    along_x = (field[:, :, :1, -1:] - origin) / (size - 1)
    along_y = (field[:, :, -1:, :1] - origin) / (size - 1)
    return origin + along_x * where[:, :1] + along_y * where[:, 1:]


def head_weight(fixed: Tensor, aligned: Tensor, outside: float = 0.05) -> Tensor:
    """1 in and around the head (either image), a little outside."""
    size = fixed.shape[-1]
    body = torch.maximum(fixed - 0.06, aligned - aligned.amin((2, 3), keepdim=True) - 0.06) > 0
    reach = 2 * (size // 32) + 1
    inside = F.max_pool2d(body.to(fixed.dtype), reach, stride=1, padding=reach // 2)
    return outside + (1 - outside) * inside
