import shutil
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.readers.jd106 import Jd106
from thermal_landmarks.data.readers.lapa import Lapa
from thermal_landmarks.errors import DataError


@pytest.fixture
def folder(jd106_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(jd106_folder, tmp_path / "JD")


def test_pictures_landmarks_and_boxes_of_every_origin_belong_together(jd106_folder: Path) -> None:
    source = Jd106(folder=jd106_folder, parts=["Training_data"])
    faces = source.annotations()
    assert len(faces) == len({face.subject for face in faces}) == 6
    face = next(face for face in faces if face.subject == "Training_data/IBUG/picture/AFW_1_T.jpg")
    text = (jd106_folder / "Training_data/IBUG/landmark/AFW_1_T.jpg.txt").read_text().split()
    assert text[0] == "106"
    np.testing.assert_allclose(face.points_px.ravel(), np.array(text[1:], dtype=float), atol=1e-4)
    rect = (jd106_folder / "Training_data/IBUG/rect/AFW_1_T.jpg.rect").read_text().split()
    assert face.box_px == tuple(map(float, rect))
    assert source.load(face).values.shape == (96, 128)
    assert len(Jd106(folder=jd106_folder).annotations()) == 8


def test_corrected_landmarks_replace_the_first_ones_and_boxes_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    corrections, boxes = tmp_path / "Corrected_landmark", tmp_path / "boxes"
    corrections.mkdir()
    old = folder / "Test_data/landmark/AFW_0_T.jpg.txt"
    (corrections / old.name).write_text("106\n" + "7.5 8\n" * 106)
    shutil.move(folder / "Test_data/rect", boxes)
    faces = Jd106(folder=folder, parts=["Test_data"], corrections=corrections, rect_dir=str(boxes)).annotations()
    assert (faces[0].points_px == (7.5, 8)).all()
    assert faces[0].location == str(corrections / old.name)
    assert all(face.box_px is not None for face in faces)
    assert not (faces[1].points_px == (7.5, 8)).any()
    without = Jd106(folder=folder, parts=["Test_data"]).annotations()
    assert [face.box_px for face in without] == [None, None]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("landmark/AFW_0_T.jpg.txt", "106\n1 2\n3\n", r"AFW_0_T\.jpg\.txt: line 3: found '3', expected x and y"),
        ("landmark/AFW_0_T.jpg.txt", "1 2\n3 4\n", r"AFW_0_T\.jpg\.txt: line 1: expected the number of points"),
        ("landmark/AFW_0_T.jpg.txt", "106\n1 2\n", r"AFW_0_T\.jpg\.txt: states 106 points and holds 1"),
        ("landmark/AFW_0_T.jpg.txt", "1\n1 2\n", r"AFW_0_T\.jpg\.txt: 1 landmarks, but scheme 'jd106' has 106"),
        ("rect/AFW_0_T.jpg.rect", "1 2 3\n", r"AFW_0_T\.jpg\.rect, line 1: expected 'x1 y1 x2 y2'"),
    ],
)
def test_a_bad_file_is_an_error_of_that_face(folder: Path, file: str, text: str, message: str) -> None:
    (folder / "Test_data" / file).write_text(text)
    source = Jd106(folder=folder, parts=["Test_data"])
    with pytest.raises(DataError, match=message):
        source.load(source.annotations()[0])
    source.load(source.annotations()[1])


def test_a_folder_without_the_layout_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match="no folder 'landmark' beside a folder 'pictures'"):
        Jd106(folder=folder, picture_dir="pictures").annotations()
    with pytest.raises(DataError, match="Validation: no such folder"):
        Jd106(folder=folder, parts=["Validation"]).annotations()


def test_lapa_is_read_part_by_part(lapa_folder: Path, tmp_path: Path) -> None:
    source = Lapa(folder=lapa_folder, parts=["train", "val"])
    faces = source.annotations()
    assert [face.subject for face in faces[2:4]] == ["train/train2_0", "val/val0_0"]
    assert source.scheme == "lapa106"
    assert source.load(faces[0]).values.shape == (96, 128)
    x, y = faces[0].points_px.T
    assert faces[0].box_px == (x.min(), y.min(), x.max(), y.max())
    folder = shutil.copytree(lapa_folder, tmp_path / "LaPa")
    (folder / "test/images/test1_0.jpg").unlink()
    (folder / "test/landmarks/test2_0.txt").write_text("106\n1 2 3\n")
    source = Lapa(folder=folder, parts=["test"])
    source.load(source.annotations()[0])
    with pytest.raises(DataError, match=r"test1_0\.txt: no image named test1_0 in .*test/images"):
        source.load(source.annotations()[1])
    with pytest.raises(DataError, match=r"test2_0\.txt: line 2: found '1 2 3', expected x and y"):
        source.load(source.annotations()[2])
    (folder / "test/landmarks/test2_0.txt").write_text("0\n")
    source = Lapa(folder=folder, parts=["test"])
    with pytest.raises(DataError, match=r"test2_0\.txt: 0 landmarks, but scheme 'lapa106' has 106"):
        source.load(source.annotations()[2])
