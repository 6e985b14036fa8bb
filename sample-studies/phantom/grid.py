"""Where the samples of a series lie in patient space (mm) – geometry only."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Parallel slices; pixel (i, j) of slice k is at corner + i·row·spacing + j·column·spacing + k·normal·step."""

    center: tuple  # mm, the middle of the volume
    size: tuple  # columns, rows, slices
    spacing: float  # mm, square pixels
    step: float  # mm between slice centres
    thickness: float  # mm
    tilt: tuple = (0.0, 0.0, 0.0)  # degrees about x, y, z

    def __post_init__(self):
        x, y, z = np.radians(self.tilt)
        about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
        about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
        object.__setattr__(self, "axes", (about_z @ about_y @ about_x).T)

    @property
    def row(self):
        return self.axes[0]

    @property
    def column(self):
        return self.axes[1]

    @property
    def normal(self):
        return self.axes[2]

    def origin(self, k):
        """Centre of the first pixel of slice k: Image Position (Patient)."""
        columns, rows, slices = self.size
        offset = -self.row * (columns - 1) / 2 * self.spacing - self.column * (rows - 1) / 2 * self.spacing
        return np.asarray(self.center) + offset + self.normal * (k - (slices - 1) / 2) * self.step

    def points(self, k, shift=0.0):
        """Positions [rows·columns, 3] of slice k, row by row, `shift` mm along the normal."""
        columns, rows, _ = self.size
        i = np.arange(columns)[None, :, None] * self.spacing * self.row
        j = np.arange(rows)[:, None, None] * self.spacing * self.column
        return (self.origin(k) + shift * self.normal + i + j).reshape(-1, 3)

    def orientation(self):
        """Image Orientation (Patient)."""
        return [*self.row, *self.column]
