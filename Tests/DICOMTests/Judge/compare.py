"""Compares decoded stored values with pydicom's. Usage: compare.py MANIFEST

The manifest has one line a file: path, raw file ("-" where the reader refused), rows, columns, samples, frames,
bytes a sample, signed (0/1), separated by tabs. Prints one line a file: path, verdict, detail.
"""

import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

LOSSY = {
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.91",
}


def expected(path):
    """Stored values [frame, row, column, sample] as int64, cut to Bits Stored, and the transfer syntax."""
    ds = pydicom.dcmread(path, force=True)
    syntax = ds.file_meta.get("TransferSyntaxUID", None) if hasattr(ds, "file_meta") else None
    if syntax is None:
        ds.file_meta = getattr(ds, "file_meta", None) or pydicom.dataset.FileMetaDataset()
        implicit, little = ds.original_encoding
        ds.file_meta.TransferSyntaxUID = (
            "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")
        syntax = ds.file_meta.TransferSyntaxUID
    values = np.asarray(pixel_array(ds, raw=True))
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    values = values.reshape(frames, int(ds.Rows), int(ds.Columns), int(ds.SamplesPerPixel)).astype(np.int64)
    stored, high = int(ds.BitsStored), int(ds.get("HighBit", int(ds.BitsStored) - 1))
    values = (values >> (high + 1 - stored)) & ((1 << stored) - 1)
    if int(ds.PixelRepresentation) == 1:
        values = values - ((values >> (stored - 1)) << stored)
    return values, str(syntax)


def judge(path, raw, shape, width, signed):
    try:
        values, syntax = expected(path)
    except Exception as error:  # pydicom's refusals are of many kinds
        return "judge-refuses", type(error).__name__
    if raw == "-":
        return "refused", "pydicom reads it"
    rows, columns, samples, frames = shape
    kind = {1: "i1", 2: "i2", 4: "i4"}[width].replace("i", "i" if signed else "u")
    ours = np.fromfile(raw, dtype=kind).astype(np.int64).reshape(frames, rows, columns, samples)
    if ours.shape != values.shape:
        return "different", f"shape {values.shape}"
    worst = int(np.abs(ours - values).max())
    if worst == 0:
        return "equal", ""
    # Decoders of lossy JPEG may round their inverse transform differently, by one (ISO/IEC 10918-2).
    if syntax in LOSSY and worst <= 1:
        return "equal-lossy", f"worst difference {worst}"
    return "different", f"worst difference {worst}, {int((ours != values).sum())} values, {syntax}, samples {samples}"


def main():
    warnings.simplefilter("ignore")
    for line in open(sys.argv[1], encoding="utf-8"):
        path, raw, *numbers = line.rstrip("\n").split("\t")
        rows, columns, samples, frames, width, signed = map(int, numbers)
        verdict, detail = judge(path, raw, (rows, columns, samples, frames), width, signed)
        print(path, verdict, detail, sep="\t")


main()
