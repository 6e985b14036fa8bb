"""Writes series whose landmarks lie at known millimetres, one folder each, and what SimpleITK makes of them.

Usage: landmarks.py FOLDER. Blobs around the landmarks are sampled at the true position of every pixel. Beside the folders,
cases.json has the planes to look at; <case>.<n>.expected holds plane n as SimpleITK resamples the files it read itself
(float32, row-major), where it can say the geometry: even stacks at right angles, one file a slice.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

COLUMNS, ROWS, SPACING = 60, 84, (2.0, 2.2)  # mm between rows, between columns
LANDMARKS = [(0.0, 0, 0), (33.2, -20.7, 10.1), (-30.3, 21.9, -24.6), (14.4, 36.5, 27.8)]
WIDTH, HEIGHT = 4.5, 30000.0  # mm, stored values
TARGET = 36  # pixels of 1 mm
EVEN = [2.0 * k - 60 for k in range(61)]
UNEVEN = [-60.0]
while UNEVEN[-1] < 60:
    UNEVEN.append(UNEVEN[-1] + [1.5, 2, 2.5, 2][len(UNEVEN) % 4])


def turned(x, y, z):
    """Row and column direction of an axial plane after turns about the axes, radians."""
    (cx, sx), (cy, sy), (cz, sz) = [(math.cos(a), math.sin(a)) for a in (x, y, z)]
    matrix = (np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
              @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]))
    return matrix[:, 0], matrix[:, 1]


AXES = {"axial": (0, 0, 0), "coronal": (math.pi / 2, 0, 0), "sagittal": (math.pi / 2, 0, math.pi / 2),
        "oblique": (0.35, -0.25, 0.6), "head first": (math.pi, 0, 0)}


def stack(angles, depths, tilt=0.0):
    """Corners of all slices (mm), row and column direction; a tilted gantry shears the stack along the columns."""
    row, column = turned(*angles)
    normal = np.cross(row, column)
    middle = (COLUMNS - 1) / 2 * SPACING[1] * row + (ROWS - 1) / 2 * SPACING[0] * column
    corners = [d * normal + d * math.tan(math.radians(tilt)) * column - middle for d in depths]
    return corners, row, column


def blobs(corner, row, column):
    c, r = np.meshgrid(np.arange(COLUMNS) * SPACING[1], np.arange(ROWS) * SPACING[0])
    points = corner + c[..., None] * row + r[..., None] * column
    squares = [((points - np.array(mark)) ** 2).sum(-1) for mark in LANDMARKS]
    return sum(np.where(s < 400, HEIGHT * np.exp(-s / (2 * WIDTH ** 2)), 0) for s in squares)


def dataset(sop_class, modality, pixels):
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = sop_class, generate_uid(), modality
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "L", "Landmark", "", "O"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = ROWS, COLUMNS, 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    if pixels.ndim == 3:
        ds.NumberOfFrames = len(pixels)
    ds.PixelData = np.rint(pixels).astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def place(ds, row, column):
    ds.PixelSpacing, ds.SliceThickness = list(SPACING), 2.0
    ds.ImageOrientationPatient = [float(f"{v:.10f}") for v in (*row, *column)]


def corner_text(corner):
    return [float(f"{v:.6f}") for v in corner]


def identity(ds, study, series, frame):
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.InstanceNumber = study, series, frame, 1


def item(**values):
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def classic(folder, uids, corners, row, column):
    # Instance numbers and file names say nothing about the order.
    shuffled = np.random.default_rng(7).permutation(len(corners))
    for number, index in enumerate(shuffled):
        ds = dataset("1.2.840.10008.5.1.4.1.1.2", "CT", blobs(corners[index], row, column))
        identity(ds, *uids)
        place(ds, row, column)
        ds.InstanceNumber, ds.ImagePositionPatient = int(number) + 1, corner_text(corners[index])
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
        ds.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)


def enhanced(folder, uids, corners, row, column):
    pixels = np.stack([blobs(corner, row, column) for corner in corners])
    ds = dataset("1.2.840.10008.5.1.4.1.1.4.1", "MR", pixels)
    identity(ds, *uids)
    measures, orientation = item(), item()
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), 2.0
    orientation.ImageOrientationPatient = [float(f"{v:.10f}") for v in (*row, *column)]
    ds.SharedFunctionalGroupsSequence = Sequence([item(
        PixelMeasuresSequence=Sequence([measures]), PlaneOrientationSequence=Sequence([orientation]),
        PixelValueTransformationSequence=Sequence([item(RescaleSlope=1, RescaleIntercept=0, RescaleType="US")]))])
    ds.PerFrameFunctionalGroupsSequence = Sequence([item(
        PlanePositionSequence=Sequence([item(ImagePositionPatient=corner_text(corner))]),
        FrameContentSequence=Sequence([item(StackID="1", InStackPositionNumber=k + 1)]))
        for k, corner in enumerate(corners)])
    ds.save_as(folder / "000.dcm", enforce_file_format=True)


def spect(folder, uids, corners, row, column):
    pixels = np.stack([blobs(corner, row, column) for corner in corners])
    ds = dataset("1.2.840.10008.5.1.4.1.1.20", "NM", pixels)
    identity(ds, *uids)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.PixelSpacing, ds.SliceThickness, ds.SpacingBetweenSlices = list(SPACING), 2.0, 2.0
    ds.SliceVector = list(range(1, len(corners) + 1))
    ds.DetectorInformationSequence = Sequence([item(
        ImagePositionPatient=corner_text(corners[0]),
        ImageOrientationPatient=[float(f"{v:.10f}") for v in (*row, *column)])])
    ds.save_as(folder / "000.dcm", enforce_file_format=True)


def targets():
    """Planes of 1 mm through every landmark: across the body, and oblique."""
    for angles in (AXES["axial"], (0.5, -0.3, 0.8)):
        row, column = turned(*angles)
        for mark in LANDMARKS:
            corner = np.array(mark) - (TARGET - 1) / 2 * (row + column)
            yield {"origin": corner.tolist(), "row": row.tolist(), "column": column.tolist(), "landmark": list(mark)}


def judge(folder, planes):
    """The planes, resampled by SimpleITK from the files as GDCM reads and sorts them."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.Cast(sitk.ReadImage(names), sitk.sitkFloat32)
    for number, plane in enumerate(planes):
        row, column = np.array(plane["row"]), np.array(plane["column"])
        direction = np.stack([row, column, np.cross(row, column)], axis=1)
        found = sitk.Resample(
            image, [TARGET, TARGET, 1], sitk.Transform(3, sitk.sitkIdentity), sitk.sitkLinear, plane["origin"],
            [1.0, 1.0, 1.0], direction.ravel().tolist(), 0.0, sitk.sitkFloat32)
        sitk.GetArrayFromImage(found).astype("<f4").tofile(f"{folder}.{number}.expected")


