"""Pillow's opinion of PNG files. `make FOLDER` writes one of each kind, `read FILE` prints size, mode, samples."""
import json, pathlib, struct, sys, zlib
import numpy as np
from PIL import Image


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rgb16(path: pathlib.Path, samples: np.ndarray) -> None:
    """Pillow writes no 16-bit RGB, so this one is put together by hand: filter 0, one IDAT."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
                     + chunk(b"IEND", b""))


def interlaced(path: pathlib.Path, samples: np.ndarray) -> None:
    """8-bit grey in the seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in samples[y::dy, x::dx] if row.size)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 8, 0, 0, 0, 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
                     + chunk(b"IEND", b""))


def make(folder: pathlib.Path) -> None:
    rng = np.random.default_rng(7)
    grey = rng.integers(0, 256, (17, 31), dtype=np.uint8)
    Image.fromarray(grey).save(folder / "grey8.png")
    interlaced(folder / "interlaced.png", grey)
    Image.fromarray(rng.integers(0, 65536, (17, 31), dtype=np.uint16)).save(folder / "grey16.png")
    colour = Image.fromarray(rng.integers(0, 256, (17, 31, 3), dtype=np.uint8))
    colour.save(folder / "rgb8.png")
    colour.quantize(16).save(folder / "palette.png")
    Image.fromarray(grey > 127).save(folder / "bilevel.png")
    colour.convert("RGBA").save(folder / "rgba.png")
    Image.fromarray(grey).convert("LA").save(folder / "greyalpha.png")
    Image.fromarray(grey).save(folder / "transparent.png", transparency=0)
    words = rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    rgb16(folder / "rgb16.png", words)
    (folder / "rgb16.json").write_text(json.dumps([7, 5, "RGB", words.ravel().tolist()]))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16385, 1, 8, 0, 0, 0, 0))
    (folder / "wide.png").write_bytes(head + chunk(b"IDAT", zlib.compress(bytes(16386))) + chunk(b"IEND", b""))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16384, 16384, 16, 2, 0, 0, 0))
    (folder / "hollow.png").write_bytes(bomb + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b""))


def read(path: pathlib.Path) -> None:
    image = Image.open(path)
    image.load()
    if image.mode in ("P", "1"):
        image = image.convert("RGB" if image.mode == "P" else "L")
    print(json.dumps([image.width, image.height, image.mode, np.asarray(image).ravel().tolist()]))


{"make": make, "read": read}[sys.argv[1]](pathlib.Path(sys.argv[2]))
