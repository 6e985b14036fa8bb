"""Largest differences of every engine from the network in double precision. It times nothing."""
import sys

import numpy

from inputs import read_tensors


def _network(model, training):
    sys.path.insert(0, str(training))
    from bsafusion.export import load_network
    from bsafusion.onnx import Plain, single_precision
    return lambda exact: Plain(load_network(str(model)).double() if exact
                               else single_precision(load_network(str(model)))).eval()


def _difference(result, truth):
    return {key: float(numpy.abs(result[key] - truth[key]).max()) for key in ("fused", "flow")}


def errors(work, files, model, training):
    """`files`: {contender: what it wrote, .safetensors or .npz}; PyTorch in single precision is worked out here."""
    try:
        import torch
    except ImportError:
        return {}
    network = _network(model, training)
    with numpy.load(work / "pair.npz") as pair:
        images = [torch.from_numpy(pair[key]) for key in ("fixed", "moving")]

    def run(exact):
        with torch.no_grad():
            fused, flow, _ = network(exact)(*(image.double() if exact else image for image in images))
        return {"fused": fused.numpy(), "flow": flow.numpy()}
    truth = run(True)
    results = {"PyTorch": _difference(run(False), truth)}
    for name, file in files.items():
        path = work / file
        if path.exists() and path.suffix == ".npz":
            with numpy.load(path) as result:
                results[name] = _difference(result, truth)
        elif path.exists():
            results[name] = _difference(read_tensors(path), truth)
    return results
