"""Momentum whose update is made orthogonal: the optimiser of the small networks' weight matrices.

A gradient's few strong directions drown the others; here every direction of a matrix moves alike
(K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024).
"""
from __future__ import annotations

from typing import Any, Dict, List

import torch
from torch import Tensor

MOMENTUM = 0.95
STEPS = 5
# Of the odd quintic whose iteration brings singular values near 1 (same source): not exactly to 1, but soon.
QUINTIC = (3.4445, -4.7750, 2.0315)
# An orthogonal m × n matrix has entries of 1/√max(m, n); times this and the root they are as large as Adam's steps.
SIZE = 0.2
ADAM = (0.9, 0.99)
EPSILON = 1e-8


def orthogonal(matrix: Tensor) -> Tensor:
    """(m, n) -> the same with singular values near 1, by Newton and Schulz's iteration in bfloat16."""
    a, b, c = QUINTIC
    x = matrix.bfloat16()
    x = x / (x.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Matrices and filters (as matrices, one row an output) by orthogonal updates, vectors by Adam.

    A group whose "plain" is true is left to Adam whole: the layers at the end, whose outputs mean something.
    """

    def __init__(self, groups: List[Dict[str, Any]], lr: float, weight_decay: float = 1e-3) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "plain": False})

    def _adam(self, gradient: Tensor, state: Dict[str, Any]) -> Tensor:
        state["count"] = state.get("count", 0) + 1
        out = []
        for name, value, keep in zip(("mean", "square"), (gradient, gradient**2), ADAM):
            kept = state.setdefault(name, torch.zeros_like(gradient)).lerp_(value, 1 - keep)
            out.append(kept / (1 - keep ** state["count"]))
        return out[0] / (out[1].sqrt() + EPSILON)

    def _orthogonal(self, gradient: Tensor, state: Dict[str, Any]) -> Tensor:
        mean = state.setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(mean, MOMENTUM).flatten(1)
        return (orthogonal(ahead) * (SIZE * max(ahead.shape) ** 0.5)).view_as(gradient)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                by = self._adam if group["plain"] or parameter.ndim < 2 else self._orthogonal
                update = by(parameter.grad, self.state[parameter])
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])
