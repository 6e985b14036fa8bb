"""What heads, scanners and tables differ in: changes to images of samples, drawn at random.

Both images of a pair get the same field, each its own shading, sharpness and holder. Without it the small network
knows the training heads after some hundred thousand samples and learns nothing more of others.
"""
from __future__ import annotations

from typing import Callable, Tuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform

COMMON = deform.COMMON._replace(rotation=10, scale=0.14, translation=12)
GRID = 32  # fields are drawn on this grid
BENT, BEND = 0.85, 5.0  # share of pairs bent together; their largest standard deviation, px of 256
SHADED, SHADE = 0.5, 0.25  # share of images with a bias field; its largest size, log
RELIT_GAMMA = 0.5  # standard deviation, log
LESION_BODY = 0.1  # what is brighter in the fixed image is head
LESION_RADII = 0.012, 0.08  # of the side
FLAT_LEVELS = 6
SOFTENED, SOFTEST = 0.25, 1.2  # share of blurred images; the widest Gaussian's standard deviation, px of 128


def _gaussian(images: Tensor, sigma: float) -> Tensor:
    radius = int(3 * sigma + 0.5)
    x = torch.arange(-radius, radius + 1, dtype=images.dtype)
    taps = torch.exp(-0.5 * (x / sigma) ** 2)
    taps = (taps / taps.sum()).expand(images.shape[1], 1, 1, -1)
    padded = F.pad(images, (radius,) * 4, mode="replicate")
    across = F.conv2d(padded, taps, groups=images.shape[1])
    return F.conv2d(across, taps.transpose(2, 3), groups=images.shape[1])


def _uniform(count: int, gen: Generator) -> Tensor:
    return torch.rand(count, 1, 1, 1, generator=gen)


def common_field(count: int, size: int, gen: Generator) -> Tensor:
    """What makes another head of a pair: (B, 2, S, S) px, turn, scale and smooth bending, for both images."""
    placed = deform.draw(count, GRID, COMMON, gen)
    noise = 2 * torch.rand(count, 2, GRID, GRID, generator=gen) - 1
    bent = _gaussian(noise, 2.0 + 1.5 * float(torch.rand(1, generator=gen)))
    amount = BEND * GRID / 256 * _uniform(count, gen) * (_uniform(count, gen) < BENT)
    field = placed + bent / bent.std() * amount
    return size / GRID * F.interpolate(field, size=(size, size), mode="bilinear", align_corners=False)


def shaded(images: Tensor, gen: Generator) -> Tensor:
    """A smooth bias field on some."""
    count = images.shape[0]
    noise = F.interpolate(torch.randn(count, 1, 4, 4, generator=gen), size=images.shape[-2:], mode="bicubic",
                          align_corners=True)
    amount = SHADE * _uniform(count, gen) * (_uniform(count, gen) < SHADED)
    return (images * torch.exp(amount * noise)).clamp(0, 1)


def softened(images: Tensor, gen: Generator) -> Tensor:
    """Some at a lower resolution."""
    which, size = torch.rand(2, images.shape[0], generator=gen)
    return torch.cat([_gaussian(image, 0.4 + (SOFTEST - 0.4) * float(s)) if w < SOFTENED else image
                      for image, w, s in zip(images.split(1), which, size)])


def relit(images: Tensor, gen: Generator) -> Tensor:
    """The same slices with other brightness: gamma, window, gain and shading, half of them softened. What is learned
    from such an image beside the original has to be about edges."""
    count, size = images.shape[0], images.shape[-1]
    u = lambda a, b: a + (b - a) * _uniform(count, gen)  # noqa: E731
    gamma = torch.exp(RELIT_GAMMA * torch.randn(count, 1, 1, 1, generator=gen)).clamp(0.35, 2.8)
    image = images.clamp(0, 1) ** gamma
    centre, width = u(0.1, 0.8), u(0.03, 0.3)
    window = lambda grey: torch.sigmoid((grey - centre) / width)  # noqa: E731
    dark, bright = window(torch.zeros(1)), window(torch.ones(1))
    image = torch.lerp(image, (window(image) - dark) / (bright - dark), u(0, 0.7) * (u(0, 1) < 0.6))
    shading = F.interpolate(torch.randn(count, 1, 5, 5, generator=gen), size=(size, size), mode="bicubic",
                            align_corners=True)
    image = image * u(0.65, 1.35) * torch.exp(u(0, 0.35) * shading)
    soft = _gaussian(image, 0.4 + 1.1 * float(torch.rand(1, generator=gen)))
    return torch.where(u(0, 1) < 0.5, soft, image).clamp(0, 1.2)


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


