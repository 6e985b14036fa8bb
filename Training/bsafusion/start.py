"""Parts of the weights training begins with: position codes, patch patterns, and a fusion that
already works. Not a training step; the alignment's start is in `local` and `install`.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor

from .network import BSAFusion
from .transfer import PATCH

CODES = 13  # position code: token dimensions 0...12
CODE_SCALE = 0.8


def position_codes(side: int) -> Tensor:
    """(CODES, side, side): powers and waves of x and y in -1...1."""
    axis = (torch.arange(side, dtype=torch.float32) + 0.5) / side * 2 - 1
    x, y = axis[None].expand(side, side), axis[:, None].expand(side, side)
    waves = [f(math.pi * k * a) for k in (1, 2) for a in (x, y) for f in (torch.sin, torch.cos)]
    return torch.stack([x, y, x * x, x * y, y * y, *waves])


def cosine_patterns(count: int) -> Tensor:
    """(count, 16, 16): the lowest 2-D cosine patterns, unit norm."""
    t = (torch.arange(PATCH, dtype=torch.float32) + 0.5) / PATCH * math.pi
    rows = [torch.cos(k * t) / torch.cos(k * t).norm() for k in range(PATCH)]
    order = sorted((i * i + j * j, i, j) for i in range(PATCH) for j in range(PATCH))
    return torch.stack([rows[i][:, None] * rows[j][None] for _, i, j in order[:count]])


@torch.no_grad()
def prepare_fusion(net: BSAFusion, contrast: float = 6.0) -> None:
    """Fusion starts as the mean of both images plus about half their difference's size: nearly
    the larger of the two, with an output that is neither black nor saturated.

    The shallow features are the image times `direction` plus a bias (closed encoder), so a
    linear form of them gives the image back; GELU(kd) + GELU(-kd) is about k|d|.
    """
    shallow = net.encoder.rb1.mlp
    read = shallow.weight.view(8) / shallow.weight.pow(2).sum()
    first, second = net.fusion_net.outLayer[0], net.fusion_net.outLayer[1]
    last = net.fusion_net.F4
    for block in (first, second):
        for conv in (block.mdta.conv4, block.gdfn.conv):
            conv.weight.mul_(0.05)
            conv.bias.zero_()
    mix, bias = first.mlp.weight.view(12, 28), first.mlp.bias
    for conv in (last.mlp, last.mdta.conv4, last.gdfn.conv):  # the coarse branch starts silent
        conv.weight.zero_()
        conv.bias.zero_()
    mix[:3], bias[:3] = 0, 0
    offset = float(read @ shallow.bias)
    for row, (a, b) in enumerate(((1.0, 0.0), (0.0, 1.0), (1.0, -1.0))):
        mix[row, 12:20], mix[row, 20:28] = a * read, b * read
        bias[row] = -(a + b) * offset
    gate, value, out = first.gdfn.Dconv1, first.gdfn.Dconv2, first.gdfn.conv
    for row, sign in enumerate((2.0, -2.0)):
        for conv in (gate, value):
            conv[0].weight[row], conv[0].bias[row] = 0, 0
            conv[1].weight[row], conv[1].bias[row] = 0, 0
            conv[1].weight[:, row] = 0
            conv[1].weight[row, row, 1, 1] = 1
        gate[0].weight[row, 2] = sign
        value[1].bias[row] = 1
        out.weight[:, row] = 0
        out.weight[2, row] = 0.1  # half of |d| for a difference of usual spread (0.2)
    out.weight[2, 2:] = 0
    first.mdta.conv4.weight[:3] = 0
    out.weight[:2] = 0
    final = second.mlp
    final.weight.mul_(0.1)
    final.weight[0, :3, 0, 0] = contrast * torch.tensor([0.5, 0.5, 0.5])
    final.bias.fill_(-0.5 * contrast)
    # what is left of the signed difference in channel 2 beside its size
    final.weight[0, :2, 0, 0] += contrast * torch.tensor([-0.5, 0.5])
