"""Classical registration of the atlas's deformed pairs beside the network's: accuracy and processor time.

SimpleITK, mutual information (Mattes). Its settings are chosen on training pairs, for each kind of pair by
itself, by NCC with the undeformed image, which nobody has in practice: it cannot be tuned better than that. The network is the
PyTorch twin; `fuseline bench` has the engine's time. One thread each.

Usage: python beside_classical.py ../Models/bsafusion-joint.safetensors DATA [pairs of each kind]
"""
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Tuple

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from bsafusion import deform, metrics
from bsafusion.data import SETS, Pairs, head_weight, load_pairs
from bsafusion.evaluate import MODALITIES, fields
from bsafusion.export import load_network
from bsafusion.losses import end_point_error
from bsafusion.samplers import warp_image

BINS = 32
TRIED = 4  # training pairs of each kind
SEED = 7
Registration = Callable[[Tensor, Tensor], Tensor]  # fixed, moving (1, 1, S, S) -> flow (1, 2, S, S) px


class Setting(NamedTuple):
    cells: int  # B-spline cells along a side; 0: none
    affine: bool
    step: float  # px, of the gradient descent

    def __str__(self) -> str:
        first = "affine" if self.affine else "rigid"
        return f"{first}, B-spline {self.cells}x{self.cells}" if self.cells else first


SETTINGS = [Setting(cells, affine, step) for cells in (0, 4, 8) for affine in (False, True) for step in (0.2, 0.5)]


def _method(setting: Setting, smallest: int) -> sitk.ImageRegistrationMethod:
    """All pixels count, at two scales, in steps so small that nothing runs away (L-BFGS-B did)."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetOptimizerAsRegularStepGradientDescent(setting.step, 1e-3, 60)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([2 * smallest, smallest])
    method.SetSmoothingSigmasPerLevel([2.0 * smallest, smallest - 1.0])
    return method


def _first(fixed: sitk.Image, moving: sitk.Image, setting: Setting) -> sitk.Transform:
    method = _method(setting, 2)
    centre = [(size - 1) / 2 for size in fixed.GetSize()]
    start = sitk.AffineTransform(2) if setting.affine else sitk.Euler2DTransform()
    start.SetCenter(centre)
    method.SetInitialTransform(start, inPlace=False)
    return method.Execute(fixed, moving)


def _bent(fixed: sitk.Image, moving: sitk.Image, before: sitk.Transform, setting: Setting) -> sitk.Transform:
    method = _method(setting, 1)
    mesh = sitk.BSplineTransformInitializer(fixed, [setting.cells] * 2)
    method.SetMovingInitialTransform(before)
    method.SetInitialTransform(mesh, inPlace=False)
    return sitk.CompositeTransform([before, method.Execute(fixed, moving)])


def classical(setting: Setting) -> Registration:
    def register(fixed: Tensor, moving: Tensor) -> Tensor:
        one, two = (sitk.GetImageFromArray(image[0, 0].numpy()) for image in (fixed, moving))
        transform = _first(one, two, setting)
        if setting.cells:
            transform = _bent(one, two, transform, setting)
        field = sitk.TransformToDisplacementField(transform, sitk.sitkVectorFloat64, one.GetSize())
        return torch.from_numpy(sitk.GetArrayFromImage(field)).permute(2, 0, 1)[None].float()
    return register


def judged(pairs: Pairs, forward: Tensor, register: Callable[[int], Registration]) -> Dict[int, np.ndarray]:
    """Per kind (pairs, 5): NCC before, after, end-point error before, after, seconds of processor time."""
    rows: Dict[int, List[Tuple[float, ...]]] = {}
    plane = lambda image: image[0, 0].double().numpy()  # noqa: E731
    for i, kind in enumerate(int(k) for k in pairs.kind):
        fixed, aligned = pairs.fixed[i:i + 1], pairs.moving[i:i + 1]
        moving, truth = warp_image(aligned, forward[i:i + 1]), deform.invert(forward[i:i + 1], steps=25)
        start = time.process_time()
        flow = register(kind)(fixed, moving)
        spent = time.process_time() - start
        inside = (head_weight(fixed, aligned, outside=0.0) > 0).float()
        rows.setdefault(kind, []).append((
            metrics.ncc(plane(moving), plane(aligned)), metrics.ncc(plane(warp_image(moving, flow)), plane(aligned)),
            float(end_point_error(torch.zeros_like(flow), truth, inside)), float(end_point_error(flow, truth, inside)), spent))
    return {kind: np.array(of) for kind, of in rows.items()}


def line(name: str, found: Dict[int, np.ndarray]) -> str:
    means = [found[kind].mean(0) for kind in sorted(found)]
    seconds = np.median(np.concatenate(list(found.values()))[:, 4])
    return (f"| {name} | " + " / ".join(f"{m[0]:.3f} → {m[1]:.3f}" for m in means) + " | "
            + " / ".join(f"{m[2]:.2f} → {m[3]:.2f}" for m in means) + f" | {seconds:.3f} |")


def tuned(data: Path, kinds: Callable[[Setting], bool]) -> Dict[int, Setting]:
    pairs = load_pairs(data, "train", limit=TRIED)
    forward = fields("published", len(pairs.names), pairs.fixed.shape[-1], SEED + 1)
    tried = {setting: judged(pairs, forward, lambda _, s=setting: classical(s)) for setting in SETTINGS if kinds(setting)}
    return {kind: max(tried, key=lambda s: tried[s][kind][:, 1].mean()) for kind in range(len(SETS))}  # noqa: B023


def main(weights: str, data: str, limit: int = 0) -> None:
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    net = load_network(weights)
    net.skip_idle()
    pairs = load_pairs(Path(data), "val", limit=limit)
    forward = fields("published", len(pairs.names), pairs.fixed.shape[-1], SEED)
    print(f"{len(pairs.names)} pairs\n| | NCC before → after: {' / '.join(SETS)} | EPE px before → after | seconds |\n|---|---|---|---|")
    for what, kinds in (("rigid or affine", lambda s: s.cells == 0), ("with B-spline", lambda s: s.cells > 0)):
        best = tuned(Path(data), kinds)
        name = f"{what} ({'; '.join(f'{SETS[k]}: {s}, step {s.step}' for k, s in best.items())})"
        print(line(name, judged(pairs, forward, lambda kind: classical(best[kind]))), flush=True)  # noqa: B023
    with torch.no_grad():
        ours = judged(pairs, forward, lambda kind: lambda fixed, moving: net(
            fixed, moving, fuse=False, modality=MODALITIES[kind]).alignment.flow)
    print(line("network (PyTorch)", ours))


if __name__ == "__main__":
    main(*sys.argv[1:3], *(int(a) for a in sys.argv[3:]))
