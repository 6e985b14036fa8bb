"""A small network inside the large one: soft masks, their moments, and an affine flow from them.

It is not an approximation: written into BSAFusion by `install`, the large network computes the
same first-level field (the unused dimensions of its tokens are zero). Alone it costs about a
hundredth, sees 64-pixel images (means of 4 x 4 pixels of the 256-pixel image are all it reads),
and so learns to place a head in minutes on one core.

token (256) = position code | ballast | 16 block means | masks | pooled codes | flags
classifier.vit0.mlp      block means, place -> soft masks
transfer.VitBLKi.vit0    four heads average the code over a mask; mlp: masks again, knowing them
transfer.VitBLKi.vit1    four more heads
reg_net.f?_FR1           place and both images' pooled codes -> field (two hidden layers)
"""
from __future__ import annotations

from typing import Dict, List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registration import leaky
from .start import BALLAST, CODE_SCALE, CODES, position_codes

CODE = slice(0, CODES)
BLOCK = slice(40, 56)
POOL = slice(100, 100 + 8 * CODES)
MASK = slice(204, 212)
OUTSIDER, ONE = 212, 213
FREE = [*range(56, 100), *range(214, 256)]  # hidden units of the field layer
UNITS = len(FREE)
HIDDEN = 128
SIDE = 16
BLOCK_GAIN, BLOCK_MIDDLE = 4.0, 0.3
POOL_GAIN = 12.0  # a shift of ten pixels is then about half a unit


def ballast() -> Tensor:
    return 2.5 * torch.tensor([1.0, -1.0]).repeat(12)


def normed(tokens: Tensor) -> Tensor:
    """LayerNorm; its dimension ONE, which nothing here reads, is made the constant 1."""
    return F.layer_norm(tokens, (256,))


