"""The tables of a video, also of one with damaged frames, and of a job that stopped and went on."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.tracking.files import Tracked, TrackFiles, track_frames
from thermal_landmarks.inference.tracking.tracker import Tracker

FRAMES, FPS = 9, 10.0
DAMAGED = (5, 6)  # the reader leaves them out


def film(values: np.ndarray, start: int) -> Iterator[VideoFrame]:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.05, (FRAMES, *values.shape)).astype(np.float32)
    for index in range(start, FRAMES):
        if index not in DAMAGED:
            yield VideoFrame(index, index / FPS, ThermalImage(values + noise[index], "celsius"))


def tracked(predictor, values: np.ndarray, folder: Path, *, stop: int = FRAMES) -> Tracked:
    files = TrackFiles(folder, {"checkpoint": "thermal_real"}, predictor.scheme)
    done: list[int] = []
    return track_frames(
        Tracker(predictor, fps=FPS),
        lambda start: film(values, start),
        files,
        name="film",
        stopped=lambda: sum(done) > stop,
        advance=done.append,
    )


def test_frames_that_were_left_out_are_lost_and_nobody_is_somebody_else_after_them(predictor, still, tmp_path) -> None:
    outcome = tracked(predictor, still[0], tmp_path)
    assert (outcome.frames, outcome.tracks, outcome.ended) == (FRAMES, 1, None)
    assert outcome.counts["unusable"] == outcome.counts["lost"] == len(DAMAGED)
    faces = pd.read_csv(tmp_path / "faces.csv")
    assert faces["frame"].tolist() == list(range(FRAMES))
    assert faces["time_s"].tolist() == pytest.approx(np.arange(FRAMES) / FPS)
    assert set(faces[faces["frame"].isin(DAMAGED)]["flag"]) == {"lost"}
    assert set(faces["track"]) == {0}
    seen = faces[faces["flag"] != "lost"]
    assert seen[["yaw_deg", "pitch_deg", "roll_deg"]].abs().to_numpy().max() < 60
    assert faces[faces["flag"] == "lost"]["yaw_deg"].isna().all()


def test_frames_that_came_too_fast_have_no_rows_and_nobody_is_lost_by_them(predictor, still, tmp_path) -> None:
    values = still[0]

    def some(start: int) -> Iterator[VideoFrame]:
        for index, passed in ((0, 0), (1, 0), (2, 0), (5, 2), (6, 0), (10, 3), (11, 0)):
            yield VideoFrame(index, index / FPS, ThermalImage(values, "celsius"), passed)

    files = TrackFiles(tmp_path, {}, predictor.scheme)
    outcome = track_frames(Tracker(predictor, fps=FPS), some, files, name="camera", again=False)
    assert (outcome.frames, outcome.tracks, outcome.counts["passed"]) == (12, 1, 5)
    assert outcome.counts.get("unusable", 0) == 0
    faces = pd.read_csv(tmp_path / "faces.csv")
    assert faces["frame"].tolist() == [0, 1, 2, 5, 6, 10, 11]
    assert set(faces["flag"]) == {"ok"}


@pytest.mark.parametrize("stop", [1, 7])
def test_a_job_that_stopped_anywhere_goes_on_to_the_same_tables(predictor, still, tmp_path, stop: int) -> None:
    tracked(predictor, still[0], tmp_path / "whole")
    part = tmp_path / "part"
    assert tracked(predictor, still[0], part, stop=stop).ended == "stopped"
    early = pd.read_csv(part / "faces.csv")
    assert early["frame"].tolist() == list(range(stop + 1))  # what is there so far is complete
    tracked(predictor, still[0], part)
    for name in ("tracks.csv", "faces.csv"):
        assert (part / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_a_job_from_before_there_were_angles_goes_on_without_them(predictor, still, tmp_path) -> None:
    tracked(predictor, still[0], tmp_path, stop=3)
    table, progress = tmp_path / "faces.csv", tmp_path / "progress.json"
    rows = [line.rsplit(",", 3)[0] for line in table.read_text().splitlines()]
    state = json.loads(progress.read_text())
    known = table.read_bytes()[: state["bytes"]["faces.csv"]].count(b"\n")
    early = "".join(f"{row}\r\n" for row in rows[:known])
    table.write_text(early, newline="")
    state["bytes"]["faces.csv"] = len(early)
    progress.write_text(json.dumps(state))
    tracked(predictor, still[0], tmp_path)
    assert list(pd.read_csv(table).columns)[-1] == "box_y_max"
    assert len(pd.read_csv(table)) == FRAMES


def test_a_job_from_before_marks_were_filled_goes_on_with_them_kept(predictor, still, tmp_path) -> None:
    tracked(predictor, still[0], tmp_path, stop=0)
    settings = {"checkpoint": "thermal_real"}
    assert TrackFiles(tmp_path, settings | {"marks": "kept"}, predictor.scheme).state["next_frame"] == 1
    with pytest.raises(ConfigError, match="marks=kept then, masked now"):
        TrackFiles(tmp_path, settings | {"marks": "masked"}, predictor.scheme)
