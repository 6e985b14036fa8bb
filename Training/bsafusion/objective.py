"""One stage's weighted sum of loss terms for one batch. The terms themselves are in losses.py."""
from __future__ import annotations

from typing import Dict, Tuple

import torch
from torch import Tensor

from . import losses
from .config import Stage
from .data import Sample
from .network import BSAFusion, Output
from .samplers import warp_image


def _float(out: Output) -> Output:
    alignment = out.alignment._replace(
        flow=out.alignment.flow.float(), fields=[f.float() for f in out.alignment.fields],
        partial=[p.float() for p in out.alignment.partial],
        sides=[(n.float(), p.float()) for n, p in out.alignment.sides])
    fused = None if out.fused is None else out.fused.float()
    return out._replace(alignment=alignment, fused=fused)


def objective(net: BSAFusion, sample: Sample, stage: Stage,
              balance: float = 1.0) -> Tuple[Tensor, Dict[str, float]]:
    """-> the loss, and its terms (unweighted) with the end-point error before and after."""
    with torch.autocast("cuda" if sample.fixed.is_cuda else "cpu", dtype=torch.bfloat16,
                        enabled=stage.bf16):
        out = _float(net(sample.fixed, sample.moving, fuse=stage.fuse))
        wanted = stage.losses
        terms: Dict[str, Tensor] = {}
        if wanted.get("transfer"):
            judge = net.transfer.modal_dis.judge
            terms["transfer"] = losses.confusion_loss(
                judge(out.tokens.tokens1).float(), judge(out.tokens.tokens2).float())
    flow = out.alignment.flow
    if wanted.get("modality"):
        terms["modality"] = losses.modality_loss(out.tokens.pre1.float(), out.tokens.pre2.float())
    if wanted.get("field"):
        terms["field"] = losses.field_loss(out.alignment.partial, sample.target, sample.weight)
    if wanted.get("pose"):
        terms["pose"] = losses.pose_loss(out.alignment.sides, sample.pose1, sample.pose2, sample.weight)
    if wanted.get("smooth"):
        terms["smooth"] = losses.smoothness_loss(flow, out.alignment.fields, False)
    if wanted.get("smooth_published"):
        terms["smooth_published"] = losses.smoothness_loss(flow, out.alignment.fields, True)
    if wanted.get("consistency") or out.fused is not None:
        warped = warp_image(sample.moving, flow)
    if wanted.get("consistency"):
        terms["consistency"] = losses.consistency_loss(sample.aligned, warped)
    if out.fused is not None and wanted.get("fusion"):
        # fusion must not pull at the alignment unless the stage says so
        reference = warped if wanted.get("fusion_moves") else warped.detach()
        terms["fusion"] = losses.fusion_loss(out.fused, sample.fixed, reference, balance)
    total = sum(wanted[name] * term for name, term in terms.items())
    report = {name: float(term.detach()) for name, term in terms.items()}
    with torch.no_grad():
        none = torch.zeros_like(flow)
        report["epe_before"] = float(losses.end_point_error(none, sample.target, sample.weight))
        report["epe"] = float(losses.end_point_error(flow.detach(), sample.target, sample.weight))
    return total, report
