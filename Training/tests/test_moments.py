"""The small network inside the large one: both give the same fields."""
import torch

from bsafusion.install import install, largest_difference
from bsafusion.moments import Moments
from bsafusion.network import BSAFusion


def test_the_installed_network_computes_the_small_ones_fields():
    torch.manual_seed(4)
    net, model = BSAFusion(dropout=0.0), Moments()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    install(net, model)
    fixed, moving = torch.rand(2, 1, 1, 256, 256) * torch.linspace(0.2, 1, 256)
    assert largest_difference(net, model, fixed, moving) < 1e-3
