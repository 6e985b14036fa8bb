"""A few steps at 32 px: the loss falls, and a resumed run gives the same numbers."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bsafusion import deform, metrics, weights
from bsafusion.config import load_config
from bsafusion.data import SETS, Pairs, Sampler
from bsafusion.export import export, load_network
from bsafusion.samplers import warp_image
from bsafusion.train import Trainer


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def pairs(count=4, side=32):
    """Discs with a stripe; the moving image is the inverted contrast."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    fixed = []
    for k in range(count):
        disc = ((x - 15.5) ** 2 + 1.3 * (y - 15.5 - k % 2) ** 2 < 120).float()
        fixed.append(disc * (0.4 + 0.4 * ((x + k * y) % 11 < 4).float()))
    image = torch.stack(fixed)[:, None]
    moving = (image > 0) * (1.1 - image)
    return Pairs(image, moving, torch.arange(count) % len(SETS), [f"CT/{k}" for k in range(count)])


def config(tmp_path: Path, **changes):
    stage = {"name": "tiny", "size": 32, "batch": 4, "samples": 96, "lr": 3e-4, "bf16": False,
             "fuse": True, "losses": {"field": 0.1, "fusion": 1.0, "smooth": 0.1},
             "deformation": {"translation": 4.0, "rotation": 2.0, "elastic": 1.0}}
    stage.update(changes)
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps({"name": "tiny", "seed": 3, "sets": list(SETS),
                                "start": "published", "stages": [stage]}))
    return load_config(str(path))


def test_the_loss_falls(tmp_path):
    trainer = Trainer(config(tmp_path, warmup=2), pairs(), tmp_path / "run")
    stage = trainer.config.stages[0]
    trainer._enter(stage)
    sampler = trainer._sampler(stage)
    losses = [trainer._advance(stage, sampler)["loss"] for _ in range(24)]
    assert np.mean(losses[-6:]) < 0.9 * np.mean(losses[:6])


def test_a_resumed_run_gives_the_same_numbers(tmp_path):
    whole = Trainer(config(tmp_path, samples=24), pairs(), tmp_path / "whole")
    whole.fit(quiet=True)
    first = Trainer(config(tmp_path, samples=24), pairs(), tmp_path / "parts")
    first.fit(stop_after=12, quiet=True)
    second = Trainer(config(tmp_path, samples=24), pairs(), tmp_path / "parts")
    assert second.resume()
    second.fit(quiet=True)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, second.net.state_dict()[name]), name


def test_an_exported_model_has_all_names_and_survives_the_way_back(tmp_path):
    trainer = Trainer(config(tmp_path, samples=4), pairs(), tmp_path / "run")
    trainer.fit(quiet=True)
    target = str(tmp_path / "model.safetensors")
    digest = export(str(tmp_path / "run" / "last.pt"), target, half=True)
    assert len(digest) == 64 and len(weights.load(target)) == 466
    net = load_network(target)
    for name, value in trainer.net.state_dict().items():
        assert torch.allclose(value, net.state_dict()[name], atol=1e-2, rtol=1e-3), name


def test_an_inverted_field_undoes_the_deformation():
    gen = torch.Generator().manual_seed(5)
    field = deform.draw(3, 64, deform.Range(still=0.0), gen)
    back = deform.invert(field, steps=30)
    through = back + warp_image(field, back)
    assert through[..., 16:-16, 16:-16].abs().max() < 0.05


def test_the_target_aligns_the_moving_image():
    gen = torch.Generator().manual_seed(6)
    sampler = Sampler(pairs(), 32, mono=0.0)
    sample = sampler.draw(8, gen)
    before = (sample.moving - sample.aligned).abs().mean()
    after = (warp_image(sample.moving, sample.target) - sample.aligned).abs().mean()
    assert after < 0.5 * before


def test_unknown_config_keys_are_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown keys"):
        config(tmp_path, learning_rate=1.0)


def test_measures_of_equal_images_are_ideal():
    image = np.random.default_rng(0).random((64, 64))
    assert metrics.ncc(image, image) == pytest.approx(1)
    assert metrics.ssim(image, image) == pytest.approx(1)
    assert metrics.vif(image, image) == pytest.approx(1, abs=1e-6)
    assert metrics.q_s(image, image, image) == pytest.approx(1)
    assert metrics.q_mi(image, image, image) == pytest.approx(2)
    assert metrics.q_cv(image, image, image) == pytest.approx(0)
    assert metrics.q_abf(image, image, image) > 0.95
