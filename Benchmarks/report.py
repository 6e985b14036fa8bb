"""The numbers of a run as a table and a plot. It measures nothing."""


def _spread(value, scale=1e3, digits=0):
    return f"{value['median'] * scale:.{digits}f} [{value['low'] * scale:.{digits}f}–{value['high'] * scale:.{digits}f}]"


def _engine(numbers):
    engine, cold = numbers.get("engine", {}), numbers.get("cold", {})
    accuracy, rate = numbers.get("accuracy", {}), numbers.get("throughput", {})
    base = engine.get("ONNX Runtime", {}).get("cpu", {}).get("median")
    heads = ["engine", "ms of processor time a pair", "speed by ONNX Runtime", "pairs/s, all cores", "ms there",
             "error fused / flow (px)"]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---:|---:|---:|---:|---|"
    for name, value in engine.items():
        both, error = rate.get(name), accuracy.get(name)
        cells = [name, _spread(value["cpu"]), f"{base / value['cpu']['median']:.2f}×" if base else "",
                 f"{1 / both['wall']['median']:.2f}" if both else "", _spread(both["cpu"]) if both else "",
                 f"{error['fused']:.0e} / {error['flow']:.0e}" if error else ""]
        yield "| " + " | ".join(cells) + " |"
    lost = accuracy.get("PyTorch, shipped model")
    if lost:
        yield ""
        yield f"PyTorch's error with the shipped model: {lost['fused']:.0e} / {lost['flow']:.0e}."
    if cold:
        yield ""
        yield "| whole process to the first fused pair | wall s | processor s | peak memory MB |"
        yield "|---|---:|---:|---:|"
        for name, value in cold.items():
            threads = f", {value['threads']} threads" if value.get("threads", 1) > 1 else ""
            yield (f"| {name}{threads} | {_spread(value['wall'], 1, 2)} | {_spread(value['cpu'], 1, 2)} | "
                   f"{value['peak'] / 1e6:.0f} |")


def _rest(numbers):
    if "resampling" in numbers:
        yield "| 512×512×120 onto 256×256×120 | processor s |"
        yield "|---|---:|"
        for name, value in numbers["resampling"].items():
            yield f"| {name} | {_spread(value['cpu'], 1, 3)} |"
        yield ""
    if "decoding" in numbers:
        syntaxes = numbers["decoding"]
        names = sorted({name for values in syntaxes.values() for name in values}, key=lambda n: n != "Fuseline")
        yield "| ms of processor time a 512×512 slice | " + " | ".join(names) + " |"
        yield "|---|" + "---:|" * len(names)
        for syntax, values in syntaxes.items():
            cells = [_spread(values[n]["cpu"], 1e3, 2) if n in values else "" for n in names]
            yield f"| {syntax} | " + " | ".join(cells) + " |"
        yield ""
    yield from _study(numbers)


def _study(numbers):
    study = numbers["study"]
    total = study["run"]["cpu"]
    yield (f"A synthetic study of {study['slices']} slices, drop folder to published files: "
           f"{study['run']['wall']:.2f} s, {total:.2f} s of processor time. By stage:")
    yield ""
    yield "| stage | processor s | share |"
    yield "|---|---:|---:|"
    for stage in study["stages"]:
        yield f"| {stage['name']} | {stage['cpu']:.3f} | {stage['cpu'] / total * 100:.0f} % |"
    around = total * study["around"]
    dense = numbers.get("engine", {}).get("Fuseline")
    yield ""
    yield f"Around the network: {study['around'] * 100:.0f} % with the shipped model" + (
        f", {around / (around + study['slices'] * dense['cpu']['median']) * 100:.0f} % were no branch of it idle." if dense
        else ".")
    runs = numbers.get("studies")
    if runs:
        yield ""
        yield "| `fuseline run`, slices | wall s | processor ms a slice | of each slice more | peak memory MB, all processes |"
        yield "|---:|---:|---:|---:|---:|"
        before = None
        for run in runs:
            more = f"{(run['cpu'] - before['cpu']) / (run['slices'] - before['slices']) * 1e3:.1f}" if before else ""
            yield (f"| {run['slices']} | {run['wall']:.1f} | {run['cpu'] / run['slices'] * 1e3:.1f} | {more} | "
                   f"{run['peak'] / 1e6:.0f} |")
            before = run


def _machine(numbers):
    machine = numbers["machine"]
    quiet = [f"{v['quiet']}/{v['windows']}" for v in numbers.get("engine", {}).values()]
    yield (f"{machine['processor']}, {machine['cores']} cores ({', '.join(machine['flags'])}); "
           f"kernels {machine['instructions']}; load {machine['load']:.1f} at the start. "
           + (f"Windows nobody else disturbed: {', '.join(quiet)}." if quiet else ""))


def write_report(numbers, folder):
    lines = [*_machine(numbers), "", *_engine(numbers), "", *_rest(numbers)]
    (folder / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    try:
        _plot(numbers, folder / "bench.svg")
    except ImportError:
        print("bench: no matplotlib, so no plot")


def _plot(numbers, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fuseline"
    from matplotlib import pyplot
    engine = numbers.get("engine", {})
    if not engine:
        return
    names = list(engine)[::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(names) + 1))
    middle = [engine[n]["cpu"]["median"] * 1e3 for n in names]
    spread = [[m - engine[n]["cpu"]["low"] * 1e3 for m, n in zip(middle, names)],
              [engine[n]["cpu"]["high"] * 1e3 - m for m, n in zip(middle, names)]]
    colours = ["#c0504d" if n.startswith("Fuseline") else "#8aa0b8" for n in names]
    axes.barh(names, middle, xerr=spread, color=colours, ecolor="#444444", capsize=2)
    axes.set_xlabel("ms of processor time a 256×256 pair, one core")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