class Masks(nn.Module):
    """Hidden GELU layer on chosen dimensions -> eight masks."""

    def __init__(self, reads: List[int]) -> None:
        super().__init__()
        self.reads = reads
        self.first = nn.Linear(len(reads), HIDDEN)
        self.second = nn.Linear(HIDDEN, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        change = self.second(F.gelu(self.first(normed(tokens)[..., self.reads])))
        return torch.cat((tokens[..., :MASK.start], tokens[..., MASK] + change,
                          tokens[..., MASK.stop:]), -1)

    @torch.no_grad()
    def thresholds(self) -> None:
        """Masks at rising brightness."""
        for k, level in enumerate((-1.25, -1.0, -0.6, -0.2, 0.2, 0.6, 1.1, 1.7)):
            for unit, shift, sign in ((2 * k, 0.0, 1.0), (2 * k + 1, 0.35, -1.0)):
                self.first.weight[unit] = 0
                self.first.weight[unit, CODES:CODES + 16] = 8.0 / 16
                self.first.bias[unit] = -8.0 * (level + shift)
                self.second.weight[:, unit] = 0
                self.second.weight[k, unit] = sign / (8.0 * 0.35)


class Pool(nn.Module):
    """Four heads; the score of a token is linear in its masks, the value its position code."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first  # head number of the eight
        keys = torch.zeros(4, 8)
        for k in range(4):
            keys[k, 2 * k + (first // 4)] = 3.0 * (0.9 if k else 1.0)
        self.keys = nn.Parameter(keys)

    def forward(self, tokens: Tensor) -> Tensor:
        u = normed(tokens)
        scores = u[..., MASK] @ self.keys.T - 8.0 * u[..., OUTSIDER:OUTSIDER + 1]
        mean = scores.softmax(1).transpose(1, 2) @ u[..., CODE]  # (B, 4, CODES)
        flat = POOL_GAIN * mean.flatten(1)[:, None]
        start = POOL.start + CODES * self.first
        end = start + flat.shape[-1]
        return torch.cat((tokens[..., :start], flat.expand(-1, tokens.shape[1], -1),
                          tokens[..., end:]), -1)  # these dimensions were zero


class Field(nn.Module):
    """One side of the first level: codes and both images' pooled codes -> field (B, N, 2)."""

    def __init__(self) -> None:
        super().__init__()
        reads = CODES + 2 * 8 * CODES
        self.mix = nn.Linear(reads, UNITS)
        self.hidden = nn.Linear(UNITS, UNITS)
        self.head = nn.Linear(UNITS + CODES + 8 * CODES, 2)
        with torch.no_grad():
            self.head.weight.mul_(0.2)
            self.head.bias.zero_()

    def forward(self, own: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
        pooled = torch.cat((x1[:, :1, POOL], x2[:, :1, POOL]), -1)
        code = x1[..., CODE]
        split = (CODES, pooled.shape[-1])
        a, b = self.mix.weight.split(split, 1)
        e = leaky(code @ a.T + pooled @ b.T + self.mix.bias)
        s = e + F.relu(self.hidden(e))
        rest = torch.cat((own[..., CODE], own[..., POOL]), -1)
        return torch.tanh(self.head(torch.cat((s, rest), -1)))


class Moments(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        places = [*range(CODES), *range(BLOCK.start, BLOCK.stop)]
        self.masks = Masks(places)
        self.masks.thresholds()
        seen = [*places, *range(MASK.start, MASK.stop), *range(POOL.start, POOL.start + 4 * CODES)]
        self.pool_a = nn.ModuleList([Pool(0), Pool(0)])
        self.again = nn.ModuleList([Masks(seen), Masks(seen)])
        for masks in self.again:
            nn.init.zeros_(masks.second.weight)
            nn.init.zeros_(masks.second.bias)
        self.pool_b = nn.ModuleList([Pool(4), Pool(4)])
        self.field = nn.ModuleList([Field(), Field()])
        self.register_buffer("code", CODE_SCALE * position_codes(SIDE).flatten(1).T.contiguous())

    def class_token(self) -> Tensor:
        """Constant: nothing of an image reaches it. It is added to the other image's tokens."""
        token = torch.zeros(1, 1, 256)
        token[..., BALLAST] = ballast()
        return token

    def embed(self, image: Tensor) -> Tensor:
        """(B, 1, 64, 64) -> (B, 256, 256)."""
        blocks = F.unfold(image, 4, stride=4).transpose(1, 2)
        parts = torch.zeros(*blocks.shape[:2], 256)
        parts[..., CODE] = self.code
        parts[..., BALLAST] = ballast()
        parts[..., BLOCK] = BLOCK_GAIN * (blocks - BLOCK_MIDDLE)
        return parts

    def outsider(self) -> Tensor:
        """The learned token of the transfer blocks; no head looks at it."""
        token = torch.zeros(1, 1, 256)
        token[..., BALLAST] = ballast()
        token[..., OUTSIDER] = 10.0
        return token

    def tokens(self, image: Tensor, side: int) -> Tensor:
        """The maps x_i as (B, 256 places, 256), one place late as in the network."""
        u = self.masks(self.embed(image)) + self.masks(self.class_token())
        u = torch.cat((u, self.outsider().expand(u.shape[0], -1, -1)), 1)
        return self.pool_b[side](self.again[side](self.pool_a[side](u)))[:, 1:]

    def forward(self, fixed: Tensor, moving: Tensor) -> Tuple[Tensor, Tensor]:
        """64-pixel images -> the two first-level fields (B, 2, 16, 16)."""
        x1, x2 = self.tokens(fixed, 0), self.tokens(moving, 1)
        maps = [f(own, x1, x2).transpose(1, 2).reshape(-1, 2, SIDE, SIDE)
                for f, own in zip(self.field, (x1, x2))]
        return maps[0], maps[1]


def numbers(model: Moments) -> Dict[str, int]:
    return {"parameters": sum(p.numel() for p in model.parameters())}
