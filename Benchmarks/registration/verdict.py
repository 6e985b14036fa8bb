#!/usr/bin/env python3
"""How well the verdict tells right from wrong pairs, from what pairs.py wrote: with the program's limits, and with limits set
on one half of the heads and tried on the other.

    verdict.py RESULTS.jsonl …
"""

import json
import sys

import numpy as np

LIMITS = {"CT-MR": 0.0045, "PET-CT": 0.0117, "PET-MR": 0.021, "SPECT-MR": 0.018}  # as in RegistrationVerdict.swift
KINDS = {"ct": "CT-MR", "fdg": "PET-MR", "perfusion": "SPECT-MR"}


def phantom(name):
    """The drawn subject a body was bent from; bodies that are no heads have none."""
    return int(name[4:6]) if name.startswith("head") else None


def row(line):
    r = json.loads(line)
    fixed, moving = r["fixed"].split("-"), r["moving"].split("-")
    e, (one, other) = r["evidence"], (phantom(r["fixed"]), phantom(r["moving"]))
    kind = "PET-CT" if fixed[1] == "ct" else KINDS[moving[1]]
    truth = "right" if r["kind"] == "right" else "no head" if other is None else "same, bent" if one == other else "two heads"
    early = (e["overlap"] < 0.3 or e["turn"] > 60 or e["significance"] < 3.5 or e["after"] < e["before"]
             or e["rival"] > 0.99 or e.get("misfit") is None)
    return dict(kind=kind, truth=truth, early=early, misfit=e.get("misfit", 9.0), tre=r.get("tre"), one=one, other=other)


def rate(hits, count):
    """Share with Wilson's 95 % interval."""
    if not count:
        return "–"
    z, p = 1.96, hits / count
    middle = (p + z * z / 2 / count) / (1 + z * z / count)
    half = z * np.sqrt(p * (1 - p) / count + z * z / 4 / count**2) / (1 + z * z / count)
    return f"{hits}/{count} = {100 * p:.1f} % ({100 * max(0, middle - half):.1f}–{100 * min(1, middle + half):.1f})"


def limits(rows):
    """Half way, in logarithms, from the largest misfit of a right pair to the smallest of two heads."""
    result = {}
    for kind in LIMITS:
        right = [r["misfit"] for r in rows if r["kind"] == kind and r["truth"] == "right" and not r["early"]]
        wrong = [r["misfit"] for r in rows if r["kind"] == kind and r["truth"] == "two heads" and not r["early"]]
        result[kind] = float(np.sqrt(max(right) * min(wrong)))
    return result


def accepted(r, limit):
    return not r["early"] and r["misfit"] <= limit[r["kind"]]


def table(judged):
    for truth in ("right", "two heads", "same, bent", "no head"):
        of = [ok == (truth == "right") for r, ok in judged if r["truth"] == truth]
        print(f"  {truth:10} {'accepted' if truth == 'right' else 'refused'} {rate(sum(of), len(of))}")


def main():
    rows = [row(line) for path in sys.argv[1:] for line in open(path, encoding="utf-8")]
    right = [r["tre"] for r in rows if r["truth"] == "right"]
    print(f"right pairs: {len(right)}, within 2 mm {sum(t < 2 for t in right)}, median {np.median(right):.2f} mm")
    print("with the program's limits")
    table([(r, accepted(r, LIMITS)) for r in rows])
    judged = []
    for half in (0, 1):
        inside = lambda r, h: r["one"] % 2 == h and r["other"] in (None, *range(h, 100, 2))  # noqa: E731
        limit = limits([r for r in rows if inside(r, half)])
        print(f"limits of half {half}:", {k: round(v, 4) for k, v in limit.items()})
        judged += [(r, accepted(r, limit)) for r in rows if inside(r, 1 - half)]
    print("limits of one half on the other half, both ways")
    table(judged)


if __name__ == "__main__":
    main()
