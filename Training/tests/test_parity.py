"""The twin against the reference numbers of the published network."""
import os
from pathlib import Path

import pytest
import torch

from bsafusion import weights
from bsafusion.colour import rgb_to_ycbcr
from bsafusion.network import BSAFusion
from bsafusion.samplers import warp_image, warp_network

ROOT = Path(os.environ.get("FUSELINE_PARITY", Path(__file__).parents[3] / "shared" / "parity"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "weights.safetensors").exists(), reason="../shared/parity is absent")


@pytest.fixture(scope="module")
def model():
    net = BSAFusion()
    stored = {k: torch.from_numpy(v) for k, v in weights.load(str(ROOT / "weights.safetensors")).items()}
    net.load_state_dict(stored, strict=True)
    return net.eval()


@pytest.mark.parametrize("name", ["pet32", "ct64", "pet256"])
def test_every_stage_matches_the_reference(model, name):
    want = {k: torch.from_numpy(v) for k, v in weights.load(str(ROOT / f"{name}.safetensors")).items()}
    image1, image2 = want["in.img1"], want["in.img2"]
    with torch.no_grad():
        out = model(image1, image2)
    tokens, alignment = out.tokens, out.alignment
    got = {"enc.AS_F": out.shallow1, "enc.BS_F": out.shallow2, "cls.pre1": tokens.pre1,
           "cls.pre2": tokens.pre2, "classifier.AU": tokens.au, "classifier.BU": tokens.bu,
           "transfer.x1": tokens.x1, "transfer.x2": tokens.x2}
    with torch.no_grad():
        got["disc.pred1"] = model.transfer.modal_dis.judge(tokens.tokens1)
        got["disc.pred2"] = model.transfer.modal_dis.judge(tokens.tokens2)
    got.update({f"flow{i + 1}": f for i, f in enumerate(alignment.fields)})
    large = name.endswith("256")
    compared = 0
    for key, tensor in got.items():
        if key in want:
            compared += 1
            limit = 3e-3 if large else 1e-4
            assert (tensor - want[key]).abs().max() <= limit, key
    assert compared >= 12
    for key, tensor in (("flow", alignment.flow), ("fusion", out.fused)):
        error = (tensor - want[f"ref64.{key}"]).abs()
        assert error.max() <= (3e-3 if large else 2e-4), key
        assert error.mean() <= 1e-4, key
    warped = {"warped_img2.test_Warper2d": warp_network(image2, want["flow"]),
              "warped_img2.train_warp2D": warp_image(image2, want["flow"])}
    for key, tensor in warped.items():
        assert (tensor - want[key]).abs().max() <= 1e-4, key
    if "in.pet_rgb" in want:
        assert (rgb_to_ycbcr(want["in.pet_rgb"]) - want["in.ycbcr"]).abs().max() <= 1e-6


def test_closed_gates_compute_what_the_full_graph_does():
    torch.manual_seed(1)
    net = BSAFusion().eval()
    net.close_gates()
    image1, image2 = torch.rand(2, 1, 1, 32, 32)
    with torch.no_grad():
        cheap = net(image1, image2)
        for module in net.modules():
            if hasattr(module, "closed"):
                module.closed = False
        full = net(image1, image2)
    assert (cheap.fused - full.fused).abs().max() <= 1e-6
    assert (cheap.alignment.flow - full.alignment.flow).abs().max() <= 1e-5
