"""One peer in a process of its own: told `go SECONDS` on standard input, it answers with a line of JSON.

peers.py NAME JSON-OPTIONS. Names: torch, onnxruntime, openvino (engines); simpleitk (resampling); pydicom, gdcm, dicomsdl
(decoding). It measures and compares nothing.
"""
import json
import os
import sys
import time

THREADS = json.loads(sys.argv[2]).get("threads", 1)
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, str(THREADS))


def images(options):
    import numpy
    with numpy.load(options["images"]) as pair:
        return pair["fixed"], pair["moving"]


def torch_engine(options):
    import torch
    torch.set_num_threads(THREADS)
    sys.path.insert(0, options["training"])
    from bsafusion.export import load_network
    from bsafusion.onnx import Plain, single_precision
    net = Plain(single_precision(load_network(options["model"]))).eval()
    fixed, moving = (torch.from_numpy(image) for image in images(options))

    def once():
        with torch.no_grad():
            return [tensor.numpy() for tensor in net(fixed, moving)]
    return once


def onnxruntime_engine(options):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(options["graph"], settings, providers=["CPUExecutionProvider"])
    fixed, moving = images(options)
    return lambda: session.run(["fused", "flow", "aligned"], {"fixed": fixed, "moving": moving})


def openvino_engine(options):
    import openvino
    model = openvino.Core().compile_model(options["graph"], "CPU", {
        "INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
        # Two processes would else be pinned to one and the same core.
        "ENABLE_CPU_PINNING": False})
    request = model.create_infer_request()
    pair = list(images(options))

    def once():
        result = request.infer(pair)
        return [result[output] for output in model.outputs]
    return once


def simpleitk_resampler(options):
    """512x512x120 of 0.47 mm onto 256x256x120, turned by 3 degrees; the volume `fuseline bench resampling` makes."""
    import numpy
    import SimpleITK as sitk
    y, x = numpy.mgrid[0:512, 0:512] / 256.0 - 1
    plane = 2047 * numpy.clip(0.4 + 0.05 * numpy.sin(23 * x) * numpy.cos(19 * y), 0, 1)
    volume = sitk.GetImageFromArray((plane[None] + numpy.arange(120)[:, None, None]).astype(numpy.float32))
    volume.SetSpacing((240 / 512, 240 / 512, 1.25))
    volume.SetOrigin((240 / 1024 - 120, 240 / 1024 - 120, 0))
    target = sitk.Image(256, 256, 120, sitk.sitkFloat32)
    target.SetSpacing((240 / 256, 240 / 256, 1.25))
    target.SetOrigin((240 / 512 - 120, 240 / 512 - 120, 0))
    turn = sitk.Euler3DTransform((0, 0, 0), 0, 0, numpy.radians(3), (2, -1, 0.5))
    kind = sitk.sitkBSpline if options.get("spline") else sitk.sitkLinear
    return lambda: sitk.Resample(volume, target, turn, kind, -1024.0)


def pydicom_reader(options):
    import pydicom
    return lambda: [pydicom.dcmread(path).pixel_array for path in options["files"]]


def gdcm_reader(options):
    import gdcm

    def once():
        for path in options["files"]:
            reader = gdcm.ImageReader()
            reader.SetFileName(path)
            if not reader.Read():
                raise ValueError(path)
            reader.GetImage().GetBuffer()
    return once


def dicomsdl_reader(options):
    import dicomsdl
    return lambda: [dicomsdl.open(path).pixelData(storedvalue=True) for path in options["files"]]


PEERS = {
    "torch": torch_engine, "onnxruntime": onnxruntime_engine, "openvino": openvino_engine,
    "simpleitk": simpleitk_resampler, "pydicom": pydicom_reader, "gdcm": gdcm_reader, "dicomsdl": dicomsdl_reader}


def window(once, seconds):
    wall, cpu, count = time.perf_counter(), time.process_time(), 0
    while count == 0 or time.perf_counter() - wall < seconds:
        once()
        count += 1
    return {"wall": (time.perf_counter() - wall) / count, "cpu": (time.process_time() - cpu) / count, "count": count}


def main():
    options = json.loads(sys.argv[2])
    once = PEERS[sys.argv[1]](options)
    result = once()
    if options.get("result"):
        import numpy
        numpy.savez(options["result"], fused=result[0], flow=result[1])
    if options.get("once"):
        return
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        word = line.split()
        if not word or word[0] != "go":
            break
        print(json.dumps(window(once, float(word[1]))), flush=True)


if __name__ == "__main__":
    main()
