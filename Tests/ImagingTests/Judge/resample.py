"""Resamples the volumes of cases.json with SimpleITK onto single planes; writes <name>.expected (float32)."""
import json
import sys
import time

import numpy as np
import SimpleITK as sitk


def image(case):
    shape = case["shape"]  # slices, rows, columns
    values = np.fromfile(case["voxels"], dtype="<f4").reshape(shape)
    result = sitk.GetImageFromArray(values)
    result.SetSpacing(case["spacing"])  # column, row, slice
    result.SetOrigin(case["origin"])
    result.SetDirection(case["direction"])
    return result


def main(folder):
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    report = {}
    for case in json.load(open(f"{folder}/cases.json")):
        moving = image(case)
        m = np.array(case["matrix"]).reshape(4, 4)
        transform = sitk.AffineTransform(m[:3, :3].ravel().tolist(), m[:3, 3].tolist())
        target = case["target"]
        interpolator = sitk.sitkLinear if case["interpolation"] == "trilinear" else sitk.sitkBSpline
        begin = time.process_time()
        plane = sitk.Resample(
            moving, target["size"], transform, interpolator, target["origin"], target["spacing"],
            target["direction"], case["background"], sitk.sitkFloat32)
        report[case["name"]] = time.process_time() - begin
        sitk.GetArrayFromImage(plane).astype("<f4").tofile(f"{folder}/{case['name']}.expected")
    json.dump(report, open(f"{folder}/seconds.json", "w"))


main(sys.argv[1])
