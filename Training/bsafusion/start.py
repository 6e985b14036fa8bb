"""Starting points: how the weights are set before training. Not a training step.

The prepared start is a network that can already tell where a head lies. Tokens carry a position
code beside the picture content; an MLP turns a patch's brightness into soft masks at several
thresholds; attention heads average the position code over each mask, which gives its centroid and
second moments. `calibrate` then fits the first level's field heads to them in closed form.
Everything else starts small and random. Residual branches whose last convolution is zero cost
nothing to skip.
"""
from __future__ import annotations

import math
from typing import Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import BSAFusion
from .transfer import PATCH, WIDTH, ViTBlock

CODES = 13  # position code: dims 0...12
MOMENTS = 5  # of which x, y, xx, xy, yy are averaged over masks
BALLAST = slice(13, 37)  # constants: keep LayerNorm from rescaling dark tokens
BRIGHTNESS = 40  # mean of the patch
CONTENT = slice(41, 141)  # the lowest cosine patterns of the patch
POOLED = slice(150, 190)  # moments of eight masks
MASKS = slice(190, 195)  # soft thresholds of the brightness
THRESHOLDS = (0.09, 0.16, 0.3, 0.45, 0.65)  # of a patch's mean intensity
CODE_SCALE = 0.8
POOL_GAIN = 4.0
KEPT = (slice(0, CODES), BALLAST, slice(BRIGHTNESS, BRIGHTNESS + 1), POOLED, MASKS)


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


