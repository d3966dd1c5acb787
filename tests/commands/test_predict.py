import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from in_process import Command

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.five_points import write_five_points
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runtime.exported import shipped_exports

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def predict(command: Command) -> Command:
    """Runs the command in a folder of its own; gives what it exits with."""
    return partial(command, "predict")


def test_a_folder_becomes_a_table_and_overlays(
    predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path, shared_data: Path
) -> None:
    checkpoint = make_checkpoint(scheme="face16")
    source = shared_data / "thermal-real" / "images"
    settings = ("unit=centi_celsius", "device=cpu", "hydra.run.dir=out", "faces=one")
    assert predict(f"checkpoint={checkpoint}", f"source={source}", *settings) is None
    annotations = FlatCsv(annotation_file=tmp_path / "out" / "points.csv", scheme="face16").annotations()
    assert [a.image for a in annotations] == sorted(source.glob("*.png"))
    assert len(list((tmp_path / "out" / "overlays").iterdir())) == len(annotations)


def test_an_unreadable_file_is_named_and_the_rest_still_done(
    predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "faces"
    source.mkdir()
    (source / "a.png").write_bytes(b"junk")
    np.save(source / "b.npy", np.random.default_rng(0).uniform(20, 36, (48, 64)))
    settings = ("hydra.run.dir=out", "device=cpu", "faces=frame")
    code = predict(f"checkpoint={make_checkpoint()}", f"source={source}", *settings)
    assert isinstance(code, str)  # Python prints it and exits with status 1
    assert "1 of 2 images" in code
    assert "a.png" in code
    assert "skipped:" in capsys.readouterr().err
    assert "b.npy" in (tmp_path / "out" / "points.csv").read_text()


def test_a_network_for_face_boxes_asks_for_them(
    predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(20, 36, (48, 64)))
    settings = (
        f"checkpoint={make_checkpoint(crop={'mode': 'box'})}",
        "source=a.npy",
        "device=cpu",
        "hydra.run.dir=out",
    )
    assert str(predict(*settings, "faces=frame")).startswith("error: boxes is not set")
    assert predict(*settings, "boxes=whole") is None


def test_a_network_for_aligned_faces_takes_five_points(
    predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(20, 36, (48, 64)))
    five = np.array([[20, 15], [35, 18], [26, 24], [20, 30], [32, 33]], dtype=float)
    write_five_points(tmp_path / "five.csv", {tmp_path / "a.npy": [five]})
    checkpoint = make_checkpoint(crop={"mode": "align"})
    settings = (f"checkpoint={checkpoint}", "source=a.npy", "device=cpu", "hydra.run.dir=out")
    assert predict(*settings, "five_points=five.csv") is None
    (found,) = FlatCsv(annotation_file=tmp_path / "out" / "points.csv", scheme="perinasal6").annotations()
    expected = Predictor.from_checkpoint(checkpoint, device="cpu")(read_image(tmp_path / "a.npy"), five_points_px=five)
    np.testing.assert_allclose(found.points_px, expected, atol=0.01)


def test_a_missing_source_is_named_in_one_line(predict: Command, capfd: pytest.CaptureFixture[str]) -> None:
    assert str(predict()).startswith("error: source is not set")
    assert capfd.readouterr().err == ""


def test_without_a_checkpoint_the_shipped_network_predicts(
    predict: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "wall.npy", np.random.default_rng(0).normal(22, 0.1, (60, 80)))
    assert predict("source=wall.npy") is None
    assert "in 1 image" in capsys.readouterr().out


def test_a_wall_has_no_face_and_that_is_no_error(
    predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "wall.npy", np.random.default_rng(0).normal(20, 0.1, (48, 64)))
    checkpoint = make_checkpoint(scheme="face16")
    assert predict(f"checkpoint={checkpoint}", "source=wall.npy", "device=cpu", "output=out", "format=coco") is None
    said = capsys.readouterr().out
    assert "0 faces in 1 image, 1 without" in said
    assert "rotations=all" in said
    assert (tmp_path / "out" / "points.csv").read_text().splitlines()[1].endswith("," * 56)
    assert (tmp_path / "out" / "faces.json").exists()


def test_an_unknown_choice_is_named(predict: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(20, 36, (48, 64)))
    said = predict(f"checkpoint={make_checkpoint()}", "source=a.npy", "faces=all", "output=out")
    assert str(said).startswith("error: faces=all is unknown. Choose auto, one, frame.")


def test_the_engines_say_the_same(predict: Command, tmp_path: Path) -> None:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    np.save(tmp_path / "face.npy", source.load(source.annotations()[1]).values)
    common = ("source=face.npy", "unit=celsius", "overlays=false", "device=cpu")
    exported = shipped_exports()["thermal_real"]
    for name, settings in {"file": [f"checkpoint={exported}"], "auto": [], "torch": ["engine=torch"]}.items():
        assert predict(*settings, *common, f"hydra.run.dir={name}") is None
    file, auto, network = (
        FlatCsv(annotation_file=tmp_path / name / "points.csv", scheme="face16").annotations()[0].points_px
        for name in ("file", "auto", "torch")
    )
    np.testing.assert_array_equal(file, auto)
    np.testing.assert_allclose(auto, network, atol=0.02)  # pixels: roundings of the box move the crops
    refused = predict(f"checkpoint={exported}", *common, "hydra.run.dir=again", "speed=fast")
    assert "was exported for speed=balanced" in str(refused)
    assert "expected auto, or a number" in str(predict(*common, "hydra.run.dir=again", "threads=0"))


WITHOUT_TORCH = """
import runpy, sys
sys.modules["torch"] = None  # importing it fails
runpy.run_module("thermal_landmarks.commands.predict", run_name="__main__", alter_sys=True)
"""


def test_the_shipped_checkpoint_predicts_without_importing_torch(tmp_path: Path) -> None:
    np.save(tmp_path / "wall.npy", np.random.default_rng(0).normal(20, 0.1, (48, 64)))
    settings = ["source=wall.npy", "hydra.run.dir=out"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *settings], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0 faces in 1 image" in done.stdout
    assert (tmp_path / "out" / "points.csv").exists()
