"""Pictures of every format: good ones, damaged ones, bombs, wrong sizes, values that are none."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image
from robustness.damage import damaged_bytes, damaged_text
from robustness.flir_files import HEIGHT, WIDTH, flir_jpeg, scene


class Picture(NamedTuple):
    """A file to write.

    Attributes:
        name: Of the file, with its suffix.
        content: Its bytes.
        readable: Whether it must be read (True), must be refused (False), or may be either (None).
    """

    name: str
    content: bytes
    readable: bool | None = None


def good_pictures() -> dict[str, bytes]:
    """Content by file name, one of each kind of each format."""
    celsius = scene()
    gray = ((celsius - 20) * 15).clip(0, 255).astype(np.uint8)
    colour = np.stack([gray, gray // 2, 255 - gray], axis=-1)
    centi = (celsius * 100).astype(np.uint16)
    rows = "\n".join(";".join(f"{value:.2f}" for value in row) for row in celsius)
    return {
        "gray.png": _saved(gray, "PNG"),
        "deep.png": _saved(centi, "PNG"),
        "colour.png": _saved(colour, "PNG"),
        "palette.png": _saved(gray, "PNG", mode="P"),
        "gray.jpg": _saved(gray, "JPEG"),
        "colour.jpeg": _saved(colour, "JPEG"),
        "gray.bmp": _saved(gray, "BMP"),
        "gray.webp": _saved(gray, "WEBP"),
        "gray.gif": _saved(gray, "GIF"),
        "gray.jp2": _saved(gray, "JPEG2000"),
        "deep.pgm": b"P5 %d %d 16383\n" % centi.shape[::-1] + centi.astype(">u2").tobytes(),
        "deep.tif": tiff(centi),
        "float.tiff": tiff(celsius.astype(np.float32), compression="zlib"),
        "float.npy": npy(celsius.astype(np.float32)),
        "deep.npy": npy(centi),
        "table.csv": rows.encode(),
        "comma.csv": rows.replace(".", ",").encode(),
        "flir.jpg": flir_jpeg(),
        "fluke.is2": is2(np.vstack([np.zeros((1, WIDTH), np.uint16), centi]).tobytes()),
    }


def broken_pictures() -> Iterator[Picture]:
    """All of them; names are unique."""
    for number, (name, content) in enumerate(good_pictures().items()):
        stem, _, suffix = name.rpartition(".")
        damage = damaged_text(content.decode(), seed=number) if suffix == "csv" else damaged_bytes(content, seed=number)
        for what, bad in damage:
            yield Picture(f"{stem}_{suffix}_{what}.{suffix}", bad)
        yield Picture(f"{stem}_{suffix}_empty.{suffix}", b"", readable=False)
    yield from _other_content()
    yield from _bombs()
    yield from _odd_values()
    yield from _odd_arrays()
    yield from _odd_tables()
    yield from _odd_calibrations()


def _other_content() -> Iterator[Picture]:
    good = good_pictures()
    for suffix in ("png", "jpg", "tif", "npy", "csv", "is2"):
        for what in ("gray.png", "deep.tif", "float.npy", "fluke.is2", "table.csv"):
            if not what.endswith(suffix):
                # Pillow tells pictures apart by content, whatever their name
                readable = None if suffix in ("png", "jpg") and what in ("gray.png", "deep.tif") else False
                yield Picture(f"holds_{what.replace('.', '_')}.{suffix}", good[what], readable)


def _bombs() -> Iterator[Picture]:
    for width, height in ((100_000, 100_000), (2**31 - 1, 2**31 - 1), (9000, 9000), (2**31 - 1, 1)):
        yield Picture(f"bomb_{width}_{height}.png", png_header(width, height), readable=False)
    yield Picture("no_width.png", png_header(0, 10), readable=False)
    jpeg = good_pictures()["gray.jpg"]
    frame = jpeg.index(b"\xff\xc0") + 5
    yield Picture("bomb.jpg", jpeg[:frame] + struct.pack(">HH", 65500, 65500) + jpeg[frame + 4 :], readable=False)
    yield Picture("wide.jpg", jpeg[:frame] + struct.pack(">HH", 48, 65500) + jpeg[frame + 4 :])
    for shape in ((30_000, 30_000), (10**9, 10**9), (-4, 64), (0, 64), (2**62, 4), (48, 64, 10**6)):
        content = io.BytesIO()
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(content, header)
        yield Picture(f"shape_{'_'.join(map(str, shape))}.npy", content.getvalue() + bytes(9000), readable=False)
    for size in (30_000, 2**31 - 1, 0):
        yield Picture(f"size_{size}.tif", _tiff_of_size(size), readable=False)
    yield Picture("bomb.is2", is2(bytes(160 << 20)), readable=False)
    archive = bytearray(is2(bytes(30 << 20)))
    place = archive.rindex(b"PK\x01\x02") + 24
    archive[place : place + 4] = struct.pack("<I", 2 * 64 * 49)  # its directory states less than it unpacks to
    yield Picture("lying.is2", bytes(archive), readable=False)
    yield Picture("bomb.csv", b"1;2;3\n" * 12_000_000, readable=False)


def _odd_values() -> Iterator[Picture]:
    """What no number or no contrast is left in, and what has almost none."""
    tall = (HEIGHT, WIDTH)
    rng = np.random.default_rng(1)
    for name, values in {
        "all_nan": np.full(tall, np.nan),
        "all_infinite": np.full(tall, -np.inf),
        "nan_and_infinite": np.where(rng.random(tall) < 0.5, np.nan, np.inf),
    }.items():
        yield Picture(f"{name}_64.npy", npy(values), readable=False)
        yield Picture(f"{name}_32.tif", tiff(values.astype(np.float32)), readable=False)
    constants: tuple[tuple[str, float], ...] = (
        ("<f4", -9999),
        ("<u2", 0),
        ("<u2", 65535),
        ("<f4", 0),
        ("<f8", 1e30),
        ("|u1", 255),
    )
    for kind, value in constants:
        values = np.full(tall, value, dtype=kind)
        yield Picture(f"constant_{kind[1:]}_{value:g}.npy", npy(values))
        yield Picture(f"constant_{kind[1:]}_{value:g}.tif", tiff(values))
    for low, high in ((65534, 65535), (32768, 32769), (0, 1), (0, 65535), (65535, 65535)):
        values = np.full(tall, high, dtype=np.uint16)
        values[10:20, 10:20] = low
        for suffix, content in (("png", _saved(values, "PNG")), ("tif", tiff(values)), ("npy", npy(values))):
            yield Picture(f"saturated_{low}_{high}_{suffix}.{suffix}", content, readable=True)
    extremes: tuple[tuple[str, list[float]], ...] = (
        ("<f8", [1e308, -1e308, 1, 2]),
        ("<f8", [1e-320, 2e-320, 0, 1e-310]),
        ("<f4", [3e38, -3e38, 20, 30]),
        ("<f4", [1e-45, 0, 3e-45, 1e-44]),
        ("<f2", [65504, -65504, 1, 2]),
        ("<i8", [2**62, -(2**62), 0, 1]),
        ("|i1", [-128, 127, 0, 1]),
        (">u2", [0, 1, 65534, 65535]),
    )
    for number, (kind, four) in enumerate(extremes):
        yield Picture(f"extreme_{number}.npy", npy(rng.choice(np.array(four, dtype=kind), size=tall)))
    for fraction in (0.01, 0.5, 0.99):
        values = np.where(rng.random(tall) < fraction, np.nan, scene())
        yield Picture(f"missing_{fraction}.npy", npy(values), readable=True)
        yield Picture(f"missing_{fraction}.tif", tiff(values.astype(np.float32)), readable=True)


def _odd_arrays() -> Iterator[Picture]:
    for shape in ((1, 1), (1, 64), (64, 1), (64,), (), (2, 3, 4, 5), (48, 64, 2), (48, 64, 5), (7, 48, 64), (0,)):
        name = "_".join(map(str, shape)) or "none"
        yield Picture(f"array_{name}.npy", npy(np.ones(shape, dtype=np.float32)), readable=False)
    for shape in ((2, 2), (48, 64, 1), (1, 48, 64), (2, 3000)):
        values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        yield Picture(f"array_{'_'.join(map(str, shape))}.npy", npy(values), readable=True)
    for kind in ("bool", "complex64", "U3", "S4", "M8[s]", "m8[s]", "V8", [("a", "f4"), ("b", "i2")]):
        name = kind if isinstance(kind, str) else "fields"
        content = npy(np.zeros((HEIGHT, WIDTH), dtype=kind))
        yield Picture(f"type_{name.replace('[', '_').replace(']', '')}.npy", content, readable=False)
    objects = io.BytesIO()
    np.save(objects, np.array([[{1}, 2], [3, 4]], dtype=object), allow_pickle=True)
    yield Picture("objects.npy", objects.getvalue(), readable=False)
    archive = io.BytesIO()
    np.savez(archive, a=scene())
    yield Picture("archive.npy", archive.getvalue(), readable=False)
    pages = tiff(np.stack([scene(i).astype(np.float32) for i in range(3)]), photometric="minisblack")
    yield Picture("pages.tif", pages, readable=False)
    animation = io.BytesIO()
    frames = [Image.fromarray(np.full((20, 20), i * 60, np.uint8)) for i in range(4)]
    frames[0].save(animation, "PNG", save_all=True, append_images=frames[1:])
    yield Picture("animation.png", animation.getvalue(), readable=False)


def _odd_tables() -> Iterator[Picture]:
    for name, text in {
        "words": "alpha;beta\ngamma;delta\n",
        "blank": "\n" * 500,
        "one_number": "1",
        "ragged": "1;2;3\n4;5\n6;7;8\n",
        "open_quote": '1;"2;3\n4;5;6\n7;8;9\n',
        "million_columns": ";".join(["1"] * 200_000),
        "separators": ";" * 200_000,
        "zero_bytes": "1;2\0;3\n4;5;6\n",
        "formula": "=1+1;2\n3;4\n",
        "names": "time;mean\n1;2\n2;3\n",
        "word_inside": "1;2;3\n4;five;6\n7;8;9\n",
        "surrogate": "1;2\ud800;3\n4;5;6\n",
        "all_nan": "nan;nan;nan\nnan;nan;nan\n",
        "two_frames": "1;2\n3;4\n\n\n5;6\n7;8\n",
        "one_line": ";".join(map(str, range(64))),
    }.items():
        yield Picture(f"table_{name}.csv", text.encode("utf-8", "surrogatepass"), readable=False)
    # numbers that no float holds count as missing ones
    yield Picture("table_long_cell.csv", f"1;{'9' * 140_000}\n2;3\n".encode(), readable=True)
    yield Picture("table_huge_number.csv", b"1e999;2\n3;4\n", readable=True)


def _odd_calibrations() -> Iterator[Picture]:
    odd = {
        "emissivity": (5.0, -0.9, 0.0, float("nan")),
        "distance": (1e9, -1.0, float("inf")),
        "humidity": (50.0, -1.0),
        "reflected": (0.0, 1e9),
        "air": (0.0, float("nan")),
        "planck_r1": (0.0, -1.0, float("inf")),
        "planck_b": (0.0, 1e9),
        "planck_r2": (0.0, float("nan")),
    }
    for name, values in odd.items():
        for value in values:
            yield Picture(f"flir_{name}_{value}.jpg", flir_jpeg(camera={name: value}), readable=False)
    for size in ((65535, 65535), (0, 0), (64, 49), (1, 1), (64, 10)):
        yield Picture(f"flir_size_{size[0]}_{size[1]}.jpg", flir_jpeg(size=size), readable=None)
    for directory in ((2**32 - 1, 2), (64, 2**32 - 1), (0, 0)):
        yield Picture(f"flir_records_{directory[0]}_{directory[1]}.jpg", flir_jpeg(directory=directory))
    yield Picture("flir_png_bomb.jpg", flir_jpeg(raw=png_header(30_000, 30_000)), readable=False)
    yield Picture("flir_no_raw.jpg", flir_jpeg(raw=b""), readable=False)


def is2(data: bytes) -> bytes:
    """A Fluke archive whose infrared image is this."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("Images/Main/IR.data", data)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that states a size and holds a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def npy(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    return content.getvalue()


def tiff(values: np.ndarray, **settings: Any) -> bytes:
    content = io.BytesIO()
    tifffile.imwrite(content, values, **settings)
    return content.getvalue()


def _tiff_of_size(size: int) -> bytes:
    content = io.BytesIO(tiff(np.zeros((20, 20), np.uint8), compression="zlib"))
    with tifffile.TiffFile(content, mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages.first.tags[tag].overwrite(size, dtype="I")
        return content.getvalue()


def _saved(values: np.ndarray, kind: str, *, mode: str | None = None) -> bytes:
    content = io.BytesIO()
    picture = Image.fromarray(values)
    (picture if mode is None else picture.convert(mode)).save(content, kind)
    return content.getvalue()
