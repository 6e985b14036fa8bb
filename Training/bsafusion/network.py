"""The four nets together, as one module whose parameter names are the shipped ones."""
from __future__ import annotations

from typing import Dict, NamedTuple, Optional

import torch
from torch import Tensor, nn

from .encoder import Encoder, Restormer
from .fusion import FusionNet
from .registration import Alignment, CrossAttention, RegistrationNet
from .transfer import Transferred, TransferNet

NETS = ("encoder", "transfer", "reg_net", "fusion_net")
BACKGROUND = 0.06  # of the range of grey values: what is darker in both images is not looked at


def damping(flow: Tensor, fixed: Tensor, moving: Tensor, noise: float) -> Tensor:
    """(B, 1, 1, 1): max(0, 1 - noise^2 / mean |flow|^2), the mean over what is bright in either image.

    The estimator of James and Stein (1961, positive part): a flow no longer than what the network sees in pairs
    that lie right already says nothing, a much longer one is hardly changed. `noise` is a length in pixels.
    """
    bright = torch.maximum(fixed, moving - moving.amin((2, 3), keepdim=True)) > BACKGROUND
    inside = bright.to(flow.dtype)
    energy = (flow.pow(2).sum(1, keepdim=True) * inside).sum((2, 3), keepdim=True)
    share = noise**2 * inside.sum((2, 3), keepdim=True) / energy.clamp(min=1e-12)
    return (1 - share).clamp(min=0)


class Output(NamedTuple):
    fused: Optional[Tensor]  # (B, 1, S, S) in (0, 1)
    alignment: Alignment
    tokens: Transferred
    shallow1: Tensor
    shallow2: Tensor


class BSAFusion(nn.Module):
    """Fixed image 1 and moving image 2, (B, 1, S, S) in 0...1, S a multiple of 16 and >= 32.

    `noise`: see `damping`; 0 leaves every flow as it is, which is the published network. `noises` has it for moving
    images of some modalities (DICOM's Modality, as "PT"), of which `noise` is not true.
    """

    def __init__(self, dropout: float = 0.1, noise: float = 0.0) -> None:
        super().__init__()
        self.noise = noise
        self.noises: Dict[str, float] = {}
        self.encoder = Encoder()
        self.transfer = TransferNet(dropout)
        self.reg_net = RegistrationNet()
        self.fusion_net = FusionNet()

    def close_gates(self, encoder: bool = True, cross: bool = True) -> None:
        """Start with the identity part of encoder blocks and cross attention only: a cheaper
        graph that computes exactly what the full one does with those weights."""
        for module in self.encoder.modules():
            if encoder and isinstance(module, Restormer):
                module.close()
        for module in self.reg_net.modules():
            if cross and isinstance(module, CrossAttention):
                nn.init.zeros_(module.conv1[0].weight)
                nn.init.zeros_(module.conv1[0].bias)
                module.closed = True

    def skip_idle(self) -> None:
        """Leaves out what the present weights make idle: same results, less work."""
        def zero(*layers: nn.Module) -> bool:
            return not any(bool(p.any()) for layer in layers for p in layer.parameters())

        for module in self.modules():
            if isinstance(module, Restormer):
                module.mdta.closed = zero(module.mdta.conv4)
                module.closed = module.mdta.closed and zero(module.gdfn.conv)
            elif isinstance(module, CrossAttention):
                module.closed = zero(module.conv1)
        self.reg_net.levels = 5
        while self.reg_net.levels > 1 and all(
                zero(getattr(self.reg_net, f"f{side}_FR{self.reg_net.levels}").flow_output)
                for side in (1, 2)):
            self.reg_net.levels -= 1
        last = self.fusion_net.F4
        self.fusion_net.quiet = last.closed and zero(last.mlp)

    def open_gates(self) -> None:
        """From here on the full graph is computed. Cross attention gets fresh weights; its
        share is about 1/(H W) of them, so the function hardly changes."""
        for module in self.modules():
            if isinstance(module, Restormer):
                module.closed = module.mdta.closed = False
            elif isinstance(module, CrossAttention) and module.closed:
                module.conv1[0].reset_parameters()
                module.closed = False

    def forward(self, image1: Tensor, image2: Tensor, fuse: bool = True, modality: str = "") -> Output:
        """`modality`: of image 2, where it is known."""
        shallow1, feature1 = self.encoder(image1)
        shallow2, feature2 = self.encoder(image2)
        tokens = self.transfer(feature1, feature2)
        alignment = self.reg_net(tokens.x1, tokens.x2)
        noise = self.noises.get(modality, self.noise)
        if noise > 0:
            flow = alignment.flow
            alignment = alignment._replace(flow=flow * damping(flow, image1, image2, noise))
        fused = None
        if fuse:
            fused = self.fusion_net(shallow1, shallow2, tokens.au, tokens.bu, alignment.flow)
        return Output(fused, alignment, tokens, shallow1, shallow2)
