"""The log of a run: a CSV of averaged losses and its curves as a picture. No console policy."""
from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Dict, List

EVERY = 25  # steps per row


class Journal:
    def __init__(self, run: Path) -> None:
        self.path = run / "log.csv"
        self.rows: List[Dict[str, str]] = []
        if self.path.exists():
            with open(self.path, newline="") as file:
                self.rows = list(csv.DictReader(file))
        self._sums: Dict[str, float] = {}
        self._count = 0
        self._started = time.monotonic()

    def cut(self, samples: int) -> None:
        """Forgets rows after a checkpoint that is being resumed."""
        self.rows = [r for r in self.rows if int(r["samples"]) <= samples]

    def add(self, stage: str, samples: int, report: Dict[str, float]) -> None:
        for key, value in report.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        self._count += 1
        if self._count == EVERY:
            means = {k: f"{v / EVERY:.5g}" for k, v in self._sums.items()}
            seconds = f"{time.monotonic() - self._started:.0f}"
            self.rows.append({"stage": stage, "samples": str(samples), "seconds": seconds, **means})
            self._sums, self._count = {}, 0
            self.flush()

    def line(self) -> str:
        if not self.rows:
            return ""
        last = self.rows[-1]
        shown = ("samples", "loss", "seen_before", "seen", "epe_before", "epe")
        return " ".join(f"{k} {last[k]}" for k in shown if k in last)

    def flush(self) -> None:
        names: List[str] = []
        for row in self.rows:
            names += [k for k in row if k not in names]
        with open(self.path, "w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)

    def draw(self) -> None:
        """curves.png beside the CSV."""
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
        shown = ("loss", "seen", "seen_before", "epe", "epe_before", "consistency", "fusion", "norm")
        figure, axes = pyplot.subplots(2, 4, figsize=(17, 6))
        for axis, key in zip(axes.flat, shown):
            points = [(int(r["samples"]), float(r[key])) for r in self.rows if r.get(key)]
            axis.plot([p[0] for p in points], [p[1] for p in points])
            axis.set_title(key)
            axis.set_xlabel("samples")
        figure.tight_layout()
        figure.savefig(str(self.path.with_name("curves.png")), dpi=80)
        pyplot.close(figure)
