#!/usr/bin/env python3
"""A picture of what a run made: one row a fused series – fixed, moving as its headers place it, fused, and their outlines.

    scripts/contact_sheet.py SITE PICTURE.png     SITE holds store/ and output/; needs pydicom, numpy, scipy, pillow

It samples the sources at the geometry the fused image states about itself, so a wrong geometry would be seen.
"""

import sys
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from scipy.ndimage import map_coordinates, sobel

SIDE, GAP, HEADING = 256, 4, 22
COLUMNS = ["fixed", "moving, as acquired", "aligned and fused", "fixed outlines on fused"]


def series_of(folder):
    """Folders of images by Series Instance UID."""
    return {path.name: path for path in Path(folder).glob("*/*") if path.is_dir()}


def stack(folder):
    """Origins [K, 3], row, column, spacing (mm) and rescaled pixels [K, rows, columns], in order along the normal."""
    found = []
    for path in folder.glob("*.dcm"):
        data = pydicom.dcmread(path)
        place = data.DetectorInformationSequence[0] if data.Modality == "NM" else data
        row, column = np.reshape(np.array(place.ImageOrientationPatient, float), (2, 3))
        planes = data.pixel_array * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
        step = float(data.get("SpacingBetweenSlices", 0)) * np.cross(row, column)
        for k, plane in enumerate(planes if planes.ndim == 3 else [planes]):
            found.append((np.array(place.ImagePositionPatient, float) + k * step, plane))
    found.sort(key=lambda slice: slice[0] @ np.cross(row, column))
    origins, planes = (np.stack(part) for part in zip(*found))
    return origins, row, column, [float(v) for v in data.PixelSpacing], planes, data.Modality


def sampled(source, points):
    """Trilinear samples at points [N, 3] in mm; zero outside."""
    origins, row, column, spacing, planes, _ = source
    step = (origins[-1] - origins[0]) / max(len(origins) - 1, 1)
    offset = points - origins[0]
    depth = offset @ step / max(step @ step, 1e-9)
    indices = [depth, offset @ column / spacing[0], offset @ row / spacing[1]]
    return map_coordinates(planes.astype(float), indices, order=1, cval=planes.min())


def shown(values, modality):
    """Grey levels 0…255: the brain window for CT, robust percentiles for the others."""
    low, high = (0, 80) if modality == "CT" else (np.percentile(values, 1), np.percentile(values, 99.7))
    return (np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)


def row_of(data, stores):
    """Four RGB tiles about one fused image."""
    row, column = np.reshape(np.array(data.ImageOrientationPatient, float), (2, 3))
    j, i = np.mgrid[0:data.Rows, 0:data.Columns].reshape(2, -1, 1)
    points = np.array(data.ImagePositionPatient, float) + i * row * data.PixelSpacing[1] + j * column * data.PixelSpacing[0]
    uids = {path.stem: name for name, folder in stores.items() for path in folder.glob("*.dcm")}
    fixed, moving = None, None
    for item in data.SourceImageSequence:
        name = uids[item.ReferencedSOPInstanceUID]
        if item.SpatialLocationsPreserved == "YES":
            fixed = name
        else:
            moving = name
    tiles = []
    for name in (fixed, moving):
        source = stack(stores[name])
        grey = shown(sampled(source, points), source[-1]).reshape(data.Rows, data.Columns)
        tiles.append(np.repeat(grey[..., None], 3, axis=2))
    fused = data.pixel_array
    fused = fused if fused.ndim == 3 else np.repeat(fused[..., None], 3, axis=2)
    fused = (fused / max(float(fused.max()), 1) * 255).astype(np.uint8)
    edges = np.hypot(*(sobel(tiles[0][..., 0].astype(float), axis) for axis in (0, 1)))
    marked = fused.copy()
    marked[edges > np.percentile(edges, 94)] = (255, 210, 60)
    return [*tiles, fused, marked]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    site, picture = Path(sys.argv[1]), sys.argv[2]
    stores, outputs = series_of(site / "store"), series_of(site / "output")
    rows = []
    for folder in outputs.values():
        files = sorted((pydicom.dcmread(p) for p in folder.glob("*.dcm")), key=lambda d: int(d.InstanceNumber))
        if files:
            data = files[len(files) * 5 // 8]
            rows.append((str(data.SeriesDescription), row_of(data, stores)))
    if not rows:
        sys.exit(f"{site}/output holds no fused series")
    rows.sort(key=lambda row: row[0])
    sheet = Image.new("RGB", (len(COLUMNS) * (SIDE + GAP) - GAP, len(rows) * (SIDE + HEADING)), "black")
    draw = ImageDraw.Draw(sheet)
    for y, (title, tiles) in enumerate(rows):
        top = y * (SIDE + HEADING)
        for x, (label, tile) in enumerate(zip(COLUMNS, tiles)):
            draw.text((x * (SIDE + GAP) + 4, top + 5), f"{title.split(' BSAFusion')[0]}: {label}", fill="white")
            sheet.paste(Image.fromarray(tile).resize((SIDE, SIDE)), (x * (SIDE + GAP), top + HEADING))
    sheet.save(picture)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main()
