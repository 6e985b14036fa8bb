"""The small fusion network inside the large one, and the measures it learns from."""
import numpy as np
import pytest
import torch
from torch import Generator

from bsafusion import fusing, measured, metrics
from bsafusion.blend import Blend, extract, install, largest_difference
from bsafusion.coarse import prepare_coarse
from bsafusion.data import Pairs
from bsafusion.export import load_network, said, write
from bsafusion.install import install as install_alignment
from bsafusion.local import Local
from bsafusion.network import BSAFusion


def network():
    torch.manual_seed(4)
    net = BSAFusion(dropout=0.0).eval()
    install_alignment(net, Local())
    return net


def pairs(side=64):
    gen = Generator().manual_seed(3)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    head = ((x - side / 2) ** 2 + (y - side / 2) ** 2 < (0.4 * side) ** 2).float()
    images = head * (0.3 + 0.5 * torch.rand(6, 1, side // 8, side // 8, generator=gen)
                     .repeat_interleave(8, 2).repeat_interleave(8, 3))
    return Pairs(images[:3], images[3:], torch.arange(3), ["a", "b", "c"])


def test_the_installed_network_fuses_as_the_small_one():
    net, model = network(), Blend()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    install(net, model)
    fixed, moving = torch.rand(2, 1, 1, 256, 256) * torch.linspace(0, 1, 256).clamp(min=0.3).sub(0.3)
    assert largest_difference(net, model, fixed, moving) < 1e-3
    net.skip_idle()
    assert largest_difference(net, model, fixed, moving) < 1e-3


def test_what_was_installed_is_read_back():
    net, model = network(), Blend()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    install(net, model)
    again = extract(net).state_dict()
    for name, value in model.state_dict().items():
        assert torch.allclose(again[name], value, atol=1e-5), name


def test_its_loss_falls_and_a_resumed_run_gives_the_same_numbers(tmp_path):
    torch.set_num_threads(1)
    net = network()
    prepare_coarse(net)
    pool = fusing.make_pool(net, pairs(), 64, 6, Generator().manual_seed(1))

    def run(folder, *stops):
        for steps in stops:
            torch.manual_seed(1)
            model = Blend()
            fusing.train(model, pool, tmp_path / folder, steps, 2, (5e-3, 5e-3))
        return model.state_dict()

    whole, parts = run("whole", 20), run("parts", 8, 20)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    z, seen = pool
    judge = lambda model: float(fusing.loss(model(z), z[:, -2:-1], seen)[0])  # noqa: E731
    torch.manual_seed(1)
    first, last = Blend(), Blend()
    last.load_state_dict(whole)
    with torch.no_grad():
        assert judge(last) < judge(first) - 0.02


@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_the_losses_are_the_measures(noise):
    rng = np.random.default_rng(1)
    a = np.clip(np.add.outer(np.linspace(0, 0.6, 96), np.linspace(0, 0.3, 96)) + 0.05 * rng.random((96, 96)), 0, 1)
    b = np.clip(a.T[::-1] ** 2 + 0.05 * rng.random((96, 96)), 0, 1)
    fused = np.clip(0.7 * a + 0.3 * b + noise * rng.random((96, 96)), 0, 1)
    planes = [torch.from_numpy(p)[None, None] for p in (a, b, fused)]
    sources, image = planes[:2], planes[2]
    want = metrics.ssim(a, fused) + metrics.ssim(b, fused)
    assert float(measured.ssim(sources, image)) == pytest.approx(want, abs=1e-4)
    want = [metrics.vif(a, fused), metrics.vif(b, fused)]
    assert measured.vif(sources, image)[:, 0].tolist() == pytest.approx(want, abs=0.01)
    assert float(measured.q_abf(sources, image)) == pytest.approx(metrics.q_abf(a, b, fused), abs=0.03)
    assert float(measured.q_s(sources, image)) == pytest.approx(metrics.q_s(a, b, fused), abs=0.01)


def test_q_s_is_perfect_in_flat_windows_and_bounded_in_bright_ones():
    flat = torch.full((1, 1, 64, 64), 0.7137)  # its covariance is rounding only, and not small
    flat[..., 32:] = 0.0625
    other = 0.77 * flat
    assert -1 <= float(measured.q_s([flat, other], flat)) <= 1
    assert float(measured.q_s([flat, flat], flat)) == pytest.approx(1, abs=0.2)
    grain = (flat + torch.rand(1, 1, 64, 64, generator=Generator().manual_seed(2)) / 255).clamp(0, 1)
    assert -1 <= float(measured.q_s([flat, other], grain)) <= 1
    rounded = fusing.shown(grain.requires_grad_())
    assert torch.equal((255 * rounded).round(), (255 * grain).round())
    rounded.sum().backward()
    assert bool((grain.grad == 1).all())


def test_dim_luminance_takes_little_and_bright_takes_the_place():
    fixed = torch.full((2, 1, 8, 8), 0.6)
    seen = torch.full((2, 1, 8, 8), fusing.BLACK)
    seen[..., 4:] = torch.tensor([1.0, 0.35]).view(2, 1, 1, 1)
    target, near = fusing.wanted(fixed, seen)
    assert target[0, 0, 0, 4:].tolist() == pytest.approx([1.0] * 4)
    assert target[1, 0, 0, 4:].tolist() == pytest.approx([0.6] * 4, abs=0.02)
    assert torch.equal(target[..., :4], fixed[..., :4])
    assert near[0, 0, 0, ::7].tolist() == [fusing.GREY[1], fusing.GREY[1] + fusing.GREY_HOT]
    assert fusing.wanted(0 * fixed, seen)[0][0, 0, 0, ::7].tolist() == [0, 1]  # hot over dark
    grey = torch.cat((torch.zeros(2, 1, 8, 4), seen[..., 4:]), 3)  # black at zero: the larger of both
    target, near = fusing.wanted(fixed, grey)
    assert torch.equal(target, torch.maximum(fixed, grey)) and bool((near == fusing.GREY[0]).all())


def test_values_beyond_black_and_white_are_clamped_and_still_learn():
    model, z = Blend(), torch.rand(1, 9, 16, 16)
    with torch.no_grad():
        model.lin.bias.fill_(3)
    shown = model.eval()(z)
    assert bool((shown == 1).all())
    assert torch.equal(model.train()(z), shown)
    model(z).sum().backward()
    assert float(model.lin.bias.grad) == pytest.approx(0.05 * 256, rel=1e-3)


def test_a_file_keeps_its_levels_and_one_without_is_shown_as_published(tmp_path):
    net, plain = network(), network()
    install(net, Blend())
    for kept, name in ((net, "levels"), (plain, "published")):
        path = str(tmp_path / f"{name}.safetensors")
        write(kept, name, path, half=False)
        assert load_network(path).fusion_net.levels == kept.fusion_net.levels
        values = torch.tensor([-5.0, -4.0, 2.0, 9.0])
        shown = load_network(path).fusion_net.shown(values)
        assert torch.allclose(shown, torch.tensor([0, 0, 0.75, 1]) if name == "levels" else torch.sigmoid(values))
    with pytest.raises(ValueError, match="levels"):
        extract(plain)
    torch.save({"net": net.state_dict(), "average": {}, "said": said(net)}, str(tmp_path / "last.pt"))
    assert load_network(str(tmp_path / "last.pt")).fusion_net.levels == net.fusion_net.levels
