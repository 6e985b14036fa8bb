"""The sample files against their own ground truth: geometry, marking, and the displacement in closed form."""

import json
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

from phantom.deformation import Deformation  # noqa: E402

TRUTHS = sorted((FOLDER / "truth").glob("*.json"))


def files(study):
    return [pydicom.dcmread(path) for path in sorted((FOLDER / study).rglob("*")) if path.is_file()]


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.stem)
def test_the_displacement_is_what_its_examples_say_and_can_be_undone(path):
    truth, displacement = json.loads(path.read_text()), Deformation.read(path)
    for example in truth["examples"]:
        assert np.allclose(displacement(np.array([example["at_mm"]]))[0], example["u_mm"], atol=2e-6)
    body = np.random.default_rng(1).uniform(-80, 80, (500, 3))
    assert np.allclose(displacement.undone(body + displacement(body)), body, atol=1e-4)
    assert 6 <= truth["inside_head"]["max_px"] <= 14


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.stem)
def test_every_file_is_marked_synthetic_and_belongs_to_one_patient_and_study(path):
    data = files(path.stem)
    truth = json.loads(path.read_text())
    assert {str(d.StudyInstanceUID) for d in data} == {truth["study_instance_uid"]}
    assert len({(d.PatientID, str(d.PatientName)) for d in data}) == 1
    assert all("ynthetic" in d.PatientComments and "ynthetic" in d.InstitutionName for d in data)
    assert len({d.SOPInstanceUID for d in data}) == len(data)
    assert {truth["fixed"]["series_instance_uid"], truth["moving"]["series_instance_uid"]} <= {
        str(d.SeriesInstanceUID) for d in data}


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.stem)
def test_the_displacement_lies_in_the_plane_of_the_fixed_slices(path):
    truth, displacement = json.loads(path.read_text()), Deformation.read(path)
    fixed = [d for d in files(path.stem) if d.SeriesInstanceUID == truth["fixed"]["series_instance_uid"]]
    assert len(fixed) == 12
    for data in fixed:
        row, column = np.reshape(np.array(data.ImageOrientationPatient, float), (2, 3))
        steps = displacement(np.random.default_rng(2).uniform(-80, 80, (50, 3)))
        assert np.abs(steps @ np.cross(row, column)).max() < 1e-9
