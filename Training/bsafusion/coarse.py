"""A start for the coarse fusion branch: what only it can know, the grey values themselves.

Every nonlinear part of the output layers sees planes normalised over the image, in which nothing
says where zero was. The coarse branch has plain ReLUs in its upsamplings. Here its residual
branches are silent and its 1x1 convolutions carry patch means: where both images are dark, where
one is, and how bright they are. Training goes on from there.
"""
from __future__ import annotations

from typing import Dict, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .local import BLOCK, BLOCK_GAIN, BLOCK_MIDDLE, CELLS
from .network import BSAFusion
from .transfer import PATCH, WIDTH

# (steepness, grey value from which on): the second of each pair for luminance, black at 0.0625
LEVELS = ((60.0, 0.0), (60.0, 0.068), (12.0, 0.0), (12.0, 0.068), (2.0, 0.0), (2.0, 0.068))
GIVEN = 7  # planes of the branch's twelve that say something
A, B, G = 0, 1, 2  # parts of a fusion block's input: fixed, warped moving, fused so far


def block_maps(image: Tensor) -> Tensor:
    """The tokens' block means (B, 256, S/16, S/16) as the installed alignment makes them; the
    other dimensions are zero: the fusion trained here reads only these."""
    means = BLOCK_GAIN * (F.avg_pool2d(image, PATCH // CELLS) - BLOCK_MIDDLE)
    maps = F.pixel_unshuffle(means, CELLS)
    return F.pad(maps, (0, 0, 0, 0, BLOCK.start, WIDTH - BLOCK.stop))


def _clear(*layers: nn.Conv2d) -> None:
    for layer in layers:
        layer.weight.zero_()
        layer.bias.zero_()


def _mix(layer: nn.Conv2d, width: int, rows: Dict[int, Dict[Tuple[int, int], float]],
         bias: Dict[int, float]) -> None:
    for row, terms in rows.items():
        for (part, channel), value in terms.items():
            layer.weight[row, part * width + channel] = value
        layer.bias[row] = bias.get(row, 0.0)


@torch.no_grad()
def prepare_coarse(net: BSAFusion) -> None:
    """Afterwards the branch gives, per patch: both dark (steep, soft), fixed dark, moving dark,
    fixed bright, moving bright, moving above black; five channels are free."""
    fusion = net.fusion_net
    for block in (fusion.F1, fusion.F2, fusion.F3, fusion.F4):
        block.close()
        _clear(block.mlp)
    ups = [fusion.up_sample1, fusion.up_sample2, fusion.up_sample3]
    for up in ups:
        _clear(up.up1[1], up.up3[1])
        for k in range(len(LEVELS)):
            up.up1[1].weight[k, k] = 1
            up.up3[1].weight[k, k] = 1
    _clear(ups[0].up1[1])
    for k, (steep, start) in enumerate(LEVELS):
        ups[0].up1[1].weight[k, BLOCK] = steep / (CELLS**2 * BLOCK_GAIN)
        ups[0].up1[1].bias[k] = steep * (BLOCK_MIDDLE - start)
    _mix(fusion.F3.mlp, 32, {0: {(A, 0): -1, (B, 1): -1}, 1: {(A, 2): -1, (B, 3): -1},
                             2: {(A, 2): -1}, 3: {(B, 3): -1}}, {0: 1, 1: 1, 2: 1, 3: 1})
    _mix(fusion.F4.mlp, 16, {0: {(G, 0): 1}, 1: {(G, 1): 1}, 2: {(G, 2): 1}, 3: {(G, 3): 1},
                             4: {(A, 4): 1}, 5: {(B, 4): 1}, 6: {(B, 5): 1}}, {})
