"""Restormer blocks and the shared encoder (paper: ResB). Not the transformer half of it."""
from __future__ import annotations

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def standardise(x: Tensor) -> Tensor:
    """Each plane to mean 0 and variance 1 over its pixels; no learnable part."""
    return F.instance_norm(x, eps=1e-5)


def _pointwise_then_3x3(channels: int, inner: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, inner, 3, padding=1))


class ChannelAttention(nn.Module):
    """MDTA: attention between channels, one softmax over all C x C logits."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _pointwise_then_3x3(channels, channels)
        self.conv2 = _pointwise_then_3x3(channels, channels)
        self.conv3 = _pointwise_then_3x3(channels, channels)
        self.conv4 = nn.Conv2d(channels, channels, 1)
        self.closed = False  # skips the branch: exact while conv4 is zero
        self.exact = True  # logits in double when not training; graphs for other runtimes do without

    def forward(self, x: Tensor) -> Tensor:
        if self.closed:
            return x
        batch, channels, height, width = x.shape
        u = standardise(x)
        value = self.conv3(u).flatten(2)
        if channels == 1:  # softmax over one entry is 1 whatever the logit
            mixed = value
        else:
            query, key = self.conv1(u).flatten(2), self.conv2(u).flatten(2)
            if self.exact and not self.training:  # sums over H*W products: single precision is not enough
                query, key = query.double(), key.double()
            logits = torch.bmm(key, query.transpose(1, 2))
            weights = torch.softmax(logits.flatten(1), dim=1).view_as(logits).to(value.dtype)
            mixed = torch.bmm(weights.transpose(1, 2), value)
        return x + self.conv4(mixed.view(batch, channels, height, width))


class GatedFeedForward(nn.Module):
    """GDFN: a GELU-gated pair of 3x3 convolutions at four times the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.Dconv1 = _pointwise_then_3x3(channels, 4 * channels)
        self.Dconv2 = _pointwise_then_3x3(channels, 4 * channels)
        self.conv = nn.Conv2d(4 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        u = standardise(x)
        return x + self.conv(F.gelu(self.Dconv1(u)) * self.Dconv2(u))


class Restormer(nn.Module):
    """One Restormer block with a 1x1 convolution in front.

    `closed` skips both residual branches; that is exact while their output convolutions
    are zero, which `close` sees to.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.mlp = nn.Conv2d(inputs, outputs, 1)
        self.mdta = ChannelAttention(outputs)
        self.gdfn = GatedFeedForward(outputs)
        self.closed = False

    def close(self) -> None:
        for conv in (self.mdta.conv4, self.gdfn.conv):
            nn.init.zeros_(conv.weight)
            nn.init.zeros_(conv.bias)
        self.closed = True

    def forward(self, x: Tensor) -> Tensor:
        y = self.mlp(x)
        return y if self.closed else self.gdfn(self.mdta(y))


class Encoder(nn.Module):
    """Image (B, 1, S, S) -> shallow features (B, 8, S, S) and features (B, 3, S, S)."""

    def __init__(self) -> None:
        super().__init__()
        self.rb1 = Restormer(1, 8)
        self.rb2 = Restormer(8, 3)

    def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:
        shallow = self.rb1(image)
        return shallow, self.rb2(shallow)
