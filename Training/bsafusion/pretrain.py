"""Trains the small network of `moments` on 64-pixel samples. Its result goes into the large one.

Example: python -m bsafusion.pretrain --data DATA --run ../runs/moments --samples 200000
The same line again resumes.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform
from .data import SETS, Pairs, head_weight, load_pairs
from .evaluate import KINDS, fields
from .journal import Journal
from .moments import Moments
from .samplers import warp_image
from .samples import Small, Source, nodes, with_phantoms

PIXELS = 16.0  # full-resolution pixels per unit of the first level
SAVE = 200  # steps
AVERAGE = 0.003  # share of the newest weights in the moving average
HEAD_RATE = 0.2  # of the field heads, which are multiplied by PIXELS


def mean_length(error: Tensor, weight: Tensor) -> Tensor:
    size = torch.sqrt((error**2).sum(1, keepdim=True) + 0.01)
    return (size * weight).sum() / weight.sum()


def loss(model: Moments, sample: Small, bf16: bool = False) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        field1, field2 = model(sample.fixed, sample.moving)
    return mean_length(PIXELS * (field2.float() - field1.float()) - sample.target, sample.weight)


class Probe:
    """Held-out pairs under fixed deformations: end-point error at the nodes inside the head."""

    def __init__(self, pairs: Pairs) -> None:
        size = pairs.fixed.shape[-1]
        self.kind, self.cases = pairs.kind, {}
        for name in KINDS:
            forward = fields(name, len(pairs.names), size, 7)
            inside = (head_weight(pairs.fixed, pairs.moving, outside=0.0) > 0).float()
            images = [F.avg_pool2d(i, size // 64) for i in (pairs.fixed, warp_image(pairs.moving, forward))]
            self.cases[name] = Small(*images, nodes(deform.invert(forward)), nodes(inside))

    @torch.no_grad()
    def __call__(self, model: Moments) -> Dict[str, float]:
        report = {}
        for name, case in self.cases.items():
            field1, field2 = model(case.fixed, case.moving)
            error = PIXELS * (field2 - field1) - case.target
            for k, label in enumerate(SETS):
                of = self.kind == k
                report[f"{name} {label}"] = float(mean_length(error[of], case.weight[of]))
        return report


def read_average(model: Moments, path: str) -> None:
    model.load_state_dict(torch.load(path)["average"])


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Trains the small alignment network.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--split", default="train", choices=["train", "subjects-train"])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--bf16", action="store_true", help="bfloat16 products")
    parser.add_argument("--init", help="last.pt to go on from, with a new schedule")
    parser.add_argument("--phantoms", help="slices of a digital phantom (.npz)")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    gen = Generator().manual_seed(1)
    run = Path(given.run)
    run.mkdir(parents=True, exist_ok=True)
    model = Moments()
    if given.init:
        read_average(model, given.init)
        gen.manual_seed(2)
    pairs = load_pairs(Path(given.data), given.split)
    held = load_pairs(Path(given.data), "val" if given.split == "train" else "subjects-test", limit=20)
    if given.phantoms:
        pairs = with_phantoms(pairs, given.phantoms)
    source, probe = Source(pairs), Probe(held)
    heads = {id(p) for field in model.field for p in field.head.parameters()}
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in model.parameters() if id(p) not in heads], "share": 1.0},
         {"params": [p for p in model.parameters() if id(p) in heads], "share": HEAD_RATE}],
        lr=given.rate, weight_decay=1e-3)
    average = {k: v.clone() for k, v in model.state_dict().items()}
    journal, step = Journal(run), 0
    last = run / "last.pt"
    if last.exists():
        state: Dict[str, Any] = torch.load(last)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        gen.set_state(state["gen"])
        average, step = state["average"], state["step"]
        journal.cut(step * given.batch)
    steps = given.samples // given.batch
    judged = Moments()
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = given.rate * group["share"] * min((step + 1) / 400, 0.505 + 0.495 * math.cos(math.pi * step / steps))
        sample = source.draw(given.batch, gen)
        term = loss(model, sample, given.bf16)
        optimizer.zero_grad(set_to_none=True)
        term.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 20.0)
        optimizer.step()
        step += 1
        for name, value in model.state_dict().items():
            average[name].lerp_(value, AVERAGE)
        before = mean_length(sample.target, sample.weight)
        journal.add("moments", step * given.batch, {
            "loss": float(term.detach()), "epe_before": float(before), "epe": float(term.detach()),
            "norm": float(norm)})
        if step % SAVE == 0 or step == steps:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                        "gen": gen.get_state(), "average": average, "step": step}, str(last) + ".part")
            Path(str(last) + ".part").replace(last)
        if step % 500 == 0:
            judged.load_state_dict(average)
            report = probe(judged)
            print(step * given.batch, journal.line(), {k: round(v, 2) for k, v in report.items()}, flush=True)
    journal.draw()


if __name__ == "__main__":
    main()
