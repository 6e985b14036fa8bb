"""The network as an ONNX graph for other runtimes, as published or folded. Weights stay 32-bit floats.

Inputs `fixed` and `moving` (1, 1, S, S) in 0...1; outputs `fused` (1, 1, S, S), `flow` (1, 2, S, S) in pixels and
`aligned` (1, 1, S, S). The side is fixed in the graph.

Example: python -m bsafusion.onnx ../Models/bsafusion-joint.safetensors plain.onnx --folded folded.onnx
"""
from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn

from .encoder import ChannelAttention
from .export import load_network
from .folded import Folded
from .network import BSAFusion
from .samplers import warp_image

OPSET = 18


class Plain(nn.Module):
    """The whole network as its modules compute it, with the aligned image."""

    def __init__(self, net: BSAFusion) -> None:
        super().__init__()
        self.net = net

    def forward(self, image1: Tensor, image2: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        out = self.net(image1, image2)
        return out.fused, out.alignment.flow, warp_image(image2, out.alignment.flow)


def single_precision(net: BSAFusion) -> BSAFusion:
    """Attention logits as the published network has them: not in double."""
    for module in net.modules():
        if isinstance(module, ChannelAttention):
            module.exact = False
    return net


def write_graph(module: nn.Module, path: str, side: int) -> None:
    images = (torch.zeros(1, 1, side, side), torch.zeros(1, 1, side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes become constants, which is what is wanted
        torch.onnx.export(
            module.eval(), images, path, opset_version=OPSET, dynamo=False,
            input_names=["fixed", "moving"], output_names=["fused", "flow", "aligned"])


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Exports a model as ONNX.")
    parser.add_argument("model", help="safetensors or a run's last.pt")
    parser.add_argument("output", help="the graph as published")
    parser.add_argument("--folded", help="also writes the folded graph here")
    parser.add_argument("--side", type=int, default=256, help="of the images, a multiple of 16")
    given = parser.parse_args(arguments)
    net = single_precision(load_network(given.model))
    with torch.no_grad():
        write_graph(Plain(net), given.output, given.side)
        if given.folded:
            write_graph(Folded(net), given.folded, given.side)
    for path in (given.output, given.folded):
        if path:
            print(path, f"{Path(path).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
