"""Pre-training on a folder of drawn pairs: it runs, and resumes to the same numbers."""
import numpy as np
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


def test_pretraining_runs_and_resumes_to_the_same_numbers(tmp_path):
    data = folder(tmp_path / "data")

    def run(name, samples):
        pretrain.main(["--data", str(data), "--run", str(tmp_path / name), "--samples", str(samples),
                       "--batch", "4"])
        return torch.load(str(tmp_path / name / "last.pt"))

    first = run("whole", 16)
    again = run("whole", 16)  # there is nothing left to do
    assert first["step"] == again["step"] == 4
    assert (tmp_path / "whole" / "curves.png").exists()
    for name, value in first["model"].items():
        assert torch.isfinite(value).all() and torch.equal(value, again["model"][name]), name
