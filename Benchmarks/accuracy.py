"""Largest differences of every engine from the network in double precision. It times nothing."""
import json
import sys

import numpy


def _own(path):
    """The tensors Fuseline wrote: safetensors, all 32-bit floats."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    part = {}
    for name in ("fused", "flow"):
        first, last = header[name]["data_offsets"]
        values = numpy.frombuffer(data[8 + size + first:8 + size + last], dtype=numpy.float32)
        part[name] = values.reshape(header[name]["shape"])
    return part


def errors(work, model, training):
    try:
        import torch
    except ImportError:
        return {}
    sys.path.insert(0, str(training))
    from bsafusion.export import load_network
    from bsafusion.onnx import Plain
    with numpy.load(work / "pair.npz") as pair:
        images = [torch.from_numpy(pair[key]).double() for key in ("fixed", "moving")]
    with torch.no_grad():
        fused, flow, _ = Plain(load_network(str(model)).double()).eval()(*images)
    results = {"Fuseline": _own(work / "fused.safetensors")}
    for name, file in (("PyTorch", "torch"), ("ONNX Runtime", "onnxruntime"), ("OpenVINO", "openvino")):
        if (work / f"{file}.npz").exists():
            with numpy.load(work / f"{file}.npz") as result:
                results[name] = {key: result[key] for key in ("fused", "flow")}
    return {name: {"fused": float(numpy.abs(result["fused"] - fused.numpy()).max()),
                   "flow": float(numpy.abs(result["flow"] - flow.numpy()).max())} for name, result in results.items()}
