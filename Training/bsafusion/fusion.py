"""Multi-modal feature fusion (MMFF): coarse-to-fine fusion under a given flow. No alignment."""
from __future__ import annotations

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import Restormer
from .samplers import double, field_to_level, warp_network

CHANNELS = (256, 64, 32, 16, 12)


class FusionUp(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up1 = nn.Sequential(nn.Identity(), nn.Conv2d(inputs, outputs, 1))
        self.up3 = nn.Sequential(nn.Identity(), nn.Conv2d(outputs, outputs, 1))

    def source(self, x: Tensor) -> Tensor:
        """1x1 convolution and bilinear upsampling commute; the cheap order is taken."""
        return F.relu(double(self.up1(x), align_corners=False))

    def fused(self, g: Tensor) -> Tensor:
        return F.relu(double(self.up3(g), align_corners=False))


class FusionNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.F1 = Restormer(2 * CHANNELS[0], CHANNELS[1])
        self.F2 = Restormer(3 * CHANNELS[1], CHANNELS[2])
        self.F3 = Restormer(3 * CHANNELS[2], CHANNELS[3])
        self.F4 = Restormer(3 * CHANNELS[3], CHANNELS[4])
        for k in range(1, 4):
            setattr(self, f"up_sample{k}", FusionUp(CHANNELS[k - 1], CHANNELS[k]))
        self.quiet = False  # skips the coarse branch: exact while F4 gives zero
        # the last layer's values that mean black and white; without them their logistic function is the picture
        self.levels: Optional[Tuple[float, float]] = None
        self.outLayer = nn.Sequential(Restormer(CHANNELS[4] + 16, 12), Restormer(12, 1))

    def forward(self, shallow1: Tensor, shallow2: Tensor, au: Tensor, bu: Tensor,
                flow: Tensor) -> Tensor:
        """Shallow features (B, 8, S, S), tokens as maps (B, 256, S/16, S/16) -> (B, 1, S, S)."""
        if self.quiet:
            g = shallow1.new_zeros(shallow1.shape[0], CHANNELS[4], *shallow1.shape[-2:])
        else:
            g = double(self._coarse(au, bu, flow), align_corners=False)
        z = torch.cat((g, shallow1, warp_network(shallow2, flow)), 1)
        return self.shown(self.outLayer(z))

    def shown(self, values: Tensor) -> Tensor:
        """The last layer's values as grey values in 0...1."""
        if self.levels is None:
            return torch.sigmoid(values)
        black, white = self.levels
        return ((values - black) / (white - black)).clamp(0, 1)

    def _coarse(self, au: Tensor, bu: Tensor, flow: Tensor) -> Tensor:
        """From S/16 to S/2: (B, 12, S/2, S/2)."""
        g = self.F1(torch.cat((au, warp_network(bu, field_to_level(flow, 16))), 1))
        for k in range(1, 4):
            up = getattr(self, f"up_sample{k}")
            au, bu, g = up.source(au), up.source(bu), up.fused(g)
            warped = warp_network(bu, field_to_level(flow, 16 >> k))
            g = getattr(self, f"F{k + 1}")(torch.cat((au, warped, g), 1))
        return g
