"""Which tissues fill any point of the phantom's head, in closed form – nothing here knows about pixels or scanners.

Coordinates are millimetres in the patient's axes (x to the left, y to the back, z to the top), zero near the middle
of the head, a little above the anterior commissure.
"""

from dataclasses import dataclass, field

import numpy as np

from .shapes import cover, ellipsoid, mirrored, tube
from .waves import WaveField

TISSUES = [
    "air", "skin", "fat", "muscle", "cortical bone", "diploe", "csf", "grey", "white", "deep grey", "cerebellum",
    "lesion", "oedema", "calcification", "vitreous",
]
INDEX = {name: i for i, name in enumerate(TISSUES)}

CORTEX = 3.1  # mm, thickness of the cortical ribbon
SUBARACHNOID = 2.2  # mm, between inner table and brain


@dataclass(frozen=True)
class Subject:
    """What makes one invented patient differ from another."""

    seed: int
    size: tuple = (1.0, 1.0, 1.0)  # along x, y, z
    atrophy: float = 1.0  # widens sulci and ventricles
    lesion: tuple = (34.0, 24.0, 26.0)  # centre, mm
    lesion_radius: float = 10.0  # mm
    oedema: float = 9.0  # mm around it
    fields: dict = field(default_factory=dict, repr=False, compare=False)

    def wave(self, name, wavelength, **options):
        """The subject's random field of that name, made once."""
        if name not in self.fields:
            number = self.seed * 1000 + sum(map(ord, name))
            self.fields[name] = WaveField(number, wavelength, **options)
        return self.fields[name]


class Composition:
    """Shares of every tissue [T, N] while bodies are painted over one another."""

    def __init__(self, count):
        self.shares = np.zeros((len(TISSUES), count))
        self.shares[INDEX["air"]] = 1

    def paint(self, tissue, amount):
        self.shares *= 1 - amount
        self.shares[INDEX[tissue]] += amount


def composition(subject, positions):
    """Tissue shares [T, N], summing to one, at positions [N, 3] in mm."""
    points = positions / np.asarray(subject.size)
    result = Composition(len(points))
    rho, depth = shell(points)
    near = depth > -3
    if near.any():
        head = Composition(int(near.sum()))
        paint_head(subject, head, points[near], rho[near], depth[near])
        result.shares[:, near] = head.shares
    return result.shares


def shell(points):
    """The skin as a superellipsoid: relative radius [N] (1 on the skin) and depth below it along the ray, mm."""
    x, y, z = points.T
    along = y / 93
    width = 73 * (1 + 0.075 * along - 0.06 * along**2)
    height = np.where(z > 0, 84.0, 125.0)
    power = 2.25
    rho = (np.abs(x / width) ** power + np.abs(along) ** power + np.abs(z / height) ** power) ** (1 / power)
    rho = np.maximum(rho, 1e-6)
    radius = np.linalg.norm(points, axis=1)
    return rho, radius / rho - radius


def paint_head(subject, head, points, rho, depth):
    surface = points / rho[:, None]
    rough = subject.wave("skull", 70)(surface)
    scalp = 5.6 + 0.6 * rough + 1.2 * np.exp(-(((np.abs(points[:, 0]) - 60) / 14) ** 2 + (points[:, 1] / 45) ** 2))
    skull = 6.4 + 0.7 * subject.wave("table", 60)(surface) + 1.6 * np.clip(points[:, 1] / 90, -0.4, 1) ** 2
    head.paint("skin", cover(-depth))
    head.paint("fat", cover(1.8 - depth))
    temporal = ellipsoid(mirrored(points), (66, -22, -8), (9, 34, 40))
    head.paint("muscle", cover(np.maximum(temporal, 2.6 - depth)))
    head.paint("muscle", cover(scalp - 1.6 - depth) * 0.8)
    head.paint("cortical bone", cover(scalp - depth))
    middle = np.minimum(depth - scalp - 1.9, scalp + skull - 1.9 - depth)
    head.paint("diploe", cover(-middle, 1.4))
    brain = depth - scalp - skull
    head.paint("csf", cover(-brain))
    paint_brain(subject, head, points, surface, brain - SUBARACHNOID * subject.atrophy)
    paint_base(subject, head, points, depth)


def paint_brain(subject, head, points, surface, inside):
    """`inside`: depth below the smooth outline of the brain, mm."""
    ratio = np.linalg.norm(points, axis=1) / np.linalg.norm(surface, axis=1)
    gap = sulci(subject, points, surface, ratio, inside)
    gap = np.minimum(gap, fissures(subject, points, inside))
    pia = np.minimum(inside, gap)  # distance to the nearest pial surface, positive in tissue
    head.paint("grey", cover(-pia))
    thickness = CORTEX + 0.45 * subject.wave("ribbon", 23)(points)
    head.paint("white", cover(thickness - pia, 1.3))
    paint_deep(subject, head, points)
    paint_posterior(subject, head, points, inside)
    paint_lesion(subject, head, points, inside)


