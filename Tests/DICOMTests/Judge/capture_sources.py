"""Invented sources for Secondary Captures: `capture_sources.py FOLDER` writes them and prints what belongs together.

Output: {case: {"fixed": [path, frame or null], "moving": [[path, frame or null], ...]}}
"""
import json, pathlib, sys
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless)

ROOT = "1.2.826.0.1.3680043.10.1476"
CT, MR, PT, NM, ENHANCED_MR = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128",
                               "1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.4.1")
OBLIQUE = [0.98480775, 0.17364818, 0.0, -0.16317591, 0.92541658, -0.34202014]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def base(case: int, sop_class: str, modality: str, series: int, number: int, charset, name: bytes) -> FileDataset:
    """All attributes of patient and study that two objects of one study share."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{case}.{series}.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    if charset: ds.SpecificCharacterSet = charset
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.add_new(0x00100010, "PN", name)
    ds.PatientID, ds.IssuerOfPatientID, ds.PatientBirthDate, ds.PatientSex = "T-4711", "TESTCLINIC", "19600229", "O"
    other, issuer = Dataset(), Dataset()
    other.PatientID, other.IssuerOfPatientID, other.TypeOfPatientID = "X-1", "OTHERCLINIC", "TEXT"
    issuer.LocalNamespaceEntityID = "ACCESSIONS"
    ds.OtherPatientIDsSequence, ds.IssuerOfAccessionNumberSequence = [other], [issuer]
    ds.PatientComments = "synthetic"
    ds.PatientAge, ds.PatientSize, ds.PatientWeight = "066Y", "1.75", "70.5"
    ds.EthnicGroup, ds.PregnancyStatus, ds.Occupation = "none", 4, "phantom"
    if case % 2:  # a whole clinical trial, or a fragment of one
        ds.ClinicalTrialSponsorName, ds.ClinicalTrialProtocolID, ds.ClinicalTrialSubjectID = "Sponsor", "P1", "42"
        ds.ClinicalTrialProtocolName = ds.ClinicalTrialSiteID = ds.ClinicalTrialSiteName = ""
        ds.ClinicalTrialTimePointID = "T1"
    else:
        ds.ClinicalTrialSponsorName, ds.ClinicalTrialProtocolID, ds.ClinicalTrialTimePointID = "", "P1", "T1"
    ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime = f"{ROOT}.{case}", "20260301", "101112"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "ACC1", "S1", "Referrer^R"
    ds.StudyDescription, ds.PhysiciansOfRecord = "Head", "Record^R"
    ds.ProcedureCodeSequence = [code("77477000", "SCT", "Computed tomography")]
    ds.AdmittingDiagnosesDescription = "none"
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = modality, f"{ROOT}.{case}.{series}", series
    ds.SeriesDate, ds.SeriesTime = "20260301", f"10{series:02d}00"
    ds.ContentDate, ds.ContentTime, ds.TimezoneOffsetFromUTC = "20260301", f"10{series:02d}3{number}", "+0100"
    ds.SeriesDescription, ds.BodyPartExamined, ds.PatientPosition = f"{modality} source", "HEAD", "HFS"
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "Maker of Scanners", f"{modality}-1", ["v1", "v2"]
    ds.StationName, ds.DeviceSerialNumber, ds.InstitutionName = "ST1", "4711", "Test Clinic"
    ds.ProtocolName = "must not be copied"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{ROOT}.{case}.99", "NA"
    ds.InstanceNumber, ds.ImageType = number, ["ORIGINAL", "PRIMARY", "AXIAL"]
    return ds


def pixels(ds: Dataset, shape, frames: int = 1) -> None:
    values = (np.arange(np.prod(shape) * frames) * 37 % 4000).astype("<u2")
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = *shape, 16, 12, 11
    ds.PixelRepresentation = 0
    ds.PixelData = values.tobytes()
    if frames > 1: ds.NumberOfFrames = frames


def slice_(ds: Dataset, orientation, z: float) -> Dataset:
    ds.ImageOrientationPatient, ds.ImagePositionPatient = orientation, [-100.5, -99.25, z]
    ds.PixelSpacing, ds.SliceThickness = [0.9375, 0.9375], 3.0
    pixels(ds, (12, 16))
    ds.RescaleIntercept, ds.RescaleSlope = (-1024, 1) if ds.Modality == "CT" else (0, 1)
    if ds.Modality == "PT":
        ds.Units, ds.DecayCorrection, ds.SeriesType, ds.CorrectedImage = "BQML", "START", ["STATIC", "IMAGE"], ["ATTN"]
    return ds


def spect(ds: Dataset) -> Dataset:
    pixels(ds, (12, 16), 4)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.PixelSpacing, ds.SliceThickness, ds.SpacingBetweenSlices = [4.0, 4.0], 4.0, 4.0
    ds.FrameIncrementPointer, ds.SliceVector, ds.NumberOfSlices = 0x00540080, [1, 2, 3, 4], 4
    detector = Dataset()
    detector.ImageOrientationPatient, detector.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-30, -22, 0]
    ds.DetectorInformationSequence = [detector]
    return ds


def enhanced(ds: Dataset) -> Dataset:
    pixels(ds, (12, 16), 3)
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.9375, 0.9375], 3.0
    orientation.ImageOrientationPatient = OBLIQUE
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], []
    for index in range(3):
        frame, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [-100.5, -99.25 + index, 3.0 * index]
        content.StackID, content.InStackPositionNumber = "1", index + 1
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        ds.PerFrameFunctionalGroupsSequence.append(frame)
    return ds


def save(ds: FileDataset, path: pathlib.Path, syntax=ExplicitVRLittleEndian) -> str:
    if syntax == JPEGBaseline8Bit:  # nobody decodes it here: what counts is what its header fails to say
        ds.PixelData = pydicom.encaps.encapsulate([bytes.fromhex("ffd8ffd9")])
    elif syntax == RLELossless:
        ds.compress(RLELossless, generate_instance_uid=False)
    elif syntax == ExplicitVRBigEndian:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:  # what pydicom converts only when forced to
        pydicom.dcmwrite(path, ds, force_encoding=True, implicit_vr=False, little_endian=False)
    else:
        ds.save_as(path, enforce_file_format=True, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return str(path)


def main(folder: pathlib.Path) -> None:
    cases = {}

    def pair(case, charset, name, fixed, moving, syntax=ExplicitVRLittleEndian, lossy=False, other_study=False):
        sop_class, modality, fill, frame = fixed
        number_of_case = len(cases) + 1
        ds = fill(base(number_of_case, sop_class, modality, 1, 1, charset, name))
        if lossy:
            ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", [10.5]
            ds.LossyImageCompressionMethod = "ISO_10918_1"
        entry = {"fixed": [save(ds, folder / f"{case}-fixed.dcm", syntax), frame], "moving": []}
        sop_class, modality, fill, frames = moving
        for number, frame in enumerate(frames, 1):
            ds = fill(base(number_of_case, sop_class, modality, 2, 1 if frame else number, charset, name))
            if other_study:
                ds.StudyInstanceUID, ds.StudyDate, ds.AccessionNumber = f"{ROOT}.{number_of_case}.7", "20260302", "ACC2"
                ds.SeriesDate = ds.ContentDate = "20260302"
            path = folder / f"{case}-moving{1 if frame else number}.dcm"
            entry["moving"].append([save(ds, path), frame])
        cases[case] = entry

    axial = lambda ds: slice_(ds, [1, 0, 0, 0, 1, 0], 12.3 + 3 * ds.InstanceNumber)
    oblique = lambda ds: slice_(ds, OBLIQUE, -7.123456789 + 3 * ds.InstanceNumber)
    ct, mr, pt = (CT, "CT", axial, None), (MR, "MR", oblique, None), (PT, "PT", axial, [None, None])
    ct_moving, nm = (CT, "CT", axial, [None, None]), (NM, "NM", spect, [2, 3])
    pair("latin", "ISO_IR 100", "Müller^Jörg".encode("latin-1"), mr, ct_moving, lossy=True)
    pair("utf8", "ISO_IR 192", "Wang^XiaoDong=王^小东".encode(), ct, pt, other_study=True)
    kanji = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"
    pair("kanji", ["", "ISO 2022 IR 87"], kanji, mr, nm)
    pair("enhanced", None, b"Doe^Jane", (ENHANCED_MR, "MR", enhanced, 2), ct_moving)
    for kind, syntax in [("implicit", ImplicitVRLittleEndian), ("bigendian", ExplicitVRBigEndian),
                         ("deflated", DeflatedExplicitVRLittleEndian), ("rle", RLELossless),
                         ("jpeg", JPEGBaseline8Bit)]:
        pair(kind, "ISO_IR 100", "Müller^Jörg".encode("latin-1"), ct, pt, syntax)
    print(json.dumps(cases))


main(pathlib.Path(sys.argv[1]))
