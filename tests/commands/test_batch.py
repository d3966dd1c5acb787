"""The command `batch`: its folders, its table, and what it does a second time."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from thermal_landmarks.commands import batch
from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.errors import ConfigError, DataError

RunScript = Callable[..., Any]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "day's recordings"
    for name in ("anna/rest.tif", "ben/notes.tif", "ben/rest.tif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def load_with(name: str, words: list[str]) -> dict[str, Any]:
    """What a command's YAML file says, with the words as Hydra reads them."""
    read = OverridesParser.create().parse_overrides(words)
    settings: Any = OmegaConf.to_container(OmegaConf.load(CONFIG_DIR / f"{name}.yaml"))
    assert {each.key_or_group for each in read} <= set(settings)
    return settings | {each.key_or_group: each.value() for each in read}


def test_one_table_holds_all_recordings_and_a_second_call_does_what_is_left(
    recordings: Path, tmp_path: Path, run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run_command(name: str, words: list[str], log: Path) -> None:
        ran.append(name)
        settings = load_with(name, words)
        folder = Path(settings["output"] or settings["resume"])
        if name == "track":
            if "notes" in settings["source"]:
                raise DataError("notes.tif: is no video")
            assert Path(settings["source"]).is_file()
            assert settings["fps"] == 10
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tracking.json").write_text(json.dumps({"finished": True}))
        else:
            assert (Path(settings["tracks"]) / "tracking.json").is_file()
            folder.mkdir(exist_ok=True)
            people = pd.DataFrame({"track": [0], "seconds": [60.0], "breathing_rate": [14.2]})
            people.to_csv(folder / "summary.csv", index=False)

    monkeypatch.setattr(batch, "run_command", run_command)
    arguments = [f'source="{recordings}/*/*.tif"', "track={fps:10}", "output=study", "jobs=2"]
    result = run_script(["src/batch.py", *arguments], cwd=tmp_path)
    assert result.returncode == 1
    assert "1 of 3 recordings were not measured: notes." in result.stderr
    assert "[1/3] anna_rest: 1 track, 60 s, 14.2 breaths/min" in result.stdout
    table = pd.read_csv(tmp_path / "study" / "summary.csv")
    assert table["recording"].tolist() == ["anna_rest", "notes", "ben_rest"]
    assert table["breathing_rate"].dropna().tolist() == [14.2, 14.2]
    assert table["error"].dropna().tolist() == ["notes.tif: is no video"]
    assert sorted(ran) == ["signals"] * 2 + ["track"] * 3

    (recordings / "ben" / "notes.tif").unlink()
    ran.clear()
    again = run_script(["src/batch.py", *arguments], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert not ran
    assert len(pd.read_csv(tmp_path / "study" / "summary.csv")) == 2
    (tmp_path / "study" / "anna_rest" / "signals" / "progress.json").touch()  # stopped: its table is not whole
    assert run_script(["src/batch.py", *arguments], cwd=tmp_path).returncode == 0
    assert ran == ["signals"]
    other = run_script(["src/batch.py", *arguments, "signals={window_s:30}"], cwd=tmp_path)
    assert "other settings" in other.stderr


def test_recordings_are_called_after_their_files_and_folders(recordings: Path) -> None:
    assert list(batch.find_recordings(f"{recordings}/ben/*.tif")) == ["notes", "rest"]
    with pytest.raises(ConfigError, match="no recording"):
        batch.find_recordings("nowhere/*.seq")
    with pytest.raises(ConfigError, match=r"source=gone\.seq: no recording"):
        batch.find_recordings([f"{recordings}/ben/*.tif", "gone.seq"])
    bracketed = recordings / "rest[1].tif"
    bracketed.touch()
    assert batch.find_recordings([str(bracketed), f"{recordings}/rest*"]) == {"rest[1]": bracketed}
    other = recordings.parent / "other" / "ben"
    other.mkdir(parents=True)
    (other / "rest.tif").touch()
    with pytest.raises(ConfigError, match="would be called ben_rest"):
        batch.find_recordings([f"{recordings}/ben/*.tif", f"{other}/*.tif"])


def test_a_command_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = CompletedProcess([], 1, stdout="", stderr="some warning\nerror: x.seq: is empty")
    monkeypatch.setattr(batch.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(DataError, match=r"^x\.seq: is empty$"):
        batch.run_command("track", ["source=x.seq"], tmp_path / "x" / "log.txt")
    assert (tmp_path / "x" / "log.txt").read_text() == "track source=x.seq\nsome warning\nerror: x.seq: is empty"
