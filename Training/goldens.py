"""Golden numbers for the engine's tests: small inputs, and what the network makes of them.

Not trained weights, and no weights in the files: 40 MB do not belong into a repository. Both
sides make the same weights from the tensor names instead (exact integer arithmetic):

    h     = FNV-1a, 64 bit, of the tensor's full name in UTF-8
    z(i)  = SplitMix64 output number i (from 0) of a generator whose state starts at h:
            s = h + (i + 1) * 0x9E3779B97F4A7C15 (mod 2^64)
            s = (s xor (s >> 30)) * 0xBF58476D1CE4E5B9
            s = (s xor (s >> 27)) * 0x94D049BB133111EB
            z = s xor (s >> 31)
    t(i)  = Float32(z(i) >> 40) * 2^-23 - 1            in [-1, 1), exact in float32
    w[i]  = Float32(centre + Float32(bound * t(i)))     i = row-major index in the tensor

centre and bound depend on name and shape, see `rule` below and the README beside the files.

Usage: python goldens.py ../Tests/BSAFusionTests/Goldens
"""
from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Dict, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from bsafusion import weights
from bsafusion.colour import quantise, rgb_to_ycbcr, ycbcr_to_rgb
from bsafusion.network import BSAFusion
from bsafusion.samplers import warp_image, warp_network

# First match wins: the name contains the text -> gain on a weight's bound.
GAINS: Sequence[Tuple[str, float]] = (
    ("F1.mdta.conv1", 2.0),
    ("F1.mdta.conv2", 2.0),
    ("F2.mdta.conv1", 1.3),
    ("F2.mdta.conv2", 1.3),
    ("F3.mdta.conv1", 1.3),  # nearly one-hot on purpose
    ("F3.mdta.conv2", 1.3),
    ("F4.mdta.conv1", 0.6),
    ("F4.mdta.conv2", 0.6),
    ("mdta.conv1", 0.45),
    ("mdta.conv2", 0.45),
    ("crossAtt1", 3.0),
    ("flow_output", 0.35),
    ("D.up", 2.0),
    ("outLayer.1", 1.0),
)
DEFAULT_GAIN = 1.7


def fnv1a(name: str) -> int:
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def uniform(name: str, count: int) -> np.ndarray:
    """t(0) ... t(count - 1) of the tensor called `name`."""
    with np.errstate(over="ignore"):
        s = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15)
        s = (s ^ (s >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        s = (s ^ (s >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = s ^ (s >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def rule(name: str, shape: Sequence[int]) -> Tuple[float, float]:
    """(centre, bound), both float32 values."""
    if "norm" in name:
        return (1.0, 0.5) if name.endswith(".weight") else (0.0, 0.25)
    if "cls" in name.rsplit(".", 1)[-1]:  # cls_token, cls1, cls2
        return 0.0, 1.0
    if name.endswith("position_embedding"):
        return 0.0, 0.5
    if name.endswith(".bias"):
        return 0.0, 0.125
    fan_in = math.prod(shape[1:])
    gain = next((g for text, g in GAINS if text in name), DEFAULT_GAIN)
    return 0.0, float(np.float32(gain / math.sqrt(fan_in)))


def golden_weights(net: BSAFusion) -> Dict[str, Tensor]:
    made = {}
    for name, tensor in net.state_dict().items():
        centre, bound = rule(name, tensor.shape)
        values = np.float32(centre) + np.float32(bound) * uniform(name, tensor.numel())
        made[name] = torch.from_numpy(values.reshape(tuple(tensor.shape)))
    return made


def picture(name: str, side: int) -> Tensor:
    """A head-like disc with texture, (1, 1, side, side) in 0...1."""
    t = uniform(name, 12 + side * side)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / (side - 1) - 0.5
    disc = 1 / (1 + np.exp(20 * (np.hypot(x - 0.1 * t[0], 1.2 * y - 0.1 * t[1]) - 0.38)))
    waves = sum(np.sin(12 * (x * t[2 + k] + y * t[5 + k]) + 3 * t[8 + k]) for k in range(3))
    noise = 0.05 * t[12:].reshape(side, side)
    image = np.clip(disc * (0.5 + 0.15 * waves + noise), 0, 1).astype(np.float32)
    return torch.from_numpy(image)[None, None]


def run(net: BSAFusion, fixed: Tensor, moving: Tensor) -> Dict[str, Tensor]:
    with torch.no_grad():
        out = net(fixed, moving)
    tokens, alignment = out.tokens, out.alignment
    numbers = {
        "enc.AS_F": out.shallow1, "enc.BS_F": out.shallow2,
        "classifier.AU": tokens.au, "classifier.BU": tokens.bu,
        "transfer.x1": tokens.x1, "transfer.x2": tokens.x2,
        "flow": alignment.flow, "fused": out.fused,
        "aligned": warp_image(moving, alignment.flow),
        "aligned.network": warp_network(moving, alignment.flow)}
    numbers.update({f"flow{i + 1}": field for i, field in enumerate(alignment.fields)})
    return numbers


def main(folder: Path) -> None:
    net = BSAFusion(dropout=0.0).eval()
    net.load_state_dict(golden_weights(net))
    folder.mkdir(parents=True, exist_ok=True)
    for side in (32, 48):
        fixed, moving = picture(f"fixed{side}", side), picture(f"moving{side}", side)
        single = run(net, fixed, moving)
        double = run(net.double(), fixed.double(), moving.double())
        net.float()
        stored = {"in.fixed": fixed, "in.moving": moving, **single}
        for key in ("flow", "fused"):
            stored[f"ref64.{key}"] = double[key].float()
        worst = max(float((single[k].double() - double[k]).abs().max()) for k in single)
        for key, value in sorted(stored.items()):
            print(f"{side} {key:22s} std {float(value.std()):8.4f} max {float(value.abs().max()):9.4f}")
        print(f"{side}: largest float32 - float64 difference {worst:.2e}")
        if side == 32:
            rgb = torch.cat([picture(f"rgb{c}", side) for c in range(3)], 1)
            back = ycbcr_to_rgb(rgb_to_ycbcr(rgb))
            stored.update({"colour.rgb": rgb, "colour.ycbcr": rgb_to_ycbcr(rgb),
                           "colour.back": back, "colour.bytes": quantise(back)})
        for name in ("encoder.rb1.mlp.weight", "transfer.transfer.cls2",
                     "transfer.classifier.vit_blks.vit0.norm_layer2.weight"):
            stored[f"weight.{name}"] = golden_weights(net)[name]
        weights.save(str(folder / f"golden{side}.safetensors"),
                     {k: v.contiguous().numpy() for k, v in stored.items()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
