"""Trains the small network of `local` on 128-pixel samples. Its result goes into the large one.

Example: python -m bsafusion.pretrain --data DATA --run ../runs/local --samples 200000
The same line again resumes.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform, weights
from .data import SETS, Pairs, head_weight, load_pairs
from .evaluate import KINDS, fields
from .journal import Journal
from .local import IMAGE, Local
from .muon import Muon
from .samplers import warp_image
from .samples import Small, Source, nodes, structure, with_phantoms

PIXELS = 16.0  # full-resolution pixels per unit of the first level
SAVE = 200  # steps
AVERAGE = 0.002  # share of the newest weights in the moving average
HEAD_RATE = 0.2  # of the field head, which is multiplied by PIXELS
LENGTH = 0.5  # share of the end-point error in the loss
TAUGHT = (5.0, 2.0)  # share of the lesson: apart from the flow, with it
LAST = 0.25  # of the steps, in which the rate falls


def mean_length(error: Tensor, weight: Tensor) -> Tensor:
    size = torch.sqrt((error**2).sum(1, keepdim=True) + 0.01)
    return (size * weight).sum() / weight.sum()


def seen_length(error: Tensor, edges: Tensor) -> Tensor:
    """The error as the moving image shows it: across its edges, where it has any. In pixels where
    the gradient has the image's mean size; along an edge and in flat parts nothing counts. Images
    with stronger edges have more of a say."""
    xx, xy, yy = edges.split(1, 1)
    x, y = error.split(1, 1)
    square = (xx * x * x + 2 * xy * x * y + yy * y * y).clamp(min=0)
    usual = (xx + yy).mean((1, 2, 3), keepdim=True) / 2 + 1e-6
    share = usual.sqrt() / usual.sqrt().mean()
    return (share * torch.sqrt(square / usual + 0.01)).mean()


class Lesson:
    """What a network trained on one modality against itself hears of the moving image *before it was deformed*, as a
    target for what the fixed image gives to the comparison: aligned pairs teach one modality's edges in terms of the
    other's densely, long before a flow would.

    For the first `apart` samples nothing else teaches the fixed image's last features, for the flow's gradient drowns
    the lesson; the comparison hears the teacher and the fixed image mixed in any proportion meanwhile."""

    def __init__(self, teacher: Local, apart: int) -> None:
        self.teacher, self.apart = teacher.eval(), apart

    def weight(self, done: int) -> float:
        return TAUGHT[done >= self.apart]

    def heard(self, own: Tensor, wanted: Tensor, done: int) -> Tensor:
        """What the comparison gets as the fixed image's share."""
        if done >= self.apart:
            return own
        drawn = torch.rand(len(own), 1, 1, generator=Generator().manual_seed(done))
        return torch.lerp(wanted, own.detach(), drawn.sqrt())

    def share(self, sample: Small) -> Tensor:
        with torch.no_grad():
            return self.teacher.field.shares(*self.teacher.tokens(sample.aligned, sample.moving))[0].float()

    def missed(self, own: Tensor, wanted: Tensor, kind: Tensor) -> Tensor:
        """Of the variance of `wanted`, the mean over the atlas's sets."""
        shares = []
        for of in (kind == k for k in range(len(SETS))):
            if bool(of.any()):
                spread = (wanted[of] - wanted[of].mean((0, 1))).pow(2).mean()
                shares.append((own[of] - wanted[of]).pow(2).mean() / spread)
        return torch.stack(shares).mean() if shares else torch.zeros(())


def loss(model: Local, lesson: Optional[Lesson], sample: Small, done: int = 0, bf16: bool = False) -> Dict[str, Tensor]:
    """`done`: samples before this one."""
    missed = torch.zeros(())
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        x1, x2 = model.tokens(sample.fixed, sample.moving)
        fixed, moving = (share.float() for share in model.field.shares(x1, x2))
        if lesson:
            wanted = lesson.share(sample)
            missed = lesson.missed(fixed, wanted, sample.kind)
            fixed = lesson.heard(fixed, wanted, done)
        field = model.field.compare(fixed + moving, x2)
    error = PIXELS * field.float() - sample.target
    seen, whole = seen_length(error, sample.edges), mean_length(error, sample.weight)
    taught = lesson.weight(done) * missed if lesson else missed
    return {"loss": seen + LENGTH * whole + taught, "seen": seen, "epe": whole,
            "seen_before": seen_length(sample.target, sample.edges),
            "epe_before": mean_length(sample.target, sample.weight), "missed": missed}


