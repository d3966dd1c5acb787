import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.readers.sftl54 import Sftl54, Sftl54Text
from thermal_landmarks.errors import DataError

SIZES = {"chin": 17, "left_eyebrow": 5, "right_eyebrow": 5, "nose_bridge": 4, "nose_tip": 5, "left_eye": 6}
SIZES |= {"right_eye": 6} | {f"lip_p{i}": 1 for i in range(1, 7)}


def groups() -> dict[str, list[list[float]]]:
    points = [[i + 0.5, 60.0 - i] for i in range(54)]
    starts = np.cumsum([0, *SIZES.values()])
    found = {name: points[start : start + size] for (name, size), start in zip(SIZES.items(), starts, strict=False)}
    return found | {"face": [[50.0, 8.0], [2.0, 61.0]]}


EXPECTED = np.array([[i + 0.5, 60.0 - i] for i in range(54)])


def image(path: Path) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(np.zeros((64, 80), dtype=np.uint8)).save(path)


def lines(folder: Path, change: Any = None) -> Sftl54:
    image(folder / "images" / "112_1_2.png")
    record: dict[str, Any] = {"image": "images/112_1_2.png", "height": 64, "width": 80, **groups()}
    # the order of the groups must not matter
    record = dict(reversed(record.items()))
    if change:
        change(record)
    (folder / "labels.jsonl").write_text("\n" + json.dumps(record) + "\n")
    return Sftl54(annotations=folder / "labels.jsonl")


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    source = lines(tmp_path)
    (face,) = source.annotations()
    np.testing.assert_array_equal(face.points_px, EXPECTED)
    assert face.subject == "112"
    assert face.box_px == (2, 8, 50, 61)
    assert source.load(face).values.shape == (64, 80)


def test_a_folder_of_labelme_files_is_read(tmp_path: Path) -> None:
    image(tmp_path / "images" / "112_1_2.png")
    shapes = [{"label": name, "points": points} for name, points in reversed(groups().items())]
    (tmp_path / "json").mkdir()
    content = {"shapes": shapes, "imageWidth": 80, "imageHeight": 64}
    (tmp_path / "json" / "112_1_2.json").write_text(json.dumps(content))
    (tmp_path / "json" / "113_1_2.json").write_text("{")
    image(tmp_path / "images" / "113_1_2.png")
    (tmp_path / "json" / "114_1_2.json").write_text(json.dumps(content))
    source = Sftl54(annotations=tmp_path / "json")
    face, broken, imageless = source.annotations()
    np.testing.assert_array_equal(face.points_px, EXPECTED)
    assert face.subject == "112"
    source.load(face)
    with pytest.raises(DataError, match=r"113_1_2\.json: line 1.*not valid JSON"):
        source.load(broken)
    with pytest.raises(DataError, match=r"114_1_2\.json: no image named 114_1_2"):
        source.load(imageless)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("nose_tip"), "line 2: no group 'nose_tip'"),
        (lambda r: r["chin"].pop(), "line 2: group 'chin' has 16 points instead of 17"),
        (lambda r: r.update(lip_p3="x"), "line 2: group 'lip_p3' is not a list"),
        (lambda r: r.update(face=[[1, 2]]), "line 2: group 'face' has 1 points instead of 2"),
        (lambda r: r.update(width=81), "80 x 64 pixels, but .*line 2 is for 81 x 64"),
    ],
)
def test_a_bad_record_is_an_error_of_that_image(tmp_path: Path, change: Any, message: str) -> None:
    source = lines(tmp_path, change)
    with pytest.raises(DataError, match=message):
        source.load(source.annotations()[0])


def test_a_line_without_an_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2: no 'image' name"):
        lines(tmp_path, lambda r: r.pop("image")).annotations()


def write_text(folder: Path, text: str) -> Sftl54Text:
    np.save(folder / "1_77.npy", np.full((50, 100), 95.0, dtype=np.float32))
    (folder / "1_77.txt").write_text(text)
    return Sftl54Text(folder=folder, unit="fahrenheit")


def test_fractions_become_pixels_with_centres_at_integers(tmp_path: Path) -> None:
    text = "".join(f"{i} 0.005 0.99 0.1 0.1\n" for i in range(53))  # the last one is missing
    source = write_text(tmp_path, text)
    (face,) = source.annotations()
    np.testing.assert_allclose(face.points_px[:53], np.tile([0.0, 49.0], (53, 1)), atol=1e-5)
    assert np.isnan(face.points_px[53]).all()
    assert face.subject == "1"
    assert source.load(face).values == pytest.approx(35, abs=1e-4)


@pytest.mark.parametrize("line", ["54 0.1 0.1", "x 0.1 0.1", "3 0.1", "3 0.1 y"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    source = write_text(tmp_path, f"0 0.5 0.5\n{line}\n")
    with pytest.raises(DataError, match=rf"1_77\.txt: line 2: found '{line}'"):
        source.load(source.annotations()[0])


def test_a_missing_image_is_an_error_of_that_face(tmp_path: Path) -> None:
    source = write_text(tmp_path, "0 0.5 0.5\n")
    (tmp_path / "1_77.npy").unlink()
    with pytest.raises(DataError, match=r"1_77\.npy: no such file"):
        source.load(source.annotations()[0])


def test_the_published_annotations_have_sixteen_people(shared_data: Path) -> None:
    faces = Sftl54(annotations=shared_data / "sftl54-annotations" / "labels.jsonl").annotations()
    assert len(faces) == 288
    assert len({face.subject for face in faces}) == 16
    points = np.stack([face.points_px for face in faces])
    assert np.isfinite(points).all()
    # image left to right: outer eye corner 36, inner 39, inner 42, outer 45; below them the mouth; its corners 48, 50
    assert (np.median(np.diff(points[:, [36, 39, 42, 45], 0], axis=1), axis=0) > 5).all()
    assert (points[:, 48:52, 1].mean(1) > points[:, 36:48, 1].mean(1)).all()
    assert (points[:, 50, 0] > points[:, 48, 0]).all()


def test_real_radiometric_portraits_are_in_degrees_with_points_on_the_face(shared_data: Path) -> None:
    source = Sftl54Text(folder=shared_data / "thermal54", unit="fahrenheit")
    faces = source.annotations()
    assert {face.subject for face in faces} == {"1"}
    for face in faces:
        image = source.load(face)
        assert image.values.shape == (512, 640)
        on_face = [image.values[int(y), int(x)] for x, y in face.points_px.round()[17:]]
        assert 31 < np.median(on_face) < 37
        assert np.median(on_face) > np.median(image.values) + 3
