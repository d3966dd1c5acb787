"""Annotation files that are damaged or hostile: each ends in a named error, none in a traceback or a long wait."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from robustness.bounds import held_to_bounds
from robustness.broken_annotations import forms, write_good

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.readers.annotation_files import LARGEST_RECORD
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.dlib_xml import DlibXml
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.data.readers.pts import PtsFolder
from thermal_landmarks.data.readers.sftl54 import Sftl54
from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.errors import DataError

FORMS = forms()
DIGITS = "1" * 5000
NAMES = ["a\0.png", "\ud800.png", "x" * 300 + ".png", "", ".", "..", "/", "\\", "\n", "a" * 100_000, "?d=", "http://[x"]
ENTITIES = "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 9}'>" for i in range(1, 9))
ANYWHERE: list[str | bytes] = [
    *(b"", b"\0" * 99, b"\xff\xfe" * 50, b"\x89PNG\r\n\x1a\n"),
    *(
        "\n" * 10_000,
        "{" * 200_000,
        "[" * 200_000,
        "[" * 20_000,
        "[1," * 70_000,
        "nan " * 12,
        "1e999 " * 200,
        "a" * 200_000,
        "0 " * 17,
    ),
    *(DIGITS, f"[{DIGITS}]", f"{DIGITS} {DIGITS}", f"{DIGITS}\n1 2", "²\n1 2\n", "\u2028" * 1000),
    *("null", "[]", "{}", "1", '"text"', '{"a": 1, "a": 2}', f'{{"images": [{{"id": {DIGITS}}}]}}'),
    *(
        "n_points: 6\n{\n",
        "n_points: ² { 1 2 }",
        f"n_points: {DIGITS} {{ 1 2 }}",
        "n_points:" + " " * 20_000,
        "} n_points: 6 {",
    ),
    *("image,x0\n" + "x" * 200_000, 'image,subject\n"a'),
    *("---\n- a: &x [*x]", "&a [*a]", "!!python/object/apply:os.system ['false']"),
    *("kpt_shape: [[6, 3]]", "kpt_shape: {a: b}", "train: 1"),
    *("<dataset", "<d>" * 20_000, "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d/>"),
    *(f"<?xml version='1.0' encoding='{name}'?><dataset/>" for name in ("klingon", "utf-32")),
    f"<!DOCTYPE d [<!ENTITY a0 '{'x' * 1000}'>{ENTITIES}]><d>&a8;</d>",
]


def reads_or_names_it(source: Source) -> None:
    """All annotations are read, or refused in few words; the same for each image."""
    annotations, _ = held_to_bounds(source.annotations, "")
    if annotations is not None:
        source.fingerprint()
        for annotation in annotations:
            json.dumps([str(annotation.image), annotation.subject, annotation.attributes]).encode()
            annotation.subject.encode()
            held_to_bounds(lambda a=annotation: source.load(a), "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f").mkdir()
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(tmp_path / "f" / "a.png")
    return tmp_path


@pytest.mark.parametrize("kind", FORMS)
def test_content_that_is_something_else(tmp_path: Path, kind: str) -> None:
    form = FORMS[kind]
    write_good(form, tmp_path)
    for content in ANYWHERE:
        (tmp_path / form.files[0]).write_bytes(content if isinstance(content, bytes) else content.encode())
        reads_or_names_it(form.reader(tmp_path))


def test_a_description_of_a_yolo_data_set_that_is_something_else(tmp_path: Path) -> None:
    write_good(FORMS["yolo_pose"], tmp_path)
    for content in ["[" * 1000, *(content for content in ANYWHERE if len(content) < 15_000)]:
        (tmp_path / "data.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        reads_or_names_it(YoloPose(folder=tmp_path, scheme="perinasal6", part="train"))


def coco_content() -> dict[str, Any]:
    keypoints = [value for i in range(6) for value in (5 + i, 6 + i % 3, 2)]
    return {
        "images": [{"id": 1, "file_name": "a.png", "subject": "s", "width": 30, "height": 20}],
        "annotations": [{"id": 1, "image_id": 1, "keypoints": keypoints, "bbox": [1, 1, 9, 9]}],
        "categories": [{"id": 1, "keypoints": ["a"]}],
    }


ODD: list[Any] = [
    *(None, True, [], {}, [[]], {"a": [1]}),
    *(-1, 0, 1e308, 10**400, -(10**4000), float("nan"), float("inf")),
    *("", "7" * 9000, "\ud800", "\0"),
]


@pytest.mark.parametrize("part", ["images", "annotations", "categories"])
def test_odd_values_in_every_place_of_a_coco_file(folder: Path, part: str) -> None:
    keys = {*coco_content()[part][0], "unit", "score"}

    def put(*path: Any, value: Any) -> None:
        content = coco_content()
        place: Any = content
        for step in path[:-1]:
            place = place[step]
        if path[-1] == "append":
            place.append(value)
        else:
            place[path[-1]] = value
        (folder / "f/labels.json").write_text(json.dumps(content), encoding="utf-8")
        reads_or_names_it(CocoKeypoints(annotation_file=folder / "f/labels.json", scheme="perinasal6"))

    for value in ODD:
        put(part, value=value)
        put(part, "append", value=value)
        if part == "annotations":
            put(part, 0, "keypoints", 3, value=value)
            put(part, 0, "bbox", 2, value=value)
    for key in keys:
        for value in [*ODD, ODD, [ODD] * 18]:
            put(part, 0, key, value=value)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_no_file_can_have(folder: Path, name: str) -> None:
    content = coco_content()
    content["images"][0].update(file_name=name, subject=name)
    (folder / "f/labels.json").write_text(json.dumps(content), encoding="utf-8")
    reads_or_names_it(CocoKeypoints(annotation_file=folder / "f/labels.json", scheme="perinasal6"))
    content["images"].append({"id": 2, "file_name": "a.png"})
    (folder / "f/labels.json").write_text(json.dumps(content), encoding="utf-8")
    reads_or_names_it(CocoKeypoints(annotation_file=folder / "f/labels.json", scheme="perinasal6"))
    row = ",".join([f'"{name}"', f'"{name}"', *["5"] * 12])
    text = ",".join(["image,subject", *(f"{axis}{i}" for i in range(6) for axis in "xy")]) + f"\n{row}\n"
    (folder / "f/labels.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    reads_or_names_it(FlatCsv(annotation_file=folder / "f/labels.csv", scheme="perinasal6"))
    (folder / "f/labels.jsonl").write_text(json.dumps({"image": name, "shapes": []}), encoding="utf-8")
    reads_or_names_it(Sftl54(annotations=folder / "f/labels.jsonl", subject_pattern=None))


@pytest.mark.parametrize("value", ["abc", "", "-1", "1e999", DIGITS, "nan"])
@pytest.mark.parametrize("key", ["image width", "box left", "part x", "part name"])
def test_odd_attributes_of_a_dlib_file(folder: Path, key: str, value: str) -> None:
    element, attribute = key.split()
    text = "<d><image file='a.png' width='30' height='20'><box top='1' left='1' width='9' height='9'>"
    text += "<part name='0' x='4' y='5'/><part name='1' x='6' y='5'/></box></image></d>"
    start = text.index(f"<{element}")
    at = text.index(f"{attribute}='", start) + len(attribute) + 2
    text = text[:at] + value + text[text.index("'", at) :]
    (folder / "f/labels.xml").write_text(text, encoding="utf-8")
    reads_or_names_it(DlibXml(annotation_file=folder / "f/labels.xml", scheme="perinasal6"))


def test_an_unforeseen_failure_names_the_file_and_the_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "f/labels.json").write_text(json.dumps(coco_content()), encoding="utf-8")

    def fail(*_: object, **__: object) -> None:
        raise KeyError("never thought of")

    monkeypatch.setattr(CocoKeypoints, "_face", fail)
    with pytest.raises(DataError, match=r"labels.json, annotations\[0\]: can't be read \(KeyError: 'never thought of'"):
        CocoKeypoints(annotation_file=folder / "f/labels.json", scheme="perinasal6").annotations()


def test_files_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "f/a.pts").write_text("n_points: 1\n{\n1 2\n}\n" + " " * LARGEST_RECORD, encoding="utf-8")
    source = PtsFolder(folder=folder / "f", scheme="perinasal6")
    with pytest.raises(DataError, match=r"a.pts: 4.2 MB, but annotation files of this kind have at most 4.2 MB"):
        source.load(source.annotations()[0])
