"""Trains the small network of `moments` on 64-pixel samples. Its result goes into the large one.

Example: python -m bsafusion.pretrain --data DATA --run ../runs/moments --minutes 15
"""
from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Dict, List, Optional

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import deform
from .data import Intensity, Pairs, Sampler, load_pairs, resized
from .journal import Journal
from .moments import SIDE, Moments

LIMITS = deform.Range(rotation=10, scale=0.08, shear=0.03, translation=20, elastic=1.5, still=0.12)
COMMON = deform.COMMON._replace(rotation=6, scale=0.10, translation=10)
PIXELS = 16.0  # full-resolution pixels per unit of the first level


def nodes(full: Tensor) -> Tensor:
    """Values where the first level's field lies once it is upsampled (corners aligned)."""
    return F.interpolate(full, size=(SIDE, SIDE), mode="bilinear", align_corners=True)


def with_phantoms(pairs: Pairs, path: str) -> Pairs:
    """Adds a digital phantom's aligned slices: an .npz of T1, T2, CT, PET, SPECT, each (N, S, S)
    in 0...1. They count as two more sets."""
    stored = np.load(path)
    known = resized(pairs, 64)
    fixed, moving, kind, names = [known.fixed], [known.moving], [known.kind], list(known.names)
    for label, a, b in ((3, "T2", "CT"), (3, "CT", "PET"), (4, "T1", "PET"), (4, "T2", "SPECT")):
        count = min(len(stored[a]), len(stored[b]))
        for images, name in ((fixed, a), (moving, b)):
            full = torch.from_numpy(stored[name][:count])[:, None]
            images.append(F.avg_pool2d(full, full.shape[-1] // 64))
        kind.append(torch.full((count,), label))
        names += [f"phantom/{a}-{b}/{k}" for k in range(count)]
    return Pairs(torch.cat(fixed), torch.cat(moving), torch.cat(kind), names)


def loss(model: Moments, sampler: Sampler, count: int, gen: torch.Generator) -> Dict[str, Tensor]:
    sample = sampler.draw(count, gen)
    field1, field2 = model(sample.fixed, sample.moving)
    target = nodes(sample.target) * (256 / sample.target.shape[-1])
    weight = nodes(sample.weight)

    def length(error: Tensor) -> Tensor:
        size = torch.sqrt((error**2).sum(1, keepdim=True) + 0.01)
        return (size * weight).sum() / weight.sum()

    return {"loss": length(PIXELS * (field2 - field1) - target), "epe_before": length(target)}


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Trains the moment network.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--init", help="average.pt to go on from")
    parser.add_argument("--phantoms", help="slices of a digital phantom (.npz)")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    gen = torch.Generator().manual_seed(1)
    run = Path(given.run)
    run.mkdir(parents=True, exist_ok=True)
    model = Moments()
    if given.init:
        model.load_state_dict(torch.load(given.init))
        gen.manual_seed(2)
    pairs = load_pairs(Path(given.data), "train")
    if given.phantoms:
        pairs = with_phantoms(pairs, given.phantoms)
    sampler = Sampler(pairs, 64, LIMITS, 0.0,
                      Intensity(gamma=0.25, gain=0.15, noise=0.02, offset=0.03), COMMON)
    optimizer = torch.optim.AdamW(model.parameters(), lr=given.rate, weight_decay=1e-3)
    journal, started, step = Journal(run), time.monotonic(), 0
    average = {k: v.clone() for k, v in model.state_dict().items()}
    while (done := (time.monotonic() - started) / (60 * given.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = given.rate * min((step + 1) / 100, 0.51 + 0.49 * math.cos(math.pi * done))
        terms = loss(model, sampler, given.batch, gen)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 20.0)
        optimizer.step()
        step += 1
        for name, value in model.state_dict().items():
            average[name].lerp_(value, 0.01)
        report = {k: float(v.detach()) for k, v in terms.items()}
        journal.add("moments", step * given.batch, {**report, "epe": report["loss"], "norm": float(norm)})
        if step % 200 == 0:
            torch.save(average, str(run / "average.pt"))
    torch.save(average, str(run / "average.pt"))
    journal.flush()
    journal.draw()


if __name__ == "__main__":
    main()
