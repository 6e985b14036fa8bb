"""A small fusion network inside the large one: 4,000 parameters that decide what is shown.

It is not an approximation: written in by `install`, the large network computes the same picture.
Alone it costs about a tenth, so it learns in minutes on one core.

coarse branch  patch means: where both images are dark, where one is, how bright (see `coarse`)
outLayer.0     mix of those and both images -> 12 planes, normalised -> gated 3 x 3 units
outLayer.1     their sum, a 3 x 3 filter of it, four more gated units: the tone

The picture is the last layer's value itself, clamped, and not its logistic function, which bends every grey value and
which nothing before it can straighten: all nonlinear parts see planes normalised over the image. Installed, the value
is a logit between `LEVELS`, so that a network that does not know of them shows the picture bent, too.

The channel attention of outLayer.0 is silent: one softmax over all pairs of channels is all but a
switch, and falls differently from image to image.
"""
from __future__ import annotations

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .coarse import GIVEN, block_maps, prepare_coarse
from .encoder import standardise
from .network import BSAFusion
from .samplers import double, warp_network

FIXED, MOVING = GIVEN, GIVEN + 1  # planes of the input, after the coarse branch's
PLANES, UNITS, TONES = 12, 16, 4
LEVELS = (-4.0, 4.0)  # logits that mean black and white, installed
CONTRAST = LEVELS[1] - LEVELS[0]
SLACK = 0.05  # of the gradient of a value in range: what values beyond it keep in training


def _reader(net: BSAFusion) -> Tuple[Tensor, float]:
    """The linear form that gives the image back from the closed encoder's shallow features, and
    what it gives of their bias."""
    shallow = net.encoder.rb1.mlp
    direction = shallow.weight.view(8)
    read = direction / direction.pow(2).sum()
    return read, float(read @ shallow.bias)


@torch.no_grad()
def inputs(net: BSAFusion, fixed: Tensor, moving: Tensor, flow: Tensor) -> Tensor:
    """What the blend sees (B, GIVEN + 2, S, S), given a `net` with a prepared coarse branch."""
    coarse = double(net.fusion_net._coarse(block_maps(fixed), block_maps(moving), flow), align_corners=False)
    offset = _reader(net)[1]  # outside the image the warped features are zero, not the image
    return torch.cat((coarse[:, :GIVEN], fixed, warp_network(moving + offset, flow) - offset), 1)


