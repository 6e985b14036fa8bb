"""What all contenders work on: a head-like pair, and a CT series in the usual transfer syntaxes. It times nothing."""
import shutil
import subprocess
import sys

import numpy


def head_pair(side=256):
    """Fixed and moving image (1, 1, side, side), 0...1: ellipses with texture, the moving one shifted a little."""
    y, x = numpy.mgrid[0:side, 0:side] * (2 / side) - 1

    def head(x, brain):
        radius = numpy.sqrt(x * x / 0.5 + y * y / 0.7)
        inside = brain + 0.1 * numpy.sin(23 * x) * numpy.cos(19 * y) + 0.1 * (numpy.hypot(x - 0.2, y) < 0.15)
        return numpy.where(radius > 1, 0.01, numpy.where(radius > 0.9, 0.95, inside))
    pair = head(x, 0.5), head(x - 0.03, 0.35)
    return [image.astype(numpy.float32)[None, None] for image in pair]


def safetensors(path, image):
    import json
    header = json.dumps({"image": {"dtype": "F32", "shape": list(image.shape), "data_offsets": [0, image.nbytes]}})
    header = header.encode() + b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + image.tobytes())


def read_tensors(path):
    """{name: array} of a safetensors file of 16- and 32-bit floats."""
    import json
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            first, last = (8 + size + offset for offset in entry["data_offsets"])
            kind = {"F16": numpy.float16, "F32": numpy.float32}[entry["dtype"]]
            tensors[name] = numpy.frombuffer(data[first:last], dtype=kind).reshape(entry["shape"])
    return tensors


def write_dense(source, target):
    """Drawn weights under the model's names, as uneven as a network's before its training, so that nothing is idle, not
    even a dimension, and all contenders have the same work. A model to measure with, not to look through."""
    import json
    random = numpy.random.default_rng(7)
    header, blobs, offset = {}, [], 0
    for name, values in read_tensors(source).items():
        bound = 1 / numpy.sqrt(max(1, numpy.prod(values.shape[1:])))
        scales = values.ndim == 1 and name.endswith("weight")  # of a normalisation
        drawn = random.uniform(-bound, bound, values.shape) * (0.1 if values.ndim == 1 else 1) + scales
        values = drawn.astype(values.dtype)
        header[name] = {"dtype": "F16" if values.dtype == numpy.float16 else "F32", "shape": list(values.shape),
                        "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
        blobs.append(values.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def write_pair(work, fixed, moving):
    numpy.savez(work / "pair.npz", fixed=fixed, moving=moving)
    safetensors(work / "fixed.safetensors", fixed)
    safetensors(work / "moving.safetensors", moving)


def _slice(index, study):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
    image = head_pair(512)[0][0, 0]
    noise = numpy.random.default_rng(index).normal(0, 12, image.shape)
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.Modality = CTImageStorage, "CT"
    data.SOPInstanceUID = f"{study}.{index + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID = study, f"{study}.0"
    data.PatientID = data.PatientName = "BENCH"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 512, 512, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelSpacing, data.ImagePositionPatient = [0.47, 0.47], [0, 0, index]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelData = (image * 2400 + noise).clip(0, 4095).astype(numpy.uint16).tobytes()
    return data


# Transfer syntaxes by the DCMTK tool that writes them, and JPEG 2000 by pydicom's plug-in.
_TOOLS = {"RLE": ["dcmcrle"], "JPEG lossless": ["dcmcjpeg", "+e1"], "JPEG-LS": ["dcmcjpls"]}


def series(work, count=8):
    """{syntax: folder of files}; syntaxes without a tool here are left out."""
    folders = {"uncompressed": work / "uncompressed"}
    folders["uncompressed"].mkdir()
    for index in range(count):
        data = _slice(index, "2.25.1234567")
        data.save_as(folders["uncompressed"] / f"{index}.dcm", enforce_file_format=True)
    for syntax, command in _TOOLS.items():
        if shutil.which(command[0]):
            folders[syntax] = _converted(folders["uncompressed"], work / syntax.replace(" ", "-"), command)
        else:
            print(f"bench: without {syntax}: no {command[0]}", file=sys.stderr)
    try:
        folders["JPEG 2000"] = _compressed(work / "jpeg2000", count)
    except (ImportError, RuntimeError, NotImplementedError, ValueError) as error:
        print(f"bench: without JPEG 2000: {error}", file=sys.stderr)
    return folders


def _converted(source, target, command):
    target.mkdir()
    for path in source.iterdir():
        subprocess.run([*command, str(path), str(target / path.name)], check=True)
    return target


def _compressed(target, count):
    from pydicom.uid import JPEG2000Lossless
    target.mkdir()
    for index in range(count):
        data = _slice(index, "2.25.7654321")
        data.compress(JPEG2000Lossless)
        data.save_as(target / f"{index}.dcm", enforce_file_format=True)
    return target
