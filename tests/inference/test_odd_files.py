"""Files and predictions that go wrong don't stop the others."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.inference.image_files import find_images, predict_files
from thermal_landmarks.inference.picture_reader import Reading
from thermal_landmarks.inference.predictor import Predictor

MakeCheckpoint = Callable[..., Path]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_image_that_the_network_cannot_take_does_not_stop_the_others(
    make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(normalisation={"mode": "window"}), device="cpu")
    face = np.random.default_rng(0).uniform(20, 36, (48, 64))
    for name, values in {"a": face, "b_hot": face + 80, "c": face[::-1]}.items():
        np.save(tmp_path / f"{name}.npy", values)
    files = [tmp_path / f"{name}.npy" for name in ("a", "b_hot", "c")]
    outcome = predict_files(predictor, files, tmp_path / "out", reading=Reading(unit="celsius"))
    assert [failure.path for failure in outcome.failures] == [files[1]]
    assert outcome.failures[0].reason.startswith(f"{files[1]}: all values")
    assert outcome.predicted == 2
    rows = rows_of(tmp_path / "out" / "points.csv")
    assert [row["image"] for row in rows] == [str(files[0]), str(files[2])]
    for row in rows:
        expected = predictor(read_image(Path(row["image"]), unit="celsius"))
        assert float(row["y5"]) == pytest.approx(expected[5, 1], abs=1e-3)


def test_one_odd_file_does_not_end_the_others(predictor: Predictor, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (48, 64), dtype=np.uint8)).save(folder / "a.png")
    Image.fromarray(rng.integers(0, 256, (48, 64), dtype=np.uint8)).save(folder / os.fsdecode(b"b\xff.png"))
    nearly = np.full((48, 64), 65535, dtype=np.uint16)
    nearly[10:12, 20] = 65000
    Image.fromarray(nearly).save(folder / "c_nearly_constant.png")
    Image.fromarray(np.full((48, 64), 65535, dtype=np.uint16)).save(folder / "d_constant.png")
    with (folder / "e_archive.npy").open("wb") as file:
        np.savez(file, a=nearly)
    (folder / "f_long_cell.csv").write_text("1," + "2" * 200_000 + "\n3,4\n")
    (folder / "g_long_quoted_cell.csv").write_text('1,"' + "2" * 200_000 + '"\n3,4\n')
    files = find_images(str(folder))
    outcome = predict_files(predictor, files, tmp_path / "out")
    assert {failure.path.name for failure in outcome.failures} == {
        "d_constant.png",
        "e_archive.npy",
        "g_long_quoted_cell.csv",
    }
    for failure in outcome.failures:
        assert failure.reason.startswith(str(failure.path))
        assert "error of the program" not in failure.reason
    rows = rows_of(tmp_path / "out" / "points.csv")
    assert [Path(row["image"]).name for row in rows] == [
        "a.png",
        "b\\udcff.png",
        "c_nearly_constant.png",
        "f_long_cell.csv",
    ]
    assert all(np.isfinite(float(row["x0"])) for row in rows)


def test_an_error_of_the_program_is_named_or_shown_under_debug(
    predictor: Predictor, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [pictures / "anna" / "1.png", pictures / "ben" / "1.png"]
    forward = predictor.network.forward

    def broken(images: torch.Tensor) -> torch.Tensor:
        if len(images) > 1 or images.shape[-1] < 0 or calls.pop():
            raise IndexError("out of range")
        return forward(images)

    calls = [True, False]
    monkeypatch.setattr(predictor.network, "forward", broken)
    outcome = predict_files(predictor, files, tmp_path / "out")
    assert [failure.path for failure in outcome.failures] == [files[1]]
    assert "IndexError: out of range (an error of the program on this file; debug=true" in outcome.failures[0].reason
    calls = [True, False]
    with pytest.raises(IndexError):
        predict_files(predictor, files, tmp_path / "out2", reading=Reading(debug=True))


def test_a_prediction_that_is_not_finite_is_a_failure(
    predictor: Predictor, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor.network, "forward", lambda images: images.new_full((len(images), 6, 2), torch.nan))
    outcome = predict_files(predictor, [pictures / "anna" / "1.png"], tmp_path / "out")
    assert "the network gives points that are" in outcome.failures[0].reason
    assert not rows_of(tmp_path / "out" / "points.csv")


def test_an_overlay_that_cannot_be_written_is_a_warning(
    predictor: Predictor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "a.png"
    (tmp_path / "out" / "overlays" / "a.png").mkdir(parents=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)).save(file)
    outcome = predict_files(predictor, [file], tmp_path / "out")
    assert outcome.predicted == 1
    assert "no overlay could be written (Is a directory)" in caplog.text


def test_an_overlay_that_cannot_be_drawn_is_a_warning_or_shown_under_debug(
    predictor: Predictor,
    pictures: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(image: object) -> np.ndarray:
        raise IndexError("no colour")

    monkeypatch.setattr("thermal_landmarks.inference.overlay_files.to_rgb", broken)
    files = [pictures / "anna" / "1.png", pictures / "ben" / "1.png"]
    assert predict_files(predictor, files, tmp_path / "out").predicted == 2
    assert caplog.text.count("no overlay could be drawn (IndexError: no colour)") == 2
    with pytest.raises(IndexError):
        predict_files(predictor, files, tmp_path / "out2", reading=Reading(debug=True))
