"""Bidirectional stepwise alignment (BSFA): ten fields and their sum. No images are warped here."""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import standardise
from .samplers import double, field_to_full, warp_network

CHANNELS = (256, 64, 32, 16, 8, 1)
LEVELS = 5


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.01)


class CrossAttention(nn.Module):
    """Spatial soft gate: p * softmax_HW(p * r) + a. `closed` skips the gate, which is exact
    while conv1 is zero (then p = 0)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1))
        self.conv2 = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1))
        self.closed = False

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        if self.closed:
            return a
        p = F.relu(self.conv1(a))
        r = F.relu(self.conv2(b))
        gate = torch.softmax((p * r).flatten(2), -1).view_as(p)
        return p * gate + a


class FeatureOutput(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.feature_output = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, s: Tensor) -> Tensor:
        return s + F.relu(self.feature_output(s))


class RegistrationLayer(nn.Module):
    """One FRL or RRL: running feature d and both images' features -> (next d, field)."""

    def __init__(self, inputs: int, outputs: int, last: bool) -> None:
        super().__init__()
        self.conv1x1 = nn.Sequential(nn.Conv2d(2 * inputs, inputs, 1))
        self.crossAtt1 = CrossAttention(inputs)
        self.feature_output = nn.Sequential(FeatureOutput(inputs))
        self.flow_output = nn.Sequential(nn.Conv2d(inputs, 2, 3, padding=1))
        self.up1 = nn.Sequential(nn.Identity(), nn.Conv2d(inputs, outputs, 1))
        self.last = last

    def forward(self, d: Tensor, both: Tensor) -> Tuple[Tensor, Tensor]:
        e = leaky(self.conv1x1(both))
        s = self.feature_output(self.crossAtt1(d, e) + self.crossAtt1(e, d))
        field = torch.tanh(self.flow_output(s))
        if self.last:  # the next d has no reader
            return d, field
        return leaky(double(self.up1(s), align_corners=True)), field


class FeatureUp(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up_sample = nn.Sequential(nn.Identity(), nn.Conv2d(inputs, outputs, 1))
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return leaky(standardise(self.conv1(double(self.up_sample(x), align_corners=True))))


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for level in range(1, LEVELS):
            setattr(self, f"up{level}", FeatureUp(CHANNELS[level - 1], CHANNELS[level]))


class Alignment(NamedTuple):
    flow: Tensor  # (B, 2, S, S) full-resolution sampling offsets, channel 0 = x
    fields: List[Tensor]  # ten, in level pixels; odd places image 1, even image 2
    partial: List[Tensor]  # the flow after each level, on the full grid
    sides: List[Tuple[Tensor, Tensor]]  # the same per image: (flow_neg, flow_pos)


class RegistrationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for level in range(1, LEVELS + 1):
            shape = (CHANNELS[level - 1], CHANNELS[level], level == LEVELS)
            setattr(self, f"f1_FR{level}", RegistrationLayer(*shape))
            setattr(self, f"f2_FR{level}", RegistrationLayer(*shape))
        self.D = Decoder()
        self.levels = LEVELS  # fewer: the finer fields are taken as zero (training, coarse first)

    def forward(self, x1: Tensor, x2: Tensor) -> Alignment:
        f1 = d1 = x1
        f2 = d2 = x2
        fields: List[Tensor] = []
        sides: List[Tuple[Tensor, Tensor]] = []
        for level in range(1, self.levels + 1):
            both = torch.cat((f1, f2), 1)
            d1, field1 = getattr(self, f"f1_FR{level}")(d1, both)
            d2, field2 = getattr(self, f"f2_FR{level}")(d2, both)
            fields += [field1, field2]
            scale = 2 ** (LEVELS - level)
            neg, pos = field_to_full(field1, scale), field_to_full(field2, scale)
            sides.append((sides[-1][0] + neg, sides[-1][1] + pos) if sides else (neg, pos))
            if level < self.levels:
                up = getattr(self.D, f"up{level}")
                f1, f2 = up(warp_network(f1, field1)), up(warp_network(f2, field2))
        partial = [pos - neg for neg, pos in sides]
        return Alignment(partial[-1], fields, partial, sides)
