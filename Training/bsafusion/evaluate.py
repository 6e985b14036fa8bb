"""Numbers and pictures for a model on registered pairs under seeded deformations. Changes nothing.

Example: python -m bsafusion.evaluate model.safetensors --data DATA --out report
"""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
import torch
from torch import Tensor

from . import deform, metrics
from .colour import quantise
from .data import MODALITIES, SETS, Pairs, head_weight, load_pairs
from .export import load_network
from .losses import end_point_error
from .network import BSAFusion
from .samplers import warp_image

LARGE = deform.Range(rotation=10, scale=0.08, shear=0.04, translation=20, elastic=3, still=0)
KINDS = ("published", "large", "none")
SWEEP = tuple(f"sweep-{px}" for px in (0, 5, 10, 15, 20, 25, 30))


class Case(NamedTuple):
    name: str
    fixed: Tensor
    aligned: Tensor  # undeformed moving
    moving: Tensor  # deformed
    warped: Tensor  # what the model made of it
    flow: Tensor
    fused: Tensor
    numbers: Dict[str, float]


def fields(kind: str, count: int, size: int, seed: int) -> Tensor:
    gen = torch.Generator().manual_seed(seed)
    if kind == "published":
        return deform.published(count, size, gen)
    if kind == "large":
        return deform.draw(count, size, LARGE, gen)
    if kind.startswith("sweep-"):  # one field per pair, only its size changes; |shift| = the number
        angle = 2 * torch.pi * torch.rand(count, generator=gen)
        shift = torch.stack((angle.cos(), angle.sin()), 1).view(count, 2, 1, 1)
        turn = LARGE._replace(translation=0)
        part = float(kind[len("sweep-"):]) / 30
        return part * (30 * size / 256 * shift + deform.draw(count, size, turn, gen))
    return torch.zeros(count, 2, size, size)


def alignment_numbers(case: str, image: np.ndarray, truth: np.ndarray) -> Dict[str, float]:
    return {f"ncc_{case}": metrics.ncc(image, truth), f"ssim_{case}": metrics.ssim(image, truth),
            f"mae_{case}": metrics.mae(image, truth),
            f"mi_{case}": metrics.mutual_information(image, truth)}


def fusion_numbers(fixed: np.ndarray, truth: np.ndarray, fused: np.ndarray) -> Dict[str, float]:
    return {"q_abf": metrics.q_abf(fixed, truth, fused), "q_cv": metrics.q_cv(fixed, truth, fused),
            "vif": metrics.vif(fixed, fused) + metrics.vif(truth, fused),
            "q_s": metrics.q_s(fixed, truth, fused),
            "ssim_sum": metrics.ssim(fixed, fused) + metrics.ssim(truth, fused),
            "q_mi": metrics.q_mi(fixed, truth, fused)}


@torch.no_grad()
def judge(net: BSAFusion, pairs: Pairs, kind: str, seed: int, fuse: bool = True) -> List[Case]:
    """One case per pair; the same seed gives the same deformations whatever the model."""
    cases = []
    size = pairs.fixed.shape[-1]
    forward = fields(kind, len(pairs.names), size, seed)
    for i, name in enumerate(pairs.names):
        fixed, aligned = pairs.fixed[i:i + 1], pairs.moving[i:i + 1]
        target = deform.invert(forward[i:i + 1], steps=25)
        moving = warp_image(aligned, forward[i:i + 1])
        started = time.process_time()
        out = net(fixed, moving, fuse=fuse, modality=MODALITIES[int(pairs.kind[i])])
        seconds = time.process_time() - started
        flow = out.alignment.flow
        warped = warp_image(moving, flow)
        inside = (head_weight(fixed, aligned, outside=0.0) > 0).float()
        numbers = {"epe_before": float(end_point_error(0 * flow, target, inside)),
                   "epe_after": float(end_point_error(flow, target, inside)),
                   "flow_mean": float(end_point_error(flow, 0 * flow, inside)),
                   "cpu_seconds": seconds, "folding": float((deform.jacobian(flow) <= 0).float().mean() * 100)}
        plane = lambda t: t[0, 0].double().numpy()  # noqa: E731
        numbers.update(alignment_numbers("before", plane(moving), plane(aligned)))
        numbers.update(alignment_numbers("after", plane(warped), plane(aligned)))
        fused = out.fused if out.fused is not None else fixed
        if fuse:
            shown = quantise(fused).to(fused.dtype) / 255  # pictures are compared, of 8 bits
            numbers.update(fusion_numbers(plane(fixed), plane(aligned), plane(shown)))
        cases.append(Case(name, fixed, aligned, moving, warped, flow, fused, numbers))
    return cases


def summary(cases: List[Case], pairs: Pairs) -> Dict[str, Dict[str, List[float]]]:
    """set -> measure -> [mean, standard deviation]."""
    result: Dict[str, Dict[str, List[float]]] = {}
    for kind in sorted({int(k) for k in pairs.kind}):
        chosen = [c.numbers for c, k in zip(cases, pairs.kind) if int(k) == kind]
        result[SETS[kind]] = {
            key: [round(float(np.mean([c[key] for c in chosen])), 4),
                  round(float(np.std([c[key] for c in chosen])), 4)] for key in chosen[0]}
    return result


def table(kind: str, result: Dict[str, Dict[str, List[float]]]) -> str:
    lines = [f"### deformation: {kind}", "| set | NCC | SSIM | MAE | MI | EPE px | flow px | folding % "
             "| Q_AB/F | VIF | Q_S | SSIM sum | Q_MI | Q_CV |", "|" + "---|" * 14]
    for name, v in result.items():
        both = [f"{v[k + '_before'][0]:.3f} → {v[k + '_after'][0]:.3f}" for k in ("ncc", "ssim", "mae", "mi")]
        both.append(f"{v['epe_before'][0]:.2f} → {v['epe_after'][0]:.2f}")
        rest = [f"{v[k][0]:.3f}" for k in ("flow_mean", "folding", "q_abf", "vif", "q_s", "ssim_sum",
                                          "q_mi", "q_cv") if k in v]
        lines.append("| " + " | ".join([name, *both, *rest]) + " |")
    return "\n".join(lines)


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Judges a model on registered pairs.")
    parser.add_argument("model", help="safetensors or last.pt")
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--out", required=True, help="folder for numbers.json, table.md, sheets")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=int, default=0, help="pairs per set; 0 = all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-fusion", action="store_true")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=[*KINDS, *SWEEP],
                        help="deformations; sweep-N is a shift of N px with turn, scale, elastic in proportion")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    net = load_network(given.model)
    net.skip_idle()
    pairs = load_pairs(Path(given.data), given.split, limit=given.limit)
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    report: Dict[str, Any] = {"model": given.model, "seed": given.seed, "split": given.split}
    tables = []
    for kind in given.kinds:
        cases = judge(net, pairs, kind, given.seed, fuse=not given.no_fusion)
        report[kind] = summary(cases, pairs)
        tables.append(table(kind, report[kind]))
        print(tables[-1], flush=True)
        if kind in ("published", "large"):
            from .sheet import draw_sheet
            for name in sorted({SETS[int(k)] for k in pairs.kind}):
                of = [c for c in cases if c.name.startswith(name + "/")]
                draw_sheet(of, str(out / f"sheet-{kind}-{name}.png"))
    (out / "numbers.json").write_text(json.dumps(report, indent=1))
    (out / "table.md").write_text("\n\n".join(tables) + "\n")


if __name__ == "__main__":
    main()
