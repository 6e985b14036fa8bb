"""The small network inside the large one: both give the same fields."""
import torch

from bsafusion import start
from bsafusion.install import install, largest_difference
from bsafusion.local import FEATURE, Local
from bsafusion.network import BSAFusion


def test_the_installed_network_computes_the_small_ones_fields():
    torch.manual_seed(4)
    net, model = BSAFusion(dropout=0.0), Local()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    install(net, model)
    fixed, moving = torch.rand(2, 1, 1, 256, 256) * torch.linspace(0.2, 1, 256)
    # fields of nearly ±1 from noise; tokens are rounded beside the ballast
    assert largest_difference(net, model, fixed, moving) < 5e-3


def test_features_that_have_grown_do_not_change_where_attention_looks():
    torch.manual_seed(6)
    net, model = BSAFusion(dropout=0.0), Local()
    with torch.no_grad():
        for step in (*model.trunk, *model.images[0], *model.images[1]):
            step.second.weight.mul_(15)
    sizes = []
    for step in model.images[0]:
        step.register_forward_hook(lambda _, given, result: sizes.append(result[..., FEATURE].std(-1).max()))
    install(net, model)
    fixed, moving = torch.rand(2, 1, 1, 256, 256) * torch.linspace(0.2, 1, 256)
    with torch.no_grad():
        model(*(torch.nn.functional.avg_pool2d(image, 2) for image in (fixed, moving)))
    assert max(sizes) > 30
    assert largest_difference(net, model, fixed, moving) < 1e-3


def test_idle_parts_are_skipped_without_changing_anything():
    torch.manual_seed(5)
    net = BSAFusion(dropout=0.0).eval()
    start.prepare_fusion(net)
    install(net, Local())
    fixed, moving = torch.rand(2, 1, 1, 256, 256)
    for module in net.modules():
        if hasattr(module, "closed"):
            module.closed = False
    with torch.no_grad():
        full = net(fixed, moving)
        net.skip_idle()
        quick = net(fixed, moving)
    assert net.reg_net.levels == 1 and net.fusion_net.quiet and net.encoder.rb1.closed
    assert (full.fused - quick.fused).abs().max() < 1e-4
    assert (full.alignment.flow - quick.alignment.flow).abs().max() < 1e-3
