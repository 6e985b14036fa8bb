"""The network with its algebra done beforehand, for runtimes that get a graph. Inference only; it is not trained.

The same function in fewer products, as the Swift engine folds it: 1x1 then 3x3 as one 3x3 (a constant channel keeps the
borders exact), convolutions of one input joined, both images in one batch, the attention folded into conv4.
"""
from __future__ import annotations

from typing import List, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import Restormer, standardise
from .network import BSAFusion
from .registration import LEVELS, RegistrationLayer, leaky
from .samplers import double, field_to_full, field_to_level, warp_image, warp_network
from .transfer import to_map


def _composed(pair: nn.Sequential) -> Tuple[Tensor, Tensor]:
    """Weights (O, C + 1, 3, 3) of 1x1 then 3x3, the last input being 1 inside the image; and the bias."""
    first, second = pair[0], pair[1]
    outer = second.weight.double()
    inner = torch.cat((first.weight[:, :, 0, 0], first.bias[:, None]), 1).double()
    return torch.einsum("omyx,mi->oiyx", outer, inner).float(), second.bias


class Joined(nn.Module):
    """Convolutions of one input as one."""

    def __init__(self, parts: Sequence[Tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.cat([w for w, _ in parts]))
        self.bias = nn.Parameter(torch.cat([b for _, b in parts]))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, padding=1)


def _with_one(x: Tensor) -> Tensor:
    return torch.cat((x, torch.ones_like(x[:, :1])), 1)


class FoldedRestormer(nn.Module):
    def __init__(self, block: Restormer) -> None:
        super().__init__()
        attention, feed = block.mdta, block.gdfn
        self.mlp, self.output, self.project = block.mlp, attention.conv4, feed.conv
        self.channels = attention.conv4.weight.shape[0]
        parts = [attention.conv3]
        if self.channels > 1:
            parts = [attention.conv1, attention.conv2, attention.conv3]
        self.query_key_value = Joined([_composed(p) for p in parts])
        self.expand = Joined([_composed(feed.Dconv1), _composed(feed.Dconv2)])

    def attend(self, x: Tensor) -> Tensor:
        c = self.channels
        both = self.query_key_value(_with_one(standardise(x)))
        if c == 1:
            return x + self.output(both)
        query, key, value = both[:, :c].flatten(2), both[:, c:2 * c].flatten(2), both[:, 2 * c:]
        logits = torch.matmul(key, query.transpose(1, 2))
        weights = torch.softmax(logits.flatten(1), dim=1).view_as(logits)
        matrix = torch.matmul(self.output.weight[:, :, 0, 0], weights.transpose(1, 2))
        mixed = torch.matmul(matrix, value.flatten(2)).view_as(x)
        return x + mixed + self.output.bias.view(1, -1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attend(self.mlp(x))
        gate, linear = self.expand(_with_one(standardise(x))).chunk(2, 1)
        return x + self.project(F.gelu(gate) * linear)


class FoldedLayer(nn.Module):
    """A registration layer whose cross attention takes both roles in one batch."""

    def __init__(self, layer: RegistrationLayer) -> None:
        super().__init__()
        self.layer = layer
        first, second = layer.crossAtt1.conv1[0], layer.crossAtt1.conv2[0]
        self.gates = Joined([(first.weight, first.bias), (second.weight, second.bias)])

    def forward(self, d: Tensor, both: Tensor) -> Tuple[Tensor, Tensor]:
        layer = self.layer
        e = leaky(layer.conv1x1(both))
        p, r = F.relu(self.gates(torch.cat((d, e)))).chunk(2, 1)
        r = torch.cat((r[1:], r[:1]))
        gate = torch.softmax((p * r).flatten(2), -1).view_as(p)
        gated = p * gate
        s = layer.feature_output(gated[:1] + gated[1:] + d + e)
        field = torch.tanh(layer.flow_output(s))
        if layer.last:
            return d, field
        return leaky(double(layer.up1(s), align_corners=True)), field


class Folded(nn.Module):
    """Fixed and moving image (1, 1, S, S) -> fused (1, 1, S, S), flow (1, 2, S, S), aligned (1, 1, S, S)."""

    def __init__(self, net: BSAFusion) -> None:
        super().__init__()
        self.transfer, self.decoder, self.ups = net.transfer, net.fusion_net, net.reg_net.D
        self.rb1, self.rb2 = FoldedRestormer(net.encoder.rb1), FoldedRestormer(net.encoder.rb2)
        self.layers = nn.ModuleList([
            FoldedLayer(getattr(net.reg_net, f"f{side}_FR{level}"))
            for level in range(1, LEVELS + 1) for side in (1, 2)])
        last = net.fusion_net.outLayer
        blocks = [getattr(net.fusion_net, f"F{k}") for k in range(1, 5)] + [last[0], last[1]]
        self.blocks = nn.ModuleList([FoldedRestormer(b) for b in blocks])

    def tokens(self, features: Tensor) -> Tuple[Tensor, Tensor]:
        """Features (2, 3, S, S) -> maps before injection and after it, (2, 256, S/16, S/16) each."""
        classifier = self.transfer.classifier
        token, patches = classifier.read(classifier.embedding(features))
        t1, t2 = self.transfer.transfer(patches[:1], token[:1], patches[1:], token[1:])
        return to_map(patches), to_map(torch.cat((t1, t2)))

    def align(self, x: Tensor) -> Tensor:
        features, running = x, [x[:1], x[1:]]
        sums: List[Tensor] = []
        for level in range(LEVELS):
            both = features.reshape(1, -1, *features.shape[-2:])
            results = [self.layers[2 * level + side](running[side], both) for side in (0, 1)]
            running = [d for d, _ in results]
            fields = torch.cat([field for _, field in results])
            sums.append(field_to_full(fields, 2 ** (LEVELS - 1 - level)))
            if level < LEVELS - 1:
                features = getattr(self.ups, f"up{level + 1}")(warp_network(features, fields))
        total = torch.stack(sums).sum(0)
        return total[1:] - total[:1]

    def fuse(self, shallow: Tensor, maps: Tensor, flow: Tensor) -> Tensor:
        g = self.blocks[0](torch.cat((maps[:1], warp_network(maps[1:], field_to_level(flow, 16))), 1))
        for k in range(1, 4):
            up = getattr(self.decoder, f"up_sample{k}")
            maps, g = up.source(maps), up.fused(g)
            warped = warp_network(maps[1:], field_to_level(flow, 16 >> k))
            g = self.blocks[k](torch.cat((maps[:1], warped, g), 1))
        g = double(g, align_corners=False)
        z = torch.cat((g, shallow[:1], warp_network(shallow[1:], flow)), 1)
        return self.decoder.shown(self.blocks[5](self.blocks[4](z)))

    def forward(self, image1: Tensor, image2: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        shallow = self.rb1(torch.cat((image1, image2)))
        maps, transferred = self.tokens(self.rb2(shallow))
        flow = self.align(transferred)
        return self.fuse(shallow, maps, flow), flow, warp_image(image2, flow)
