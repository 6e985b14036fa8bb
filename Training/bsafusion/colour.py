"""RGB and YCbCr as the published test script has them. Not a standard conversion."""
from __future__ import annotations

import torch
from torch import Tensor

# The G weight of Y is 0.564 in the published network's data (0.504 in the standard).
_FORWARD = ((0.257, 0.564, 0.098), (-0.148, -0.291, 0.439), (0.439, -0.368, -0.071))
_OFFSET = (0.0625, 0.5, 0.5)
_BACKWARD = ((1.164, 0.0, 1.596), (1.164, -0.392, -0.813), (1.164, 2.017, 0.0))


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) in 0...1 -> Y, Cb, Cr."""
    matrix = torch.tensor(_FORWARD, dtype=rgb.dtype, device=rgb.device)
    offset = torch.tensor(_OFFSET, dtype=rgb.dtype, device=rgb.device)
    return torch.einsum("ij,bjhw->bihw", matrix, rgb) + offset.view(1, 3, 1, 1)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Not the inverse of the forward matrix: a grey round trip brightens by about 7 %."""
    matrix = torch.tensor(_BACKWARD, dtype=ycbcr.dtype, device=ycbcr.device)
    offset = torch.tensor(_OFFSET, dtype=ycbcr.dtype, device=ycbcr.device)
    return torch.einsum("ij,bjhw->bihw", matrix, ycbcr - offset.view(1, 3, 1, 1))


def quantise(image: Tensor) -> Tensor:
    """0...1 -> uint8, rounding half up after clamping."""
    return (image * 255 + 0.5).clamp(0, 255).to(torch.uint8)
