"""What weights do to the sample studies, whose displacement is known in closed form. Nothing of them is trained on.

Example: python on_studies.py ../Models/bsafusion-joint.safetensors other.safetensors

As the pipeline sees them – the moving series where its headers place it, on 256 x 256 pixels of the fixed one,
normalised as `pipeline.yaml` has it – and once more with the shift and turn that fit each slice best taken away, as a
registration before the network would. Error in mm inside the head; NCC with the moving series undisplaced. Needs
pydicom and python-gdcm.
"""
import json
import sys
from pathlib import Path

import numpy as np
import pydicom
import torch
from scipy.ndimage import map_coordinates

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "sample-studies"), str(TOP / "Training")]

from bsafusion import metrics  # noqa: E402
from bsafusion.export import load_network  # noqa: E402
from bsafusion.samplers import warp_image  # noqa: E402
from phantom.deformation import Deformation  # noqa: E402

SIDE = 256
MODALITIES = {"ct-mr": "CT", "pet-mr": "PT", "spect-mr": "NM", "pet-ct": "PT"}  # of the moving series


def seconds(time):
    return int(time[:2]) * 3600 + int(time[2:4]) * 60 + float(time[4:])


def body_weight_factor(data):
    """Bq/ml to SUVbw."""
    tracer = data.RadiopharmaceuticalInformationSequence[0]
    waited = seconds(data.SeriesTime) - seconds(tracer.RadiopharmaceuticalStartTime)
    dose = float(tracer.RadionuclideTotalDose) * 2 ** (-waited / float(tracer.RadionuclideHalfLife))
    return 1000 * float(data.PatientWeight) / dose


class Stack:
    """A series along its normal: origins (mm), directions, spacing (mm) and values [K, rows, columns]."""

    def __init__(self, study, series):
        found = []
        for path in sorted((TOP / "sample-studies" / study).rglob("*")):
            if not path.is_file() or (data := pydicom.dcmread(path)).SeriesInstanceUID != series:
                continue
            self.modality = data.Modality
            place = data.DetectorInformationSequence[0] if data.Modality == "NM" else data
            self.row, self.column = np.reshape(np.array(place.ImageOrientationPatient, float), (2, 3))
            self.normal, self.spacing = np.cross(self.row, self.column), float(data.PixelSpacing[0])
            values = data.pixel_array * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
            if data.Modality == "PT":
                values = values * body_weight_factor(data)
            origin = np.array(place.ImagePositionPatient, float)
            step = float(data.get("SpacingBetweenSlices", 0)) * self.normal
            found += [(origin + k * step, plane) for k, plane in enumerate(values if values.ndim == 3 else [values])]
        found.sort(key=lambda slice: slice[0] @ self.normal)
        self.origins, self.values = (np.stack(part) for part in zip(*found))

    def at(self, points):
        """Trilinear values at points [N, 3] in mm."""
        step, offset = (self.origins[-1] - self.origins[0]) / (len(self.origins) - 1), points - self.origins[0]
        places = [offset @ step / (step @ step), offset @ self.column / self.spacing, offset @ self.row / self.spacing]
        # A slice's own plane is in the stack: by a rounding error it would be outside, and all of it empty.
        places = [np.where(abs(place - place.round()) < 1e-6, place.round(), place) for place in places]
        return map_coordinates(self.values.astype(float), places, order=1, mode="constant", cval=self.values.min())

    def percentiles(self):
        if self.modality == "NM":
            low, high = np.percentile(self.values, (1, 99.9))
            return max(low, 0.03 * high), high
        least, most = np.percentile(self.values, (2, 98))
        inside = self.values[self.values > least + 0.1 * (most - least)]  # without the air around the head
        return np.percentile(inside, (1, 99.5))

    def normalised(self, values):
        """To 0...1."""
        if self.modality == "CT":
            low, high = 0.0, 80.0
        elif self.modality == "PT":
            low, high = 0.1, 10.0
        else:
            low, high = self.percentiles()
        return np.clip((values - low) / (high - low), 0, 1)


