"""Contact sheets: what went in, what came out, and how well it fits. Not a viewer."""
from __future__ import annotations

from typing import TYPE_CHECKING, List

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from .evaluate import Case


def _plane(image: Tensor) -> np.ndarray:
    return image[0, 0].clamp(0, 1).numpy()


def checkerboard(a: np.ndarray, b: np.ndarray, cell: int = 32) -> np.ndarray:
    y, x = np.indices(a.shape) // cell
    return np.where((x + y) % 2 == 0, a, b)


def chosen(cases: List["Case"]) -> List["Case"]:
    """Best, median and worst end-point error of every set."""
    result = []
    for kind in sorted({c.name.split("/")[0] for c in cases}):
        ranked = sorted((c for c in cases if c.name.startswith(kind + "/")),
                        key=lambda c: c.numbers["epe_after"])
        result += [ranked[0], ranked[len(ranked) // 2], ranked[-1]]
    return result


def draw_sheet(cases: List["Case"], path: str) -> None:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    rows = chosen(cases)
    titles = ("fixed", "moving", "aligned", "truth", "fixed|moving", "fixed|aligned", "fused", "flow")
    figure, axes = pyplot.subplots(len(rows), len(titles), figsize=(2 * len(titles), 2.1 * len(rows)))
    for row, case in zip(np.atleast_2d(axes), rows):
        fixed, moving, warped = (_plane(t) for t in (case.fixed, case.moving, case.warped))
        images = (fixed, moving, warped, _plane(case.aligned), checkerboard(fixed, moving),
                  checkerboard(fixed, warped), _plane(case.fused))
        for axis, title, image in zip(row, titles, images):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set_title(title, fontsize=7)
        draw_grid(row[-1], case.flow)
        n = case.numbers
        row[-1].set_title(f"EPE {n['epe_before']:.1f}>{n['epe_after']:.1f}", fontsize=7)
        row[0].set_title(case.name, fontsize=7)
        for axis in row:
            axis.set_axis_off()
    figure.tight_layout(pad=0.2)
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


def draw_grid(axis: "object", flow: Tensor, step: int = 16) -> None:
    dx, dy = flow[0, 0].numpy(), flow[0, 1].numpy()
    y, x = np.indices(dx.shape)
    draw = axis  # a matplotlib axis
    for k in range(0, dx.shape[0], step):
        draw.plot((x + dx)[k], (y + dy)[k], color="k", lw=0.5)  # type: ignore[attr-defined]
        draw.plot((x + dx)[:, k], (y + dy)[:, k], color="k", lw=0.5)  # type: ignore[attr-defined]
    draw.set_ylim(dx.shape[0], 0)  # type: ignore[attr-defined]
    draw.set_xlim(0, dx.shape[1])  # type: ignore[attr-defined]
    draw.set_aspect("equal")  # type: ignore[attr-defined]
