import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.readers.wflw import FLAGS, Wflw
from thermal_landmarks.errors import ConfigError, DataError

LISTS = Path("WFLW_annotations") / "list_98pt_rect_attr_train_test"


@pytest.fixture
def folder(wflw_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(wflw_folder, tmp_path / "WFLW")


def change_line(folder: Path, part: str, number: int, change) -> None:
    file = folder / LISTS / f"list_98pt_rect_attr_{part}.txt"
    lines = file.read_text().splitlines()
    lines[number - 1] = change(lines[number - 1])
    file.write_text("\n".join(lines))


def test_official_lists_give_points_box_flags_and_picture(wflw_folder: Path) -> None:
    train, test = (Wflw(folder=wflw_folder, part=part) for part in ("train", "test"))
    assert [len(source.annotations()) for source in (train, test)] == [8, 6]
    face = test.annotations()[1]
    fields = (wflw_folder / LISTS / "list_98pt_rect_attr_test.txt").read_text().splitlines()[1].split()
    assert len(fields) == 207
    np.testing.assert_allclose(face.points_px, np.array(fields[:196], dtype=float).reshape(98, 2), atol=1e-5)
    assert face.box_px == tuple(map(float, fields[196:200]))
    assert face.attributes == {name: name == "expression" for name in FLAGS}
    assert face.image == wflw_folder / "WFLW_images" / fields[206]
    assert face.location.endswith("list_98pt_rect_attr_test.txt, line 2")
    assert test.load(face).values.shape == (96, 128)


def test_faces_of_one_photograph_are_one_subject_and_stay_in_one_split(folder: Path) -> None:
    first = (folder / LISTS / "list_98pt_rect_attr_train.txt").read_text().splitlines()[0].split()[-1]
    change_line(folder, "train", 4, lambda line: " ".join([*line.split()[:-1], first]))
    subjects = [face.subject for face in Wflw(folder=folder).annotations()]
    assert subjects[0] == subjects[3]
    assert len(set(subjects)) == 7


def test_a_photograph_in_both_official_lists_is_counted_aloud(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Wflw(folder=folder, part="test").annotations()
    assert not caplog.records
    shared = (folder / LISTS / "list_98pt_rect_attr_train.txt").read_text().splitlines()[0].split()[-1]
    change_line(folder, "test", 1, lambda line: " ".join([*line.split()[:-1], shared]))
    with caplog.at_level(logging.WARNING):
        faces = Wflw(folder=folder, part="test").annotations()
    assert "1 of 6 test faces are in photographs" in caplog.text
    assert faces[0].subject not in {face.subject for face in Wflw(folder=folder).annotations()}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda line: line.partition(" ")[2], "206 fields, expected 207"),
        (lambda line: "x" + line, "could not convert string to float: 'x"),
        (lambda line: " ".join([*line.split()[:-2], "2", line.split()[-1]]), "flags .* 2, expected six times 0 or 1"),
        (lambda line: " ".join([*line.split()[:196], "9 9 9 9", *line.split()[200:]]), "the face box has no area"),
    ],
)
def test_a_bad_line_is_an_error_of_that_face(folder: Path, change, finding: str) -> None:
    change_line(folder, "train", 3, change)
    source = Wflw(folder=folder)
    assert len(source.annotations()) == 8
    with pytest.raises(DataError, match=rf"list_98pt_rect_attr_train\.txt, line 3: {finding}"):
        source.load(source.annotations()[2])


def test_lists_may_lie_elsewhere_and_their_absence_is_named(folder: Path, tmp_path: Path) -> None:
    moved = (folder / LISTS / "list_98pt_rect_attr_test.txt").rename(tmp_path / "mine.txt")
    with pytest.raises(DataError, match=r"no official test list of WFLW\. Looked for .*list_98pt_rect_attr_test\.txt"):
        Wflw(folder=folder, part="test").annotations()
    assert len(Wflw(folder=folder, part="test", list_file=moved).annotations()) == 6
    with pytest.raises(DataError, match="nowhere: no such folder"):
        Wflw(folder=tmp_path / "nowhere").annotations()
    with pytest.raises(ConfigError, match="Choose train, test"):
        Wflw(folder=folder, part="val")  # type: ignore[arg-type]
