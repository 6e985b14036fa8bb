"""A small network inside the large one: soft masks and their moments, local features, a field.

It is not an approximation: written into BSAFusion by `install`, the large network computes the
same first-level field (the unused dimensions of its tokens are zero). Alone it costs about a
fiftieth, sees 64-pixel images (means of 4 x 4 pixels of the 256-pixel image are all it reads),
and so learns to place a head in minutes on one core.

token (256) = position code | ballast | 16 block means | local features | pooled codes | masks
classifier.vit0.mlp      block means, place -> local features, soft masks
transfer.VitBLKi.vit0    four heads average the code over a mask; mlp: both again, knowing them
transfer.VitBLKi.vit1    four more heads; mlp: both once more
reg_net.f?_FR1           local features and both images' pooled codes -> field (3 x 3 tokens, twice)

Most of a token is the same for all places or for all images, so tokens are kept in parts here.
"""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registration import leaky
from .start import BALLAST, CODE_SCALE, CODES, position_codes

CODE = slice(0, CODES)
BLOCK = slice(40, 56)
LOCAL = slice(56, 100)
POOL = slice(100, 100 + 8 * CODES)
MASK = slice(204, 212)
OUTSIDER, ONE = 212, 213
LOCALS, MASKS, POOLS = LOCAL.stop - LOCAL.start, MASK.stop - MASK.start, 8 * CODES
# hidden channels of the field layer; tokens hold something in some of them, which is added
SHARED = 42
UNITS = [*range(LOCAL.start, LOCAL.stop), *range(214, 256), *range(POOL.start, POOL.start + SHARED)]
REST = [*range(CODES), *range(POOL.start + SHARED, POOL.stop)]  # read by the head beside them
HIDDEN = 192
SIDE = 16
TOKENS = SIDE * SIDE
BLOCK_GAIN, BLOCK_MIDDLE = 4.0, 0.3
POOL_GAIN = 12.0  # a shift of ten pixels is then about half a unit
BALLAST_SIZE, OUTSIDER_SIZE = 2.5, 10.0


def span(part: slice) -> List[int]:
    return [*range(part.start, part.stop)]


PLACED = [*span(CODE), *span(BLOCK)]
WRITTEN = [*span(LOCAL), *span(MASK)]


def ballast() -> Tensor:
    return BALLAST_SIZE * torch.tensor([1.0, -1.0]).repeat(12)


class Parts(NamedTuple):
    """Tokens by parts: what differs, what belongs to a place, what belongs to an image."""

    act: Tensor  # (B, N, 68): block means | local features | masks
    code: Tensor  # (N, CODES)
    outsider: Tensor  # (N, 1)
    heavy: Tensor  # (N, 1): sum of the squares of the ballast, whose sum is zero
    pool: Tensor  # (B, so far filled); the rest is zero

    def norm(self) -> Tuple[Tensor, Tensor]:
        """LayerNorm's mean and reciprocal deviation, (B, N, 1), over all 256 dimensions."""
        total = self.code.sum(-1, keepdim=True) + self.outsider
        square = self.code.pow(2).sum(-1, keepdim=True) + self.outsider**2 + self.heavy
        image = self.pool[:, None]
        mean = (self.act.sum(-1, keepdim=True) + total + image.sum(-1, keepdim=True)) / 256
        power = self.act.pow(2).sum(-1, keepdim=True) + square + image.pow(2).sum(-1, keepdim=True)
        return mean, (power / 256 - mean**2 + 1e-5).rsqrt()


