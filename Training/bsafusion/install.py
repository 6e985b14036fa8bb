"""Writes the small network of `local` into BSAFusion, exactly. Nothing is trained here.

As a program it gives weights another alignment; their fusion stays:
python -m bsafusion.install ../runs/local/last.pt model.safetensors --into ../Models/bsafusion-joint.safetensors
"""
from __future__ import annotations

import argparse
import math
from typing import List, Optional

import torch
from torch import Tensor, nn

from . import local as m
from .local import Field, Local, Step
from .network import BSAFusion
from .registration import RegistrationLayer
from .start import CODES, cosine_patterns
from .transfer import WIDTH, ViTBlock

HEAD_SIZE = 64
FIRST_WAVE = 5  # of the position codes, after the powers
SHARPNESS = 45.0  # of the scores, times a token's spread: the next best key is 20 to 50 below the best
WAVE_SHARES = {1: 0.5, 2: 1.0}  # the long wave only tells one end from the other


def _look(block: ViTBlock, spread: float) -> None:
    """One head for each neighbour: its query is the position code turned by one patch, and the scores are so far
    apart that only one key counts. LayerNorm takes the mean from all dimensions; the four of the ballast, whose own
    sum is zero, give it back. A token without a code has equal scores: it sees the mean."""
    qkv = block.attention.qkv.weight
    qkv[:2 * WIDTH] = 0
    for head, move in enumerate(m.HEADS):
        row = head * HEAD_SIZE
        for wave, (number, axis) in enumerate(((k, a) for k in (1, 2) for a in (1, 0))):  # x before y
            turn = math.pi * number * move[axis] * 2 / m.SIDE
            sine, cosine = (m.CODE.start + FIRST_WAVE + 2 * wave + i for i in (0, 1))
            strength = SHARPNESS * spread * WAVE_SHARES[number]
            for i, (a, b) in enumerate(((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn)))):
                query, key = row + 2 * wave + i, WIDTH + row + 2 * wave + i
                qkv[query, sine], qkv[query, cosine] = strength * a, strength * b
                qkv[key, (sine, cosine)[i]] = strength
        for part in (0, WIDTH):
            rows = slice(part + row, part + row + 8)
            qkv[rows, m.BALLAST] = -qkv[rows, m.CODE].sum(1, keepdim=True) / 4


def _step(block: ViTBlock, step: Step) -> None:
    nn.init.ones_(block.norm_layer2.weight)
    nn.init.zeros_(block.norm_layer2.bias)
    _look(block, step.spread)
    attention, mlp = block.attention, block.mlp
    attention.qkv.weight[2 * WIDTH:] = step.spread * step.value.weight
    mlp.linear1.weight.copy_(step.spread * step.first.weight)
    mlp.linear1.bias.copy_(step.first.bias)
    attention.qkv.weight[2 * WIDTH:, m.BALLAST] = 0
    mlp.linear1.weight[:, m.BALLAST] = 0
    for layer, own in ((attention.out_proj, step.out), (mlp.linear2, step.second)):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        layer.weight[m.FEATURE] = own.weight
        layer.bias[m.FEATURE] = own.bias


def _embedding(net: BSAFusion, model: Local) -> None:
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
    codes = model.code[:-1].T.reshape(CODES, m.SIDE, m.SIDE)
    image = torch.einsum("cij,cuv->iujv", codes, place).reshape(1, 1, 256, 256)
    embedding.position_embedding.copy_(image)
    weight.zero_()
    bias.zero_()
    weight[:CODES, 0] = weight[:CODES, 1] = 0.5 * place
    bias[m.BALLAST] = m.ballast()
    for k in range(m.CELLS**2):
        rows, columns = (slice(2 * i, 2 * i + 2) for i in divmod(k, m.CELLS))
        weight[m.BLOCK.start + k, 0, rows, columns] = m.BLOCK_GAIN / 24
        weight[m.BLOCK.start + k, 1, rows, columns] = -m.BLOCK_GAIN / 24


