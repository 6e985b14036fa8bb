"""Moves a CT into a frame of reference of its own, turned and shifted, and writes the registration that leads back.

Usage: registered.py STUDY FOLDER REGISTRATION   (the CT-MR sample study; images go to FOLDER, the object to REGISTRATION)
"""

import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from scanner import CLASSES, IDENTITY, item

OWN_FRAME = "2.25.4242"


def turn(x, y, z):
    """Rotation about x, then y, then z, degrees."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians([x, y, z])), np.sin(np.radians([x, y, z]))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def main():
    study, folder, target = map(Path, sys.argv[1:])
    rotation, shift = turn(17, -23, 31), np.array([40, -25, 60])
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted([*study.glob("MR_*/*"), *study.glob("CT_HEAD_SOFT/*")]):
        ds = pydicom.dcmread(path)
        if ds.Modality == "MR":
            mr = ds
        else:
            ds.ImagePositionPatient = [f"{v:.6f}" for v in rotation @ np.array(ds.ImagePositionPatient, float) + shift]
            axes = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
            ds.ImageOrientationPatient = [f"{v:.10f}" for v in (axes @ rotation.T).ravel()]
            ds.FrameOfReferenceUID = OWN_FRAME
        ds.save_as(folder / f"{path.parent.name}-{path.name}")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, shift
    object_ = Dataset()
    for name in ["SpecificCharacterSet", "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate",
                 "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime"]:
        if name in mr:
            setattr(object_, name, mr[name].value)
    object_.SOPClassUID, object_.SOPInstanceUID, object_.SeriesInstanceUID = CLASSES["REG"], "2.25.777", "2.25.778"
    object_.Modality, object_.FrameOfReferenceUID = "REG", OWN_FRAME
    object_.ContentDate, object_.ContentTime = "20260101", "101010"
    object_.RegistrationSequence = Sequence([
        item(FrameOfReferenceUID=source, MatrixRegistrationSequence=Sequence([item(MatrixSequence=Sequence([item(
            FrameOfReferenceTransformationMatrix=[f"{v:.10f}" for v in numbers],
            FrameOfReferenceTransformationMatrixType="RIGID")]))]))
        for source, numbers in [(mr.FrameOfReferenceUID, matrix.ravel()), (OWN_FRAME, IDENTITY)]])
    object_.file_meta = FileMetaDataset()
    object_.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    object_.file_meta.MediaStorageSOPClassUID = object_.SOPClassUID
    object_.file_meta.MediaStorageSOPInstanceUID = object_.SOPInstanceUID
    object_.save_as(target, enforce_file_format=True)


main()
