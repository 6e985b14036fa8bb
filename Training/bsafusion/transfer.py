"""Transformer blocks, modality classifier and cross injection (MFRH, MDF-FR). No alignment here."""
from __future__ import annotations

import math
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 256
HEADS = 4
PATCH = 16


class Attention(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out_proj = nn.Linear(WIDTH, WIDTH)
        self.dropout = dropout

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, _ = tokens.shape
        head = WIDTH // HEADS
        qkv = self.qkv(tokens).view(batch, count, 3, HEADS, head).permute(2, 0, 3, 1, 4)
        scores = torch.matmul(qkv[0], qkv[1].transpose(-1, -2)) * head**-0.5
        weights = F.dropout(scores.softmax(-1), self.dropout, self.training)
        mixed = torch.matmul(weights, qkv[2]).transpose(1, 2).reshape(batch, count, WIDTH)
        return F.dropout(self.out_proj(mixed), self.dropout, self.training)


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(WIDTH, WIDTH)
        self.linear2 = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.linear2(F.gelu(self.linear1(tokens)))


class ViTBlock(nn.Module):
    """Pre-norm block; both branches use `norm_layer2`, `norm_layer1` only exists."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(dropout)
        self.mlp = Perceptron()
        self.norm_layer1 = nn.LayerNorm(WIDTH)
        self.norm_layer2 = nn.LayerNorm(WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm_layer2(tokens))
        return tokens + self.mlp(self.norm_layer2(tokens))


class ViTPair(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.vit0 = ViTBlock(dropout)
        self.vit1 = ViTBlock(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.vit1(self.vit0(tokens))


class PatchEmbedding(nn.Module):
    """Position map added to the feature, then 16x16 patches -> tokens (B, N, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.position_embedding = nn.Parameter(torch.randn(1, 1, 256, 256))

    def forward(self, feature: Tensor) -> Tensor:
        position = self.position_embedding
        if feature.shape[-2:] != position.shape[-2:]:
            position = F.interpolate(
                position, size=feature.shape[-2:], mode="bilinear", align_corners=True)
        return self.patch_embedding(feature + position).flatten(2).transpose(1, 2)


class Classifier(nn.Module):
    """The encoder's transformer half and the modality head; also the frozen discriminator."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.embedding = PatchEmbedding()
        self.vit_blks = ViTPair(dropout)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 2))

    def read(self, tokens: Tensor) -> Tuple[Tensor, Tensor]:
        """Tokens (B, N, 256) with the class token in front -> (class token, the others)."""
        tokens = torch.cat((self.cls_token.expand(tokens.shape[0], -1, -1), tokens), 1)
        tokens = self.vit_blks(tokens)
        return tokens[:, 0], tokens[:, 1:]

    def forward(self, feature: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """-> patch tokens (B, N, 256), class token (B, 256), logits (B, 2)."""
        token, patches = self.read(self.embedding(feature))
        return patches, token, self.head(token)

    def judge(self, tokens: Tensor) -> Tensor:
        """Discriminator: which modality do these tokens look like? Logits (B, 2)."""
        return self.head(self.read(tokens)[0])


class Injection(nn.Module):
    """Each image gets the other's class token; a learned token is appended LAST and the
    FIRST patch token is dropped, as published."""

    def __init__(self) -> None:
        super().__init__()
        self.cls1 = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.cls2 = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.VitBLK1 = ViTPair(0.0)
        self.VitBLK2 = ViTPair(0.0)

    def forward(self, u1: Tensor, c1: Tensor, u2: Tensor, c2: Tensor) -> Tuple[Tensor, Tensor]:
        batch = u1.shape[0]
        z1 = torch.cat((u1 + c2[:, None], self.cls1.expand(batch, -1, -1)), 1)
        z2 = torch.cat((u2 + c1[:, None], self.cls2.expand(batch, -1, -1)), 1)
        return self.VitBLK1(z1)[:, 1:], self.VitBLK2(z2)[:, 1:]


class Transferred(NamedTuple):
    x1: Tensor  # maps (B, 256, S/16, S/16) to align with
    x2: Tensor
    au: Tensor  # maps (B, 256, S/16, S/16) to fuse
    bu: Tensor
    pre1: Tensor  # modality logits (B, 2)
    pre2: Tensor
    tokens1: Tensor  # (B, N, 256), what the discriminator judges
    tokens2: Tensor


def to_map(tokens: Tensor) -> Tensor:
    """(B, N, 256) row-major -> (B, 256, sqrt N, sqrt N)."""
    side = math.isqrt(int(tokens.shape[1]))
    return tokens.transpose(1, 2).reshape(tokens.shape[0], WIDTH, side, side)


class TransferNet(nn.Module):
    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.classifier = Classifier(dropout)
        self.transfer = Injection()
        self.modal_dis = Classifier(dropout)
        self.modal_dis.requires_grad_(False)

    def copy_discriminator(self) -> None:
        self.modal_dis.load_state_dict(self.classifier.state_dict())

    def forward(self, feature1: Tensor, feature2: Tensor) -> Transferred:
        u1, c1, pre1 = self.classifier(feature1)
        u2, c2, pre2 = self.classifier(feature2)
        t1, t2 = self.transfer(u1, c1, u2, c2)
        return Transferred(to_map(t1), to_map(t2), to_map(u1), to_map(u2), pre1, pre2, t1, t2)