def main(root):
    cases = [(f"{name}{' uneven' if depths is UNEVEN else ''}", classic, angles, depths, 0.0)
             for name, angles in AXES.items() for depths in (EVEN, UNEVEN)]
    cases += [(f"tilt {tilt:g}{' uneven' if depths is UNEVEN else ''}", classic, AXES["axial"], depths, tilt)
              for tilt in (5.0, 18.5, -18.5, 30.0) for depths in (EVEN, UNEVEN)]
    cases += [("enhanced oblique", enhanced, AXES["oblique"], EVEN, 0.0),
              ("enhanced uneven", enhanced, AXES["sagittal"], UNEVEN, 0.0),
              ("enhanced tilt 18.5", enhanced, AXES["axial"], EVEN, 18.5),
              ("spect", spect, AXES["axial"], EVEN, 0.0)]
    planes, listed = list(targets()), []
    for name, write, angles, depths, tilt in cases:
        folder = root / name.replace(" ", "-")
        folder.mkdir(parents=True)
        write(folder, [generate_uid() for _ in range(3)], *stack(angles, depths, tilt))
        judged = write is classic and depths is EVEN and not tilt
        if judged:
            judge(folder, planes)
        listed.append({"name": name, "folder": folder.name, "judged": judged})
    (root / "cases.json").write_text(json.dumps({"cases": listed, "planes": planes, "side": TARGET, "height": HEIGHT}))


main(Path(sys.argv[1]))
