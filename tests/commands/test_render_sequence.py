import json
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile

COMMAND = Path(__file__).parents[2] / "src" / "render_sequence.py"
SMALL = ("seconds=0.4", "size=[60,80]", "hydra.run.dir=out")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COMMAND), *SMALL, *arguments], capture_output=True, text=True, cwd=folder
    )


@pytest.mark.slow
def test_each_subject_gets_a_folder_and_what_is_there_is_kept(tmp_path: Path) -> None:
    result = run("subjects=2", "first_subject=3", "workers=2", "data.source.pose.margin=0.1", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    for subject in (3, 4):
        folder = tmp_path / "out" / f"subject_0000{subject}"
        with tifffile.TiffFile(folder / "frames.tif") as file:
            assert len(file.pages) == 12
        settings = json.loads((folder / "sequence.json").read_text())["settings"]
        assert settings["subject"] == subject
        assert settings["faces"]["pose"]["margin"] == 0.1
    again = run("subjects=3", "first_subject=3", "workers=1", "data.source.pose.margin=0.1", folder=tmp_path)
    assert again.stdout.count("were there") == 2
    assert (tmp_path / "out" / "subject_00005" / "sequence.json").exists()


@pytest.mark.slow
def test_mistakes_are_answered_with_what_is_known(tmp_path: Path) -> None:
    for argument, words in (
        ("motion.blink_per_min=[1,2]", "Did you mean 'blinks_per_min'?"),
        ("subjects=0", "subjects=0 should be at least 1"),
        ("physiology.swing_k=[2,1]", "lowest, highest"),
    ):
        result = run(argument, folder=tmp_path)
        assert result.returncode != 0
        assert words in result.stderr
        assert "Traceback" not in result.stderr