class Masks(nn.Module):
    """Hidden GELU layer on normalised tokens (code, block means, then, where `pools` is not
    None, local features, masks and that many pooled codes) -> changes of local features, masks."""

    def __init__(self, pools: int = 0, all_parts: bool = True) -> None:
        super().__init__()
        self.pools, self.wide = pools, all_parts
        reads = len(PLACED) + (len(WRITTEN) if all_parts else 0) + pools
        self.first = nn.Linear(reads, HIDDEN)
        self.second = nn.Linear(HIDDEN, len(WRITTEN))

    def reads(self) -> List[int]:
        return PLACED + (WRITTEN if self.wide else []) + span(POOL)[:self.pools]

    def forward(self, tokens: Parts) -> Parts:
        mean, scale = tokens.norm()
        seen = tokens.act if self.wide else tokens.act[..., :16]
        code = tokens.code.expand(seen.shape[0], -1, -1)
        u = (torch.cat((code, seen), -1) - mean) * scale
        if self.pools:
            own, pooled = self.first.weight.split((u.shape[-1], self.pools), 1)
            u = torch.cat((u, -mean * scale), -1)
            hidden = F.linear(u, torch.cat((own, pooled.sum(1, keepdim=True)), 1), self.first.bias)
            hidden = hidden + scale * F.linear(tokens.pool, pooled)[:, None]
        else:
            hidden = self.first(u)
        change = self.second(F.gelu(hidden))
        return tokens._replace(act=tokens.act + F.pad(change, (16, 0)))

    @torch.no_grad()
    def thresholds(self) -> None:
        """Masks at rising brightness."""
        for k, level in enumerate((-1.25, -1.0, -0.6, -0.2, 0.2, 0.6, 1.1, 1.7)):
            for unit, shift, sign in ((2 * k, 0.0, 1.0), (2 * k + 1, 0.35, -1.0)):
                self.first.weight[unit] = 0
                self.first.weight[unit, CODES:CODES + 16] = 8.0 / 16
                self.first.bias[unit] = -8.0 * (level + shift)
                self.second.weight[:, unit] = 0
                self.second.weight[LOCALS + k, unit] = sign / (8.0 * 0.35)


