#!/usr/bin/env python3
"""Fuseline and its peers side by side, in one run: interleaved windows, medians with spread. `make bench` calls it.

bench.py --program .build/release/fuseline --out docs/benchmarks   writes numbers.json, table.md and bench.svg there
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from contenders import HERE, TOP, Fuseline, Pair, Peer, run_once
from inputs import head_pair, series, write_dense, write_pair
from report import write_report
from study import studies

# A window in which wall time exceeds this share of processor time shared its core with somebody else.
QUIET = 1.03
# Slices of the studies that are run as a whole: a short one, a usual one, a long one.
LENGTHS = (10, 150, 1000)
SHIPPED = TOP / "Models" / "bsafusion-joint.safetensors"


def dense(work):
    """The shipped model with its idle branches set going: what peers are compared on."""
    return work / "dense.safetensors"


def interleave(contenders, seconds, rounds, threads=1):
    """{name: windows}; every round gives each contender one window, in turn."""
    windows = {c.name: [] for c in contenders}
    for turn in range(rounds):
        shift = turn % max(1, len(contenders))
        for contender in contenders[shift:] + contenders[:shift]:
            windows[contender.name].append(contender.window(seconds))
        print(".", end="", file=sys.stderr, flush=True)
    for contender in contenders:
        contender.close()
    print(file=sys.stderr)
    return {name: summary(measured, threads) for name, measured in windows.items()}


def summary(windows, threads=1):
    quiet = [w for w in windows if w["wall"] * threads <= QUIET * w["cpu"]] if threads == 1 else []
    used = quiet if len(quiet) >= 3 else windows
    result = {"windows": len(windows), "quiet": len(quiet)}
    for key in ("wall", "cpu"):
        values = sorted(w[key] for w in used)
        result[key] = {"median": median(values), "low": values[0], "high": values[-1]}
    return result


def ready(peers):
    return [peer for peer in peers if not isinstance(peer, (Peer, Pair)) or peer.ready()]


def engine_peers(kind, work, suffix=""):
    common = {"images": str(work / "pair.npz")}
    yield kind("PyTorch" + suffix, "torch", training=str(TOP / "Training"), model=str(dense(work)), **common)
    for graph, label in (("plain", ""), ("folded", ", folded")):
        path = str(work / f"{graph}.onnx")
        yield kind("ONNX Runtime" + label + suffix, "onnxruntime", graph=path, **common)
        yield kind("OpenVINO" + label + suffix, "openvino", graph=path, **common)


def engines(program, work, given):
    model = ("--model", str(dense(work)))
    ours = [Fuseline("Fuseline", program, "engine", extra=model),
            Fuseline("Fuseline, shipped model", program, "engine", extra=("--model", str(SHIPPED))),
            Fuseline("Fuseline, AVX2 only", program, "engine", isa="avx2", extra=model),
            Fuseline("Fuseline, portable", program, "engine", isa="portable", extra=model)]
    return interleave(ours + ready(engine_peers(Peer, work)), given.seconds, given.rounds)


def throughput(program, work, given):
    ours = [Fuseline("Fuseline", program, "engines", extra=("--model", str(dense(work)))),
            Fuseline("Fuseline, shipped model", program, "engines", extra=("--model", str(SHIPPED)))]
    rounds = max(3, given.rounds // 2)
    return interleave(ours + ready(engine_peers(Pair, work)), 2 * given.seconds, rounds, threads=2)


def cold_starts(program, work, given):
    """Whole processes, import or link to the first fused slice; page cache warm. Fuseline uses a second thread,
    so peers are started with one thread and with one for every core, and the faster of the two stands for them."""
    commands = {(name, 1): _cold_fuseline(program, work, model, output)
                for name, model, output in (("Fuseline", dense(work), "fused.safetensors"),
                                            ("Fuseline, shipped model", SHIPPED, "shipped.safetensors"))}
    for name, kind, options in (
            ("PyTorch", "torch", {"training": str(TOP / "Training"), "model": str(dense(work))}),
            ("ONNX Runtime", "onnxruntime", {"graph": str(work / "plain.onnx")}),
            ("OpenVINO", "openvino", {"graph": str(work / "plain.onnx")})):
        for threads in sorted({1, os.cpu_count() or 1}):
            given_options = {**options, "images": str(work / "pair.npz"), "once": True, "threads": threads,
                             "result": str(work / f"{kind}.npz")}
            commands[name, threads] = [sys.executable, str(HERE / "peers.py"), kind, json.dumps(given_options)]
    return _fastest(_cold_runs(commands, max(3, given.rounds // 2 + 1)))


def _cold_fuseline(program, work, model, output):
    pair = [str(work / "fixed.safetensors"), str(work / "moving.safetensors")]
    return [str(program), "model", "apply", "--model", str(model), "--fixed", pair[0], "--moving", pair[1],
            "--output", str(work / output)]


def _cold_runs(commands, rounds):
    """{(name, threads): runs}, in turn, each command once before; those that fail are named and left out."""
    runs = {}
    for contender, command in commands.items():
        try:
            run_once(command)
            runs[contender] = []
        except RuntimeError as error:
            print(f"bench: without {contender[0]}: {error}", file=sys.stderr)
    for _ in range(rounds):
        for contender in runs:
            runs[contender].append(run_once(commands[contender]))
    return runs


def _fastest(runs):
    """{name: summary} of the number of threads with the least median of wall time."""
    best = {}
    for (name, threads), measured in runs.items():
        result = {**summary(measured, threads), "peak": max(run["peak"] for run in measured), "threads": threads}
        if name not in best or result["wall"]["median"] < best[name]["wall"]["median"]:
            best[name] = {**result, "others": best.get(name, {}).get("wall", {}).get("median")}
        else:
            best[name]["others"] = result["wall"]["median"]
    return best


def resampling(program, given):
    ours = [Fuseline("Fuseline, linear", program, "resampling"), Fuseline("Fuseline, cubic", program, "spline")]
    linear = interleave([ours[0], *ready([Peer("SimpleITK, linear", "simpleitk")])], 0.5, max(3, given.rounds))
    cubic = ready([Peer("SimpleITK, cubic", "simpleitk", spline=True)])
    return {**linear, **interleave([ours[1], *cubic], 0.5, 2)}


def decoding(program, work, given):
    results = {}
    for syntax, folder in series(work).items():
        files = sorted(str(path) for path in folder.iterdir())
        ours = [Fuseline("Fuseline", program, "decoding", extra=("--files", str(folder)))]
        peers = [Peer(name, name, files=files) for name in ("pydicom", "gdcm", "dicomsdl")]
        measured = interleave(ours + ready(peers), 0.3, max(3, given.rounds // 2))
        for name, values in measured.items():
            if name != "Fuseline":  # Fuseline's own are per file already
                for key in ("wall", "cpu"):
                    values[key] = {k: v / len(files) for k, v in values[key].items()}
        results[syntax] = measured
    return results


def export(work):
    subprocess.run(
        [sys.executable, "-m", "bsafusion.onnx", str(dense(work)), str(work / "plain.onnx"), "--folded",
         str(work / "folded.onnx")], cwd=TOP / "Training", check=True, stdout=subprocess.DEVNULL)


def measure(program, work, given):
    write_pair(work, *head_pair())
    write_dense(SHIPPED, dense(work))
    export(work)
    study = Fuseline("study", program, "study", extra=("--slices", str(given.slices), "--model", str(SHIPPED)))
    whole = study.report(1)
    numbers = {"machine": whole["machine"], "study": whole["study"]}
    for name, part in (("engine", lambda: engines(program, work, given)),
                       ("throughput", lambda: throughput(program, work, given)),
                       ("cold", lambda: cold_starts(program, work, given)),
                       ("resampling", lambda: resampling(program, given)),
                       ("decoding", lambda: decoding(program, work, given)),
                       ("studies", lambda: studies(program, work, given.lengths))):
        if not given.only or name in given.only:
            print(f"bench: {name} ", end="", file=sys.stderr, flush=True)
            numbers[name] = part()
    if "cold" in numbers:
        from accuracy import errors
        peers = {"ONNX Runtime": "onnxruntime.npz", "OpenVINO": "openvino.npz"}
        training = TOP / "Training"
        numbers["accuracy"] = errors(work, {"Fuseline": "fused.safetensors", **peers}, dense(work), training)
        shipped = errors(work, {"Fuseline": "shipped.safetensors"}, SHIPPED, training)
        numbers["accuracy"].update({f"{name}, shipped model": error for name, error in shipped.items()})
    return numbers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=TOP / ".build" / "release" / "fuseline")
    parser.add_argument("--out", type=Path, default=TOP / "docs" / "benchmarks")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a window")
    parser.add_argument("--rounds", type=int, default=5, help="windows of each contender")
    parser.add_argument("--slices", type=int, default=24, help="of the synthetic study")
    parser.add_argument("--only", nargs="*", help="engine, throughput, cold, resampling, decoding, studies")
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS, help="slices of the studies run as a whole")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        numbers = measure(given.program.resolve(), Path(folder), given)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    write_report(numbers, given.out)


if __name__ == "__main__":
    main()
