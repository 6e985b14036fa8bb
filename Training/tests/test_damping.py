"""Weak flows made weaker: the factor in closed form, and that a file keeps its noise."""
import torch

from bsafusion import weights
from bsafusion.export import NOISE, load_network, write
from bsafusion.network import BSAFusion, damping


def image(*values):
    return torch.tensor(values).view(1, 1, 1, -1)


def test_the_factor_is_that_of_james_and_stein_over_what_is_bright_in_either_image():
    flow = torch.tensor([[2, 0.6, 9, 9], [0, 0.8, 0, 0]]).view(1, 2, 1, 4)
    fixed, moving = image(0.5, 0, 0.06, 0), image(0.0625, 0.3, 0.0625, 0.12)
    assert abs(float(damping(flow, fixed, moving, 0.9)) - 0.676) < 1e-6
    assert float(damping(0.4 * flow, fixed, moving, 0.9)) == 0
    assert float(damping(0 * flow, fixed, moving, 0.9)) == 0


def test_a_file_keeps_its_noise_and_its_flows_are_damped(tmp_path):
    torch.manual_seed(1)
    net = BSAFusion(dropout=0.0).eval()
    pair = torch.rand(2, 1, 1, 32, 32)
    with torch.no_grad():
        plain = net(*pair, fuse=False).alignment.flow
        net.noise = float(plain.pow(2).sum(1).mean().sqrt()) / 2
        path = str(tmp_path / "damped.safetensors")
        write(net, "net", path, half=False)
        damped = load_network(path)(*pair, fuse=False).alignment.flow
    assert weights.metadata(path) == {NOISE: f"{net.noise:g}"}
    assert torch.allclose(damped, 0.75 * plain, rtol=0.05, atol=1e-5) and not torch.equal(damped, plain)


def test_a_modality_of_its_own_noise_has_that(tmp_path):
    torch.manual_seed(1)
    net = BSAFusion(dropout=0.0).eval()
    pair = torch.rand(2, 1, 1, 32, 32)
    net.noise, net.noises = 1e3, {"PT": 0.0}
    path = str(tmp_path / "noises.safetensors")
    write(net, "net", path, half=False)
    again = load_network(path)
    assert again.noise == 1e3 and again.noises == {"PT": 0.0}
    with torch.no_grad():
        assert not bool(again(*pair, fuse=False).alignment.flow.any())
        assert bool(again(*pair, fuse=False, modality="PT").alignment.flow.any())