def sulci(subject, points, surface, ratio, inside):
    """Distance to the walls of the nearest sulcus, mm: sheets that enter from the surface and end in depth."""
    wander = np.stack([subject.wave(f"bend{axis}", 34)(points) for axis in "xyz"], axis=1)
    place = surface + 2.6 * wander
    # name, wavelength mm, depth mm and its spread, half width mm
    kinds = [("primary", 33, 20.0, 5.0, 0.62), ("secondary", 21, 9.5, 4.5, 0.38)]
    best = np.full(len(points), 99.0)
    for name, wavelength, reach, spread, half in kinds:
        value, gradient = subject.wave(name, wavelength).with_gradient(place)
        normal = surface / np.linalg.norm(surface, axis=1, keepdims=True)
        gradient -= normal * (gradient * normal).sum(axis=1, keepdims=True)
        steep = np.sqrt((gradient**2).sum(axis=1) + (0.35 / wavelength * 2 * np.pi * 0.5) ** 2)
        across = np.abs(value) / steep * ratio
        end = reach + spread * subject.wave(name + "-depth", 48)(surface)
        below = np.maximum(inside - end, 0)
        opening = half * subject.atrophy * (1 + 0.9 * np.exp(-np.maximum(inside, 0) / 4))
        best = np.minimum(best, np.hypot(across, below) - opening)
    return best


def fissures(subject, points, inside):
    """Distance to the longitudinal and the lateral fissures, mm."""
    x, y, z = points.T
    curve = 0.9 * subject.wave("falx", 60)(points * [0, 1, 1])
    core = ellipsoid(points, (0, -2, 6), (40, 46, 24))  # the corpus callosum and what is below bridges the gap here
    fissure = np.hypot(x - curve, np.maximum(-core, 0)) - 0.9 * subject.atrophy
    side = mirrored(points)
    fold = 1.1 * subject.wave("insula", 30)(points)
    sheet = np.abs(side[:, 0] - (39 + 0.008 * (y - 2) ** 2 + fold)) / 1.05
    patch = ellipsoid(points * [0, 1, 1] + [0, 0, 0], (0, 2, 4), (1e3, 21, 17))
    insula = np.hypot(sheet, np.maximum(patch, 0)) - 1.0 * subject.atrophy
    slope = -14 + 0.5 * (z - 2) + 0.12 * (side[:, 0] - 40) + 1.5 * fold
    lateral = np.abs(y - slope) / 1.1
    outside = np.maximum(np.maximum(38 - side[:, 0], np.abs(z - 4) - 18), 0)
    sylvian = np.hypot(lateral, outside) - (0.9 + 0.05 * np.clip(side[:, 0] - 40, 0, 30)) * subject.atrophy
    return np.minimum(fissure, np.minimum(insula, sylvian))


def paint_deep(subject, head, points):
    """Basal ganglia, thalamus and ventricles."""
    side = mirrored(points)
    soft = 1.6
    for center, radii, yaw in [
        ((13.5, -25, 7), (4.6, 9.5, 10), -12), ((15, -8, 20), (3.4, 16, 6), -14), ((26, -4, 3), (5.2, 16, 10.5), -14),
        ((19, 1, 1), (3.8, 9, 7), -22), ((10.5, 17, 6), (8.6, 13.5, 9.5), -24),
    ]:
        head.paint("deep grey", cover(ellipsoid(side, center, radii, yaw), soft))
    w = subject.atrophy
    horn = [
        (6, -33, 4, 2.6 * w), (6.5, -27, 12, 4.2 * w), (8, -12, 19, 4.4 * w), (11, 8, 23, 5.0 * w),
        (19, 30, 18, 6.2 * w), (25, 42, 8, 6.4 * w), (22, 56, 3, 3.6 * w), (19, 67, 1, 1.6),
    ]
    temporal = [(25, 42, 8, 6.0 * w), (31, 26, -10, 2.6 * w), (32, 4, -20, 2.0 * w)]
    wall = 0.35 * subject.wave("wall", 18)(points)
    horns = np.minimum(tube(side, horn, (0.92, 1, 1.1)), tube(side, temporal)) + wall
    third = tube(points, [(0, -14, -6, 3.2), (0, 0, -3, 3.2), (0, 16, 0, 3.4)], (0.62 * w, 1, 2.2))
    head.paint("csf", cover(np.minimum(horns, third), 1.2))
    septum = np.maximum(np.abs(points[:, 0]) - 0.7, np.maximum(ellipsoid(points, (0, -14, 12), (9, 22, 11)), 0))
    head.paint("white", cover(septum) * 0.7)
    plexus = tube(side, [(17, 31, 17, 1.6), (23, 41, 7, 2.6), (27, 36, -2, 1.2)])
    head.paint("deep grey", cover(plexus) * 0.6)
    stones = np.minimum(ellipsoid(side, (23, 42, 6), (2.2, 3, 3)), ellipsoid(points, (0, 27, 2), (2.6, 2.6, 3)))
    head.paint("calcification", cover(stones) * 0.8)


