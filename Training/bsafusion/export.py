"""A checkpoint as safetensors with the shipped names. No training state goes with it.

Example: python -m bsafusion.export ../runs/ours/last.pt model.safetensors --float16
"""
from __future__ import annotations

import argparse
import hashlib
from typing import Dict, List, Optional

import numpy as np
import torch

from . import weights
from .network import BSAFusion

TENSORS = 466
NOISE = "flow_noise_px"  # keys of the file's metadata; with ".PT" behind it for moving images of that modality
LEVELS = "fused_levels"


def read_checkpoint(path: str) -> Dict[str, torch.Tensor]:
    """Averaged weights where the run kept an average."""
    if path.endswith(".safetensors"):
        return {k: torch.from_numpy(v).float() for k, v in weights.load(path).items()}
    state = torch.load(path, map_location="cpu")
    return {**state["net"], **state["average"]}


def said(net: BSAFusion) -> Dict[str, str]:
    """What weights say of themselves beside their tensors: nothing, for the network as published."""
    words = {NOISE: f"{net.noise:g}"} if net.noise > 0 else {}
    words.update({f"{NOISE}.{modality}": f"{noise:g}" for modality, noise in net.noises.items()})
    if net.fusion_net.levels:
        words[LEVELS] = "{:g} {:g}".format(*net.fusion_net.levels)
    return words


def hear(net: BSAFusion, path: str) -> None:
    """Gives `net` what a checkpoint says of itself (`said`)."""
    words = weights.metadata(path) if path.endswith(".safetensors") else torch.load(path).get("said", {})
    net.noise = float(words.get(NOISE, 0))
    net.noises = {key[len(NOISE) + 1:]: float(word) for key, word in words.items() if key.startswith(NOISE + ".")}
    levels = [float(word) for word in words.get(LEVELS, "").split()]
    net.fusion_net.levels = (levels[0], levels[1]) if levels else None


def load_network(path: str) -> BSAFusion:
    net = BSAFusion(dropout=0.0)
    hear(net, path)
    net.load_state_dict(read_checkpoint(path), strict=True)
    return net.eval()


def write(net: BSAFusion, source: str, target: str, half: bool) -> str:
    """Writes `target`, returns its SHA-256. Refuses what is not finite or does not fit, naming `source`."""
    kind = np.float16 if half else np.float32
    tensors = {}
    for name, tensor in net.state_dict().items():
        array = tensor.detach().cpu().numpy().astype(kind)
        if not np.isfinite(array).all():
            raise ValueError(f"{source}: {name} is not finite as {kind.__name__}")
        tensors[name] = array
    if len(tensors) != TENSORS:
        raise ValueError(f"{source}: {len(tensors)} tensors, {TENSORS} belong to the network")
    weights.save(target, tensors, said(net))
    with open(target, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def export(source: str, target: str, half: bool) -> str:
    """Writes the network of a checkpoint as `write` does."""
    return write(load_network(source), source, target, half)


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Exports a checkpoint as safetensors.")
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    parser.add_argument("--float16", action="store_true")
    given = parser.parse_args(arguments)
    print(export(given.checkpoint, given.output, given.float16), given.output)


if __name__ == "__main__":
    main()