def _field(layer: RegistrationLayer, field: Field) -> None:
    mix, hidden, head = layer.conv1x1[0], layer.feature_output[0].feature_output[0], layer.flow_output[0]
    for conv in (mix, hidden, head):
        conv.weight.zero_()
        conv.bias.zero_()
    units = slice(m.FEATURE.start, m.FEATURE.start + m.UNITS)
    mix.weight[units, :, 0, 0] = field.mix.weight
    for image in range(2):
        mix.weight[:, image * WIDTH + m.BALLAST.start:image * WIDTH + m.BALLAST.stop] = 0
    mix.bias[units] = field.mix.bias
    hidden.weight[units, units] = field.hidden.weight
    hidden.bias[units] = field.hidden.bias
    head.weight[:, units] = field.head.weight
    head.bias.copy_(field.head.bias)


@torch.no_grad()
def install(net: BSAFusion, model: Local) -> None:
    """Afterwards field 2 of `net` at 256 pixels is that of `model`; all others are zero."""
    net.close_gates()
    classifier, injection = net.transfer.classifier, net.transfer.transfer
    _embedding(net, model)
    blocks = [classifier.vit_blks.vit0, classifier.vit_blks.vit1]
    steps = [*model.trunk]
    classifier.cls_token.zero_()  # what it becomes is added to the other image's tokens
    classifier.cls_token[..., m.BALLAST] = m.ballast()
    for pair, token, own, last in ((injection.VitBLK1, injection.cls1, model.images[0], model.last[0]),
                                   (injection.VitBLK2, injection.cls2, model.images[1], model.last[1])):
        blocks += [pair.vit0, pair.vit1]
        steps += own
        token.zero_()
        token[..., m.BALLAST] = 2 * m.ballast()  # as much as the class token adds to the others
        token[..., m.FEATURE] = last
    for block, step in zip(blocks, steps):
        _step(block, step)
    for level in range(1, 6):
        for side in (1, 2):
            output = getattr(net.reg_net, f"f{side}_FR{level}").flow_output[0]
            nn.init.zeros_(output.weight)
            nn.init.zeros_(output.bias)
    _field(net.reg_net.f2_FR1, model.field)
    net.transfer.copy_discriminator()


def largest_difference(net: BSAFusion, model: Local, fixed: Tensor, moving: Tensor) -> float:
    """Of the second field, for 256-pixel images."""
    with torch.no_grad():
        out = net.eval()(fixed, moving, fuse=False)
        small = [nn.functional.avg_pool2d(image, 2) for image in (fixed, moving)]
        return float((out.alignment.fields[1] - model(*small)).abs().max())


def main(arguments: Optional[List[str]] = None) -> None:
    from .export import load_network, write
    from .pretrain import read_average

    parser = argparse.ArgumentParser(description="Gives weights another alignment.")
    parser.add_argument("local", help="last.pt of pretrain")
    parser.add_argument("output")
    parser.add_argument("--into", required=True, help="weights whose fusion stays")
    parser.add_argument("--scale", type=float, default=1.0, help="of the field")
    parser.add_argument("--noise", type=float, default=0.0, help="what flows are damped by, pixels")
    parser.add_argument("--noises", nargs="*", default=[], metavar="PT=0.5",
                        help="the same for moving images of these modalities")
    parser.add_argument("--float16", action="store_true")
    given = parser.parse_args(arguments)
    model, net = read_average(Local(), given.local).eval(), load_network(given.into)
    with torch.no_grad():
        for parameter in model.field.head.parameters():
            parameter.mul_(given.scale)
    install(net, model)
    net.noise = given.noise
    net.noises = {modality: float(noise) for modality, noise in (word.split("=") for word in given.noises)}
    images = torch.rand(2, 1, 1, 256, 256, generator=torch.Generator().manual_seed(1))
    off = largest_difference(net, model, *images)
    print(write(net, given.local, given.output, given.float16), given.output, f"{off:.1e} of the field's unit off")


if __name__ == "__main__":
    main()
