"""The ground truth really aligns the files: pixels are read back and the modalities compared with and without it."""

import json
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy.ndimage import map_coordinates

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

from phantom.deformation import Deformation  # noqa: E402

TRUTHS = sorted((FOLDER / "truth").glob("*.json"))
# Share of uptake among tissues differs per tracer; every pair gains far more than this.
GAIN = 1.1


def slices(study, series):
    """[(origin, row, column, spacing, rescaled pixels)] along the normal, mm; NM frames step by their own spacing."""
    found = []
    for path in sorted((FOLDER / study).rglob("*")):
        if not path.is_file() or (data := pydicom.dcmread(path)).SeriesInstanceUID != series:
            continue
        detector = data.DetectorInformationSequence[0] if data.Modality == "NM" else data
        axes = np.reshape(np.array(detector.ImageOrientationPatient, float), (2, 3))
        origin, spacing = np.array(detector.ImagePositionPatient, float), float(data.PixelSpacing[0])
        step = float(data.get("SpacingBetweenSlices", 0)) * np.cross(*axes)
        planes = data.pixel_array * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
        for k, plane in enumerate(planes if planes.ndim == 3 else [planes]):
            found.append((origin + k * step, *axes, spacing, plane))
    return sorted(found, key=lambda s: s[0] @ np.cross(s[1], s[2]))


def sampled(volume, points):
    """Trilinear values of a stack at points [N, 3] in mm."""
    origin, row, column, spacing, _ = volume[0]
    step = (volume[-1][0] - origin) / (len(volume) - 1)
    offset = points - origin
    indices = [offset @ step / (step @ step), offset @ column / spacing, offset @ row / spacing]
    return map_coordinates(np.stack([s[4] for s in volume]), indices, order=1, mode="nearest")


def mutual_information(a, b):
    joint = np.histogram2d(a, b, bins=48)[0] / len(a)
    outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    filled = joint > 0
    return (joint[filled] * np.log(joint[filled] / outer[filled])).sum()


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.stem)
def test_the_true_displacement_aligns_the_moving_series(path):
    truth, displacement = json.loads(path.read_text()), Deformation.read(path)
    fixed = slices(path.stem, truth["fixed"]["series_instance_uid"])
    moving = slices(path.stem, truth["moving"]["series_instance_uid"])
    low, high = (0, 80) if truth["moving"]["modality"] == "CT" else (0, np.inf)
    origin, row, column, spacing, plane = fixed[6]
    j, i = np.mgrid[0:plane.shape[0], 0:plane.shape[1]]
    points = origin + spacing * (i.reshape(-1, 1) * row + j.reshape(-1, 1) * column)
    brain = np.linalg.norm((points - displacement.center) / (60, 78, 80), axis=1) < 1
    points, still = points[brain], np.clip(plane.ravel()[brain], -50, 3000)
    apart = mutual_information(still, np.clip(sampled(moving, points), low, high))
    aligned = mutual_information(still, np.clip(sampled(moving, points + displacement(points)), low, high))
    opposite = mutual_information(still, np.clip(sampled(moving, points - displacement(points)), low, high))
    print(f"{path.stem}: mutual information {apart:.3f} apart, {aligned:.3f} aligned, {opposite:.3f} opposite")
    assert aligned > GAIN * apart and aligned > GAIN * opposite


@pytest.mark.parametrize("study", ["pet-mr", "pet-ct"])
def test_grey_matter_has_a_standardised_uptake_value_of_a_brain(study):
    truth = json.loads((FOLDER / "truth" / f"{study}.json").read_text())
    series = [pydicom.dcmread(p) for p in (FOLDER / study).rglob("*") if p.is_file()]
    series = [d for d in series if d.SeriesInstanceUID == truth["moving"]["series_instance_uid"]]
    assert len({float(d.RescaleSlope) for d in series}) > len(series) // 2
    tracer = series[0].RadiopharmaceuticalInformationSequence[0]
    waited = seconds(series[0].SeriesTime) - seconds(tracer.RadiopharmaceuticalStartTime)
    left = float(tracer.RadionuclideTotalDose) * 2 ** (-waited / float(tracer.RadionuclideHalfLife))
    peak = np.percentile(np.stack([d.pixel_array * float(d.RescaleSlope) for d in series]), 98)
    assert 5 < peak * float(series[0].PatientWeight) * 1000 / left < 15


def seconds(time):
    return int(time[:2]) * 3600 + int(time[2:4]) * 60 + float(time[4:])
