"""A small network inside the large one: what lies where in each patch, compared over both images.

It is not an approximation: written into BSAFusion by `install`, the large network computes the
same first-level field (the unused dimensions of its tokens are zero). Alone it costs about a
thirtieth, sees 128-pixel images (means of 2 x 2 pixels of the 256-pixel image are all it reads),
and so learns on one core what would take the large one days.

token (256) = position code | ballast | 64 block means | features | pooled features | neighbours
transfer.VitBLKi.vit0.attention  block means of the four neighbouring patches, one head for each
transfer.VitBLKi.vit0.mlp        block means, neighbours and place -> features, for each image its own way
transfer.VitBLKi.vit1.attention  the mean of all tokens' features: what kind of image this is
transfer.VitBLKi.vit1.mlp        all of it -> features, once more
reg_net.f2_FR1                   both images' tokens -> field (pointwise, then 3 x 3 tokens twice)

The other side's field is zero: both sides would read the same. There is no search and no product
of one image with the other: each image says where in a patch its edges are, and the field is
nearly linear in the difference.
"""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registration import leaky
from .start import CODE_SCALE, CODES, position_codes

SIDE = 16
TOKENS = SIDE * SIDE
CELLS = 8  # block means along a patch's side
CODE = slice(0, CODES)
BALLAST = slice(13, 17)
BLOCK = slice(17, 17 + CELLS**2)
FEATURE = slice(81, 177)
POOL = slice(177, 201)
NEAR = slice(201, 256)
FEATURES, POOLED, NEARBY = (part.stop - part.start for part in (FEATURE, POOL, NEAR))
# channels of the field layer; what tokens hold in them is added: features, and some of what is near
UNITS = [*range(FEATURE.start, FEATURE.stop), *range(NEAR.start, NEAR.start + 32)]
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # rows down, columns to the right; the field goes round at its ends
HIDDEN = 256
IMAGE = SIDE * CELLS  # pixels of a side
BLOCK_GAIN, BLOCK_MIDDLE = 4.0, 0.3
BALLAST_SIZE = 32.0  # outweighs what the tokens say, so that LayerNorm all but leaves it alone
SPREAD = 4.0  # standard deviation of a token that says nothing, nearly


def span(part: slice) -> List[int]:
    return [*range(part.start, part.stop)]


def ballast() -> Tensor:
    return BALLAST_SIZE * torch.tensor([1.0, -1.0]).repeat(2)


PLACED = [*span(CODE), *span(BLOCK)]


class Parts(NamedTuple):
    """Tokens by parts, since some are the same for all images or all places."""

    act: Tensor  # (B, N, 64 or 64 + FEATURES): block means | features
    code: Tensor  # (N, CODES)
    pool: Tensor  # (B, 0 or POOLED)
    near: Tensor  # (B, N, 0 or NEARBY)

    def norm(self) -> Tuple[Tensor, Tensor]:
        """LayerNorm's mean and reciprocal deviation, (B, N, 1), over all 256 dimensions."""
        code, image = self.code, self.pool[:, None]
        ballast = (BALLAST.stop - BALLAST.start) * BALLAST_SIZE**2
        parts = (self.act, code, image, self.near)
        total = sum(part.sum(-1, keepdim=True) for part in parts)
        power = sum(part.pow(2).sum(-1, keepdim=True) for part in parts) + ballast
        mean = total / 256
        return mean, (power / 256 - mean**2 + 1e-5).rsqrt()

    def seen(self) -> Tensor:
        """Code, block means, features, pooled features, neighbours as LayerNorm gives them, times SPREAD."""
        mean, scale = self.norm()
        batch, count = self.act.shape[:2]
        raw = torch.cat((self.code.expand(batch, -1, -1), self.act,
                         self.pool[:, None].expand(-1, count, -1), self.near), -1)
        return (raw - mean) * (SPREAD * scale)


class Perceptron(nn.Module):
    """One GELU layer on the normalised token -> what is added to its features."""

    def __init__(self, reads: List[int]) -> None:
        super().__init__()
        self.reads = reads
        self.first = nn.Linear(len(reads), HIDDEN)
        self.second = nn.Linear(HIDDEN, FEATURES)

    def forward(self, tokens: Parts) -> Tensor:
        return self.second(F.gelu(self.first(tokens.seen())))


