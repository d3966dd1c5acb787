"""The plan of the house: imports run one way (a room knows those below it), and a file is read in a sitting."""

from pathlib import Path

import grimp
import pytest

FROM_THE_TOP = """
commands
reporting exporting
search runtime physiology
training inference
evaluation
models
data
building csv_table own_parts rendered long_work
runs
old_names settings
errors allocator
thermal_faces
"""
LONGEST = 300
"""Lines of a file."""

APART = [("training", "search"), ("inference", "runtime", "physiology")]
"""Two ways up from `evaluation`; neither knows anything of the other."""

HEIGHT = {room: -i for i, rooms in enumerate(FROM_THE_TOP.split("\n")) for room in rooms.split()}


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str]]:
    """Who imports whom, also inside of functions."""
    graph = grimp.build_graph("thermal_landmarks", "thermal_faces")
    found = {(a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a)}
    return sorted(pair for pair in found if pair[1] != "thermal_landmarks")  # anyone may ask for the version


def room(module: str) -> str:
    return module.removeprefix("thermal_landmarks.").partition(".")[0]


def test_every_room_has_its_height(imports: list[tuple[str, str]]) -> None:
    assert len(imports) > 500
    assert {room(module) for pair in imports for module in pair} - set(HEIGHT) <= {"thermal_landmarks", "__main__"}


def test_imports_run_down_only(imports: list[tuple[str, str]]) -> None:
    upward = []
    for importer, imported in imports:
        above, below = room(importer), room(imported)
        level = HEIGHT.get(above, 1)
        strangers = any({above, below} <= {*a, *b} and (above in a) != (below in a) for a, b in [APART])
        if above != below and (HEIGHT[below] >= level or strangers):
            upward.append(f"{importer} imports {imported}")
    assert upward == []


def test_no_file_is_longer_than_a_sitting() -> None:
    root = Path(__file__).parents[1]
    lines = {
        str(file.relative_to(root)): len(file.read_text(encoding="utf-8").splitlines())
        for folder in ("src", "tests", "docs/studies")
        for file in (root / folder).rglob("*.py")
    }
    assert len(lines) > 500
    assert {file: length for file, length in lines.items() if length > LONGEST} == {}
