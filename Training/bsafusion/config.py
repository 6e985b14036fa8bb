"""What a run is made of: stages read from a JSON file. No defaults hidden elsewhere."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Dict, List


@dataclass
class Stage:
    name: str
    size: int
    batch: int
    samples: int
    lr: float
    final_lr: float = 0.0
    warmup: int = 0  # steps
    decay: float = 0.0  # AdamW's weight decay
    clip: float = 0.0  # largest gradient norm; 0 = none
    bf16: bool = False
    dropout: float = 0.0
    fuse: bool = True  # compute the fused image and its loss
    crop: int = 0  # fuse only a square of this side, cut on the token grid; 0 = the whole image
    known_flow: bool = False  # fuse under the true flow; registration is not computed
    levels: int = 5  # of the registration that are computed; the finer ones count as zero
    gates: str = "open"  # closed | open
    train: List[str] = field(default_factory=lambda: [""])  # name prefixes that learn
    slow: Dict[str, float] = field(default_factory=dict)  # prefix -> factor on the rate
    losses: Dict[str, float] = field(default_factory=dict)  # term -> weight
    deformation: Dict[str, float] = field(default_factory=dict)  # deform.Range, or published
    intensity: Dict[str, float] = field(default_factory=dict)
    common: Dict[str, float] = field(default_factory=dict)
    mono: float = 0.0
    average: float = 0.0  # decay of the moving average of the weights; 0 = none


@dataclass
class Config:
    name: str
    seed: int
    sets: List[str]
    start: str  # published | local (needs the result of pretrain)
    stages: List[Stage]


def _checked(kind: Any, values: Dict[str, Any], where: str) -> Any:
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"{where}: unknown keys {unknown}; known are {sorted(known)}")
    return kind(**values)


def load_config(path: str) -> Config:
    values = json.loads(Path(path).read_text())
    stages = [_checked(Stage, s, f"{path}: stage {i}") for i, s in enumerate(values["stages"])]
    return _checked(Config, {**values, "stages": stages}, path)
