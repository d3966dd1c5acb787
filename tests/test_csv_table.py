import ast
import csv
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.csv_table import CsvTable, harmless, original, write_table
from thermal_landmarks.errors import OutputError

SOURCES = Path(__file__).parents[1] / "src/thermal_landmarks"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_and_is_read_back(text: str) -> None:
    written = harmless(text)
    assert written == f"'{text}"
    assert original(str(written)) == text


@pytest.mark.parametrize("cell", ["-0.5", "+1e-3", -0.5, np.float32(-2), -3, "name", "", "a=b", "'quoted'", "-inf"])
def test_numbers_and_other_text_stay(cell: object) -> None:
    assert harmless(cell) in (cell, str(cell))
    assert original(str(cell)) == str(cell)


def test_a_table_is_plain_utf8_whatever_the_names(tmp_path: Path) -> None:
    path = tmp_path / "new/table.csv"
    write_table(path, ["image", "x"], [[Path("/ü,\n.png"), -1.5], [os.fsdecode(b"\xff.png"), None], ["=1+1", "-2"]])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["image", "x"], ["/ü,\n.png", "-1.5"], ["\\udcff.png", ""], ["'=1+1", "-2"]]


def test_rows_are_on_the_disk_when_flushed(tmp_path: Path) -> None:
    with CsvTable(tmp_path / "table.csv") as table:
        table.add(["a", 1])
        table.flush()
        assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "a,1\n"


def test_a_full_disk_is_one_line_and_the_old_table_is_intact(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, ["a"], [[1]])

    def rows() -> Iterator[list[int]]:
        yield [2]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match=r"table.csv can't be written: No space left"):
        write_table(path, ["a"], rows())
    assert path.read_text(encoding="utf-8").split() == ["a", "1"]
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_no_other_module_writes_csv() -> None:
    writers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("csv.writer", "csv.DictWriter")
    }
    assert writers == {"csv_table.py", "training/wandb_run.py"}  # the latter appends numbers alone
