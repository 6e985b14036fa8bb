"""The known displacement between two series of a study, in closed form – the ground truth, not an estimate.

A point of the body at `a` in the fixed series appears at `a + u(a)` in the moving series. So u is also the sampling
offset that brings the moving image onto the fixed grid: aligned(a) = moving(a + u(a)). u lies in the plane of the
fixed slices and varies smoothly in all three directions.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Wave:
    amplitude: tuple  # mm along the fixed rows (towards higher columns) and along the fixed columns
    vector: tuple  # rad/mm along row, column and normal
    phase: float  # rad


@dataclass(frozen=True)
class Deformation:
    center: tuple  # mm, patient coordinates
    axes: tuple  # 3×3: unit vectors of the fixed row, column and normal, patient coordinates
    rotation: float  # degrees about the normal, from the row towards the column axis
    translation: tuple  # mm along row and column
    waves: tuple

    def __call__(self, points):
        """Displacement u [N, 3] in mm at points [N, 3] in mm of the fixed series' body."""
        axes = np.asarray(self.axes, float)
        local = (points - np.asarray(self.center, float)) @ axes.T
        c, s = np.cos(np.radians(self.rotation)), np.sin(np.radians(self.rotation))
        row = self.translation[0] + (c - 1) * local[:, 0] - s * local[:, 1]
        column = self.translation[1] + s * local[:, 0] + (c - 1) * local[:, 1]
        for wave in self.waves:
            swing = np.sin(local @ np.asarray(wave.vector, float) + wave.phase)
            row, column = row + wave.amplitude[0] * swing, column + wave.amplitude[1] * swing
        return row[:, None] * axes[0] + column[:, None] * axes[1]

    def undone(self, points, rounds=12):
        """Body points a [N, 3] that appear at `points` in the moving series: the solution of a + u(a) = points."""
        body = points
        for _ in range(rounds):
            body = points - self(body)
        return body

    def document(self):
        return asdict(self)

    @staticmethod
    def read(path):
        """The deformation of a file in `truth/`."""
        with open(path, encoding="utf-8") as file:
            fields = json.load(file)["deformation"]
        waves = tuple(Wave(**wave) for wave in fields.pop("waves"))
        return Deformation(waves=waves, **fields)


def drawn(seed, grid, rotation, translation, amplitude):
    """A deformation with three random waves of about `amplitude` mm in the plane of `grid`, rounded for the record."""
    random = np.random.Generator(np.random.PCG64(seed))
    waves = []
    for index in range(3):
        angle = random.uniform(0, 2 * np.pi)
        number = 2 * np.pi / random.uniform(95, 150)
        turn = random.uniform(0, np.pi) if index == 0 else turn + np.pi / 3
        vector = (number * np.cos(turn), number * np.sin(turn), 0.25 * number * random.uniform(-1, 1))
        size = amplitude * random.uniform(0.8, 1.2)
        waves.append(Wave(
            amplitude=(round(size * np.cos(angle), 3), round(size * np.sin(angle), 3)),
            vector=tuple(round(float(v), 5) for v in vector), phase=round(random.uniform(0, 2 * np.pi), 4)))
    axes = tuple(tuple(round(float(v), 12) for v in axis) for axis in (grid.row, grid.column, grid.normal))
    center = tuple(round(float(v), 6) for v in grid.center)
    return Deformation(center, axes, rotation, translation, tuple(waves))
