from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.errors import DataError

HEADER = "image,subject," + ",".join(f"x{i},y{i}" for i in range(6))
ROW = "a.npy,anna," + ",".join(f"{i}.5,{2 * i}" for i in range(6))


def write(folder: Path, *lines: str) -> FlatCsv:
    np.save(folder / "a.npy", np.full((30, 40), 30815, dtype=np.uint16))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return FlatCsv(annotation_file=folder / "labels.csv", scheme="perinasal6", unit="centi_kelvin")


def test_rows_become_faces(tmp_path: Path) -> None:
    source = write(tmp_path, HEADER, ROW, "", ROW.replace("anna", "bo"))
    first, second = source.annotations()
    assert (first.subject, second.subject) == ("anna", "bo")
    np.testing.assert_array_equal(first.points_px, [(i + 0.5, 2 * i) for i in range(6)])
    assert source.load(first).values == pytest.approx(35.0, abs=1e-4)
    assert second.location.endswith("labels.csv, line 4")


def test_empty_cells_are_missing_landmarks_and_half_a_point_is_none(tmp_path: Path) -> None:
    cells = ROW.split(",")
    cells[2] = cells[3] = cells[6] = ""
    (face,) = write(tmp_path, HEADER, ",".join(cells)).annotations()
    assert np.isnan(face.points_px).all(axis=1).tolist() == [True, False, True, False, False, False]


def test_boxes_units_and_other_separators_are_understood(tmp_path: Path) -> None:
    header = f"{HEADER},unit,box_x_min,box_y_min,box_x_max,box_y_max".replace(",", ";")
    source = write(tmp_path, header, f"{ROW},counts,1,2,20,25".replace(",", ";"))
    (face,) = source.annotations()
    assert face.box_px == (1, 2, 20, 25)
    assert source.load(face).unit == "gray"


def test_rows_without_a_subject_are_people_of_their_own_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (face,) = write(tmp_path, HEADER, ROW.replace("anna", "")).annotations()
    assert face.subject == "a.npy"
    assert "no subject is given for 1 image" in caplog.text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((HEADER.replace(",y3", ",why3"), ROW), r"labels.csv, line 1: no column 'y3' \(1 column"),
        ((f"{HEADER},x6,y6", f"{ROW},1,2"), "line 1: column 'x6', but scheme 'perinasal6' has 6"),
        ((HEADER, ROW, f"{ROW},9"), "line 3: 15 cells, but the header has 14"),
        (("",), "line 1: no column 'image'"),
    ],
)
def test_a_bad_table_names_the_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        write(tmp_path, *lines).annotations()


BOX = "box_x_min,box_y_min,box_x_max,box_y_max"


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (HEADER, ROW.replace("3.5", "3o5"), "line 3: found '3o5', expected a number"),
        (HEADER, ROW.replace("3.5", "inf"), "line 3: a coordinate of inf pixels is in no image"),
        *(
            (f"{HEADER},{BOX}", f"{ROW},{corners}", "line 3: the face box has no area")
            for corners in ("20,2,1,25", "1,25,20,2", "1,2,1,25", "1,2,20,2")
        ),
    ],
)
def test_a_bad_cell_is_an_error_of_that_row(tmp_path: Path, header: str, row: str, message: str) -> None:
    good_row = ROW if header == HEADER else f"{ROW},1,2,20,25"
    source = write(tmp_path, header, good_row, row)
    good, bad = source.annotations()
    source.load(good)
    with pytest.raises(DataError, match=message):
        source.load(bad)