def neighbours(blocks: Tensor) -> Tensor:
    """(B, N, 64) -> (B, N, 4 * 64). The learned token has no place and sees the mean of all."""
    place = blocks[:, :TOKENS].unflatten(1, (SIDE, SIDE))
    around = torch.cat([place.roll((-down, -right), (1, 2)) for down, right in NEIGHBOURS], -1)
    everywhere = blocks.mean(1, keepdim=True).repeat(1, 1, len(NEIGHBOURS))
    return torch.cat((around.flatten(1, 2), everywhere), 1)


class Image(nn.Module):
    """One image's way from block means to features."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Linear(len(NEIGHBOURS) * CELLS**2, NEARBY, bias=False)
        self.begin = Perceptron(PLACED + span(NEAR))
        self.pool = nn.Linear(FEATURES, POOLED, bias=False)
        self.again = Perceptron(PLACED + span(FEATURE) + span(POOL) + span(NEAR))

    def forward(self, blocks: Tensor, code: Tensor) -> Parts:
        none = blocks.new_zeros(blocks.shape[0], blocks.shape[1], 0)
        tokens = Parts(blocks, code, none[:, 0], none)
        tokens = tokens._replace(near=self.near(neighbours(tokens.seen()[..., -CELLS**2:])))
        tokens = tokens._replace(act=torch.cat((blocks, self.begin(tokens)), -1))
        features = slice(CODES + CELLS**2, CODES + CELLS**2 + FEATURES)
        pooled = self.pool(tokens.seen()[..., features].mean(1))
        tokens = tokens._replace(pool=pooled)
        change = F.pad(self.again(tokens), (CELLS**2, 0))
        return tokens._replace(act=tokens.act + change)


class Field(nn.Module):
    """Tokens of both images -> field (B, 2, 16, 16). The first layer is pointwise; `hidden` and
    `head` see 3 x 3 tokens."""

    def __init__(self) -> None:
        super().__init__()
        units, reads = len(UNITS), CELLS**2 + FEATURES
        self.mix = nn.Linear(2 * reads + CODES + 2 * POOLED, units)
        self.hidden = nn.Conv2d(units, units, 3, padding=1)
        self.head = nn.Conv2d(units, 2, 3, padding=1)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.zero_()

    def share(self, x1: Parts) -> Tensor:
        """What the fixed image gives to the first layer, (B, N, units)."""
        tokens, image = self.mix.weight[:, :x1.act.shape[-1]], self.mix.weight[:, -2 * POOLED:-POOLED]
        return F.linear(x1.act, tokens) + F.linear(x1.pool, image)[:, None]

    def forward(self, x1: Parts, x2: Parts) -> Tensor:
        both, image = self.mix.weight.split((x1.act.shape[-1] * 2 + CODES, 2 * POOLED), 1)
        code = x1.code.expand(x1.act.shape[0], -1, -1)
        e = F.linear(torch.cat((x1.act, x2.act, code), -1), both, self.mix.bias)
        e = leaky(e + F.linear(torch.cat((x1.pool, x2.pool), -1), image)[:, None])
        held = torch.cat((x2.act[..., -FEATURES:], x2.near[..., :len(UNITS) - FEATURES]), -1)
        s = (e + held).transpose(1, 2).unflatten(2, (SIDE, SIDE))
        return torch.tanh(self.head(s + F.relu(self.hidden(s))).float())


class Local(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.images = nn.ModuleList([Image(), Image()])
        self.field = Field()
        code = CODE_SCALE * position_codes(SIDE).flatten(1).T
        self.register_buffer("code", F.pad(code, (0, 0, 0, 1)))

    def tokens(self, image: Tensor, side: int) -> Parts:
        """(B, 1, 128, 128) -> the map x_i by parts: one place late as in the network, where the
        learned token comes last and the first patch is dropped."""
        blocks = F.unfold(image, CELLS, stride=CELLS).transpose(1, 2)
        blocks = F.pad(BLOCK_GAIN * (blocks - BLOCK_MIDDLE), (0, 0, 0, 1))
        tokens = self.images[side](blocks, self.code)
        return tokens._replace(act=tokens.act[:, 1:], code=tokens.code[1:], near=tokens.near[:, 1:])

    def forward(self, fixed: Tensor, moving: Tensor) -> Tensor:
        """128-pixel images -> the moving image's first-level field (B, 2, 16, 16)."""
        return self.field(self.tokens(fixed, 0), self.tokens(moving, 1))
