"""From a data set to the bytes of a file in one transfer syntax – the same bytes in every run."""

import subprocess
import tempfile
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
    JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless)

from .headers import uid

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian, "explicit": ExplicitVRLittleEndian, "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian, "RLE": RLELossless, "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless,
}
PLUGINS = {"RLE": "pydicom", "JPEG-LS": "pyjpegls", "JPEG 2000": "pylibjpeg"}


def write(data, path, syntax):
    """Writes `data` to `path`, compressing or swapping its pixels as `syntax` (a key of SYNTAXES) asks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = SYNTAXES[syntax]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.ImplementationClassUID = uid("implementation", 1)
    meta.ImplementationVersionName = "PHANTOM_1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    implicit, little = target == ImplicitVRLittleEndian, target != ExplicitVRBigEndian
    file = FileDataset(str(path), data, b"\0" * 128, meta, is_implicit_VR=implicit, is_little_endian=little)
    if syntax in PLUGINS:
        file.compress(target, encoding_plugin=PLUGINS[syntax], generate_instance_uid=False)
    elif syntax == "JPEG lossless":
        # pydicom has no encoder for it: DCMTK compresses a copy, and only the pixels are taken from that.
        file.PixelData = jpeg_lossless(file)
        file["PixelData"].VR = "OB"
        file["PixelData"].is_undefined_length = True
    elif syntax == "big endian":
        file["PixelData"].value = b"".join(
            file.PixelData[i + 1:i + 2] + file.PixelData[i:i + 1] for i in range(0, len(file.PixelData), 2))
    meta.TransferSyntaxUID = target
    file.save_as(path, enforce_file_format=True, implicit_vr=implicit, little_endian=little)


def jpeg_lossless(file):
    """The encapsulated pixels of `file` after `dcmcjpeg` (process 14, selection value 1)."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        file.save_as(plain, enforce_file_format=True, implicit_vr=False, little_endian=True)
        subprocess.run(["dcmcjpeg", "+e1", "--uid-never", str(plain), str(packed)], check=True)
        return pydicom.dcmread(packed).PixelData
