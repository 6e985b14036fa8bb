"""The two warps and the upsamplings of BSAFusion. Not a general resampling library."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_grid(height: int, width: int, like: Tensor) -> Tensor:
    """Pixel coordinates (1, 2, H, W); channel 0 = x (column), channel 1 = y (row)."""
    y = torch.arange(height, dtype=like.dtype, device=like.device)
    x = torch.arange(width, dtype=like.dtype, device=like.device)
    ys = y[:, None].expand(height, width)
    xs = x[None, :].expand(height, width)
    return torch.stack((xs, ys))[None]


def warp_network(image: Tensor, flow: Tensor) -> Tensor:
    """Sampler W, the warp inside the network: zero padding, half-pixel centres.

    image (B, C, S, S), flow (B, 2, S, S) in pixels of this map. A flow of zero is not the
    identity: the published network magnifies by S/(S-1), and its weights depend on it.
    """
    height, width = image.shape[-2:]
    where = pixel_grid(height, width, flow) + flow
    grid = torch.stack((2 * where[:, 0] / (height - 1) - 1, 2 * where[:, 1] / (width - 1) - 1), -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def warp_image(image: Tensor, flow: Tensor) -> Tensor:
    """Sampler V, the exact warp outside the network: image(x + flow), border-clamped."""
    height, width = image.shape[-2:]
    where = pixel_grid(height, width, flow) + flow
    grid = torch.stack((2 * where[:, 0] / (width - 1) - 1, 2 * where[:, 1] / (height - 1) - 1), -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def double(x: Tensor, align_corners: bool) -> Tensor:
    """Bilinear upsampling by two."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=align_corners)


def field_to_full(field: Tensor, scale: int) -> Tensor:
    """A level's field (pixels of that level) as full-resolution pixels on the full grid."""
    if scale == 1:
        return field
    return scale * F.interpolate(field, scale_factor=scale, mode="bilinear", align_corners=True)


def field_to_level(flow: Tensor, scale: int) -> Tensor:
    """A full-resolution flow on a coarser level: plain bilinear (no anti-aliasing) over scale."""
    if scale == 1:
        return flow
    size = (flow.shape[-2] // scale, flow.shape[-1] // scale)
    return F.interpolate(flow, size=size, mode="bilinear", align_corners=False) / scale
