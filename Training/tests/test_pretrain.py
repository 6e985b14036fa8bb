"""Pre-training on a folder of drawn pairs: it runs, and resumes to the same numbers."""
import numpy as np
import pytest
import torch
from PIL import Image

from bsafusion import pretrain
from bsafusion.data import SETS


def folder(root):
    y, x = np.mgrid[:256, :256]
    for number, name in enumerate(SETS):
        for split in ("train", "val"):
            head = (x - 128) ** 2 + 1.2 * (y - 120 - 8 * number) ** 2 < 90**2
            fixed = (head * (90 + 80 * ((x // 16 + y // 16) % 2))).astype(np.uint8)
            moving = np.where(head, 200 - fixed // 2, 0).astype(np.uint8)
            for part, image in (("MRI", fixed), (name, moving)):
                path = root / f"{name}-MRI" / split / part
                path.mkdir(parents=True)
                Image.fromarray(image).convert("RGB").save(path / "1001.png")
    return root


def run(root, name, *more):
    pretrain.main(["--data", str(root / "data"), "--run", str(root / name), "--samples", "16",
                   "--batch", "4", *more])
    return torch.load(str(root / name / "last.pt"))


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_pretraining_runs_and_resumes_to_the_same_numbers(tmp_path, monkeypatch):
    folder(tmp_path / "data")
    monkeypatch.setattr(pretrain, "SAVE", 1)
    whole = run(tmp_path, "whole")
    assert whole["step"] == 4 and (tmp_path / "whole" / "curves.png").exists()
    assert all(torch.isfinite(value).all() for value in whole["model"].values())
    stored = pretrain.read_average(pretrain.Local(), str(tmp_path / "whole" / "local.safetensors")).state_dict()
    assert all(torch.allclose(value, stored[name], rtol=1e-3, atol=1e-6) for name, value in whole["average"].items())
    draw = pretrain.Source.draw

    def killed(source, step, count):
        if step == 2:
            raise KeyboardInterrupt
        return draw(source, step, count)

    monkeypatch.setattr(pretrain.Source, "draw", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "cut")
    monkeypatch.setattr(pretrain.Source, "draw", draw)
    resumed = run(tmp_path, "cut")
    assert same(whole["model"], resumed["model"]) and same(whole["average"], resumed["average"])


def test_a_teacher_of_one_modality_changes_what_is_learned(tmp_path):
    folder(tmp_path / "data")
    mono = run(tmp_path, "mono", "--mono")
    taught = run(tmp_path, "taught", "--teacher", str(tmp_path / "mono" / "last.pt"))
    assert not same(mono["model"], taught["model"])
    with open(tmp_path / "taught" / "curves.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"
    assert all(torch.isfinite(value).all() for value in taught["model"].values())