def rigid_part(places, moves):
    """The shift and turn [N, 2] nearest to `moves` [N, 2] in the sense of least squares."""
    x, y = (places - places.mean(0)).T
    d = moves - moves.mean(0)
    turn = (x * d[:, 1] - y * d[:, 0]).sum() / (x * x + y * y).sum()
    return moves.mean(0) + turn * np.stack((-y, x), 1)


def slices(study):
    """Per slice of the fixed series: both images, and the moving one undisplaced, for the whole displacement and for
    what a rigid fit leaves of it; the true flow in pixels; the head."""
    truth = json.loads((TOP / "sample-studies" / "truth" / f"{study}.json").read_text())
    pixel = truth["inside_head"]["working_pixel_mm"]
    displacement = Deformation.read(TOP / "sample-studies" / "truth" / f"{study}.json")
    fixed, moving = (Stack(study, truth[part]["series_instance_uid"]) for part in ("fixed", "moving"))
    middle = (np.array(fixed.values.shape[2:0:-1]) - 1) / 2 * fixed.spacing
    j, i = (np.mgrid[0:SIDE, 0:SIDE].reshape(2, -1, 1) - (SIDE - 1) / 2) * pixel
    for origin in fixed.origins:
        points = origin + (middle[0] + i) * fixed.row + (middle[1] + j) * fixed.column
        moves = displacement(points)
        still, target = fixed.normalised(fixed.at(points)), moving.normalised(moving.at(points + moves))
        head = (still > 0.06) | (target > 0.06)
        plane = moves @ np.stack((fixed.row, fixed.column), 1)
        places = np.concatenate((i, j), 1)
        fitted = extended(places, places[head], rigid_part(places[head], plane[head]))
        for name, rigid in (("whole", 0 * plane), ("elastic", fitted)):
            at = points + rigid[:, :1] * fixed.row + rigid[:, 1:] * fixed.column
            yield name, still, moving.normalised(moving.at(at)), target, (plane - rigid) / pixel, head, pixel


def extended(places, known, fit):
    """A shift and turn known at some places, at all."""
    base = np.concatenate((known, np.ones((len(known), 1))), 1)
    return np.concatenate((places, np.ones((len(places), 1))), 1) @ np.linalg.lstsq(base, fit, rcond=None)[0]


def judged(net, study):
    """name -> [error before, after (mm), NCC before, after, whether worse] for every slice."""
    image = lambda values: torch.from_numpy(values.reshape(1, 1, SIDE, SIDE)).float()  # noqa: E731
    plane = lambda values: values.reshape(SIDE, SIDE).astype(float)  # noqa: E731
    rows = {}
    for name, fixed, moving, target, true, head, pixel in slices(study):
        with torch.no_grad():
            flow = net(image(fixed), image(moving), fuse=False, modality=MODALITIES[study]).alignment.flow
        found = flow[0].flatten(1).T.numpy()
        # The rest of an elastic flow is looked up where the rigid part has put it: close enough for fractions of a mm.
        before, after = (np.linalg.norm(true - f, axis=1)[head].mean() * pixel for f in (0, found))
        warped = warp_image(image(moving), flow)[0, 0].double().numpy()
        rows.setdefault(name, []).append((before, after, metrics.ncc(plane(moving), plane(target)),
                                          metrics.ncc(warped, plane(target)), float(after > before)))
    return {name: np.array(values) for name, values in rows.items()}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| weights | study | displacement | error mm | NCC | slices made worse |\n|---|---|---|---|---|---|")
    for path in sys.argv[1:]:
        net = load_network(path)
        net.skip_idle()
        for study in ("ct-mr", "pet-mr", "spect-mr", "pet-ct"):
            for name, rows in judged(net, study).items():
                a, b, c, d, _ = rows.mean(0)
                worse = f"{int(rows[:, 4].sum())} of {len(rows)}"
                error, ncc = f"{a:.2f} → {b:.2f}", f"{c:.3f} → {d:.3f}"
                print(f"| {Path(path).stem} | {study} | {name} | {error} | {ncc} | {worse} |", flush=True)


if __name__ == "__main__":
    main()
