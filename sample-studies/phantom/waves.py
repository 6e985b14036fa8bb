"""Smooth random fields as sums of plane waves – closed-form, so a value exists at every point, not on a grid."""

import numpy as np


class WaveField:
    """A zero-mean, unit-variance random field of one wavelength (mm) over patient space.

    The zero set of such a field is a labyrinth of sheets half a wavelength apart, which is what sulci look like.
    """

    def __init__(self, seed, wavelength, count=20, spread=0.15):
        random = np.random.Generator(np.random.PCG64(seed))
        directions = random.standard_normal((count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        numbers = 2 * np.pi / wavelength * (1 + spread * random.uniform(-1, 1, count))
        self.vectors = directions * numbers[:, None]  # rad/mm
        self.phases = random.uniform(0, 2 * np.pi, count)
        self.scale = np.sqrt(2 / count)

    def __call__(self, points):
        """Values at points [N, 3] in mm → [N]."""
        return self.scale * np.cos(points @ self.vectors.T + self.phases).sum(axis=1)

    def with_gradient(self, points):
        """Values [N] and gradients [N, 3] per mm."""
        angles = points @ self.vectors.T + self.phases
        gradient = -self.scale * (np.sin(angles) @ self.vectors)
        return self.scale * np.cos(angles).sum(axis=1), gradient