class Pool(nn.Module):
    """Four heads; the score of a token is linear in its masks, the value its position code."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first  # head number of the eight
        keys = torch.zeros(4, MASKS)
        for k in range(4):
            keys[k, 2 * k + (first // 4)] = 3.0 * (0.9 if k else 1.0)
        self.keys = nn.Parameter(keys)

    def forward(self, tokens: Parts) -> Parts:
        mean, scale = tokens.norm()
        masks = (tokens.act[..., -MASKS:] - mean) * scale
        scores = masks @ self.keys.T - 8.0 * (tokens.outsider - mean) * scale
        means = scores.softmax(1).transpose(1, 2) @ ((tokens.code - mean) * scale)
        pooled = POOL_GAIN * means.flatten(1)  # (B, 4 CODES)
        return tokens._replace(pool=torch.cat((tokens.pool, pooled), 1))


class Field(nn.Module):
    """One side of the first level: place, local features and pooled codes of both images ->
    field (B, 2, 16, 16). The first layer is pointwise, `hidden` and `head` see 3 x 3 tokens."""

    def __init__(self) -> None:
        super().__init__()
        units = len(UNITS)
        self.local = nn.Linear(len(PLACED) + len(WRITTEN), units)  # of image 1, and place
        self.other = nn.Linear(16 + len(WRITTEN), units, bias=False)  # of image 2
        self.pooled = nn.Linear(2 * POOLS, units, bias=False)
        self.hidden = nn.Conv2d(units, units, 3, padding=1)
        self.head = nn.Conv2d(units + len(REST), 2, 3, padding=1)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.zero_()

    def forward(self, own: Parts, x1: Parts, x2: Parts) -> Tensor:
        place, first = self.local.weight.split((CODES, x1.act.shape[-1]), 1)
        e = F.linear(torch.cat((x1.act, x2.act), -1), torch.cat((first, self.other.weight), 1))
        e = e + F.linear(x1.code, place, self.local.bias)
        e = leaky(e + self.pooled(torch.cat((x1.pool, x2.pool), -1))[:, None])
        kept = F.pad(own.pool[:, None, :SHARED], (len(UNITS) - LOCALS - SHARED, 0))
        held = torch.cat((own.act[..., 16:16 + LOCALS], kept.expand(-1, TOKENS, -1)), -1)
        s = (e + held).transpose(1, 2).unflatten(2, (SIDE, SIDE))
        s = s + F.relu(self.hidden(s))
        units, rest = self.head.weight.split((len(UNITS), len(REST)), 1)
        same = torch.cat((own.code.expand(s.shape[0], -1, -1),
                          own.pool[:, None, SHARED:].expand(-1, TOKENS, -1)), -1)
        same = same.transpose(1, 2).unflatten(2, (SIDE, SIDE))
        out = F.conv2d(s.float(), units, padding=1) + F.conv2d(same.float(), rest, self.head.bias, padding=1)
        return torch.tanh(out)


class Moments(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.masks = Masks(all_parts=False)
        self.masks.thresholds()
        self.pool_a = nn.ModuleList([Pool(0), Pool(0)])
        self.again = nn.ModuleList([Masks(POOLS // 2), Masks(POOLS // 2)])
        self.pool_b = nn.ModuleList([Pool(4), Pool(4)])
        self.last = nn.ModuleList([Masks(POOLS), Masks(POOLS)])
        for masks in (*self.again, *self.last):
            masks.second.weight.data.mul_(0.1)
            nn.init.zeros_(masks.second.bias)
        self.field = nn.ModuleList([Field(), Field()])
        self.register_buffer("code", CODE_SCALE * position_codes(SIDE).flatten(1).T.contiguous())

    def class_token(self) -> Tensor:
        """Constant: nothing of an image reaches it. It is added to the other image's tokens."""
        token = torch.zeros(1, 1, 256)
        token[..., BALLAST] = ballast()
        return token

    def outsider(self) -> Tensor:
        """The learned token of the transfer blocks; no head looks at it."""
        token = self.class_token()
        token[..., OUTSIDER] = OUTSIDER_SIZE
        return token

    def embed(self, image: Tensor) -> Parts:
        """(B, 1, 64, 64) -> patch tokens, and the class token as the last of them."""
        blocks = BLOCK_GAIN * (F.unfold(image, 4, stride=4).transpose(1, 2) - BLOCK_MIDDLE)
        act = F.pad(blocks, (0, len(WRITTEN), 0, 1))
        heavy = torch.full((TOKENS + 1, 1), 24 * BALLAST_SIZE**2)
        return Parts(act, F.pad(self.code, (0, 0, 0, 1)), torch.zeros_like(heavy), heavy,
                     image.new_zeros(image.shape[0], 0))

    def tokens(self, image: Tensor, side: int) -> Parts:
        """The maps x_i by parts, one place late as in the network."""
        u = self.masks(self.embed(image))
        patches = u.act[:, :-1] + u.act[:, -1:]  # the class token is the same for both images
        flag = F.pad(torch.zeros(TOKENS, 1), (0, 0, 0, 1), value=OUTSIDER_SIZE)
        heavy = torch.cat((4 * u.heavy[:-1], u.heavy[-1:]))  # the class token doubled the ballast
        u = u._replace(act=F.pad(patches, (0, 0, 0, 1)), outsider=flag, heavy=heavy)
        u = self.last[side](self.pool_b[side](self.again[side](self.pool_a[side](u))))
        return u._replace(act=u.act[:, 1:], code=u.code[1:], outsider=flag[1:], heavy=heavy[1:])

    def forward(self, fixed: Tensor, moving: Tensor) -> Tuple[Tensor, Tensor]:
        """64-pixel images -> the two first-level fields (B, 2, 16, 16)."""
        x1, x2 = self.tokens(fixed, 0), self.tokens(moving, 1)
        return self.field[0](x1, x1, x2), self.field[1](x2, x1, x2)
