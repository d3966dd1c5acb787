"""Text files name their encoding: without one, Python takes Windows' code page there and UTF-8 elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "src"
OPENS_NO_TEXT = {"Image", "os", "tifffile", "webbrowser", "zipfile", "archive", "av", "container"}  # before `.open`
OPENS_NO_TEXT |= {"tracklet", "first", "second"}  # of tracking, where a meeting is open until both are told apart


def without_encoding(tree: ast.AST) -> Iterator[int]:
    """Lines of calls that open a text file without naming its encoding."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if "encoding" in arguments or name not in ("open", "fdopen", "read_text", "write_text"):
            continue
        if name in ("read_text", "write_text"):
            if len(call.args) <= (name == "write_text"):  # else the encoding stands as a positional argument
                yield call.lineno
            continue
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name == "open" and isinstance(owner, ast.Name) and owner.id in OPENS_NO_TEXT:
            continue
        position = 0 if isinstance(owner, ast.AST) and name == "open" else 1
        mode = arguments.get("mode", call.args[position] if len(call.args) > position else ast.Constant("r"))
        if not (isinstance(mode, ast.Constant) and "b" in str(mode.value)):
            yield call.lineno


def test_every_text_file_is_opened_with_an_encoding() -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{line}"
        for path in sorted(SOURCES.rglob("*.py"))
        for line in without_encoding(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_search_sees_what_it_forbids() -> None:
    forbidden = "p.read_text()\np.write_text(x)\nopen(p)\np.open('w')\np.open(mode='w')\nos.fdopen(f, 'w')\n"
    allowed = "p.read_text('utf-8')\np.write_text(x, encoding='utf-8')\nopen(p, 'rb')\np.open('wb')\nImage.open(p)\n"
    assert list(without_encoding(ast.parse(forbidden))) == [1, 2, 3, 4, 5, 6]
    assert list(without_encoding(ast.parse(allowed))) == []
