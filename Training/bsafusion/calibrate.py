"""Fits the first level's field heads in closed form on random samples. No gradient descent.

The hidden units of the level become random rectified mixtures of the pooled moments and the
token's place (products of the two make scale and rotation); a ridge regression gives the two
heads together, since flow = field of image 2 minus field of image 1.
"""
from __future__ import annotations

from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import start
from .data import Sampler
from .network import BSAFusion
from .registration import RegistrationLayer, leaky
from .transfer import PATCH


def _tokens(net: BSAFusion, sampler: Sampler, count: int, gen: Generator) -> Tuple[Tensor, ...]:
    """x1, x2 maps, target in level pixels and weight at the level's resolution."""
    parts: List[Tuple[Tensor, ...]] = []
    while sum(p[0].shape[0] for p in parts) < count:
        sample = sampler.draw(8, gen)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net.transfer(net.encoder(sample.fixed)[1], net.encoder(sample.moving)[1])
        parts.append((out.x1.float(), out.x2.float(), F.avg_pool2d(sample.target, PATCH) / PATCH,
                      F.avg_pool2d(sample.weight, PATCH)))
    return tuple(torch.cat([p[i] for p in parts]) for i in range(4))


def _hidden(layer: RegistrationLayer, x: Tensor, gen: Generator) -> None:
    """Random mixtures of standardised moments and place in the units that are not kept."""
    pooled = list(range(start.POOLED.start, start.POOLED.stop))
    mean, spread = x.mean((0, 2, 3)), x.std((0, 2, 3)).clamp(min=1e-3)
    conv = layer.feature_output[0].feature_output[0]
    kept = {i for part in start.KEPT for i in range(part.start, part.stop)}
    for unit in (u for u in range(256) if u not in kept):
        row = torch.zeros(256)
        row[pooled] = torch.randn(len(pooled), generator=gen) * 1.2 / len(pooled) ** 0.5 / spread[pooled]
        row[:2] = 1.5 * torch.randn(2, generator=gen) / start.CODE_SCALE
        conv.weight[unit] = 0
        conv.weight[unit, :, 1, 1] = row
        conv.bias[unit] = torch.randn(1, generator=gen)[0] - row @ mean


def _features(layer: RegistrationLayer, d: Tensor, both: Tensor) -> Tensor:
    return layer.feature_output(d + leaky(layer.conv1x1(both)))


@torch.no_grad()
def calibrate(net: BSAFusion, sampler: Sampler, count: int, gen: Generator,
              ridge: float = 3e-3) -> Tuple[float, float]:
    """-> mean end-point error (pixels) before and after, on a quarter that was not fitted."""
    x1, x2, target, weight = _tokens(net, sampler, count, gen)
    layers = (net.reg_net.f1_FR1, net.reg_net.f2_FR1)
    for layer, x in zip(layers, (x1, x2)):
        _hidden(layer, x, gen)
    both = torch.cat((x1, x2), 1)
    s1, s2 = _features(layers[0], x1, both), _features(layers[1], x2, both)
    one = torch.ones_like(s1[:, :1])
    rows = torch.cat((-s1, s2, one), 1).permute(0, 2, 3, 1)
    mean, spread = rows.mean((0, 1, 2)), rows.std((0, 1, 2)).clamp(min=1e-3)
    mean[-1], spread[-1] = 0, 1
    fit = count * 3 // 4
    a = ((rows - mean) / spread)
    w, b = weight.permute(0, 2, 3, 1), target.permute(0, 2, 3, 1)
    af, wf, bf = (t[:fit].reshape(-1, t.shape[-1]) for t in (a, w, b))
    normal = (af.T @ (af * wf)).double() + ridge * wf.sum().double() * torch.eye(a.shape[-1]).double()
    solution = torch.linalg.solve(normal, (af.T @ (bf * wf)).double()).float()
    error = ((a[fit:] @ solution - b[fit:]).norm(dim=-1, keepdim=True) * w[fit:]).sum() / w[fit:].sum()
    none = (b[fit:].norm(dim=-1, keepdim=True) * w[fit:]).sum() / w[fit:].sum()
    plain = solution / spread[:, None]
    constant = plain[-1] - mean[:-1] @ plain[:-1]
    for k, layer in enumerate(layers):
        head = layer.flow_output[0]
        head.weight.zero_()
        head.weight[:, :, 1, 1] = plain[256 * k:256 * (k + 1)].T
        head.bias.copy_(constant * (0.5 if k else -0.5))
    return float(none * PATCH), float(error * PATCH)
