"""What a scanner writes, made up: small series with every header a choice can depend on. Written by pydicom alone."""

import math

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1511"
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20", "SC": "1.2.840.10008.5.1.4.1.1.7", "SR": "1.2.840.10008.5.1.4.1.1.88.11",
    "REG": "1.2.840.10008.5.1.4.1.1.66.1", "DREG": "1.2.840.10008.5.1.4.1.1.66.3",
    "EMR": "1.2.840.10008.5.1.4.1.1.4.1", "ECT": "1.2.840.10008.5.1.4.1.1.2.1", "EPT": "1.2.840.10008.5.1.4.1.1.130"}
SIDE = 16
AXIAL, SAGITTAL, CORONAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]
# Turned by 20 degrees about the x axis.
OBLIQUE = [1, 0, 0, 0, math.cos(math.radians(20)), math.sin(math.radians(20))]
IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


CASES = []


def case(write):
    CASES.append(write)
    return write


def put(**attributes):
    """A change that sets attributes on every image."""
    def change(ds, _=0):
        for name, value in attributes.items():
            setattr(ds, name, value)
    return change


def frame(number):
    return f"{ROOT}.9.{number}"


def item(**values):
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


class Case:
    """One folder of files; series are numbered and their UIDs end in that number."""

    def __init__(self, folder, number):
        self.folder, self.number, self.files = folder, number, 0
        folder.mkdir(parents=True)

    def uid(self, *parts):
        return ".".join([ROOT, str(self.number), *map(str, parts)])

    def base(self, modality, series, study=1, sop_class=None, **attributes):
        ds = Dataset()
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SOPClassUID = CLASSES[sop_class or modality]
        ds.Modality = modality
        ds.StudyInstanceUID, ds.SeriesInstanceUID = self.uid(1, study), self.uid(2, series)
        ds.FrameOfReferenceUID = frame(1)
        ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "P1", "Phantom^Ada", "19700101", "F"
        ds.StudyDate, ds.StudyTime, ds.SeriesDate, ds.SeriesTime = "20260101", "100000", "20260101", "100000"
        ds.AcquisitionDate, ds.AcquisitionTime = "20260101", "100000"
        ds.SeriesNumber, ds.SeriesDescription = series, f"{modality} series"
        for name, value in attributes.items():
            setattr(ds, name, value)
        return ds

    def save(self, ds, instance):
        if "SOPInstanceUID" not in ds:
            ds.SOPInstanceUID = ds.SeriesInstanceUID + f".{instance}"
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        self.files += 1
        path = self.folder / f"{self.files:03}.dcm"
        ds.save_as(path, enforce_file_format=True)
        return path

    def pixels(self, ds, frames=1, kind="u2", seed=0):
        values = (np.arange(frames * SIDE * SIDE) * 7 + seed * 31) % (100 if kind[1] == "1" else 2000)
        ds.Rows = ds.Columns = SIDE
        bits = 8 * int(kind[1])
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits, bits - 1, int(kind[0] == "i")
        if frames > 1:
            ds.NumberOfFrames = frames
        ds.PixelData = values.astype(kind).tobytes()
        ds["PixelData"].VR = "OB" if bits == 8 else "OW"

    def series(self, modality, series, slices=5, spacing=3.0, depths=None, orientation=AXIAL, change=None, kind="u2",
               start=0.0, **attributes):
        """A classic series; `depths` are mm along the normal, `change(ds, index)` has the last word."""
        depths = [start + spacing * k for k in range(slices)] if depths is None else depths
        row, column = np.array(orientation[:3]), np.array(orientation[3:])
        normal = np.cross(row, column)
        for index, depth in enumerate(depths):
            ds = self.base(modality, series, **attributes)
            ds.InstanceNumber = index + 1
            # Every orientation has the centre of its stack at the same place.
            corner = -(SIDE - 1) / 2 * 2.0 * (row + column) + (depth - 6) * normal
            ds.ImagePositionPatient = [float(f"{value:.6f}") for value in corner]
            ds.ImageOrientationPatient = [float(f"{value:.8f}") for value in orientation]
            ds.PixelSpacing, ds.SliceThickness = [2, 2], 3
            ds.RescaleSlope, ds.RescaleIntercept = 1, -1024 if modality == "CT" else 0
            self.pixels(ds, kind=kind, seed=index)
            if modality == "PT":
                pet(ds)
            if change:
                change(ds, index)
            self.save(ds, index + 1)

    def mr(self, series=1, **more):
        self.series("MR", series, **more)

    def ct(self, series=2, **more):
        self.series("CT", series, **more)

    def pt(self, series=3, **more):
        self.series("PT", series, **more)

    def nm(self, series=4, frames=5, spacing=3.0, slices=None, change=None, **attributes):
        """Reconstructed SPECT: one file, planes by detector item and slice vector."""
        ds = self.base("NM", series, **attributes)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
        ds.InstanceNumber, ds.PixelSpacing, ds.SliceThickness = 1, [2, 2], 3
        first = -6 if spacing > 0 else 6
        ds.DetectorInformationSequence = Sequence([
            item(ImagePositionPatient=[-15, -15, first], ImageOrientationPatient=AXIAL)])
        ds.SpacingBetweenSlices, ds.SliceVector = spacing, slices or list(range(1, frames + 1))
        self.pixels(ds, frames)
        if change:
            change(ds)
        self.save(ds, 1)

    def enhanced(self, modality, series, sop_class, frames=5, times=1, groups=None, **attributes):
        """An enhanced multi-frame object; `groups(index)` gives further macros of a frame."""
        ds = self.base(modality, series, sop_class=sop_class, **attributes)
        ds.InstanceNumber = 1
        shared = item(
            PixelMeasuresSequence=Sequence([item(PixelSpacing=[2, 2], SliceThickness=3)]),
            PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=AXIAL)]),
            PixelValueTransformationSequence=Sequence([
                item(RescaleSlope=1, RescaleIntercept=-1024 if modality == "CT" else 0,
                     RescaleType="HU" if modality == "CT" else "US")]))
        ds.SharedFunctionalGroupsSequence = Sequence([shared])
        per_frame = []
        for index in range(frames * times):
            group = item(
                PlanePositionSequence=Sequence([item(ImagePositionPatient=[-15, -15, 3 * (index % frames) - 6])]),
                FrameContentSequence=Sequence([item(
                    StackID="1", InStackPositionNumber=index % frames + 1, TemporalPositionIndex=index // frames + 1)]))
            for name, value in (groups(index) if groups else {}).items():
                setattr(group, name, value)
            per_frame.append(group)
        ds.PerFrameFunctionalGroupsSequence = Sequence(per_frame)
        self.pixels(ds, frames * times)
        self.save(ds, 1)

    def registration(self, series, frames, target, kind="RIGID", deformable=False, **attributes):
        """A Spatial Registration object: `frames` are (frame of reference, matrix) pairs."""
        ds = self.base("REG", series, sop_class="DREG" if deformable else "REG", **attributes)
        ds.InstanceNumber, ds.FrameOfReferenceUID = 1, target
        ds.ContentDate, ds.ContentTime = "20260102", "120000"
        items = []
        for source, matrix in frames:
            code = item(CodeValue="125024", CodingSchemeDesignator="DCM", CodeMeaning="Image Content-based Alignment")
            inner = item(FrameOfReferenceTransformationMatrix=matrix, FrameOfReferenceTransformationMatrixType=kind)
            step = item(MatrixSequence=Sequence([inner]), RegistrationTypeCodeSequence=Sequence([code]))
            if deformable:
                items.append(item(SourceFrameOfReferenceUID=source, DeformableRegistrationGridSequence=Sequence([])))
            else:
                items.append(item(FrameOfReferenceUID=source, MatrixRegistrationSequence=Sequence([step])))
        setattr(ds, "DeformableRegistrationSequence" if deformable else "RegistrationSequence", Sequence(items))
        self.save(ds, 1)

    def settings(self, text):
        (self.folder / "pipeline.yaml").write_text(text + "\n")


def pet(ds):
    """What leads to SUV: F-18, 370 MBq an hour before, 70 kg."""
    ds.Units, ds.DecayCorrection, ds.CorrectedImage = "BQML", "START", ["DECY", "ATTN", "SCAT"]
    ds.SeriesType, ds.PatientWeight = ["STATIC", "IMAGE"], 70
    ds.RadiopharmaceuticalInformationSequence = Sequence([item(
        RadiopharmaceuticalStartTime="090000", RadionuclideTotalDose=3.7e8, RadionuclideHalfLife=6586.2)])


def mapping(slope, intercept, unit):
    code = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    return item(
        RealWorldValueFirstValueMapped=0, RealWorldValueLastValueMapped=65535, RealWorldValueSlope=float(slope),
        RealWorldValueIntercept=float(intercept), LUTLabel="1", MeasurementUnitsCodeSequence=Sequence([code]))
