import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tifffile

SMALL = ("seconds=0.2", "size=[60,80]", "hydra.run.dir=out")


@pytest.fixture
def run(run_script: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: str, folder: Path) -> Any:
        return run_script(["src/render_sequence.py", *SMALL, *arguments], cwd=folder)

    return run


@pytest.mark.slow
def test_each_subject_gets_a_folder_and_what_is_there_is_kept(tmp_path: Path, run: Callable[..., Any]) -> None:
    result = run("subjects=2", "first_subject=3", "workers=2", "data.source.pose.margin=0.1", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    for subject in (3, 4):
        folder = tmp_path / "out" / f"subject_0000{subject}"
        with tifffile.TiffFile(folder / "frames.tif") as file:
            assert len(file.pages) == 6
        settings = json.loads((folder / "sequence.json").read_text())["settings"]
        assert settings["subject"] == subject
        assert settings["faces"]["pose"]["margin"] == 0.1
    again = run("subjects=3", "first_subject=3", "workers=1", "data.source.pose.margin=0.1", folder=tmp_path)
    assert again.stdout.count("were there") == 2
    assert (tmp_path / "out" / "subject_00005" / "sequence.json").exists()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("motion.blink_per_min=[1,2]", "Did you mean 'blinks_per_min'?"),
        ("subjects=0", "subjects=0 should be at least 1"),
        ("physiology.swing_k=[2,1]", "lowest, highest"),
    ],
)
def test_mistakes_are_answered_with_what_is_known(
    tmp_path: Path, run: Callable[..., Any], argument: str, words: str
) -> None:
    result = run(argument, folder=tmp_path)
    assert result.returncode != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr
