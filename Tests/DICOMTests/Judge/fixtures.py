"""Writes small synthetic DICOM files, one for each branch of the reader. Usage: fixtures.py FOLDER

Readable files go to FOLDER/good, those to be refused to FOLDER/bad/<reason code>/. pydicom writes them, so nothing
of the program under test is involved. All pixels follow value(frame, row, column) or are said beside the case.
"""

import struct
import sys
from pathlib import Path

import jpegls
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
    JPEG2000Lossless, JPEGLSLossless, RLELossless)

ROWS, COLUMNS = 35, 37
PLUGINS = {"rle": "pydicom", "jpegls": "pyjpegls", "jpeg2000": "pylibjpeg"}
CT, MR, NM = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.20"
ENHANCED_MR, SR = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.88.11"


def ramp(frames=1, kind="u2", step=37, start=0):
    return (start + step * np.arange(frames * ROWS * COLUMNS)).astype(kind).reshape(frames, ROWS, COLUMNS)


def header(name, sop_class=CT, modality="CT"):
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, "2.25." + str(sum(map(ord, name)) * 1000003 + len(name))
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
    ds.Modality, ds.PatientName, ds.PatientID = modality, "Synthetic^Phantom", "SYN-1"
    ds.InstanceNumber = 1
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [1, 1], 2
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    return ds


def pixels(ds, values, stored=None, high=None):
    frames = values.shape[0]
    bits = values.dtype.itemsize * 8
    ds.Rows, ds.Columns, ds.SamplesPerPixel = values.shape[1], values.shape[2], 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored = bits, stored or bits
    ds.HighBit = ds.BitsStored - 1 if high is None else high
    ds.PixelRepresentation = 1 if values.dtype.kind == "i" else 0
    if frames > 1:
        ds.NumberOfFrames = frames
    data = values.tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    return ds


def save(ds, path, syntax=ExplicitVRLittleEndian):
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", CT)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "2.25.9")
    ds.save_as(path, enforce_file_format=True)


def syntaxes(good):
    for name, syntax in [("implicit", ImplicitVRLittleEndian), ("deflated", DeflatedExplicitVRLittleEndian)]:
        save(pixels(header(name), ramp()), good / f"{name}.dcm", syntax)
    for name, syntax in [("rle", RLELossless), ("jpegls", JPEGLSLossless), ("jpeg2000", JPEG2000Lossless)]:
        for kind, frames in [("u2", 1), ("i2", 1), ("u1", 3), ("u2", 3)]:
            ds = pixels(header(name + kind + str(frames)), ramp(frames, kind, 37 if kind[1] == "2" else 2, -300 if kind == "i2" else 0))
            save(ds, good / f"{name}-{kind}-{frames}.dcm")
            ds.compress(syntax, encoding_plugin=PLUGINS[name], generate_instance_uid=False)
            ds.save_as(good / f"{name}-{kind}-{frames}.dcm", enforce_file_format=True)


def fragments(good):
    """Several fragments a frame, without and with an offset table; JPEG 2000 wrapped in JP2 boxes."""
    source = pixels(header("fragments"), ramp(3))
    save(source, good / "fragments.dcm")
    source.compress(JPEG2000Lossless, encoding_plugin=PLUGINS["jpeg2000"], generate_instance_uid=False)
    from pydicom.encaps import generate_frames
    streams = list(generate_frames(source.PixelData, number_of_frames=3))
    for name, table in [("fragments-no-table", False), ("fragments-table", True)]:
        ds = source
        ds.PixelData = encapsulate(streams, fragments_per_frame=3, has_bot=table)
        ds["PixelData"].is_undefined_length = True
        ds.save_as(good / f"{name}.dcm", enforce_file_format=True)
    (good / "fragments.dcm").unlink()


def layouts(good):
    for kind in ["u1", "i1", "u2", "i2", "u4", "i4"]:
        for frames in [1, 3]:  # an odd number of pixels
            name = f"raw-{kind}-{frames}"
            save(pixels(header(name), ramp(frames, kind, 1 if kind[1] == "1" else 321)), good / f"{name}.dcm")
    overlay = ramp(step=3) | 0xF000
    save(pixels(header("overlay"), overlay, stored=12), good / "overlay-bits.dcm")
    signed = (ramp(step=3) + 0x800) & 0x0FFF
    ds = pixels(header("signed12"), signed, stored=12)
    ds.PixelRepresentation = 1
    save(ds, good / "signed-12-bit.dcm")
    save(pixels(header("shifted"), (ramp(step=3) << 4) | 5, stored=12, high=15), good / "shifted-bits.dcm")
    for kind in ["u2", "u4"]:
        ds = pixels(header("big" + kind), ramp(kind=kind, step=70001 if kind == "u4" else 37))
        ds.PixelData = ramp(kind=kind, step=70001 if kind == "u4" else 37).astype(">" + kind).tobytes()
        save(ds, good / f"big-endian-{kind}.dcm", ExplicitVRBigEndian)
    ds = pixels(header("no-preamble"), ramp())
    save(ds, good / "no-preamble.dcm")
    data = (good / "no-preamble.dcm").read_bytes()
    (good / "no-preamble.dcm").write_bytes(data[132:])


def enhanced(good):
    """Four frames in reverse order, slope per frame, orientation and spacing shared."""
    ds = pixels(header("enhanced", ENHANCED_MR, "MR"), ramp(4))
    for name in ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
                 "RescaleSlope", "RescaleIntercept"]:
        delattr(ds, name)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.25], 2
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([plane])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for frame in range(4):
        group, position, values, content = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [1, 2, 30 - 2.5 * frame]
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 0.5 * (frame + 1), 10, "US"
        content.StackID, content.InStackPositionNumber, content.TemporalPositionIndex = "1", frame + 1, 1
        group.PlanePositionSequence = Sequence([position])
        group.PixelValueTransformationSequence = Sequence([values])
        group.FrameContentSequence = Sequence([content])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    save(ds, good / "enhanced-mr.dcm")


def spect(good):
    """Reconstructed SPECT stacked against its normal, slice vector in reverse."""
    ds = pixels(header("spect", NM, "NM"), ramp(4))
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    del ds.ImagePositionPatient, ds.ImageOrientationPatient
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [-8, -8, 100], [1, 0, 0, 0, 1, 0]
    ds.DetectorInformationSequence = Sequence([detector])
    ds.SpacingBetweenSlices, ds.SliceVector = -4.5, [4, 3, 2, 1]
    save(ds, good / "spect.dcm")


def values(good):
    ds = pixels(header("padding"), ramp(kind="i2", step=10, start=-100))
    ds.add_new(0x00280120, "SS", -100)
    ds.add_new(0x00280121, "SS", -60)
    save(ds, good / "padding.dcm", ImplicitVRLittleEndian)
    for number in (0, 1):
        ds = pixels(header(f"mono{number}", MR, "MR"), ramp(step=1))
        ds.PhotometricInterpretation, ds.RescaleIntercept = "MONOCHROME1", 0
        ds.ImagePositionPatient = [0, 0, 5 * number]
        save(ds, good / f"monochrome1-{number}.dcm")
    ds = pixels(header("latin"), ramp())
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 100", "Müller^Jörg"
    save(ds, good / "latin-1.dcm")
    ds = pixels(header("japan"), ramp())
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    save(ds, good / "iso-2022.dcm")
    report = header("report", SR, "SR")
    save(report, good / "report.dcm")


def refused(bad):
    def case(reason, name, change, values=None, syntax=ExplicitVRLittleEndian):
        ds = pixels(header(name), ramp() if values is None else values)
        change(ds)
        save(ds, bad / reason / f"{name}.dcm", syntax)

    def put(tag, vr, value):
        def change(ds):
            ds.add_new(tag, vr, value)
        return change

    case("missing_pixel_data", "no-pixels", lambda ds: delattr(ds, "PixelData"))
    case("missing_pixel_data", "short-pixels", lambda ds: setattr(ds, "PixelData", ds.PixelData[:-2]))
    case("missing_pixel_data", "frames-promised", put(0x00280008, "IS", "2"))
    case("invalid_attribute", "no-rows", put(0x00280010, "US", 0))
    case("unsupported_pixels", "huge", lambda ds: (put(0x00280010, "US", 65535)(ds), put(0x00280011, "US", 65535)(ds)))
    case("unsupported_pixels", "one-bit", put(0x00280100, "US", 1))
    case("invalid_attribute", "stored-over-allocated", put(0x00280101, "US", 17))
    case("missing_attribute", "no-bits", lambda ds: delattr(ds, "BitsStored"))
    case("missing_attribute", "no-series", lambda ds: delattr(ds, "SeriesInstanceUID"))
    for name, text in [("slope-nan", "nan"), ("slope-inf", "1e999"), ("slope-comma", "1,5"), ("slope-hex", "0x10")]:
        case("invalid_attribute", name, put(0x00281053, "LO", text))
    case("invalid_attribute", "two-positions", put(0x00200032, "LO", "1\\2"))
    case("invalid_attribute", "path-uid", put(0x0020000E, "LO", "../1"))
    (folder := bad / "not_dicom").mkdir(parents=True, exist_ok=True)
    (folder / "text.dcm").write_text("This is no image, whatever its name says. " * 20)
    (folder / "zeros.dcm").write_bytes(b"\0" * 1000)
    (bad / "empty_file").mkdir(parents=True, exist_ok=True)
    (bad / "empty_file" / "empty.dcm").write_bytes(b"")
    damaged(bad)


def unsupported(good, bad):
    """A transfer syntax nobody knows, of the length of the true one."""
    (bad / "unsupported_ts").mkdir(parents=True, exist_ok=True)
    data = (good / "jpeg2000-u2-1.dcm").read_bytes()
    (bad / "unsupported_ts" / "unknown.dcm").write_bytes(data.replace(b"10008.1.2.4.90", b"10008.1.2.4.99"))


def damaged(bad):
    """A data set nested 20,000 deep, which would exhaust the stack of a recursive parser."""
    folder = bad / "damaged"
    folder.mkdir(parents=True, exist_ok=True)
    open_item = struct.pack("<HH2sHIHHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    close_item = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    syntax = struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    (folder / "nested.dcm").write_bytes(
        b"\0" * 128 + b"DICM" + syntax + open_item * 20000 + close_item * 20000)


def truncated(good, bad):
    """Every format cut at many places: refused as truncated, damaged or without pixels, never read."""
    folder = bad / "cut"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ["implicit", "deflated", "rle-u2-3", "jpegls-u2-3", "jpeg2000-u2-3", "enhanced-mr", "raw-u2-3"]:
        data = (good / f"{name}.dcm").read_bytes()
        for part in range(1, 20):
            (folder / f"{name}-{part}.dcm").write_bytes(data[: len(data) * part // 20])
        (folder / f"{name}-last.dcm").write_bytes(data[:-2])


def main():
    root = Path(sys.argv[1])
    good, bad = root / "good", root / "bad"
    good.mkdir(parents=True, exist_ok=True)
    for write in (syntaxes, fragments, layouts, enhanced, spect, values):
        write(good)
    jpegls.good(good, header, pixels, save)
    refused(bad)
    jpegls.bad(bad, header, pixels, save)
    unsupported(good, bad)
    truncated(good, bad)


if __name__ == "__main__":
    main()
