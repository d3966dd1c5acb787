"""The recipes of CONTRIBUTING.md, executed from the page's own blocks in a copy of the tree."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from thermal_landmarks.data.readers.coco import CocoKeypoints

ROOT = Path(__file__).parents[1]
_, *RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## ")
BLOCK = re.compile(r'```(\w+)(?: title="([^"\n]*)")?\n(.*?)```', re.DOTALL)
BLOCKS = [block for recipe in RECIPES for block in BLOCK.findall(recipe)]


def write(tree: Path, title: str, code: str) -> None:
    """A block as a file, at the end of one, or below a line of one."""
    path, _, place = title.partition(", ")
    file = tree / path
    if not place:
        assert not file.exists(), f"{path} is there already"
        file.write_text(code, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    if place == "at its end":
        file.write_text(f"{text}\n\n{code}", encoding="utf-8")
    else:
        line = f'    "{place.removeprefix("first under ")}": (\n'
        assert text.count(line) == 1, f"{path} has no single line {line}"
        added = "".join(row.removeprefix("+") for row in code.splitlines(keepends=True))
        file.write_text(text.replace(line, f"{line}{added}"), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path, blob_coco: Path) -> Path:
    """What a contributor's checkout holds after all recipes, and a folder of faces in the recipes' format."""
    unused = shutil.ignore_patterns("__pycache__", "weights")
    for name in ("src", "conf", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unused)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for language, title, code in BLOCKS:
        if language != "bash":
            write(tmp_path, title, code)
    (tmp_path / "faces").mkdir()
    for annotation in CocoKeypoints(annotation_file=blob_coco, scheme="face16").annotations():
        name = f"{annotation.subject}_{annotation.image.stem}"
        Image.open(annotation.image).save(tmp_path / "faces" / f"{name}.png")
        lines = [f"{x} {y}\n" for x, y in annotation.points_px]
        (tmp_path / "faces" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


RUN_ALL = """
import json, runpy, sys
for module, *arguments in json.loads(sys.argv[1]):
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            sys.exit(f"{module} {arguments}: {end.code}")
"""
"""Runs the commands one after the other in one process: each would import torch again."""


@pytest.mark.slow
def test_every_recipe_works_as_it_stands_on_the_page(tree: Path) -> None:
    assert [recipe.splitlines()[0] for recipe in RECIPES] == ["A stem", "A reader", "A loss", "A recipe"]
    lines = [line for language, _, code in BLOCKS if language == "bash" for line in code.splitlines()]
    commands = [
        shlex.split(line.removeprefix("uv run ").replace("thermal-landmarks", "thermal_landmarks")) for line in lines
    ]
    assert [words[0] for words in commands] == ["pytest", "thermal_landmarks", "thermal_landmarks"]
    result = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(commands)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed" in result.stdout
    assert [path.name for path in tree.glob("outputs/check_data/*_point_lines")], "the reader was not used"
    (run,) = tree.glob("outputs/train/*_pooled_none")
    assert "penalty: charbonnier" in (run / "config.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_code_of_the_page_is_as_tidy_as_the_rest(tree: Path) -> None:
    changed = {title.partition(", ")[0] for language, title, _ in BLOCKS if language in ("python", "diff")}
    for check in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        command = [sys.executable, "-m", "ruff", *check, *sorted(changed)]
        result = subprocess.run(command, cwd=tree, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
