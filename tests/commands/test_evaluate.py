import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from in_process import Command

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def evaluate(command: Command, monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> Command:
    """Runs the command in a folder of its own; gives what it exits with."""
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data))
    return partial(command, "evaluate")


def test_a_checkpoint_is_measured_on_real_faces(
    evaluate: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = make_checkpoint(image_size=(48, 64))
    settings = ("device=cpu", "metrics.normaliser=box", "overlays=2", "hydra.run.dir=out")
    assert evaluate(f"checkpoint={checkpoint}", "data=portraits", *settings) is None
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    with (tmp_path / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {Path(row["image"]).name for row in rows} == {f"face_0{i}.png" for i in (1, 2, 4, 5)}
    assert metrics["images"] == len(rows) == 4
    assert metrics["test/nme"] == pytest.approx(sum(float(row["nme"]) for row in rows) / 4, abs=1e-4)
    assert metrics["metric_settings"]["normaliser"] == "box"
    figures = {p.name for p in (tmp_path / "out" / "figures").iterdir()}
    assert figures == {"ced.png", "by_nme.png", *(f"overlays_{which}.png" for which in ("best", "median", "worst"))}
    shown = capsys.readouterr().out
    assert "all images: 4 images of 3 subjects" in shown
    assert f"{metrics['test/nme']:.4f}" in shown


def test_a_scheme_that_the_data_cannot_serve_is_named(evaluate: Command, make_checkpoint: MakeCheckpoint) -> None:
    code = evaluate(f"checkpoint={make_checkpoint(scheme='ibug68')}", "data=portraits")
    assert "Data in scheme 'face16' can't serve scheme 'ibug68'" in str(code)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data=portraits",), "checkpoint is not set"),
        (("checkpoint=x.ckpt",), "You must specify 'data'"),
        (("checkpoint=x.ckpt", "data=portraits"), "x.ckpt: there is no such file"),
    ],
)
def test_a_missing_setting_is_named(evaluate: Command, arguments: tuple[str, ...], message: str) -> None:
    assert message in str(evaluate(*arguments))
