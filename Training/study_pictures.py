"""Draws what weights make of the sample studies: alignment.png (best, median, worst slice) and fusion.png (middle slice).

Example: python study_pictures.py ../Models/bsafusion-joint.safetensors ../docs/images before.safetensors

The last weights are those that fusion.png compares with. Needs pydicom, python-gdcm and matplotlib.
"""
import sys
from pathlib import Path
from typing import List, NamedTuple

import numpy as np
import torch

from on_studies import MODALITIES, SIDE, slices

from bsafusion.export import load_network  # noqa: E402
from bsafusion.network import BSAFusion  # noqa: E402
from bsafusion.samplers import warp_image  # noqa: E402
from bsafusion.sheet import checkerboard, draw_grid  # noqa: E402

STUDIES = ("ct-mr", "pet-mr", "pet-ct")


class Seen(NamedTuple):
    """A slice under one network; planes are [SIDE, SIDE] of 0...1."""

    fixed: np.ndarray
    moving: np.ndarray
    aligned: np.ndarray
    fused: np.ndarray
    flow: torch.Tensor
    before: float  # mean error inside the head, pixels
    after: float


def seen(net: BSAFusion, study: str) -> List[Seen]:
    found = []
    image = lambda values: torch.from_numpy(values.reshape(1, 1, SIDE, SIDE)).float()  # noqa: E731
    plane = lambda values: values[0, 0].numpy()  # noqa: E731
    for name, still, moving, _, true, head, _ in slices(study):
        if name != "whole":
            continue
        fixed, moved = image(still), image(moving)
        with torch.no_grad():
            out = net(fixed, moved, modality=MODALITIES[study])
        flow = out.alignment.flow
        before, after = (np.linalg.norm(true - f, axis=1)[head].mean() for f in (0, flow[0].flatten(1).T.numpy()))
        found.append(Seen(*map(plane, (fixed, moved, warp_image(moved, flow), out.fused)), flow, before, after))
    return found


def draw(rows, path, titles):
    """Rows of planes, the last of each a flow where it is a tensor."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(len(rows), len(rows[0][1]), figsize=(1.6 * len(rows[0][1]), 1.78 * len(rows)))
    for line, (label, images, last) in zip(axes, rows):
        for axis, title, shown in zip(line, titles, images):
            axis.set_title(f"{label}: {title}" if axis is line[0] else title, fontsize=7)
            axis.set_axis_off()
            if torch.is_tensor(shown):
                draw_grid(axis, shown)
                axis.set_title(last, fontsize=7)
            else:
                axis.imshow(shown, cmap="gray", vmin=0, vmax=1)
    figure.tight_layout(pad=0.2)
    figure.savefig(path, dpi=70 if len(rows) > 3 else 100)
    pyplot.close(figure)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    net, other = (load_network(path) for path in (sys.argv[1], sys.argv[3]))
    net.skip_idle()
    other.skip_idle()
    alignment, fusion = [], []
    for study in STUDIES:
        found, compared = seen(net, study), seen(other, study)
        ranked = sorted(found, key=lambda s: s.after)
        for label, s in zip(("best", "median", "worst"), (ranked[0], ranked[len(ranked) // 2], ranked[-1])):
            images = (s.fixed, s.moving, s.aligned, s.fused, checkerboard(s.fixed, s.aligned), s.flow)
            alignment.append((f"{study}, {label}", images, f"EPE {s.before:.1f} → {s.after:.1f} px"))
        s = found[len(found) // 2]
        fusion.append((study, (s.fixed, s.moving, s.aligned, compared[len(found) // 2].fused, s.fused), ""))
    folder = Path(sys.argv[2])
    draw(alignment, folder / "alignment.png", ("fixed", "moving", "aligned", "fused", "fixed | aligned", ""))
    draw(fusion, folder / "fusion.png", ("fixed", "moving", "aligned", "fused by the other", "fused"))


if __name__ == "__main__":
    main()
