"""The command `track`, on a few rendered frames as a TIFF of several pages."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.ndimage import shift

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.coded import Coded
from thermal_landmarks.data.video.raw import Raw

RunScript = Callable[..., Any]
FRAMES = 6


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pose = {"face_height": (0.5, 0.55), "position_x": (0.45, 0.5), "yaw_deg": (-5, 5)}
    still = SyntheticFaces(subjects=1, images_per_subject=1, size=(120, 160), seed=11, pose=pose).render(0, 0)
    frames = [shift(still, (0, step), order=1, mode="nearest") for step in range(FRAMES)]
    path = tmp_path_factory.mktemp("film") / "film.tif"
    tifffile.imwrite(path, np.stack(frames).astype(np.float32))
    return path


def test_a_film_becomes_tables_a_picture_and_an_overlay(film: Path, tmp_path: Path, run_script: RunScript) -> None:
    settings = ["unit=celsius", "fps=10", "smoothing=kalman", "format=deeplabcut", "device=cpu"]
    result = run_script(
        ["src/track.py", f"source={os.path.relpath(film, tmp_path)}", "output=whole", *settings], cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "1 track in 6 frames" in result.stdout
    folder = tmp_path / "whole"
    table = pd.read_csv(folder / "tracks.csv")
    assert list(table.columns) == ["frame", "time_s", "track", "point", "x", "y", "confidence", "flag"]
    assert len(table) == FRAMES * 16
    assert table["time_s"].max() == pytest.approx(0.5)
    parquet = pd.read_parquet(folder / "tracks.parquet")
    pd.testing.assert_frame_equal(parquet[table.columns], table)
    assert (parquet["x_smooth"] - parquet["x"]).abs().max() < 2
    faces = pd.read_csv(folder / "faces.csv")
    assert len(faces) == FRAMES
    poses = pd.read_csv(folder / "tracks_deeplabcut.csv", header=[0, 1, 2, 3], index_col=0)
    assert poses.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    nose = poses.xs("nose_tip", axis=1, level="bodyparts")["thermal_landmarks"]["track0"]
    assert nose["x"].tolist() == table[table["point"] == "nose_tip"]["x"].tolist()
    facts = json.loads((folder / "tracking.json").read_text())
    assert (facts["frames"], facts["tracks"], facts["finished"], facts["frames_unusable"]) == (FRAMES, 1, True, 0)
    assert facts["source"] == str(film)
    assert (folder / "tracks.png").stat().st_size > 10_000
    av = pytest.importorskip("av")
    with av.open(str(folder / "overlay.mp4")) as video:
        shown = [picture.to_ndarray(format="rgb24") for picture in video.decode(video=0)]
    assert len(shown) == FRAMES
    assert np.ptp(shown[0].astype(int), axis=2).max() > 60  # coloured marks on gray

    again = run_script(["src/track.py", f"source={film}", "output=whole", *settings], cwd=tmp_path)
    assert again.returncode != 0
    assert "holds tracks" in again.stderr

    stopped = run_script(
        ["src/track.py", f"source={film}", "output=part", "frames=3", "overlay=false", *settings], cwd=tmp_path
    )
    assert stopped.returncode == 0, stopped.stderr
    resumed = run_script(["src/track.py", f"source={film}", "resume=part", "overlay=false", *settings], cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    for name in ("tracks.csv", "faces.csv"):
        assert (tmp_path / "part" / name).read_text() == (folder / name).read_text()

    other = run_script(["src/track.py", f"source={film}", "resume=part", "find_every=2", *settings], cwd=tmp_path)
    assert other.returncode != 0
    assert "find_every=None then, 2 now" in other.stderr


def test_a_film_without_a_face_is_no_error(tmp_path: Path, run_script: RunScript) -> None:
    np.save(tmp_path / "room.npy", np.random.default_rng(0).normal(22, 0.3, (3, 60, 80)).astype(np.float32))
    settings = ["unit=celsius", "fps=9", "smoothing=kalman", "format=deeplabcut", "device=cpu"]
    result = run_script(["src/track.py", "source=room.npy", "output=room", *settings], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "0 tracks in 3 frames, 3 without a face" in result.stdout
    assert pd.read_parquet(tmp_path / "room" / "tracks.parquet").empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "source= is missing"),
        (["source=nowhere.mp4"], "nowhere.mp4"),
        (["source=a.tif", "smoothing=median"], "smoothing=median is unknown"),
        (["source=a.tif", "resume=last"], "nothing unfinished"),
    ],
)
def test_what_is_missing_or_unknown_is_named(
    arguments: list[str], message: str, tmp_path: Path, run_script: RunScript
) -> None:
    result = run_script(["src/track.py", *arguments], cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr


def test_a_stream_is_recorded_for_its_overlay_and_its_signals(
    film: Path, tmp_path: Path, run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.round((tifffile.imread(film) + 273.15) * 100).astype(np.uint16)
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(frames.tobytes())}))
    shape = ["size=[120,160]", "dtype=uint16", "unit=centi_kelvin", "fps=10"]
    result = run_script(["src/track.py", "source=-", *shape, "output=live", "device=cpu"], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "live"
    assert json.loads((folder / "tracking.json").read_text())["recording"] == "recording.mkv"
    kept = list(open_video(folder / "recording.mkv", unit="centi_kelvin"))
    np.testing.assert_allclose([frame.image.values for frame in kept], frames / 100 - 273.15, atol=1e-3)
    assert len(list(open_video(folder / "overlay.mp4"))) == FRAMES
    result = run_script(["src/signals.py", f"tracks={folder}", "output=signals"], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    warmest = pd.read_csv(tmp_path / "signals" / "signals.csv")["value"].max()
    assert 30 < warmest < 45


def test_a_camera_cannot_be_resumed(tmp_path: Path, run_script: RunScript) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "progress.json").write_text("{}")
    result = run_script(["src/track.py", "source=rtsp://camera.invalid/live", "resume=here"], cwd=tmp_path)
    assert result.returncode != 0
    assert "can't be seen again" in result.stderr


def test_the_password_of_a_camera_is_in_no_file(
    film: Path, tmp_path: Path, run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = np.clip((tifffile.imread(film) - 15) * 10, 0, 255).astype(np.uint8)
    camera = Raw(levels.shape[1:], "uint8", stream=io.BytesIO(levels.tobytes()))
    monkeypatch.setattr(Coded, "address", lambda url: camera)
    address = "rtsp://someone:secret@camera.invalid/live"
    result = run_script(["src/track.py", f"source={address}", "fps=10", "output=live", "device=cpu"], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "live" / "tracking.json").read_text())["source"] == "rtsp://camera.invalid/live"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"secret" in path.read_bytes()]
