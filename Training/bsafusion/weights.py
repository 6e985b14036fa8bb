"""Reads and writes safetensors with numpy only. Not a framework; no pickles."""
from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, Dict, Mapping, Optional

import numpy as np

_TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "U8": np.uint8,
          "I64": np.int64, "I32": np.int32}
_NAMES = {np.dtype(v): k for k, v in _TYPES.items()}


def metadata(path: str) -> Dict[str, str]:
    """The header's free text, by key."""
    with open(path, "rb") as file:
        return _header(file).get("__metadata__", {})


def _header(file: BinaryIO) -> Dict[str, Any]:
    size = struct.unpack("<Q", file.read(8))[0]
    return json.loads(file.read(size))


def load(path: str) -> Dict[str, np.ndarray]:
    with open(path, "rb") as file:
        header = _header(file)
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(body[begin:end], dtype=_TYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).copy()
    return tensors


def save(path: str, tensors: Mapping[str, np.ndarray],
         metadata: Optional[Mapping[str, str]] = None) -> None:
    """Names in sorted order, header padded to 8 bytes: the same tensors give the same file."""
    header: Dict[str, object] = {}
    if metadata:
        header["__metadata__"] = dict(metadata)
    offset = 0
    for name in sorted(tensors):
        array = tensors[name]
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(np.ascontiguousarray(tensors[name]).tobytes())
