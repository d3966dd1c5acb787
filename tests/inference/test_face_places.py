import logging
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.five_points import write_five_points
from thermal_landmarks.data.preprocessing import Crop
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.face_places import choose_boxes, choose_five_points, read_boxes


def test_a_network_for_aligned_faces_takes_five_points_and_says_so_if_it_gets_boxes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crop, table = Crop(mode="align"), tmp_path / "five.csv"
    write_five_points(table, {tmp_path / "a.png": [np.arange(10.0).reshape(5, 2)]})
    found = choose_five_points(str(table), crop)
    assert found is not None
    assert list(found) == [tmp_path / "a.png"]
    assert choose_boxes(None, crop, five_points=found) == {}
    assert choose_boxes("whole", crop, five_points=found) is None
    with pytest.raises(ConfigError, match=r"trained on aligned faces: set five_points=FILE\.csv, boxes=FILE\.csv, or"):
        choose_boxes(None, crop)
    assert not caplog.records
    assert choose_five_points(None, crop) is None
    assert choose_boxes("whole", crop) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cropped by boxes, but this network was trained on faces aligned by five points" in caplog.text


def test_five_points_are_refused_where_they_would_not_be_used() -> None:
    with pytest.raises(ConfigError, match=r"five_points=five\.csv: this network was trained with data\.crop\.mode=box"):
        choose_five_points("five.csv", Crop(mode="box"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,x0\na.png,1\n", "header lacks box_x_min"),
        ("image,box_x_min,box_y_min,box_x_max,box_y_max\na.png,1,2,x,4\n", "line 2: holds no box"),
        ("image,box_x_min,box_y_min,box_x_max,box_y_max\na.png,9,2,3,4\n", "line 2: holds no box"),
        ("image,box_x_min,box_y_min,box_x_max,box_y_max\na.png,9\n", "line 2: holds no box"),
        ("", "header lacks image"),
    ],
)
def test_a_broken_file_of_boxes_is_named_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path / "boxes.csv")


def test_a_network_for_face_boxes_takes_a_photo_as_a_face_only_when_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"boxes=FILE\.csv, or boxes=whole"):
        choose_boxes(None, Crop(mode="box"))
    assert choose_boxes(None, Crop()) is None
    assert choose_boxes("whole", Crop(mode="box")) is None
    (tmp_path / "boxes.csv").write_text("image,box_x_min,box_y_min,box_x_max,box_y_max\na.png,1,2,3,4\n")
    assert choose_boxes(str(tmp_path / "boxes.csv"), Crop(mode="box")) == {tmp_path / "a.png": (1, 2, 3, 4)}


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_boxes_as_spreadsheets_write_them_are_read(separator: str, tmp_path: Path) -> None:
    rows = [["image", "box_x_min", "box_y_min", "box_x_max", "box_y_max"], ["ü.png", "1", "2.5", "30", "40"]]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(map(separator.join, rows)), encoding="utf-8-sig")
    assert read_boxes(table) == {tmp_path / "ü.png": (1, 2.5, 30, 40)}


def test_a_missing_file_of_boxes_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"boxes=.*nowhere\.csv: can't be read"):
        read_boxes(tmp_path / "nowhere.csv")


def test_boxes_are_never_ignored_or_overwritten(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    rows = ["image,box_x_min,box_y_min,box_x_max,box_y_max", "a.png,1,2,3,4", "./a.png,5,6,7,8"]
    table.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(DataError, match=r"boxes.csv: a second box of .*a.png"):
        read_boxes(table)
    with pytest.raises(ConfigError, match="this network was trained on whole images and finds the face itself"):
        choose_boxes(str(table), Crop())
