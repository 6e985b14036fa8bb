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
from .transfer import PATCH


def _float(out: Output) -> Output:
    alignment = out.alignment._replace(
        flow=out.alignment.flow.float(), fields=[f.float() for f in out.alignment.fields],
        partial=[p.float() for p in out.alignment.partial],
        sides=[(n.float(), p.float()) for n, p in out.alignment.sides])
    fused = None if out.fused is None else out.fused.float()
    return out._replace(alignment=alignment, fused=fused)


def _known_flow(net: BSAFusion, sample: Sample, stage: Stage) -> Tuple[Tensor, Dict[str, float]]:
    """Fusion alone, under the flow that aligns, with the coarse branch silent."""
    window = _window(stage, sample.fixed.shape[-1])
    fixed, moving, flow = sample.fixed[window], sample.moving[window], sample.target[window]
    with torch.autocast("cuda" if fixed.is_cuda else "cpu", dtype=torch.bfloat16,
                        enabled=stage.bf16):
        shallow1, shallow2 = net.encoder(fixed)[0], net.encoder(moving)[0]
        fused = net.fusion_net(shallow1, shallow2, shallow1, shallow2, flow).float()
    term = losses.fusion_loss(fused, fixed, warp_image(moving, flow), 1.0)
    return stage.losses["fusion"] * term, {"fusion": float(term.detach())}


def _window(stage: Stage, size: int) -> Tuple[slice, ...]:
    """The whole image, or a random square whose corner lies on the token grid."""
    if not stage.crop:
        return (slice(None),) * 4
    corner = torch.randint(0, (size - stage.crop) // PATCH + 1, (2,)) * PATCH
    cut = [slice(int(c), int(c) + stage.crop) for c in corner]
    return (slice(None), slice(None), cut[0], cut[1])


def _fuse_window(net: BSAFusion, out: Output, window: Tuple[slice, ...]) -> Tensor:
    """Fusion is local but for its norms and the network warp's half-pixel stretch, so a square
    teaches nearly what the image does, at a fraction of its cost."""
    coarse = window[:2] + tuple(slice(w.start // PATCH, w.stop // PATCH) for w in window[2:])
    return net.fusion_net(out.shallow1[window], out.shallow2[window], out.tokens.au[coarse],
                          out.tokens.bu[coarse], out.alignment.flow[window])


def objective(net: BSAFusion, sample: Sample, stage: Stage,
              balance: float = 1.0) -> Tuple[Tensor, Dict[str, float]]:
    """-> the loss, and its terms (unweighted) with the end-point error before and after."""
    if stage.known_flow:
        return _known_flow(net, sample, stage)
    with torch.autocast("cuda" if sample.fixed.is_cuda else "cpu", dtype=torch.bfloat16,
                        enabled=stage.bf16):
        out = net(sample.fixed, sample.moving, fuse=stage.fuse and not stage.crop)
        window = _window(stage, sample.fixed.shape[-1])
        if stage.fuse and stage.crop:
            out = out._replace(fused=_fuse_window(net, out, window))
        out = _float(out)
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
        terms["fusion"] = losses.fusion_loss(
            out.fused, sample.fixed[window], reference[window], balance)
    total = sum(wanted[name] * term for name, term in terms.items())
    report = {name: float(term.detach()) for name, term in terms.items()}
    with torch.no_grad():
        none = torch.zeros_like(flow)
        report["epe_before"] = float(losses.end_point_error(none, sample.target, sample.weight))
        report["epe"] = float(losses.end_point_error(flow.detach(), sample.target, sample.weight))
    return total, report