def position_map(side: int) -> Tensor:
    """The learnable map (1, 1, 256, 256) that gives every patch of a side x side image its code."""
    codes = position_codes(side // PATCH)
    place = cosine_patterns(CODES + 1)[1:]
    image = torch.einsum("cij,cuv->iujv", CODE_SCALE * codes, place).reshape(1, 1, side, side)
    return F.interpolate(image, size=(256, 256), mode="bilinear", align_corners=True)


def _embed(net: BSAFusion, side: int) -> None:
    """Features +3I, -3I, 3I: their first sum is the position map alone, their difference content."""
    first, second = net.encoder.rb1.mlp, net.encoder.rb2.mlp
    direction = first.weight.view(1, 8)
    scale = torch.tensor([[3.0], [-3.0], [3.0]])
    second.weight.copy_((scale * direction / direction.pow(2).sum()).view(3, 8, 1, 1))
    second.bias.copy_(-(second.weight.view(3, 8) @ first.bias) - 0.3 * scale[:, 0])
    embedding = net.transfer.classifier.embedding
    weight, bias = embedding.patch_embedding.weight, embedding.patch_embedding.bias
    patterns = cosine_patterns(CODES + 101)
    place, content = patterns[1:CODES + 1], patterns[:101]
    weight.mul_(0.5)
    weight[:, 2] = weight[:, 0]
    weight[:, 1] = -weight[:, 0] - weight[:, 2]  # content only, blind to the map
    bias.zero_()
    weight[:CODES] = 0
    weight[:CODES, 0] = weight[:CODES, 1] = 0.5 * place
    net.transfer.classifier.embedding.position_embedding.copy_(position_map(side))
    for taken in (BALLAST, POOLED, MASKS):
        weight[taken] = 0
    bias[BALLAST] = 2.5 * torch.tensor([1.0, -1.0]).repeat(12)
    weight[BRIGHTNESS:BRIGHTNESS + 101, 2] = 0
    spread = torch.tensor([1.0 if k == 0 else min(3.0, 0.5 + 0.1 * k) for k in range(101)]) / 16
    half = spread.view(-1, 1, 1) * content * 2 / 3
    weight[BRIGHTNESS:BRIGHTNESS + 101, 0] = half * 3
    weight[BRIGHTNESS:BRIGHTNESS + 101, 1] = -half * 3


def _calm(block: ViTBlock) -> None:
    """Half-size branches that leave the designed dimensions alone."""
    for layer in (block.attention.out_proj, block.mlp.linear2):
        layer.weight.mul_(0.5)
        for taken in KEPT:
            layer.weight[taken], layer.bias[taken] = 0, 0


def _threshold(block: ViTBlock, steep: float = 3.0, width: float = 0.9) -> None:
    """The MLP writes soft masks: GELU(a(B - t)) - GELU(a(B - t - w)), scaled to 0...1."""
    first, second = block.mlp.linear1, block.mlp.linear2
    for k, threshold in enumerate(THRESHOLDS):
        level = 11.7 * (threshold - 0.352)  # brightness after LayerNorm, measured
        for unit, shift, sign in ((2 * k, 0.0, 1.0), (2 * k + 1, width, -1.0)):
            first.weight[unit] = 0
            first.weight[unit, BRIGHTNESS] = steep
            first.bias[unit] = -steep * (level + shift)
            second.weight[:, unit] = 0
            second.weight[MASKS.start + k, unit] = sign / (steep * width)


def _pool(block: ViTBlock, masks: Sequence[Sequence[Tuple[int, float]]], into: int) -> None:
    """Head h attends by masks[h], a list of (dimension, sharpness), and hands on the moments."""
    qkv, out = block.attention.qkv.weight, block.attention.out_proj.weight
    signs = torch.tensor([1.0, -1.0]).repeat(12)
    qkv[:] = 0
    out[:] = 0
    for head, mask in enumerate(masks):
        row = 64 * head
        qkv[row, BALLAST] = 8.0 * signs / 24 / 2.5  # undoes the 1/8 of the scores
        for dimension, sharpness in mask:
            qkv[WIDTH + row, dimension] = sharpness
        for k in range(MOMENTS):
            qkv[2 * WIDTH + row + k, k] = 1.0
            out[into + MOMENTS * head + k, row + k] = POOL_GAIN


@torch.no_grad()
def prepare(net: BSAFusion, side: int) -> None:
    """For images of this side; the position map has to be set anew for another."""
    net.close_gates()
    _embed(net, side)
    transfer, m = net.transfer, MASKS.start
    for pair in (transfer.classifier.vit_blks, transfer.transfer.VitBLK1, transfer.transfer.VitBLK2):
        _calm(pair.vit0)
        _calm(pair.vit1)
    # the class token: of usual length for LayerNorm, dark, and asking for nothing
    token = transfer.classifier.cls_token
    token[0, 0, BALLAST] = 2.5 * torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(6)
    token[0, 0, BRIGHTNESS] = -3.0
    first = transfer.classifier.vit_blks
    _threshold(first.vit0)
    _pool(first.vit1, [[(m + k, 6.0)] for k in range(4)], POOLED.start)
    rest = [[(m + 4, 6.0)], [(m, -5.0)], [(m + 1, 6.0), (m + 3, -6.0)], [(BRIGHTNESS, 0.5)]]
    for pair in (transfer.transfer.VitBLK1, transfer.transfer.VitBLK2):
        _pool(pair.vit0, rest, POOLED.start + 4 * MOMENTS)
    for name, module in net.reg_net.named_modules():
        if name.endswith("flow_output.0") and isinstance(module, nn.Conv2d):
            module.weight.mul_(0.02)
            module.bias.zero_()
    for layer in (net.reg_net.f1_FR1, net.reg_net.f2_FR1):
        for conv in (layer.conv1x1[0], layer.feature_output[0].feature_output[0]):
            conv.weight.mul_(0.3)
            for kept in KEPT:
                conv.weight[kept], conv.bias[kept] = 0, 0
    transfer.copy_discriminator()


@torch.no_grad()
def prepare_fusion(net: BSAFusion, contrast: float = 5.0) -> None:
    """Fusion starts as the mean of both images plus about half their difference's size: nearly
    the larger of the two, with an output that is neither black nor saturated.

    The shallow features are the image times `direction` plus a bias (closed encoder), so a
    linear form of them gives the image back; GELU(kd) + GELU(-kd) is about k|d|.
    """
    shallow = net.encoder.rb1.mlp
    read = shallow.weight.view(8) / shallow.weight.pow(2).sum()
    first, second = net.fusion_net.outLayer[0], net.fusion_net.outLayer[1]
    for block in (first, second):
        for conv in (block.mdta.conv4, block.gdfn.conv):
            conv.weight.mul_(0.05)
            conv.bias.zero_()
    mix, bias = first.mlp.weight.view(12, 28), first.mlp.bias
    mix[:, :12] *= 0.2  # the coarse branch starts quietly
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