def _discs(places: Tensor, radii: Tensor, gen: Generator) -> Tensor:
    """One soft-edged ellipse an image, about a pixel of `places` (B, 1, S, S: > 0 where it may lie) of its choice;
    `radii` as a share of the side. (B, 1, S, S) in 0...1."""
    count, size = places.shape[0], places.shape[-1]
    chosen = torch.multinomial((places > 0).flatten(1).to(places.dtype) + 1e-9, 1, generator=gen)
    row, column = (at.view(-1, 1, 1, 1) for at in (chosen // size, chosen % size))
    axis = torch.arange(size, dtype=places.dtype)
    x, y = axis.view(1, 1, 1, -1) - column, axis.view(1, 1, -1, 1) - row
    long = torch.exp(0.5 * (_uniform(count, gen) - 0.5))
    away = torch.sqrt((x / long) ** 2 + (y * long) ** 2) / (radii * size)
    return torch.sigmoid((1 - away) * radii * size / (0.3 + 2 * _uniform(count, gen)))


def lesions(fixed: Tensor, moving: Tensor, gen: Generator) -> Tuple[Tensor, Tensor]:
    """A small place inside the head that is hot, now and then cold, in the moving image, and dark, bright or nothing
    of its own in the fixed one, not always of the same size. The atlas's brains are alike all over."""
    count = fixed.shape[0]
    u = lambda a, b: a + (b - a) * _uniform(count, gen)  # noqa: E731
    inside, radii = fixed - LESION_BODY, u(*LESION_RADII)
    state = gen.get_state()
    hot = _discs(inside, radii, gen)
    gen.set_state(state)  # the same place and shape
    own = _discs(inside, radii * u(0.6, 1.6), gen)
    least = moving.amin((2, 3), keepdim=True)
    value = torch.where(u(0, 1) < 0.85, u(0.6, 1.0), least)
    drawn = u(0, 1)
    grey = torch.where(drawn < 0.5, u(0, 0.15), u(0.6, 1.0))
    return torch.where(drawn < 0.75, torch.lerp(fixed, grey.expand_as(fixed), own), fixed), torch.lerp(
        moving, value.expand_as(moving), hot)


def remnants(fixed: Tensor, moving: Tensor, gen: Generator) -> Tuple[Tensor, Tensor]:
    """Hardly anything in the slice: what lies outside a small place is background. The ends of a study."""
    left = _discs(fixed - LESION_BODY, 0.03 + 0.17 * _uniform(fixed.shape[0], gen), gen)
    least = moving.amin((2, 3), keepdim=True)
    return fixed * left, least + (moving - least) * left


def dimmed(images: Tensor, gen: Generator) -> Tensor:
    """Nearer to their least value: a body that takes up little, in which one place may still be hot."""
    least = images.amin((2, 3), keepdim=True)
    return least + (images - least) * (0.03 + 0.6 * _uniform(images.shape[0], gen))


def windowed(images: Tensor, gen: Generator) -> Tensor:
    """Much of it black, much of it white, as CT in a narrow window."""
    low = 0.4 * _uniform(images.shape[0], gen)
    return ((images - low) / (0.15 + 0.35 * _uniform(images.shape[0], gen))).clamp(0, 1)


def flattened(images: Tensor) -> Tensor:
    """Of few grey values, as phantoms are."""
    return (images * FLAT_LEVELS).round() / FLAT_LEVELS


def some(images: Tensor, which: Tensor, change: Callable[[Tensor, Generator], Tensor],
          gen: Generator) -> Tensor:
    """Changes the images that `which` (B, 1, 1, 1) says."""
    rows = which.flatten().nonzero()[:, 0]
    return images.index_copy(0, rows, change(images[rows], gen)) if len(rows) else images