def paint_posterior(subject, head, points, inside):
    """Brain stem and cerebellum below the tentorium."""
    x, y, z = points.T
    tent = -8 - 0.005 * x**2 - 0.22 * np.maximum(y - 25, -12) + subject.wave("tent", 40)(points)
    below = np.maximum(np.maximum(z - tent, 10 + 0.42 * np.abs(x) - y), -inside)
    head.paint("csf", cover(np.maximum(below, 0.6 - inside)))
    body = np.maximum(below + 1.6, np.maximum(0.8 - inside, 16 - y))
    folia = subject.wave("folia", 7.5, spread=0.1)(points * [0.35, 1, 1.1])
    head.paint("cerebellum", cover(body))
    trees = ellipsoid(mirrored(points), (19, 50, -36), (17, 15, 14), 20)
    head.paint("white", cover(trees + 5 * subject.wave("arbor", 14)(points), 3) * cover(body))
    head.paint("csf", cover(body) * np.clip(folia - 0.9, 0, 0.7))
    cistern = np.minimum(
        ellipsoid(points, (0, -3, -20), (11, 8, 6)), ellipsoid(points, (0, 15, -22), (17, 15, 17)))
    head.paint("csf", cover(cistern, 2))
    stem = np.minimum(
        ellipsoid(points, (0, 17, -30), (13.5, 12, 22)), ellipsoid(mirrored(points), (9, 10, -13), (6, 8, 9), 25))
    head.paint("white", cover(stem, 1.5) * 0.7)
    head.paint("csf", cover(ellipsoid(points, (0, 27, -20), (1.4, 1.4, 9))))
    head.paint("csf", cover(ellipsoid(points, (0, 34, -34), (6, 4.5, 10))))


def paint_lesion(subject, head, points, inside):
    rough = 0.16 * subject.lesion_radius * subject.wave("lesion", 13)(points)
    distance = np.linalg.norm(points - np.asarray(subject.lesion), axis=1) - subject.lesion_radius + rough
    finger = subject.oedema * (1 + 0.5 * subject.wave("finger", 20)(points))
    white = head.shares[INDEX["white"]]
    head.paint("oedema", cover(distance - finger, 5) * white)
    head.paint("lesion", cover(np.maximum(distance, 1 - inside), 2.2))
    head.paint("csf", cover(distance + 0.62 * subject.lesion_radius, 2) * 0.75)


def paint_base(subject, head, points, depth):
    """What the lowest slices meet: orbits with eyes, nasal air cells, frontal sinus and petrous ridges."""
    x, y, z = points.T
    side = mirrored(points)
    face = np.maximum(np.maximum(z + 17 - 0.05 * side[:, 0], y + 40 + 0.25 * side[:, 0]), 4 - depth)
    head.paint("cortical bone", cover(np.maximum(face, 5.0 - depth)))
    head.paint("diploe", cover(np.maximum(face + 4, 9.0 - depth)))
    orbit = ellipsoid(side, (31, -58, -34), (17, 27, 15), -18)
    head.paint("fat", cover(np.maximum(orbit, 2 - depth)))
    for center in [(20, -56, -34), (41, -56, -34)]:
        head.paint("muscle", cover(ellipsoid(side, center, (2.2, 17, 6), -16)))
    head.paint("white", cover(tube(side, [(31, -66, -34, 2.2), (16, -34, -30, 2.2)])))
    globe = ellipsoid(side, (31, -75, -33), (12, 12, 12))
    head.paint("skin", cover(globe))
    head.paint("vitreous", cover(globe + 1.4))
    head.paint("muscle", cover(ellipsoid(side, (31, -84.5, -33), (4.5, 2, 4.5))) * 0.8)
    cells = np.maximum(ellipsoid(side, (6, -58, -36), (9, 26, 18)), 4 - depth)
    head.paint("muscle", cover(cells))
    head.paint("air", cover(np.maximum(cells + 1, 1.6 - 2.2 * subject.wave("cells", 12)(points))))
    sinus = ellipsoid(side, (8, -79, -10), (11, 5, 12), 10)
    head.paint("cortical bone", cover(sinus - 1.2))
    head.paint("air", cover(sinus))
    petrous = tube(side, [(62, 22, -40, 11), (40, 16, -36, 8), (16, 6, -34, 5)])
    head.paint("cortical bone", cover(np.maximum(petrous, 4 - depth)))
    mastoid = np.maximum(petrous + 3, 46 - side[:, 0])
    head.paint("air", cover(np.maximum(mastoid, 1.5 - 2.5 * subject.wave("cells", 12)(points))))
