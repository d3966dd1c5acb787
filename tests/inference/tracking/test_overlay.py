"""The overlay video keeps the time of each frame."""

from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.inference.tracking.files import FACE_COLUMNS, POINT_COLUMNS
from thermal_landmarks.inference.tracking.overlay import write_overlay

TIMES_S = [0.0, 0.1, 0.13, 0.15, 0.4, 0.4001, 0.7]  # some nearer than the nominal rate, two within a millisecond


def test_frames_of_a_varying_rate_keep_their_times(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    rng = np.random.default_rng(0)
    frames = [
        VideoFrame(index, time_s, ThermalImage(rng.normal(30, 1, (48, 64)).astype(np.float32), "celsius"))
        for index, time_s in enumerate(TIMES_S)
    ]
    for name, columns in (("tracks.csv", POINT_COLUMNS), ("faces.csv", FACE_COLUMNS)):
        with CsvTable(tmp_path / name) as table:
            table.add(columns)
            if name == "faces.csv":
                table.add([2, 0.13, 0, 0.9, "ok", 10, 10, 40, 40])
            else:
                table.add([2, 0.13, 0, "chin", 20.0, 20.0, 0.9, "ok"])
    write_overlay(tmp_path / "overlay.mp4", frames, tmp_path, fps=10.0)
    with av.open(str(tmp_path / "overlay.mp4")) as video:
        shown = [(picture.time, picture.to_ndarray(format="rgb24")) for picture in video.decode(video=0)]
    assert [time for time, _ in shown] == pytest.approx(TIMES_S, abs=2e-3)
    coloured = [np.ptp(picture.astype(int), axis=2).max() > 60 for _, picture in shown]
    assert coloured == [False, False, True, False, False, False, False]
