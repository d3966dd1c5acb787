"""What cameras' programs export as tables, and what only looks like one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thermal_landmarks.data.formats.images import list_images, read_image
from thermal_landmarks.data.formats.table import why_no_picture
from thermal_landmarks.errors import DataError

FACE = np.round(np.random.default_rng(0).uniform(-5, 36, (12, 16)), 1)


def rows_of(values: np.ndarray, separator: str = ";", decimal: str = ".") -> list[str]:
    return [separator.join(f"{v:.1f}".replace(".", decimal) for v in row) for row in values]


def write(folder: Path, *lines: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_comma_may_be_separator_and_decimal_mark(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, *rows_of(FACE, ",", ","))
    np.testing.assert_allclose(read_image(path).values, FACE, atol=1e-5)
    assert "decimal mark" in caplog.text
    two = write(tmp_path, *(",".join(f"{v:.2f}".replace(".", ",") for v in row) for row in FACE))
    np.testing.assert_allclose(read_image(two).values, FACE, atol=1e-5)


@settings(max_examples=50)
@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2), elements=st.floats(10, 45, width=32)),
    st.sampled_from([(",", "."), (";", ","), ("\t", ","), (";", "."), (" ", ".")]),
)
def test_tables_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, marks: tuple[str, str]
) -> None:
    separator, decimal = marks
    rows = (separator.join(repr(float(v)).replace(".", decimal) for v in row) for row in values)
    np.testing.assert_array_equal(read_image(write(tmp_path_factory.getbasetemp(), *rows)).values, values)


@pytest.mark.parametrize(("head", "unit"), [("°C", "celsius"), ("Temperature in Celsius", "celsius"), ("x", "gray")])
def test_a_table_may_have_header_lines_that_name_the_unit(tmp_path: Path, head: str, unit: str) -> None:
    image = read_image(write(tmp_path, "File;portrait.is2;", f"Unit;{head};", "", "30,5;31,0;", "32,5;33,0;"))
    assert image.unit == unit
    np.testing.assert_array_equal(image.values, [[30.5, 31.0], [32.5, 33.0]])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_tables_of_any_usual_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text("Ort: Zürich °C\n30.5,31\n32.5,33\n", encoding=encoding)
    image = read_image(tmp_path / "a.csv")
    assert image.unit == "celsius"
    assert image.values[1, 0] == 32.5


@pytest.mark.parametrize("levels", [FACE.astype(np.uint8) % 10, np.arange(10, 202).reshape(12, 16) + 1000])
def test_integers_separated_by_commas_stay_integers(tmp_path: Path, levels: np.ndarray) -> None:
    path = write(tmp_path, *(",".join(map(str, row)) for row in levels))
    np.testing.assert_array_equal(read_image(path).values, levels)


@pytest.mark.parametrize("first", [0, 1])
def test_indices_of_rows_and_columns_are_left_out(tmp_path: Path, first: int, caplog: pytest.LogCaptureFixture) -> None:
    columns = ";".join(str(first + i) for i in range(16))
    rows = rows_of(FACE)
    both = [f"{first + i};{row}" for i, row in enumerate(rows)]
    for number, lines in enumerate(
        ([columns, *rows], both, [f";{columns}", *both], [f"0;{columns}", *both], [f"Y\\X;{columns}", *both])
    ):
        path = write(tmp_path, *lines, name=f"{number}.csv")
        assert why_no_picture(path) is None
        np.testing.assert_allclose(read_image(path).values, FACE, atol=1e-5)
    assert "counts the rows and is left out" in caplog.text
    assert "counts the columns and is left out" in caplog.text


def test_a_row_with_cells_beyond_the_range_or_other_minus_signs_is_no_header(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = rows_of(FACE)
    cells = rows[0].split(";")
    cells[0], cells[1] = "<-20.0", "> 150,0"
    rows[0] = ";".join(cells)
    rows[1] = rows[1].replace("-", "−")
    expected = FACE.copy()
    expected[0, :2] = -20, 150
    np.testing.assert_allclose(read_image(write(tmp_path, *rows)).values, expected, atol=1e-5)
    assert "beyond the camera's range" in caplog.text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b", "c,d"], "no row of numbers"),
        (["1,2,3", "4,5"], "line 2: 2 numbers, but the rows before have 3"),
        ([*rows_of(FACE), "", *rows_of(FACE)], "blank lines divide its rows, first before line 14: 2 frames"),
        ([*rows_of(FACE), "Frame 2", *rows_of(FACE)], "line 13: found 'Frame 2'.* If a further frame begins here"),
        (rows_of(np.tile(FACE, (6, 1))), "72 rows of 16 numbers are no camera's picture"),
        (rows_of(FACE.reshape(2, -1)), "2 rows of 96 numbers are no camera's picture"),
        ([f"{x};{y};{FACE[y, x]}" for y in range(12) for x in range(16)], "a list of x, y and value"),
        (["x;y;t", *(f"{x};{y};{FACE[y, x]}" for y in range(12) for x in range(16))], "columns with names"),
        (["frame,x0,y0", "0,1.5,2.5", "1,2.5,3.5"], r"columns with names \(frame, x0, y0\)"),
        (['1,2,"3', '4,5,6"', "7,8,9"], "line 1: not a row of a table"),
        (["1,2,3", '4,5,"6', "7,8,9"], "line 2: not a row of a table"),
        (["1,2", f'3,"{"4" * 200_000}"'], "line 2: not a row of a table .*field limit"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_image(write(tmp_path, *lines))


def test_folders_say_which_tables_are_left_out_and_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, *rows_of(FACE), name="face.csv")
    write(tmp_path, "image,subject,x0", "a.png,anna,3", name="labels.csv")
    write(tmp_path, "frame,x0,y0", "0,1.5,2.5", name="points.csv")
    write(tmp_path, "", name="empty.csv")
    write(tmp_path, "only", "words", name="words.csv")
    (tmp_path / "._face.csv").write_bytes(b"\0\5\26\7")
    assert list_images(tmp_path) == [tmp_path / "face.csv"]
    assert "empty.csv is empty; labels.csv has no row of numbers" in caplog.text
    assert "points.csv has columns with names (frame, x0, y0); and 1 more" in caplog.text
    (tmp_path / "face.csv").unlink()
    with pytest.raises(DataError, match=r"no image in this folder. Its tables are no pictures: empty\.csv is empty"):
        list_images(tmp_path)
