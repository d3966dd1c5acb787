"""Annotation files of every reader: good ones, and what is broken about each."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from robustness.damage import damaged_text

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.dlib_xml import DlibXml
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.data.readers.jd106 import Jd106
from thermal_landmarks.data.readers.lapa import Lapa
from thermal_landmarks.data.readers.pts import PtsFolder
from thermal_landmarks.data.readers.sftl54 import Sftl54, Sftl54Text
from thermal_landmarks.data.readers.tfake import TFake
from thermal_landmarks.data.readers.wflw import Wflw
from thermal_landmarks.data.readers.yolo_pose import YoloPose

_GROUPS = {"chin": 17, "left_eyebrow": 5, "right_eyebrow": 5, "nose_bridge": 4, "nose_tip": 5, "left_eye": 6}
_GROUPS |= {"right_eye": 6, **{f"lip_p{i}": 1 for i in range(1, 7)}}


class Form(NamedTuple):
    """One form of annotation file.

    Attributes:
        files: The two files of a data set of two images, `a.png` and `b.png`, below its folder; the same twice where
            one file lists all.
        text: What the first file holds, given the names of the images that it describes.
        pictures: Folder of the images.
        reader: Makes the reader, given the folder.
    """

    files: tuple[str, str]
    text: Callable[[list[str]], str]
    pictures: str
    reader: Callable[[Path], Source]


def forms() -> dict[str, Form]:
    """Every form that a reader reads, by name."""
    listed = {
        "coco": ("labels.json", _coco, lambda f: CocoKeypoints(annotation_file=f / "labels.json", scheme="perinasal6")),
        "csv": ("labels.csv", _csv, lambda f: FlatCsv(annotation_file=f / "labels.csv", scheme="perinasal6")),
        "dlib": ("labels.xml", _dlib, lambda f: DlibXml(annotation_file=f / "labels.xml", scheme="perinasal6")),
        "sftl54_lines": (
            "labels.jsonl",
            _jsonl,
            lambda f: Sftl54(annotations=f / "labels.jsonl", subject_pattern=None),
        ),
        "wflw": ("list.txt", _wflw, lambda f: Wflw(folder=f, list_file=f / "list.txt", image_dir=f)),
    }
    found = {name: Form((file, file), text, ".", reader) for name, (file, text, reader) in listed.items()}
    found |= {
        "pts": Form(("a.pts", "b.pts"), _pts, ".", lambda f: PtsFolder(folder=f, scheme="perinasal6")),
        "tfake": Form(("a_ldmks.txt", "b_ldmks.txt"), _tfake, ".", lambda f: TFake(folder=f, scheme="ibug68")),
        "jd106": Form(("landmark/a.png.txt", "landmark/b.png.txt"), _counted, "picture", lambda f: Jd106(folder=f)),
        "lapa": Form(
            ("train/landmarks/a.txt", "train/landmarks/b.txt"), _counted, "train/images", lambda f: Lapa(folder=f)
        ),
        "sftl54_files": Form(
            ("json/a.json", "json/b.json"),
            lambda names: json.dumps(_labelme(names[0])),
            "images",
            lambda f: Sftl54(annotations=f / "json", subject_pattern=None),
        ),
        "sftl54_text": Form(
            ("a.txt", "b.txt"), _indexed, ".", lambda f: Sftl54Text(folder=f, suffix=".png", subject_pattern=None)
        ),
        "yolo_pose": Form(
            ("labels/a.txt", "labels/b.txt"), _yolo, "images", lambda f: YoloPose(folder=f, scheme="perinasal6")
        ),
    }
    return found


def write_good(form: Form, folder: Path) -> None:
    """The data set of two images, undamaged."""
    (folder / form.pictures).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(("a.png", "b.png")):
        values = np.random.default_rng(number).integers(0, 255, (120, 160), dtype=np.uint8)
        Image.fromarray(values).save(folder / form.pictures / name)
    for file, name in zip(form.files, ("a.png", "b.png"), strict=True):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        names = ["a.png", "b.png"] if len(set(form.files)) == 1 else [name]
        (folder / file).write_text(form.text(names), encoding="utf-8")


def broken_contents(form: Form, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """(what, content) for the first file."""
    names = ["a.png", "b.png"] if len(set(form.files)) == 1 else ["a.png"]
    text = form.text(names)
    yield from damaged_text(text, seed=seed)
    lines = text.splitlines()
    yield "lines_backwards", "\n".join(reversed(lines)).encode()
    yield "first_line_missing", "\n".join(lines[1:]).encode()
    yield "twice", (text + "\n" + text).encode()
    yield "other_form", b'{"a": [1, 2]}' if not text.startswith("{") else b"a,b\n1,2\n"
    yield "huge_numbers", text.replace("5", "5" * 30).encode()
    yield "negative", text.replace(" 4", " -4").replace(",4", ",-4").encode()
    yield "one_long_line", text.replace("\n", " ").encode()
    yield "other_names", text.replace("a.png", "../../../etc/passwd").encode()
    yield "no_such_images", text.replace(".png", ".gif").encode()


def _numbers(count: int, start: float = 4) -> list[float]:
    return [start + 1.25 * i % 60 for i in range(count)]


def _coco(names: list[str]) -> str:
    images = [
        {"id": i, "file_name": name, "width": 160, "height": 120, "subject": name} for i, name in enumerate(names)
    ]
    keypoints = [value for i in range(6) for value in (4 + 3 * i, 5 + i % 3, 2)]
    faces = [{"id": i, "image_id": i, "keypoints": keypoints, "bbox": [1, 1, 50, 40]} for i in range(len(names))]
    return json.dumps({"images": images, "annotations": faces, "categories": [{"id": 1}]}, indent=1)


def _csv(names: list[str]) -> str:
    header = ",".join(["image,subject", *(f"{axis}{i}" for i in range(6) for axis in "xy")])
    return "\n".join([header, *(",".join([name, f"s_{name}", *map(str, _numbers(12))]) for name in names)]) + "\n"


def _dlib(names: list[str]) -> str:
    parts = "".join(f"<part name='{i}' x='{4 + 3 * i}' y='{5 + i % 3}'/>" for i in range(6))
    box = f"<box top='1' left='1' width='50' height='40'>{parts}</box>"
    images = "".join(f"<image file='{name}' width='160' height='120'>\n{box}</image>\n" for name in names)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<dataset><images>\n{images}</images></dataset>"


def _labelme(name: str) -> dict[str, object]:
    shapes = []
    for label, count in _GROUPS.items():
        points = [[x, 50 + x / 2] for x in _numbers(count, start=10)]
        shapes.append({"label": label, "points": points, "shape_type": "point" if count == 1 else "linestrip"})
    return {"image": name, "imagePath": name, "imageWidth": 160, "imageHeight": 120, "shapes": shapes}


def _jsonl(names: list[str]) -> str:
    return "\n".join(json.dumps(_labelme(name)) for name in names) + "\n"


def _wflw(names: list[str]) -> str:
    return "\n".join(f"{' '.join(map(str, _numbers(196)))} 1 1 80 80 0 0 0 0 0 0 {name}" for name in names) + "\n"


def _pairs(count: int, first: str = "") -> str:
    return first + "".join(f"{4 + i % 40} {5 + i % 7}\n" for i in range(count))


def _pts(_: list[str]) -> str:
    return f"version: 1\nn_points: 6\n{{\n{_pairs(6)}}}\n"


def _tfake(_: list[str]) -> str:
    return _pairs(70)


def _counted(_: list[str]) -> str:
    return _pairs(106, "106\n")


def _indexed(_: list[str]) -> str:
    return "".join(f"{i} {0.1 + i / 100:.3f} {0.2 + i / 200:.3f}\n" for i in range(54))


def _yolo(_: list[str]) -> str:
    points = " ".join(f"{0.2 + i / 20:.3f} {0.3 + i / 40:.3f} 2" for i in range(6))
    return f"0 0.4 0.4 0.5 0.5 {points}\n"
