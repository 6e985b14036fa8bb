"""The card of a shipped model: what it was made of and what it measures. It judges nothing itself.

Example: python -m bsafusion.card model.safetensors --numbers report/numbers.json --facts facts.json
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from . import weights


def card(model: Path, report: Dict[str, Any], facts: Dict[str, Any]) -> Dict[str, Any]:
    tensors = weights.load(str(model))
    kinds = {array.dtype for array in tensors.values()}
    return {
        "file": model.name, "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "parameters": int(sum(array.size for array in tensors.values())), "tensors": len(tensors),
        "storage": "float16" if kinds == {np.dtype(np.float16)} else "float32", **facts,
        "numbers": {key: report[key] for key in ("split", "seed", "published", "large", "none")}}


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Writes a model's card beside it.")
    parser.add_argument("model")
    parser.add_argument("--numbers", required=True, help="numbers.json of evaluate")
    parser.add_argument("--facts", required=True, help="names, pairs, data, recipe, limits: JSON")
    given = parser.parse_args(arguments)
    model = Path(given.model)
    report, facts = (json.loads(Path(p).read_text()) for p in (given.numbers, given.facts))
    text = json.dumps(card(model, report, facts), indent=1, ensure_ascii=False)
    model.with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
