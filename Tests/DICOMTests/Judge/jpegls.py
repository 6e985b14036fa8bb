"""JPEG-LS files of the reader's tests: every depth, lossless and nearly so, runs and noise; and damaged ones."""

import struct

import numpy as np
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLSLossless, JPEGLSNearLossless

SHAPE = (35, 37)


def pictures(stored, shape=SHAPE):
    """Frames that take every path of the decoder: a ramp, spots on an even ground (runs), noise, edges, a soft slope."""
    rows, columns = shape
    noise = np.random.default_rng(stored)
    top = (1 << stored) - 1
    y, x = np.mgrid[0:rows, 0:columns]
    spots = np.where(noise.random(shape) < 0.02, top, top // 3)
    edges = np.where((x // 7 + y // 5) % 2 == 0, 0, top)
    slope = (x * y * top // (rows * columns) + noise.integers(0, 3, shape)).clip(0, top)
    frames = [(37 * (y * columns + x)) % (top + 1), spots, noise.integers(0, top + 1, shape), edges, slope]
    return np.array(frames).astype("u1" if stored <= 8 else "u2")


def good(folder, header, pixels, save):
    def write(name, values, stored, error=0, signed=False):
        ds = pixels(header(name), values, stored=stored)
        ds.PixelRepresentation = int(signed)
        save(ds, folder / f"{name}.dcm")
        # Without a sign, for which near-lossless has no meaning: the standard knows none (PS3.5 8.2.3).
        options = {"jls_error": error} if error else {}
        syntax = JPEGLSNearLossless if error else JPEGLSLossless
        ds.compress(syntax, encoding_plugin="pyjpegls", generate_instance_uid=False, **options)
        ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
        return ds

    for stored in (7, 8, 10, 12, 13, 16):
        for error in (0, 1, 5):
            write(f"jpegls-{stored}-bit-near-{error}", pictures(stored), stored, error)
    for shape in ((1, 300), (300, 1), (20, 9)):
        write(f"jpegls-{shape[0]}-by-{shape[1]}", pictures(12, shape), 12)
    sign = pictures(12).astype("i4")
    ds = write("jpegls-signed-12", np.where(sign > 2047, sign - 4096, sign).astype("i2"), 12, signed=True)
    streams = list(generate_frames(ds.PixelData, number_of_frames=5))
    for table in (False, True):
        ds.PixelData = encapsulate(streams, fragments_per_frame=4, has_bot=table)
        ds["PixelData"].is_undefined_length = True
        ds.save_as(folder / f"jpegls-fragments-{'table' if table else 'plain'}.dcm", enforce_file_format=True)


def bad(folder, header, pixels, save):
    def write(reason, name, change, rows=None):
        ds = pixels(header(name), pictures(12)[2:3], stored=12)
        save(ds, folder / reason / f"{name}.dcm")
        ds.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        stream = next(generate_frames(ds.PixelData, number_of_frames=1))
        ds.PixelData = encapsulate([change(stream)])
        ds["PixelData"].is_undefined_length = True
        ds.Rows = rows or ds.Rows
        ds.save_as(folder / reason / f"{name}.dcm", enforce_file_format=True)

    def before_scan(segment):
        return lambda stream: stream.replace(b"\xff\xda", segment + b"\xff\xda", 1)

    def presets(*values):
        return struct.pack(">HHB5H", 0xFFF8, 13, 1, *values)

    end = b"\xff\xd9"
    write("damaged", "jpegls-cut", lambda stream: stream[: len(stream) * 3 // 5] + end)
    write("damaged", "jpegls-one-byte-short", lambda stream: stream[: stream.rindex(end) - 2] + end)
    write("damaged", "jpegls-overlong", lambda stream: stream[: stream.rindex(end)] + b"\x55" * 4 + end)
    write("damaged", "jpegls-no-scan", lambda stream: stream[: stream.index(b"\xff\xda")])
    write("damaged", "jpegls-zeros", lambda stream: stream[:200] + bytes(len(stream) - 202) + end)
    write("damaged", "jpegls-rows", lambda stream: stream, rows=34)
    write("damaged", "jpegls-restarts", before_scan(b"\xff\xdd\x00\x04\x00\x05"))
    write("damaged", "jpegls-thresholds", before_scan(presets(4095, 9, 7, 21, 64)))
    write("unsupported_pixels", "jpegls-maxval", before_scan(presets(4000, 18, 67, 276, 64)))
