#!/usr/bin/env python3
"""Is a Spatial Registration object valid, and does its matrix bring positions of the CT to those of the MR?

    registration_object.py OBJECT MR_FOLDER CT_FOLDER MATRIX

MATRIX: MR to CT positions, 4×4 row-major, as JSON. Prints "fine", or what is wrong.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom


def complaints(path):
    done = subprocess.run([str(Path(sys.executable).parent / "dciodvfy"), path], capture_output=True, text=True)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("Error", "Warning"))]


def main(path, mr, ct, matrix):
    object_ = pydicom.dcmread(path)
    wrong = complaints(path)
    series = [[pydicom.dcmread(file, stop_before_pixels=True) for file in sorted(Path(folder).iterdir())]
              for folder in (mr, ct)]
    if object_.SOPClassUID.name != "Spatial Registration Storage":
        wrong.append("the SOP class")
    if (object_.PatientID, object_.StudyInstanceUID) != (series[0][0].PatientID, series[0][0].StudyInstanceUID):
        wrong.append("the patient or the study")
    found = []
    for item, members in zip(object_.RegistrationSequence, series, strict=True):
        if item.FrameOfReferenceUID != members[0].FrameOfReferenceUID:
            wrong.append("a frame of reference")
        if {i.ReferencedSOPInstanceUID for i in item.ReferencedImageSequence} != {m.SOPInstanceUID for m in members}:
            wrong.append("the images of a frame of reference")
        [registration], = [item.MatrixRegistrationSequence]
        [part] = registration.MatrixSequence
        found.append(np.array(part.FrameOfReferenceTransformationMatrix, float).reshape(4, 4))
    if object_.FrameOfReferenceUID != series[0][0].FrameOfReferenceUID or not np.array_equal(found[0], np.eye(4)):
        wrong.append("the registered coordinates")
    landmarks = np.c_[np.random.default_rng(1).uniform(-80, 80, (50, 3)), np.ones(50)].T
    there_and_back = found[1] @ np.array(json.loads(matrix)).reshape(4, 4) @ landmarks
    if np.abs(there_and_back - landmarks).max() > 1e-6:
        wrong.append("the matrix")
    listed = {i.ReferencedSOPInstanceUID for s in object_.ReferencedSeriesSequence for i in s.ReferencedInstanceSequence}
    if listed != {m.SOPInstanceUID for members in series for m in members}:
        wrong.append("the instances referred to")
    print("; ".join(wrong) or "fine")


if __name__ == "__main__":
    main(*sys.argv[1:])
