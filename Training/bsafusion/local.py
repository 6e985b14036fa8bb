"""A small network inside the large one: what lies where in each patch and around it, compared over both images.

It is not an approximation: written into BSAFusion by `install`, the large network computes the
same first-level field. Alone it costs about a tenth, sees 128-pixel images (means of 2 x 2 pixels
of the 256-pixel image are all it reads), and so learns on one core what would take the large one
days. Its parts are the large one's with less freedom:

token (256) = position code | ballast | 64 block means | features
transfer.classifier.vit_blks    two steps, the same for both images
class token                     starts empty, sees the mean of all tokens, is added to the other image's
transfer.VitBLK1, VitBLK2       two steps more, for each image its own way
reg_net.f2_FR1                  both images' tokens -> field (pointwise, then 3 x 3 tokens twice)

A step is a ViT block each of whose four heads looks at one neighbouring patch, always the same.
The other side's field is zero: both sides would read the same. There is no search and no product
of one image with the other: each image says where in a patch its edges are, and the field is
nearly linear in the difference.
"""
from __future__ import annotations

from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registration import leaky
from .start import CODE_SCALE, CODES, position_codes

SIDE = 16
TOKENS = SIDE * SIDE
WIDTH = 256
CELLS = 8  # block means along a patch's side
CODE = slice(0, CODES)
BALLAST = slice(13, 17)
BLOCK = slice(17, 17 + CELLS**2)
FEATURE = slice(81, WIDTH)
FEATURES = FEATURE.stop - FEATURE.start
UNITS = 128  # of the field layer: the channels of the first features, which are added to them
HEADS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # rows down, columns to the right; the field goes round at its ends
IMAGE = SIDE * CELLS  # pixels of a side
BLOCK_GAIN, BLOCK_MIDDLE = 4.0, 0.3
# Outweighs what the tokens say, so that LayerNorm all but leaves it alone: where a token's features rival it, the token
# is a weaker key than its neighbours, and attention misses it. Features grow to 30 and more in long training.
BALLAST_SIZE = 512.0
# a token's standard deviation, nearly: before the other image's class token, with a ballast of its own, is added; after
SPREADS = (BALLAST_SIZE / 8, BALLAST_SIZE / 4)


def span(part: slice) -> List[int]:
    return [*range(part.start, part.stop)]


def ballast() -> Tensor:
    return BALLAST_SIZE * torch.tensor([1.0, -1.0]).repeat(2)


def around(values: Tensor) -> Tensor:
    """(B, N + 1, 256) -> each head's quarter taken from its neighbour.

    The last token has no place and sees the mean of all."""
    place = values[:, :TOKENS].unflatten(1, (SIDE, SIDE)).chunk(len(HEADS), -1)
    moved = [quarter.roll((-down, -right), (1, 2)) for quarter, (down, right) in zip(place, HEADS)]
    return torch.cat((torch.cat(moved, -1).flatten(1, 2), values.mean(1, keepdim=True)), 1)


class Step(nn.Module):
    """A ViT block that looks at four places and writes features only."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.spread = spread
        self.value = nn.Linear(WIDTH, WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, FEATURES)
        self.first = nn.Linear(WIDTH, WIDTH)
        self.second = nn.Linear(WIDTH, FEATURES)
        with torch.no_grad():
            self.out.weight.mul_(0.5)
            self.out.bias.zero_()
            self.second.bias.zero_()

    def norm(self, tokens: Tensor) -> Tensor:
        """Nobody reads the ballast: stored in half precision, weights of so large values would say something."""
        level = self.spread * F.layer_norm(tokens, (WIDTH,))
        level[..., BALLAST] = 0
        return level

    def forward(self, tokens: Tensor) -> Tensor:
        near = self.out(around(self.value(self.norm(tokens))))
        tokens = tokens + F.pad(near.float(), (FEATURE.start, 0))
        change = self.second(F.gelu(self.first(self.norm(tokens))))
        return tokens + F.pad(change.float(), (FEATURE.start, 0))


class Field(nn.Module):
    """Maps of both images, (B, N, 256) -> field (B, 2, 16, 16). The first layer is pointwise;
    `hidden` and `head` see 3 x 3 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(2 * WIDTH, UNITS)
        self.hidden = nn.Conv2d(UNITS, UNITS, 3, padding=1)
        self.head = nn.Conv2d(UNITS, 2, 3, padding=1)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.zero_()

    def shares(self, x1: Tensor, x2: Tensor) -> Tuple[Tensor, Tensor]:
        """What each image gives to the first layer, (B, N, units)."""
        one, two = self.mix.weight.split(WIDTH, 1)
        return F.linear(x1, one), F.linear(x2, two, self.mix.bias)

    def compare(self, own: Tensor, x2: Tensor) -> Tensor:
        """`own` is the sum of both shares."""
        held = x2[..., FEATURE][..., :UNITS]
        s = (leaky(own) + held).transpose(1, 2).unflatten(2, (SIDE, SIDE))
        return torch.tanh(self.head(s + F.relu(self.hidden(s))).float())

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.compare(sum(self.shares(x1, x2)), x2)


class Local(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        before, after = SPREADS
        self.trunk = nn.ModuleList([Step(before), Step(before)])
        self.images = nn.ModuleList([nn.ModuleList([Step(after), Step(after)]) for _ in range(2)])
        self.last = nn.Parameter(torch.zeros(2, FEATURES))  # features of each image's appended token
        self.field = Field()
        code = CODE_SCALE * position_codes(SIDE).flatten(1).T
        self.register_buffer("code", F.pad(code, (0, 0, 0, 1)))

    def begin(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) -> (B, N + 1, 256), the class token last."""
        blocks = F.unfold(image, CELLS, stride=CELLS).transpose(1, 2)
        blocks = F.pad(BLOCK_GAIN * (blocks - BLOCK_MIDDLE), (0, FEATURES, 0, 1))
        place = torch.cat((self.code, ballast().expand(TOKENS + 1, -1)), 1)
        tokens = torch.cat((place.expand(len(blocks), -1, -1), blocks), -1)
        for step in self.trunk:
            tokens = step(tokens)
        return tokens

    def end(self, tokens: Tensor, other: Tensor, side: int) -> Tensor:
        """Tokens of one image and the other's class token -> the map x_i (B, N, 256): one place late as in the
        network, where the appended token comes last and the first patch is dropped."""
        appended = torch.cat((self.code[-1], 2 * ballast(), self.code.new_zeros(CELLS**2), self.last[side]))
        tokens = torch.cat((tokens[:, :TOKENS] + other, appended.expand(len(tokens), 1, -1)), 1)
        for step in self.images[side]:
            tokens = step(tokens)
        given = tokens[:, 1:].clone()
        given[..., BALLAST] = 0  # as in `Step.norm`
        return given

    def tokens(self, fixed: Tensor, moving: Tensor) -> Tuple[Tensor, Tensor]:
        one, two = self.begin(fixed), self.begin(moving)
        return self.end(one, two[:, TOKENS:], 0), self.end(two, one[:, TOKENS:], 1)

    def forward(self, fixed: Tensor, moving: Tensor) -> Tensor:
        """128-pixel images -> the moving image's first-level field (B, 2, 16, 16)."""
        return self.field(*self.tokens(fixed, moving))
