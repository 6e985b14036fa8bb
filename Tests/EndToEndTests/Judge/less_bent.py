#!/usr/bin/env python3
"""The moving series of a sample study with less of its bend, as if from another scanner, into a folder.

    less_bent.py STUDY SERIES SHARE REACH MATRIX FOLDER

What was bent stays turned and shifted; of the waves only SHARE is left, up to REACH mm above the centre of the
deformation along its normal, from where it fades to nothing within 20 mm. The images are resampled (cubic splines) and
moved by MATRIX (4×4, row-major, comma-separated) into another frame of reference, uncompressed, everything else as in
the sample."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from scipy.ndimage import map_coordinates, spline_filter

SAMPLES = Path(__file__).resolve().parents[3] / "sample-studies"
sys.path.insert(0, str(SAMPLES))
from phantom.deformation import Deformation  # noqa: E402


class Series:
    """Images in order along the normal: single frames, or the frames of one nuclear medicine file, whose place is that
    of its detector."""

    def __init__(self, folder):
        self.files = [pydicom.dcmread(path) for path in folder.iterdir()]
        self.row, self.column = np.array(self.holder(self.files[0]).ImageOrientationPatient, float).reshape(2, 3)
        self.normal = np.cross(self.row, self.column)
        self.files.sort(key=lambda d: self.normal @ self.place(d))
        self.values = np.concatenate([self.rescaled(d) for d in self.files])
        first = self.files[0]
        down, across = (float(v) for v in first.PixelSpacing)
        if len(self.files) > 1:
            along = self.place(self.files[1]) - self.place(first)
        else:
            along = float(first.SpacingBetweenSlices) * self.normal
        self.steps = np.stack([along, self.column * down, self.row * across])  # per slice, row and column, mm

    @staticmethod
    def holder(d):
        return d.DetectorInformationSequence[0] if "DetectorInformationSequence" in d else d

    def place(self, d):
        return np.array(self.holder(d).ImagePositionPatient, float)

    @staticmethod
    def scale(d):
        return float(d.get("RescaleSlope", 1)), float(d.get("RescaleIntercept", 0))

    def rescaled(self, d):
        slope, intercept = self.scale(d)
        return d.pixel_array.reshape(-1, d.Rows, d.Columns) * slope + intercept

    def points(self):
        """Positions of all voxels (N, 3), mm."""
        return np.moveaxis(np.indices(self.values.shape), 0, -1).reshape(-1, 3) @ self.steps + self.place(self.files[0])

    def sampled(self, points):
        """Values at positions, by cubic splines, in the shape of the series."""
        index = np.linalg.solve(self.steps.T, (points - self.place(self.files[0])).T)
        found = map_coordinates(spline_filter(self.values), index, mode="nearest", prefilter=False)
        return found.reshape(self.values.shape)

    def write(self, values, matrix, folder):
        """The same files with other values, at positions brought elsewhere by `matrix`."""
        pictures = np.split(values, len(self.files))
        for index, (d, picture) in enumerate(zip(self.files, pictures)):
            slope, intercept = self.scale(d)
            known = d.pixel_array
            stored = np.clip(np.rint((picture - intercept) / slope), known.min(), known.max())
            d.PixelData = stored.astype(known.dtype).tobytes()
            d.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            d["PixelData"].VR, d["PixelData"].is_undefined_length = "OW", False
            axes = np.stack([self.row, self.column]) @ matrix[:3, :3].T
            place = matrix[:3, :3] @ self.place(d) + matrix[:3, 3]
            self.holder(d).ImageOrientationPatient = [f"{v:.10f}" for v in axes.ravel()]
            self.holder(d).ImagePositionPatient = [f"{v:.8f}" for v in place]
            d.FrameOfReferenceUID = "1.2.3.4"
            d.save_as(Path(folder) / f"{index}.dcm", enforce_file_format=True)


@dataclass(frozen=True)
class PartlyBent(Deformation):
    share: float
    reach: float  # mm above the centre, along the normal

    FADE = 20.0  # mm

    def __call__(self, points):
        whole = Deformation.__call__(self, points)
        stiff = Deformation.__call__(replace(self, waves=()), points)
        above = (points - np.asarray(self.center)) @ np.asarray(self.axes[2]) - self.reach
        left = np.cos(np.pi / 2 * np.clip(above / self.FADE, 0, 1)) ** 2
        return stiff + self.share * left[:, None] * (whole - stiff)


def main(study, name, share, reach, matrix, folder):
    series = Series(SAMPLES / study / name)
    whole = Deformation.read(SAMPLES / "truth" / f"{study}.json")
    body = PartlyBent(**vars(whole), share=share, reach=reach).undone(series.points())
    series.write(series.sampled(body + whole(body)), matrix, folder)


if __name__ == "__main__":
    study, name, share, reach, matrix, folder = sys.argv[1:]
    main(study, name, float(share), float(reach), np.array(matrix.split(","), float).reshape(4, 4), folder)
