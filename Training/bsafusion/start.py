"""Starting points: how the weights are set before training. Not a training step."""
from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from .network import BSAFusion


def position_map(gen: Generator, waves: int = 24) -> Tensor:
    """A smooth map of random waves: every patch can tell where it lies, at every image size.

    White noise, the published start, is another map after resizing, and drowns the image.
    """
    axis = torch.arange(256, dtype=torch.float32) / 256
    total = torch.zeros(256, 256)
    for _ in range(waves):
        angle, phase, pitch = torch.rand(3, generator=gen)
        cycles = 0.5 * 16 ** float(pitch)  # half a wave to eight over the image
        turn = float(angle) * math.pi
        wave = math.cos(turn) * axis[None, :] + math.sin(turn) * axis[:, None]
        total += torch.sin(2 * math.pi * (cycles * wave + float(phase)))
    return (0.3 * total / total.std())[None, None]


@torch.no_grad()
def prepare(net: BSAFusion, seed: int) -> None:
    """Our start: closed gates, a smooth position map, small fields, features of unit spread."""
    gen = torch.Generator().manual_seed(seed)
    net.close_gates()
    net.transfer.classifier.embedding.position_embedding.copy_(position_map(gen))
    first, second = net.encoder.rb1.mlp, net.encoder.rb2.mlp
    direction = first.weight.view(1, 8)
    scale = torch.tensor([[3.0], [-3.0], [3.0]])
    second.weight.copy_((scale * direction / direction.pow(2).sum()).view(3, 8, 1, 1))
    second.bias.copy_(-(second.weight.view(3, 8) @ first.bias) - 0.3 * scale[:, 0])
    for name, module in net.reg_net.named_modules():
        if name.endswith("flow_output.0") and isinstance(module, nn.Conv2d):
            module.weight.mul_(0.1)
            module.bias.zero_()
    net.transfer.copy_discriminator()
