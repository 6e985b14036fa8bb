"""Training: stages of a config, resumable to the same numbers. Evaluation is in evaluate.py.

Example: python -m bsafusion.train configs/ours.json --data ../../shared/data/harvard --run ../runs/ours
"""
from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from . import deform, fusing, pretrain, start, weights
from .config import Config, Stage, load_config
from .data import Intensity, Pairs, Sampler, load_pairs
from .export import hear, said
from .install import install
from .journal import Journal
from .local import Local
from .network import BSAFusion
from .objective import objective


def rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then half a cosine down to final_lr."""
    steps = max(1, stage.samples // stage.batch)
    if step < stage.warmup:
        return stage.lr * (step + 1) / stage.warmup
    done = (step - stage.warmup) / max(1, steps - stage.warmup)
    return stage.final_lr + (stage.lr - stage.final_lr) * 0.5 * (1 + math.cos(math.pi * min(1, done)))


def _factor(stage: Stage, name: str) -> float:
    hits = [p for p in stage.slow if name.startswith(p)]
    return stage.slow[max(hits, key=len)] if hits else 1.0


def make_optimizer(net: BSAFusion, stage: Stage) -> torch.optim.Optimizer:
    groups: Dict[float, List[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        learns = any(name.startswith(p) for p in stage.train) and ".modal_dis." not in name
        parameter.requires_grad_(learns)
        if learns:
            groups.setdefault(_factor(stage, name), []).append(parameter)
    return torch.optim.AdamW([{"params": p, "factor": f} for f, p in sorted(groups.items())],
                             lr=stage.lr, weight_decay=stage.decay)


class Trainer:
    def __init__(self, config: Config, pairs: Pairs, run: Path, device: str = "cpu") -> None:
        self.config, self.pairs, self.run, self.device = config, pairs, run, device
        torch.manual_seed(config.seed)
        self.net = BSAFusion(dropout=0.0)
        if config.start == "local":
            start.prepare_fusion(self.net)
        self.net.to(device)
        self.gen = torch.Generator().manual_seed(config.seed)
        self.stage_index, self.step, self.samples, self.balance = 0, 0, 0, 1.0
        self.optimizer: Optional[torch.optim.Optimizer] = None
        self.average: Dict[str, torch.Tensor] = {}
        run.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(run)

    def save(self) -> None:
        state: Dict[str, Any] = {
            "net": self.net.state_dict(), "stage": self.stage_index, "step": self.step,
            "samples": self.samples, "balance": self.balance, "average": self.average,
            "gen": self.gen.get_state(), "rng": torch.get_rng_state(), "said": said(self.net),
            "optimizer": self.optimizer.state_dict() if self.optimizer else None}
        part = self.run / "last.pt.part"
        torch.save(state, str(part))
        part.replace(self.run / "last.pt")

    def resume(self) -> bool:
        path = self.run / "last.pt"
        if not path.exists():
            return False
        state = torch.load(str(path), map_location="cpu")
        self.net.load_state_dict(state["net"])
        hear(self.net, str(path))
        self.stage_index, self.step = state["stage"], state["step"]
        self.samples, self.balance, self.average = state["samples"], state["balance"], state["average"]
        self.gen.set_state(state["gen"])
        torch.set_rng_state(state["rng"])
        if state["optimizer"] and self.stage_index < len(self.config.stages):
            self._enter(self.config.stages[self.stage_index])
            assert self.optimizer is not None
            self.optimizer.load_state_dict(state["optimizer"])
        self.journal.cut(self.samples)
        return True

    def begin_from(self, path: str) -> None:
        """Weights of another run (last.pt or safetensors), everything else from the start."""
        if path.endswith(".pt"):
            state = torch.load(path, map_location="cpu")
            values = {**state["net"], **state["average"]}
        else:
            values = {k: torch.from_numpy(v).float() for k, v in weights.load(path).items()}
        self.net.load_state_dict(values)
        hear(self.net, path)

    def begin_with_local(self, path: str) -> None:
        """The alignment learned by `pretrain`."""
        model = Local()
        model.load_state_dict(torch.load(path, map_location="cpu")["average"])
        install(self.net, model)

    def _enter(self, stage: Stage) -> None:
        if stage.gates == "closed":
            self.net.close_gates()
        else:
            self.net.open_gates()
        self.net.reg_net.levels = stage.levels
        self.net.fusion_net.quiet = stage.known_flow
        for module in self.net.transfer.modules():
            if hasattr(module, "dropout"):
                module.dropout = stage.dropout
        self.optimizer = make_optimizer(self.net, stage)

    def _sampler(self, stage: Stage) -> Sampler:
        return Sampler(self.pairs, stage.size, deform.Range(**stage.deformation), stage.mono,
                       Intensity(**stage.intensity), deform.COMMON._replace(**stage.common))

    def _advance(self, stage: Stage, sampler: Sampler) -> Dict[str, float]:
        assert self.optimizer is not None
        for group in self.optimizer.param_groups:
            group["lr"] = rate(stage, self.step) * group["factor"]
        sample = sampler.draw(stage.batch, self.gen)
        sample = type(sample)(*(t.to(self.device) for t in sample))
        loss, report = objective(self.net, sample, stage, self.balance)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        learning = [p for g in self.optimizer.param_groups for p in g["params"] if p.grad is not None]
        norm = nn.utils.clip_grad_norm_(learning, stage.clip or 1e9)
        self.optimizer.step()
        if stage.average:
            self._follow(stage.average)
        self.step += 1
        self.samples += stage.batch
        return {"loss": float(loss.detach()), **report, "norm": float(norm), "lr": rate(stage, self.step)}

    def _follow(self, decay: float) -> None:
        for name, parameter in self.net.named_parameters():
            if parameter.requires_grad:
                kept = self.average.setdefault(name, parameter.detach().clone())
                kept.lerp_(parameter.detach(), 1 - decay)

    def fit(self, save_every: float = 120.0, stop_after: int = 0, quiet: bool = False) -> None:
        """Runs to the end of the config, or until `stop_after` samples in all."""
        saved = time.monotonic()
        while self.stage_index < len(self.config.stages):
            stage = self.config.stages[self.stage_index]
            if self.optimizer is None:
                self._enter(stage)
            sampler = self._sampler(stage)
            steps = max(1, stage.samples // stage.batch)
            self.net.train()
            while self.step < steps:
                report = self._advance(stage, sampler)
                self.journal.add(stage.name, self.samples, report)
                if not quiet and sys.stderr.isatty():
                    print(f"\r{stage.name} {self.step}/{steps} {self.journal.line()}",
                          end="", file=sys.stderr)
                if time.monotonic() - saved > save_every:
                    self.save()
                    self.journal.flush()
                    saved = time.monotonic()
                if stop_after and self.samples >= stop_after:
                    self._leave()
                    return
            self.net.transfer.copy_discriminator()
            self.stage_index, self.step, self.optimizer = self.stage_index + 1, 0, None
        self._leave()

    def _leave(self) -> None:
        self.save()
        self.journal.flush()
        self.journal.draw()


def _pretrained(data: str, run: Path) -> str:
    """The small alignment network of this run, trained now where that has not been done."""
    folder = run / "alignment"
    if not (folder / "curves.png").exists():  # drawn at the end
        pretrain.main(["--data", data, "--run", str(folder)])
    return str(folder / "last.pt")


def _fused(trainer: Trainer, data: str) -> str:
    """The network with its small fusion trained and written in, made now where that is to do."""
    folder = trainer.run / "fusion"
    if not (folder / "network.pt").exists():  # written at the end
        aligned = trainer.run / "aligned.pt"
        torch.save({"net": trainer.net.state_dict(), "average": {}}, str(aligned))
        fusing.main(["--init", str(aligned), "--data", data, "--run", str(folder)])
    return str(folder / "network.pt")


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Trains BSAFusion; an interrupted run resumes.")
    parser.add_argument("config")
    parser.add_argument("--data", required=True, help="folder with CT-MRI, PET-MRI, SPECT-MRI")
    parser.add_argument("--run", required=True, help="folder of checkpoints and curves")
    parser.add_argument("--init", help="begin with these weights (last.pt or safetensors)")
    parser.add_argument("--local", help="last.pt of a pretrain run; else one is made")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    config = load_config(given.config)
    trainer = Trainer(config, load_pairs(Path(given.data), "train", config.sets), Path(given.run),
                      given.device)
    if not trainer.resume():
        if given.init:
            trainer.begin_from(given.init)
        elif config.start == "local":
            trainer.begin_with_local(given.local or _pretrained(given.data, Path(given.run)))
            trainer.begin_from(_fused(trainer, given.data))
    trainer.fit()


if __name__ == "__main__":
    main()
