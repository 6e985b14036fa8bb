"""What each scanner measures of the anatomy: contrast, blur, shading and noise – arrays only, no DICOM."""

import numpy as np
from scipy.ndimage import gaussian_filter

from .anatomy import TISSUES, composition

# Relative signal, CSF (T2) or fat (T1) near one.
T2 = dict(zip(TISSUES, [0, .32, .46, .20, .02, .15, 1.0, .60, .40, .48, .52, .70, .78, .06, 1.0]))
T1 = dict(zip(TISSUES, [0, .45, 1.0, .38, .03, .40, .13, .50, .76, .60, .58, .62, .55, .10, .14]))
# Hounsfield units.
CT = dict(zip(TISSUES, [-1000, 35, -95, 55, 1200, 560, 8, 39, 29, 40, 38, 50, 19, 190, 12]))
# Uptake relative to grey matter.
FDG = dict(zip(TISSUES, [0, .10, .05, .14, .05, .14, .04, 1.0, .32, 1.08, .80, 1.75, .30, .02, .04]))
PERFUSION = dict(zip(TISSUES, [0, .12, .05, .12, .03, .08, .03, 1.0, .34, 1.02, 1.05, .35, .25, .02, .03]))


def sampled(subject, grid, table, body=None, sublayers=3):
    """Mean of `table` over the thickness of every slice → [slices, rows, columns]; `body` maps scanner to body mm."""
    columns, rows, slices = grid.size
    values = np.array([table[name] for name in TISSUES], float)
    shifts = (np.arange(sublayers) + 0.5) / sublayers - 0.5
    volume = np.zeros((slices, rows, columns))
    for k in range(slices):
        for shift in shifts:
            points = grid.points(k, shift * grid.thickness)
            points = body(points) if body else points
            volume[k] += (values @ composition(subject, points)).reshape(rows, columns) / sublayers
    return volume


def texture(subject, grid, body=None):
    """Slow unevenness of tissue within an organ, mean one → [slices, rows, columns]."""
    columns, rows, slices = grid.size
    result = np.empty((slices, rows, columns))
    for k in range(slices):
        points = grid.points(k)
        points = body(points) if body else points
        value = 1 + 0.035 * subject.wave("coarse", 32)(points) + 0.03 * subject.wave("fine", 9)(points)
        result[k] = value.reshape(rows, columns)
    return result


def magnetic_resonance(subject, grid, table, seed, peak=1500, body=None, snr=45):
    """Magnitude image with coil shading (bias field) and Rician noise; 12-bit unsigned."""
    random = np.random.Generator(np.random.PCG64(seed))
    signal = sampled(subject, grid, table, body) * texture(subject, grid, body)
    signal = gaussian_filter(signal, (0, 0.45, 0.45))
    columns, rows, slices = grid.size
    j, i = np.mgrid[0:rows, 0:columns]
    u, v = (i / columns - 0.5) * 2, (j / rows - 0.5) * 2
    shade = 1 + 0.10 * u - 0.07 * v + 0.16 * (u**2 + v**2) - 0.05 * u * v
    sigma = 0.6 / snr
    noise = random.standard_normal((2, slices, rows, columns)) * sigma
    magnitude = np.hypot(signal * shade + noise[0], noise[1])
    # Scanners blank what is far from the object; it keeps the files small too.
    inside = gaussian_filter((signal > 0.1).astype(float), (0, 4, 4)) > 0.02
    return np.where(inside, np.clip(np.rint(magnitude * peak), 0, 4095), 0).astype(np.uint16)


def computed_tomography(subject, grid, seed, body=None, noise=3.0, holder=False):
    """Hounsfield units with the grain of a soft-tissue kernel, rounded."""
    random = np.random.Generator(np.random.PCG64(seed))
    hounsfield = sampled(subject, grid, CT, body)
    hounsfield += 25 * (texture(subject, grid, body) - 1) * (hounsfield > 0)
    if holder:
        for k in range(grid.size[2]):
            x, y, _ = grid.points(k).T
            arc = np.abs(np.hypot(x, y + 5) - 112) - 2.0
            shell = np.where(y > 40, np.clip(0.5 - arc, 0, 1), 0).reshape(grid.size[1], grid.size[0])
            hounsfield[k] += shell * (150 - hounsfield[k])
    hounsfield = gaussian_filter(hounsfield, (0, 0.5, 0.5))
    grain = gaussian_filter(random.standard_normal(hounsfield.shape), (0, 0.8, 0.8))
    grain *= noise / grain.std()
    return np.rint(np.where(hounsfield > -980, hounsfield + grain, -1000))


def emission(subject, grid, table, seed, full_width, counts, body=None):
    """Activity relative to grey matter, blurred to `full_width` mm (FWHM), with noise as of `counts` per voxel."""
    random = np.random.Generator(np.random.PCG64(seed))
    activity = sampled(subject, grid, table, body, sublayers=2) * texture(subject, grid, body)
    activity *= 1 + 0.6 * (texture(subject, grid, body) - 1)
    sigma = full_width / 2.3548
    widths = (sigma / grid.step, sigma / grid.spacing, sigma / grid.spacing)
    smooth = gaussian_filter(activity, widths)
    grain = random.standard_normal(smooth.shape) * np.sqrt(np.maximum(smooth, 0.004) / counts)
    return np.maximum(smooth + gaussian_filter(grain, [0.45 * w for w in widths]), 0)