class Probe:
    """Held-out pairs under fixed deformations: end-point error at the nodes inside the head."""

    def __init__(self, pairs: Pairs) -> None:
        size = pairs.fixed.shape[-1]
        self.kind, self.cases = pairs.kind, {}
        for name in KINDS:
            forward = fields(name, len(pairs.names), size, 7)
            inside = (head_weight(pairs.fixed, pairs.moving, outside=0.0) > 0).float()
            seen = (pairs.fixed, warp_image(pairs.moving, forward), pairs.moving)
            fixed, moving, aligned = (F.avg_pool2d(i, size // IMAGE) for i in seen)
            self.cases[name] = Small(fixed, moving, nodes(deform.invert(forward)), nodes(inside),
                                     structure(aligned), aligned, pairs.kind)

    @torch.no_grad()
    def __call__(self, model: Local) -> Dict[str, float]:
        report = {}
        for name, case in self.cases.items():
            error = PIXELS * model(case.fixed, case.moving) - case.target
            for k, label in enumerate(SETS):
                of = self.kind == k
                report[f"{name} {label}"] = float(mean_length(error[of], case.weight[of]))
        return report


def read_average(model: Local, path: str) -> Local:
    """From a run's last.pt or local.safetensors."""
    if path.endswith(".safetensors"):
        model.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights.load(path).items()})
    else:
        model.load_state_dict(torch.load(path)["average"])
    return model


def write_average(average: Dict[str, Tensor], path: Path) -> None:
    """In half precision, a quarter of last.pt's size: to begin another run with, or to keep."""
    weights.save(str(path), {name: value.numpy().astype(np.float16) for name, value in average.items()})


def rate(step: int, steps: int) -> float:
    """Warm-up, then constant, then half a cosine down to a twenty-fifth."""
    done = max(0.0, (step / steps - 1 + LAST) / LAST)
    return min((step + 1) / 200, 0.52 + 0.48 * math.cos(math.pi * done))


class Fit:
    """A model on its way: what is saved is what is needed to go on with the same numbers."""

    def __init__(self, model: Local, lesson: Optional[Lesson], run: Path, peak: float) -> None:
        self.model, self.lesson, self.last, self.peak = model, lesson, run / "last.pt", peak
        head = list(model.field.head.parameters())
        slow = {id(p) for p in head}
        rest = [p for p in model.parameters() if id(p) not in slow]
        self.parameters = [*rest, *head]
        self.optimizer = Muon([{"params": rest, "share": 1.0}, {"params": head, "share": HEAD_RATE, "plain": True}],
                              lr=peak)
        self.average = {k: v.clone() for k, v in model.state_dict().items()}
        self.step = 0
        if self.last.exists():
            state: Dict[str, Any] = torch.load(self.last)
            for name in ("model", "optimizer"):
                getattr(self, name).load_state_dict(state[name])
            self.average, self.step = state["average"], state["step"]

    def advance(self, sample: Small, share: float, bf16: bool) -> Dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.peak * group["share"] * share
        terms = loss(self.model, self.lesson, sample, self.step * len(sample.kind), bf16)
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()
        self.step += 1
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value, max(AVERAGE, 1 / (self.step + 1)))
        return {**{name: float(term.detach()) for name, term in terms.items()}, "norm": float(norm)}

    def save(self) -> None:
        part = Path(str(self.last) + ".part")
        torch.save({"model": self.model.state_dict(), "step": self.step,
                    "optimizer": self.optimizer.state_dict(), "average": self.average}, str(part))
        part.replace(self.last)


def train(fit: Fit, source: Source, probe: Probe, samples: int, batch: int, bf16: bool) -> None:
    journal, steps, judged = Journal(fit.last.parent), samples // batch, Local()
    journal.cut(fit.step * batch)
    while fit.step < steps:
        report = fit.advance(source.draw(fit.step, batch), rate(fit.step, steps), bf16)
        journal.add("local", fit.step * batch, report)
        if fit.step % SAVE == 0 or fit.step == steps:
            fit.save()
        if fit.step % 500 == 0:
            judged.load_state_dict(fit.average)
            held = {name: round(value, 2) for name, value in probe(judged).items()}
            print(fit.step * batch, journal.line(), held, flush=True)
    write_average(fit.average, fit.last.with_name("local.safetensors"))
    journal.draw()


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Trains the small alignment network.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--split", default="train", choices=["train", "subjects-train"])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--bf16", action="store_true", help="bfloat16 products")
    parser.add_argument("--init", help="last.pt or local.safetensors to go on from, with a new schedule")
    parser.add_argument("--mono", action="store_true",
                        help="the fixed image is the moving one in another light: a teacher")
    parser.add_argument("--teacher",
                        help="last.pt of a run with --mono; without --init the run begins with it, too")
    parser.add_argument("--apart", type=int, default=60_000,
                        help="samples of the lesson before the flow has a say in it")
    parser.add_argument("--phantoms", help="slices of a digital phantom (.npz)")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    run = Path(given.run)
    run.mkdir(parents=True, exist_ok=True)
    begin = given.init or given.teacher
    model = read_average(Local(), begin) if begin else Local()
    lesson = Lesson(read_average(Local(), given.teacher), given.apart) if given.teacher else None
    pairs = load_pairs(Path(given.data), given.split)
    held = load_pairs(Path(given.data), "val" if given.split == "train" else "subjects-test", limit=20)
    if given.phantoms:
        pairs = with_phantoms(pairs, given.phantoms)
    source = Source(pairs, seed=2 if given.init else 1, mono=given.mono)
    train(Fit(model, lesson, run, given.rate), source, Probe(held), given.samples, given.batch, given.bf16)


if __name__ == "__main__":
    main()
