"""The published loss terms, and the field supervision this project adds. No optimisation here."""
from __future__ import annotations

from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Structural similarity: Wang et al. 2004, window 11, sigma 1.5, K1 0.01, K2 0.03, range 1.
_C1, _C2 = 0.01**2, 0.03**2


def _gaussian(like: Tensor) -> Tensor:
    x = torch.arange(11, dtype=like.dtype, device=like.device) - 5
    kernel = torch.exp(-0.5 * (x / 1.5) ** 2)
    return kernel / kernel.sum()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean structural similarity over the valid region and the batch."""
    kernel, count = _gaussian(a), a.shape[0]
    stack = torch.cat((a, b, a * a, b * b, a * b))
    stack = F.conv2d(F.conv2d(stack, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    mean_a, mean_b, aa, bb, ab = stack.split(count)
    var_a, var_b, cov = aa - mean_a**2, bb - mean_b**2, ab - mean_a * mean_b
    top = (2 * mean_a * mean_b + _C1) * (2 * cov + _C2)
    return (top / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean()


def gradient(image: Tensor) -> Tensor:
    """|Sobel x| + |Sobel y| with zero padding."""
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=image.dtype,
                          device=image.device)
    both = torch.stack((kernel, kernel.t()))[:, None]
    return F.conv2d(image, both, padding=1).abs().sum(1, keepdim=True)


def fusion_loss(fused: Tensor, fixed: Tensor, moving: Tensor, balance: float) -> Tensor:
    """Structure, intensity (half weight) and gradient, as published; balance = mu."""
    structure = (1 - ssim(fused, fixed)) + balance * (1 - ssim(fused, moving))
    intensity = (fused - torch.maximum(fixed, moving)).abs().mean()
    edges = (gradient(fused) - torch.maximum(gradient(fixed), gradient(moving))).abs().mean()
    return structure + 0.5 * intensity + edges


def consistency_loss(aligned: Tensor, warped: Tensor) -> Tensor:
    """Against the undeformed moving image: mono-modal."""
    return (1 - ssim(aligned, warped)) + (aligned - warped).abs().mean()


def roughness(field: Tensor) -> Tensor:
    """Mean squared forward differences over three, the published regulariser."""
    dy = field[..., 1:, :] - field[..., :-1, :]
    dx = field[..., 1:] - field[..., :-1]
    return ((dy**2).mean() + (dx**2).mean()) / 3


def smoothness_loss(flow: Tensor, fields: List[Tensor], as_published: bool) -> Tensor:
    """The flow and the ten level fields. As published the sum runs over fields 1...6 only
    (an index slip); otherwise over the five pairs that are meant."""
    total = roughness(flow)
    for level in range(5):
        first = level if as_published else 2 * level
        total = total + 10.0 ** (level - 4) * (roughness(fields[first]) + roughness(fields[first + 1]))
    return total


def modality_loss(pre1: Tensor, pre2: Tensor) -> Tensor:
    """Image 1 is class 1 (MRI), image 2 class 0."""
    ones = torch.ones(pre1.shape[0], dtype=torch.long, device=pre1.device)
    return F.cross_entropy(pre1, ones) + F.cross_entropy(pre2, 0 * ones)


def confusion_loss(pred1: Tensor, pred2: Tensor) -> Tensor:
    """After the transfer the discriminator should not tell the modalities apart."""
    return -(F.log_softmax(pred1, 1).mean(1) + F.log_softmax(pred2, 1).mean(1)).mean()


def end_point_error(flow: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean length of flow - target, in pixels of a 256-pixel image."""
    error = ((flow - target) ** 2).sum(1, keepdim=True)
    length = torch.sqrt(error + 1e-4) * (256 / flow.shape[-1])
    return (length * weight).sum() / weight.sum()


def field_loss(partial: List[Tensor], target: Tensor, weight: Tensor) -> Tensor:
    """End-point error of the flow, plus a share for what each level has reached so far."""
    total = end_point_error(partial[-1], target, weight)
    for step in partial[:-1]:
        total = total + 0.25 * end_point_error(step, target, weight)
    return total


def pose_loss(sides: List[Tuple[Tensor, Tensor]], pose1: Tensor, pose2: Tensor,
              weight: Tensor) -> Tensor:
    """Each image's own field against its displacement from the undeformed pair. It breaks the
    plateau: one image can be placed without being compared with the other."""
    total = torch.zeros((), device=weight.device)
    for neg, pos in (sides[0], sides[-1]):
        total = total + end_point_error(neg, pose1, weight) + end_point_error(pos, pose2, weight)
    return 0.5 * total
