"""Writes the small network of `moments` into BSAFusion, exactly. Nothing is trained here."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from . import moments as m
from .moments import Field, Masks, Moments, Pool
from .network import BSAFusion
from .registration import RegistrationLayer
from .start import CODES, cosine_patterns
from .transfer import PATCH, WIDTH, Classifier, ViTBlock


def _silence(block: ViTBlock) -> None:
    """Both branches give zero; LayerNorm has its constant."""
    for layer in (block.attention.out_proj, block.mlp.linear2):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    norm = block.norm_layer2
    norm.weight.fill_(1)
    norm.weight[m.ONE] = 0
    norm.bias.zero_()
    norm.bias[m.ONE] = 1


def _masks(block: ViTBlock, masks: Masks) -> None:
    first, second = block.mlp.linear1, block.mlp.linear2
    first.weight[:m.HIDDEN] = 0
    first.weight[:m.HIDDEN, masks.reads()] = masks.first.weight
    first.bias[:m.HIDDEN] = masks.first.bias
    second.weight[m.WRITTEN, :m.HIDDEN] = masks.second.weight
    second.bias[m.WRITTEN] = masks.second.bias


def _pool(block: ViTBlock, pool: Pool) -> None:
    qkv, out = block.attention.qkv.weight, block.attention.out_proj.weight
    qkv.zero_()
    for head in range(4):
        row = 64 * head
        qkv[row, m.ONE] = 8.0  # undoes the 1/8 of the scores
        qkv[WIDTH + row, m.MASK] = pool.keys[head]
        qkv[WIDTH + row, m.OUTSIDER] = -8.0
        place = m.POOL.start + CODES * (pool.first + head)
        for k in range(CODES):
            qkv[2 * WIDTH + row + k, k] = 1.0
            out[place + k, row + k] = m.POOL_GAIN


def _embedding(net: BSAFusion, model: Moments) -> None:
    """Features 3, -3, 3 times (I - 0.3): their first sum is the position map, their first
    difference the picture. The map holds one cosine pattern per code in every patch."""
    first, second = net.encoder.rb1.mlp, net.encoder.rb2.mlp
    direction = first.weight.view(1, 8)
    scale = torch.tensor([[3.0], [-3.0], [3.0]])
    second.weight.copy_((scale * direction / direction.pow(2).sum()).view(3, 8, 1, 1))
    second.bias.copy_(-(second.weight.view(3, 8) @ first.bias) - m.BLOCK_MIDDLE * scale[:, 0])
    embedding = net.transfer.classifier.embedding
    weight, bias = embedding.patch_embedding.weight, embedding.patch_embedding.bias
    place = cosine_patterns(CODES + 1)[1:]
    codes = model.code.T.reshape(CODES, m.SIDE, m.SIDE)
    image = torch.einsum("cij,cuv->iujv", codes, place).reshape(1, 1, 256, 256)
    embedding.position_embedding.copy_(image)
    weight.zero_()
    bias.zero_()
    weight[:CODES, 0] = weight[:CODES, 1] = 0.5 * place
    bias[m.BALLAST] = m.ballast()
    for k in range(16):
        rows, columns = slice(4 * (k // 4), 4 * (k // 4) + 4), slice(4 * (k % 4), 4 * (k % 4) + 4)
        weight[m.BLOCK.start + k, 0, rows, columns] = m.BLOCK_GAIN / (6 * PATCH)
        weight[m.BLOCK.start + k, 1, rows, columns] = -m.BLOCK_GAIN / (6 * PATCH)


def _field(layer: RegistrationLayer, field: Field) -> None:
    mix, hidden, head = layer.conv1x1[0], layer.feature_output[0].feature_output[0], layer.flow_output[0]
    for conv in (mix, hidden, head):
        conv.weight.zero_()
        conv.bias.zero_()
    units = torch.tensor(m.UNITS)
    reads = torch.tensor(m.PLACED + m.WRITTEN + m.span(m.POOL))
    own, pooled = field.local.weight, field.pooled.weight
    mix.weight[units[:, None], reads[None], 0, 0] = torch.cat((own, pooled[:, :m.POOLS]), 1)
    other = 256 + reads[CODES:]  # the place is read from the first image's tokens
    mix.weight[units[:, None], other[None], 0, 0] = torch.cat((field.other.weight, pooled[:, m.POOLS:]), 1)
    mix.bias[units] = field.local.bias
    hidden.weight[units[:, None], units[None]] = field.hidden.weight
    hidden.bias[units] = field.hidden.bias
    head.weight[:, m.UNITS + m.REST] = field.head.weight
    head.bias.copy_(field.head.bias)


def _classifier(classifier: Classifier, model: Moments) -> None:
    for block in (classifier.vit_blks.vit0, classifier.vit_blks.vit1):
        _silence(block)
    _masks(classifier.vit_blks.vit0, model.masks)
    classifier.cls_token.copy_(model.class_token())


@torch.no_grad()
def install(net: BSAFusion, model: Moments) -> None:
    """Afterwards fields 1 and 2 of `net` at 256 pixels are those of `model`; finer ones are zero."""
    net.close_gates()
    _embedding(net, model)
    _classifier(net.transfer.classifier, model)
    injection = net.transfer.transfer
    for side, (pair, token) in enumerate(((injection.VitBLK1, injection.cls1),
                                          (injection.VitBLK2, injection.cls2))):
        _silence(pair.vit0)
        _silence(pair.vit1)
        _pool(pair.vit0, model.pool_a[side])
        _masks(pair.vit0, model.again[side])
        _pool(pair.vit1, model.pool_b[side])
        _masks(pair.vit1, model.last[side])
        token.copy_(model.outsider())
    for level in range(1, 6):
        for side in (1, 2):
            layer = getattr(net.reg_net, f"f{side}_FR{level}")
            if level == 1:
                _field(layer, model.field[side - 1])
            else:
                nn.init.zeros_(layer.flow_output[0].weight)
                nn.init.zeros_(layer.flow_output[0].bias)
    net.transfer.copy_discriminator()


def largest_difference(net: BSAFusion, model: Moments, fixed: Tensor, moving: Tensor) -> float:
    """Of the first-level fields, for 256-pixel images."""
    with torch.no_grad():
        out = net.eval()(fixed, moving, fuse=False)
        small = [nn.functional.avg_pool2d(image, 4) for image in (fixed, moving)]
        fields = model(*small)
    return max(float((a - b).abs().max()) for a, b in zip(out.alignment.fields, fields))
