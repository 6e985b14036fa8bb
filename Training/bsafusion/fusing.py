"""Trains the small fusion network of `blend` on what fusion is judged by. Its result goes into the
large one; the alignment's weights stay as they are.

Half of the pairs are as they are, half are turned, scaled and recoloured; the moving image comes
deformed and with the flow that undoes it, or with a wrong one (fusion has to be good where
alignment is partial, too). The whole image is seen, at half resolution first: the network
normalises planes over the image, so a square would teach it another brightness.

Example: python -m bsafusion.fusing --init model.safetensors --data DATA --run ../runs/fusion
The same line again resumes.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from . import deform, measured
from .blend import FIXED, Blend, extract, inputs, install
from .coarse import prepare_coarse
from .data import Intensity, Pairs, load_pairs, recolour, resized
from .export import load_network, said
from .journal import Journal
from .network import BSAFusion
from .samplers import warp_image
from .variety import dimmed, flattened, lesions, remnants, windowed

COMMON = deform.COMMON._replace(rotation=6, scale=0.08, translation=8)
INTENSITY = Intensity(gamma=0.25, gain=0.12, noise=0.0, offset=0.03)
FIELDS = 64  # deformations kept ready
SAVE = 50  # steps
QUALITY = 1.5  # share of Q_S in the loss
LESIONS, REMNANTS, FLAT, WINDOWED, DIMMED = 0.45, 0.08, 0.1, 0.15, 0.4  # shares of the samples, see `variety`
LUMINANCE = 0.028  # the least grey value of a luminance plane, recoloured or not, is above this
BLACK = 0.0625  # of a luminance plane
# Share of the distance to the wanted grey values, for luminance planes: with less, the moving image is given up.
GREY = (12.0, 40.0)
GREY_HOT = 800.0  # the same where a luminance plane is brightest, added
HOT = 0.7, 0.9  # of a luminance plane's range: what is brighter is shown as it is
PLACED, LEFT = 0.8, 0.5  # of a moving luminance plane where it is brightest, and of the fixed image under it


class Pool(NamedTuple):
    """Samples drawn once: making one costs as much as a step."""

    z: Tensor  # what the blend sees
    seen: Tensor  # the moving image under the flow it was given


def _recoloured(pairs: Pairs, count: int, gen: Generator) -> Tuple[Tensor, Tensor]:
    u = lambda: torch.rand(count, 1, 1, 1, generator=gen)  # noqa: E731
    kinds = [torch.nonzero(pairs.kind == k)[:, 0] for k in pairs.kind.unique()]
    pick = lambda among: among[int(torch.randint(len(among), (1,), generator=gen))]  # noqa: E731
    index = torch.stack([pick(pick(kinds)) for _ in range(count)])
    flip, changed = u() < 0.5, u() < 0.5
    fixed, moving = (torch.where(flip, i[index].flip(-1), i[index]) for i in (pairs.fixed, pairs.moving))
    fixed, moving = _other(fixed, moving, gen)
    common = torch.where(changed, deform.draw(count, fixed.shape[-1], COMMON, gen), torch.zeros(1))
    return (torch.where(changed, recolour(warp_image(fixed, common), INTENSITY._replace(offset=0.02), gen), fixed),
            torch.where(changed, recolour(warp_image(moving, common), INTENSITY, gen), moving))


def _other(fixed: Tensor, moving: Tensor, gen: Generator) -> Tuple[Tensor, Tensor]:
    """What the atlas does not have: small hot places, bodies that take up little, narrow windows, flat regions, nearly
    empty slices."""
    chance = lambda p: torch.rand(fixed.shape[0], 1, 1, 1, generator=gen) < p  # noqa: E731
    which = chance(FLAT)
    fixed, moving = (torch.where(which, flattened(image), image) for image in (fixed, moving))
    fixed = torch.where(chance(WINDOWED), windowed(fixed, gen), fixed)
    coloured = moving.amin((2, 3), keepdim=True) > LUMINANCE
    moving = torch.where(chance(DIMMED) & coloured, dimmed(moving, gen), moving)
    for change, share in ((remnants, REMNANTS), (lesions, LESIONS), (lesions, LESIONS)):
        which, other = chance(share), change(fixed, moving, gen)
        fixed, moving = (torch.where(which, new, old) for new, old in zip(other, (fixed, moving)))
    return fixed, moving


def make_pool(net: BSAFusion, pairs: Pairs, size: int, count: int, gen: Generator) -> Pool:
    pairs = resized(pairs, size)
    forward = deform.published(FIELDS, size // 2, gen)
    doubled = lambda f: 2 * F.interpolate(f, scale_factor=2, mode="bilinear", align_corners=False)  # noqa: E731
    forward, back = doubled(forward), doubled(deform.invert(forward))
    parts: List[Pool] = []
    for first in range(0, count, 4):
        some = min(4, count - first)
        u = lambda: torch.rand(some, 1, 1, 1, generator=gen)  # noqa: E731, B023
        fixed, moving = _recoloured(pairs, some, gen)
        which = torch.randint(FIELDS, (2, some), generator=gen)
        # a scaled field is undone by the scaled inverse nearly enough: what is seen is computed
        part = u() * (u() < 0.7)
        wrong = torch.where(u() < 0.5, torch.zeros(1), u() - 0.5)
        moved = warp_image(moving, part * forward[which[0]])
        flow = part * back[which[0]] + wrong * back[which[1]]
        parts.append(Pool(inputs(net, fixed, moved, flow), warp_image(moved, flow)))
    return Pool(*(torch.cat(p) for p in zip(*parts)))


def wanted(fixed: Tensor, seen: Tensor) -> Tuple[Tensor, Tensor]:
    """The grey values to stay near, (B, 1, S, S), and how near, (B, 1, S, S): the larger of both images. A luminance
    plane (black above zero: PET, SPECT), whose colour is laid over the fused plane anyway, takes its place by the cube
    of its brightness: dim ones take little. A small hot place in it counts for more than its few pixels."""
    luminance = seen.amin((1, 2, 3), keepdim=True) > LUMINANCE
    level = ((seen - BLACK) / (1 - BLACK)).clamp(min=0)
    bright, hot = level**3, ((level - HOT[0]) / (HOT[1] - HOT[0])).clamp(0, 1)
    mixed = (fixed * (1 - (1 - LEFT) * bright) + PLACED * bright).clamp(max=1)
    mixed = torch.lerp(mixed, torch.maximum(mixed, seen), hot)
    near = torch.where(luminance, GREY[1] + GREY_HOT * bright**2, torch.full_like(seen, GREY[0]))
    return torch.where(luminance, mixed, torch.maximum(fixed, seen)), near


def distance(image: Tensor, target: Tensor, near: Tensor) -> Tensor:
    """Of grey values, times `near`, and half of that of their differences across and down, (B)."""
    error = near * (image - target)
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    mean = lambda size: size.abs().mean((1, 2, 3))  # noqa: E731
    return mean(error) + 0.5 * (mean(across) + mean(down))


def shown(fused: Tensor) -> Tensor:
    """As a picture of 8 bits, with the gradient of the unrounded one: Q_S calls a window where both
    are flat perfect, and one where a thousandth is left of a gradient worthless."""
    return fused + ((255 * fused).round() / 255 - fused).detach()


def loss(fused: Tensor, fixed: Tensor, seen: Tensor) -> Tuple[Tensor, Dict[str, float]]:
    """The measures of both sources. Their sum rewards giving the moving image up for the fixed one, which by itself
    beats every fusion in most of them; the grey values keep it."""
    sources = [fixed, seen]
    edges, structure = measured.q_abf(sources, fused), measured.ssim(sources, fused)
    first, second = measured.vif(sources, fused)
    target, near = wanted(fixed, seen)
    grey = distance(fused, target, near)
    windows = measured.q_s(sources, shown(fused))
    kept = 2 * edges + first + second + 0.5 * structure + QUALITY * windows
    report = {"q_abf": edges, "vif1": first, "vif2": second, "ssim": structure, "q_s": windows, "grey": grey}
    return 5.5 + QUALITY - (kept - grey).mean(), {k: float(v.detach().mean()) for k, v in report.items()}


def train(model: Blend, pool: Pool, run: Path, steps: int, batch: int, rates: Tuple[float, float]) -> None:
    """Adam under half a cosine; the moving average is what counts. Resumes from `run`."""
    gen = Generator().manual_seed(5)
    optimizer = torch.optim.Adam(model.parameters(), lr=rates[0], betas=(0.9, 0.99))
    average = {k: v.clone() for k, v in model.state_dict().items()}
    run.mkdir(parents=True, exist_ok=True)
    journal, step, last = Journal(run), 0, run / "last.pt"
    model.train()
    if last.exists():
        state: Dict[str, Any] = torch.load(str(last))
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        gen.set_state(state["gen"])
        average, step = state["average"], state["step"]
        journal.cut(step * batch)
    while step < steps:
        cosine = 0.5 + 0.5 * math.cos(math.pi * step / steps)
        for group in optimizer.param_groups:
            group["lr"] = min((step + 1) / 30, 1.0) * (rates[1] + (rates[0] - rates[1]) * cosine)
        index = torch.randint(len(pool.z), (batch,), generator=gen)
        z = pool.z[index]
        term, report = loss(model(z), z[:, FIXED:FIXED + 1], pool.seen[index])
        optimizer.zero_grad(set_to_none=True)
        term.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in model.state_dict().items():
            average[name].lerp_(value, 1 - min(0.99, step / (step + 8)))
        journal.add("fusion", step * batch, {"loss": float(term.detach()), **report, "norm": float(norm)})
        if step % SAVE == 0 or step == steps:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                        "gen": gen.get_state(), "average": average, "step": step}, str(last) + ".part")
            Path(str(last) + ".part").replace(last)
            print(step * batch, journal.line(), flush=True)
    model.load_state_dict(average)
    model.eval()
    journal.flush()
    journal.draw()


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Trains the fusion and writes it into a network.")
    parser.add_argument("--init", required=True, help="weights with an installed alignment")
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True, help="folder; its network.pt is the result")
    parser.add_argument("--split", default="train", choices=["train", "subjects-train"])
    parser.add_argument("--limit", type=int, default=60, help="pairs per set; 0 = all")
    parser.add_argument("--half", type=int, nargs=2, default=[240, 4000], help="samples, steps at 128 px")
    parser.add_argument("--full", type=int, nargs=2, default=[112, 2500], help="samples, steps at 256 px")
    parser.add_argument("--from", dest="begin", help="a Blend's last.pt to go on from")
    parser.add_argument("--again", action="store_true", help="go on from the fusion that lies in --init")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    net, run = load_network(given.init), Path(given.run)
    model = extract(net) if given.again else Blend()
    net.skip_idle()
    if given.begin:
        model.load_state_dict(torch.load(given.begin)["average"])
    prepare_coarse(net)
    pairs = load_pairs(Path(given.data), given.split, limit=given.limit)
    for size, batch, (count, steps), rates in ((128, 2, given.half, (4e-3, 5e-4)),
                                               (256, 1, given.full, (1.3e-3, 1e-4))):
        if steps:
            pool = make_pool(net, pairs, size, count, Generator().manual_seed(size))
            train(model, pool, run / str(size), steps, batch, rates)
    install(net, model)
    torch.save({"net": net.state_dict(), "average": {}, "said": said(net)}, str(run / "network.pt"))


if __name__ == "__main__":
    main()
