"""Signed distances (mm, negative inside) to the few bodies the head is built of – approximate where exact is costly."""

import numpy as np


def ellipsoid(points, center, radii, yaw=0.0):
    """Ellipsoid with half axes `radii`, turned by `yaw` degrees about the long axis of the body."""
    local = points - np.asarray(center, float)
    if yaw:
        c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
        local = np.stack([c * local[:, 0] + s * local[:, 1], c * local[:, 1] - s * local[:, 0], local[:, 2]], 1)
    scaled = local / np.asarray(radii, float)
    k0 = np.linalg.norm(scaled, axis=1)
    k1 = np.linalg.norm(scaled / np.asarray(radii, float), axis=1)
    return k0 * (k0 - 1) / np.maximum(k1, 1e-9)


def tube(points, path, flatten=(1.0, 1.0, 1.0)):
    """Union of cones along `path` [(x, y, z, radius)]; distances are measured after dividing by `flatten`."""
    flatten = np.asarray(flatten, float)
    scaled = points / flatten
    nodes = [(np.asarray(n[:3], float) / flatten, n[3]) for n in path]
    best = np.full(len(points), np.inf)
    for (a, ra), (b, rb) in zip(nodes, nodes[1:]):
        axis = b - a
        t = np.clip((scaled - a) @ axis / (axis @ axis), 0, 1)
        gap = np.linalg.norm(scaled - a - t[:, None] * axis, axis=1) - (ra + t * (rb - ra))
        best = smooth_minimum(best, gap, 1.5)
    return best


def smooth_minimum(a, b, radius):
    """Minimum of two distances with a fillet of `radius` mm."""
    h = np.maximum(radius - np.abs(a - b), 0) / radius
    return np.where(np.isinf(a), b, np.minimum(a, b) - h * h * radius / 4)


def cover(distance, width=0.9):
    """Share of a point's neighbourhood inside a body: a soft edge `width` mm wide."""
    return np.clip(0.5 - distance / width, 0, 1)


def mirrored(points):
    """Both hemispheres folded onto the patient's left (x ≥ 0)."""
    return np.stack([np.abs(points[:, 0]), points[:, 1], points[:, 2]], axis=1)