class Blend(nn.Module):
    """(B, GIVEN + 2, S, S) -> fused (B, 1, S, S) in 0...1. Starts as 0.8 of the fixed and 0.4 of the moving image."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(GIVEN + 2, PLANES, 1)
        self.conv = nn.Conv2d(PLANES, 2 * UNITS, 3, padding=1)
        self.p = nn.Conv2d(UNITS, 1, 1, bias=False)
        self.lin = nn.Conv2d(PLANES, 1, 1)
        self.k = nn.Conv2d(1, 1, 3, padding=1)
        self.c2 = nn.Conv2d(1, 2 * TONES, 3, padding=1)
        self.q = nn.Conv2d(TONES, 1, 1, bias=False)
        self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        mix, gates = self.mix.weight, self.conv
        self.mix.bias.zero_()
        mix[5:] *= 0.6
        mix[:5] = 0
        for row, plane, value in ((0, FIXED, 1), (1, MOVING, 1), (2, FIXED, 1), (2, MOVING, -1),
                                  (3, 0, 1), (4, FIXED, 1), (4, MOVING, 1), (4, 1, -0.3)):
            mix[row, plane] = value
        # GELU(2d) + GELU(-2d) is about 2|d|: with mean and half the difference's size they make the larger
        for unit, sign in ((0, 2.0), (1, -2.0)):
            gates.weight[unit] = gates.weight[UNITS + unit] = 0
            gates.weight[unit, 2, 1, 1] = sign
            gates.bias[unit], gates.bias[UNITS + unit] = 0, 1
        for layer in (self.lin.weight, self.lin.bias, self.k.weight, self.k.bias):
            layer.zero_()
        self.lin.weight[0, 0, 0, 0], self.lin.weight[0, 1, 0, 0] = 0.8, 0.4
        self.p.weight.normal_(0, 0.005)
        self.q.weight.normal_(0, 0.005)

    def forward(self, z: Tensor) -> Tensor:
        x = self.mix(z)
        gate, value = self.conv(standardise(x)).chunk(2, 1)
        y = self.lin(x) + self.p(F.gelu(gate) * value)
        y = y + self.k(standardise(y))
        gate, value = self.c2(standardise(y)).chunk(2, 1)
        y = y + self.q(F.gelu(gate) * value)
        inside = y.clamp(0, 1)
        beyond = SLACK * (y - inside)  # adds nothing but its gradient
        return inside + (beyond - beyond.detach() if self.training else 0)


@torch.no_grad()
def install(net: BSAFusion, model: Blend) -> None:
    """Afterwards `net` fuses as `model` does. Its encoder has to be closed."""
    prepare_coarse(net)
    first, second = net.fusion_net.outLayer[0], net.fusion_net.outLayer[1]
    for parameter in net.fusion_net.outLayer.parameters():
        parameter.zero_()
    read, offset = _reader(net)
    mix = model.mix.weight[:, :, 0, 0]
    first.mlp.weight[:, :GIVEN, 0, 0] = mix[:, :GIVEN]
    first.mlp.weight[:, 12:20, 0, 0] = mix[:, FIXED, None] * read
    first.mlp.weight[:, 20:28, 0, 0] = mix[:, MOVING, None] * read
    first.mlp.bias.copy_(model.mix.bias - (mix[:, FIXED] + mix[:, MOVING]) * offset)
    for branch, rows in ((first.gdfn.Dconv1, slice(0, UNITS)), (first.gdfn.Dconv2, slice(UNITS, None))):
        branch[0].weight[:PLANES, :, 0, 0] = torch.eye(PLANES)
        branch[1].weight[:UNITS, :PLANES] = model.conv.weight[rows]
        branch[1].bias[:UNITS] = model.conv.bias[rows]
    # the units reach the sum through the plane that weighs most there; from the sum on all is in logits
    net.fusion_net.levels = LEVELS
    weights = model.lin.weight[0, :, 0, 0]
    through = int(weights.abs().argmax())
    first.gdfn.conv.weight[through, :UNITS, 0, 0] = model.p.weight[0, :, 0, 0] / weights[through]
    second.mlp.load_state_dict({"weight": CONTRAST * model.lin.weight, "bias": CONTRAST * model.lin.bias + LEVELS[0]})
    attention = second.mdta  # of one channel: a filter
    attention.conv3[0].weight.fill_(1)
    attention.conv3[1].load_state_dict({name: CONTRAST * value for name, value in model.k.state_dict().items()})
    attention.conv4.weight.fill_(1)
    for branch, rows in ((second.gdfn.Dconv1, slice(0, TONES)), (second.gdfn.Dconv2, slice(TONES, None))):
        branch[0].weight[0] = 1
        branch[1].weight[:, :1] = model.c2.weight[rows]
        branch[1].bias.copy_(model.c2.bias[rows])
    second.gdfn.conv.load_state_dict({"weight": CONTRAST * model.q.weight, "bias": torch.zeros(1)})


@torch.no_grad()
def extract(net: BSAFusion) -> Blend:
    """The inverse of `install`: the small fusion that lies in `net`."""
    if net.fusion_net.levels != LEVELS:
        raise ValueError(f"no fusion of this kind lies in it: its levels are {net.fusion_net.levels}, not {LEVELS}")
    model = Blend()
    first, second = net.fusion_net.outLayer[0], net.fusion_net.outLayer[1]
    read, offset = _reader(net)
    plane, mlp = int(read.abs().argmax()), first.mlp.weight[:, :, 0, 0]
    mix = model.mix.weight[:, :, 0, 0]
    mix[:, :GIVEN] = mlp[:PLANES, :GIVEN]
    mix[:, FIXED], mix[:, MOVING] = (mlp[:PLANES, at + plane] / read[plane] for at in (12, 20))
    model.mix.bias.copy_(first.mlp.bias[:PLANES] + (mix[:, FIXED] + mix[:, MOVING]) * offset)
    for branch, rows in ((first.gdfn.Dconv1, slice(0, UNITS)), (first.gdfn.Dconv2, slice(UNITS, None))):
        model.conv.weight[rows] = branch[1].weight[:UNITS, :PLANES]
        model.conv.bias[rows] = branch[1].bias[:UNITS]
    model.lin.weight.copy_(second.mlp.weight / CONTRAST)
    model.lin.bias.copy_((second.mlp.bias - LEVELS[0]) / CONTRAST)
    weights = model.lin.weight[0, :, 0, 0]
    through = int(weights.abs().argmax())
    model.p.weight[0, :, 0, 0] = first.gdfn.conv.weight[through, :UNITS, 0, 0] * weights[through]
    for name, value in second.mdta.conv3[1].state_dict().items():
        model.k.state_dict()[name].copy_(value / CONTRAST)
    for branch, rows in ((second.gdfn.Dconv1, slice(0, TONES)), (second.gdfn.Dconv2, slice(TONES, None))):
        model.c2.weight[rows] = branch[1].weight[:TONES, :1]
        model.c2.bias[rows] = branch[1].bias[:TONES]
    model.q.weight.copy_(second.gdfn.conv.weight / CONTRAST)
    return model


def largest_difference(net: BSAFusion, model: Blend, fixed: Tensor, moving: Tensor) -> float:
    """Of the fused images under the network's own flow."""
    with torch.no_grad():
        out = net.eval()(fixed, moving)
        assert out.fused is not None
        return float((out.fused - model(inputs(net, fixed, moving, out.alignment.flow))).abs().max())
