"""Draws pairs of volumes whose rigid transform is known, from heads made by dense.py – no registration here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

MODES = {  # fixed contrast, moving contrast
    "CT-MR": [("t1", "ct"), ("t2", "ct")], "PET-MR": [("t1", "fdg"), ("t2", "fdg")],
    "SPECT-MR": [("t1", "perfusion"), ("t2", "perfusion")], "PET-CT": [("ct", "fdg")],
}
BRAIN = (58.0, 72.0, 50.0)  # mm, half axes of the ellipsoid whose points are judged
ORIENTATIONS = {  # rows, columns, slices of the image in patient axes
    "axial": np.eye(3), "sagittal": np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]]).T.copy(),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T.copy(),
}
ORIENTATIONS["sagittal"] = np.array([[0, 0, 1.0], [1, 0, 0], [0, -1, 0]])  # columns: row, column, slice direction


@dataclass
class Case:
    name: str
    fixed: sitk.Image
    moving: sitk.Image
    truth: np.ndarray  # 4×4, fixed to moving position, mm
    points: np.ndarray  # [n, 3] of the brain, fixed mm
    overlap: float  # share of the brain's points that lie in both images
    thickness: float  # mm, the thicker of both


def euler(degrees):
    x, y, z = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def rigid(degrees, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = euler(degrees)
    matrix[:3, 3] = shift
    return matrix


def head(path, contrast):
    """A dense contrast as an image in body coordinates, mm."""
    with np.load(path) as arrays:
        array, pitch = arrays[contrast], float(arrays["pitch"])
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([pitch] * 3)
    image.SetOrigin([-(n - 1) / 2 * pitch for n in array.shape[::-1]])
    return image


def grid(center, directions, spacing, size):
    reference = sitk.Image([int(n) for n in size], sitk.sitkUInt8)
    reference.SetSpacing([float(s) for s in spacing])
    reference.SetDirection(directions.ravel().tolist())
    corner = np.asarray(center) - directions @ ((np.asarray(size) - 1) / 2 * spacing)
    reference.SetOrigin(corner.tolist())
    return reference


def transform(matrix):
    result = sitk.AffineTransform(3)
    result.SetMatrix(matrix[:3, :3].ravel().tolist())
    result.SetTranslation(matrix[:3, 3].tolist())
    return result


def scanned(body, reference, to_body, outside, layers):
    """The body on a grid, averaged over `layers` through the slice; `to_body` maps grid positions to the body."""
    total = None
    normal = np.array(reference.GetDirection()).reshape(3, 3)[:, 2] * reference.GetSpacing()[2]
    for layer in range(layers):
        shifted = sitk.Image(reference)
        offset = normal * ((layer + 0.5) / layers - 0.5)
        shifted.SetOrigin((np.array(reference.GetOrigin()) + offset).tolist())
        image = sitk.Resample(body, shifted, transform(to_body), sitk.sitkLinear, outside, sitk.sitkFloat32)
        array = sitk.GetArrayFromImage(image)
        total = array if total is None else total + array
    return total / layers


def measured(array, contrast, spacing, random, signal_to_noise):
    """What the scanner makes of it: noise, shading, blur."""
    shape = array.shape
    if contrast in ("t1", "t2"):
        axes = [np.linspace(-1, 1, n) for n in shape]
        z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
        a = random.uniform(-0.25, 0.25, 6)
        shade = 1 + a[0] * x + a[1] * y + a[2] * z + a[3] * x * x + a[4] * y * y + a[5] * z * z
        noise = random.standard_normal((2, *shape), dtype=np.float32) * (0.6 / signal_to_noise)
        return np.hypot(array * shade + noise[0], noise[1]) * 1000
    if contrast == "ct":
        return np.rint(array + random.standard_normal(shape, dtype=np.float32) * 5)
    from scipy.ndimage import gaussian_filter
    width = (5.5 if contrast == "fdg" else 8.5) / 2.3548
    smooth = gaussian_filter(array, [width / s for s in spacing[::-1]])
    grain = random.standard_normal(shape, dtype=np.float32) * np.sqrt(np.maximum(smooth, 0.004) / 40)
    return np.maximum(smooth + gaussian_filter(grain, 0.6), 0) * 20000


def layout(contrast, random, thick, orientation):
    """Spacing and size of a series, and directions of its rows, columns and slices."""
    directions = ORIENTATIONS[orientation]
    if contrast in ("t1", "t2", "ct"):
        pixel = random.uniform(0.9, 1.05)
        step = thick or random.uniform(0.95, 1.2)
        reach = np.array([215.0, 245.0, 200.0]) if contrast == "ct" else np.array([210.0, 240.0, 190.0])
    else:
        pixel = step = random.uniform(2.0, 2.8) if contrast == "fdg" else random.uniform(3.0, 4.0)
        step = step if not thick else max(step, thick)
        reach = np.array([230.0, 250.0, 180.0])
    spacing = np.array([pixel, pixel, step])
    extent = np.abs(directions.T) @ reach
    return spacing, np.maximum(4, np.round(extent / spacing)).astype(int), directions


def draw(number, heads, mode, thick=None, orientation="axial", cropped=False, reach=(60.0, 30.0), moving_head=None):
    """Case `number`: the same number, the same case. `moving_head` takes another head's volume for the moving side."""
    random = np.random.default_rng(number)
    path = heads[random.integers(len(heads))]
    fixed_contrast, moving_contrast = MODES[mode][random.integers(len(MODES[mode]))]
    to_moving = rigid(random.uniform(-reach[1], reach[1], 3), random.uniform(-reach[0], reach[0], 3))
    spacing, size, directions = layout(fixed_contrast, random, thick, orientation)
    center = random.uniform(-6, 6, 3)
    if cropped and orientation == "axial":  # the MR ends early, above or below
        size[2] = round(size[2] * random.uniform(0.55, 0.75))
        center[2] += random.choice([-1, 1]) * random.uniform(10, 30)
    fixed_grid = grid(center, directions @ euler(random.uniform(-5, 5, 3)), spacing, size)
    body = head(path, fixed_contrast)
    background = -1000 if fixed_contrast == "ct" else 0
    noise = random.uniform(25, 50)
    array = scanned(body, fixed_grid, np.eye(4), background, 4 if thick else 1)
    fixed = image_of(measured(array, fixed_contrast, spacing, random, noise), fixed_grid)

    spacing, size, directions = layout(moving_contrast, random, thick, "axial")
    middle = (to_moving @ [0, 0, 0, 1])[:3] + random.uniform(-8, 8, 3)
    if cropped:
        size[2] = round(size[2] * random.uniform(0.6, 0.9))
        middle[2] += random.uniform(-20, 20)
    moving_grid = grid(middle, directions @ euler(random.uniform(-4, 4, 3)), spacing, size)
    body = head(moving_head or path, moving_contrast)
    background = -1000 if moving_contrast == "ct" else 0
    array = scanned(body, moving_grid, np.linalg.inv(to_moving), background, 4 if thick else 1)
    moving = image_of(measured(array, moving_contrast, spacing, random, noise), moving_grid)
    points = brain_points(random)
    both = inside(fixed, points) & inside(moving, points @ to_moving[:3, :3].T + to_moving[:3, 3])
    return Case(f"{mode}-{number}", fixed, moving, to_moving, points, float(both.mean()), thick or 1.0)


def image_of(array, reference):
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.CopyInformation(reference)
    return image


def brain_points(random, count=500):
    points = random.uniform(-1, 1, (4 * count, 3))
    return (points[np.linalg.norm(points, axis=1) < 1] * BRAIN)[:count] + [0, 0, 6]


def inside(image, points):
    directions = np.array(image.GetDirection()).reshape(3, 3)
    index = (points - image.GetOrigin()) @ directions / image.GetSpacing()
    return ((index >= -0.5) & (index <= np.array(image.GetSize()) - 0.5)).all(axis=1)


def error(case, matrix):
    """Distances of the brain's points from where they belong, mm: target registration error."""
    difference = np.asarray(matrix).reshape(4, 4) - case.truth
    return np.linalg.norm(case.points @ difference[:3, :3].T + difference[:3, 3], axis=1)


def heads_in(folder):
    return sorted(Path(folder).glob("*.npz"))
