"""A rendered recording from its tracks to tables and a page."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thermal_faces.landmarks import LANDMARKS
from thermal_faces.video.sequence import SyntheticSequence
from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.physiology.disturbances import FrameSteps, SteadyGain, head_speed, jumps, late_frames, moving
from thermal_landmarks.physiology.events import blinks, yawns
from thermal_landmarks.physiology.face_frame import FaceFrame
from thermal_landmarks.physiology.regions import Corner, checked_regions, read_regions
from thermal_landmarks.physiology.signals import Measurement, measure

Made = tuple[list[VideoFrame], pd.DataFrame]
SEQUENCE = SyntheticSequence(
    seed=3, seconds=20, rate_hz=6.0, size=(180, 240), physiology={"breaths_per_min": (15.0, 15.0)}
)
FACE16 = SCHEMES["face16"]
RATE_HZ = 6.0


@pytest.fixture(scope="module")
def made() -> Made:
    frames, rows = [], []
    for frame in SEQUENCE:
        frames.append(VideoFrame(frame.index, frame.time_s, ThermalImage(frame.temperature_c, "celsius")))
        for name, (x, y) in zip(LANDMARKS, frame.points_px, strict=True):
            rows.append((frame.index, frame.time_s, 0, name, x, y, 0.9, "ok"))
    return frames, pd.DataFrame(rows, columns=["frame", "time_s", "track", "point", "x", "y", "confidence", "flag"])


def true_rate() -> float:
    """Mean of the first fifteen seconds."""
    return float(np.mean([SEQUENCE.breathing.rate_per_min(index / RATE_HZ) for index in range(round(15 * RATE_HZ))]))


def test_the_same_skin_lies_under_the_same_pixel() -> None:
    generator = np.random.default_rng(0)
    reference = np.array(SyntheticSequence(size=(120, 160), seconds=1, rate_hz=1)[0].points_px, dtype=float)
    y, x = np.mgrid[:120, :160].astype(float)
    moved = [np.array([[1.1, 0.05], [-0.06, 0.95]]) + 0.02 * generator.standard_normal((2, 2)) for _ in range(5)]
    maps = [(np.eye(2), np.zeros(2)), *((linear, np.array([3.0, -5.0])) for linear in moved)]
    points = np.stack([reference @ linear.T + shift for linear, shift in maps])
    face = FaceFrame(points)
    patches = []
    for (linear, shift), seen in zip(maps, points, strict=True):
        back = np.einsum("ab,byx->ayx", np.linalg.inv(linear), np.stack([x - shift[0], y - shift[1]]))
        skin = 0.3 * back[0] + 0.1 * back[1]
        patches.append(face.warp("cheek_left", skin, seen))
    assert np.ptp(np.stack(patches), axis=0).max() < 1e-6


def test_signals_and_events_are_tidy_tables(made: Made) -> None:
    recording = measure(*made, FACE16)
    signals = recording.signals
    assert list(signals.columns) == ["time_s", "track", "signal", "value", "quality", "flag"]
    rate = signals[signals["signal"] == "breathing_rate"]["value"]
    assert rate.iloc[0] == pytest.approx(true_rate(), abs=0.5)
    forehead = signals[signals["signal"] == "forehead_median"]["value"]
    assert forehead.between(30, 38).all()
    assert "perspiration" in set(signals["signal"])


def test_a_measurement_that_was_stopped_goes_on_to_the_same_values(made: Made, tmp_path: Path) -> None:
    frames, tracks = made[0][:40], made[1]
    whole = measure(frames, tracks, FACE16)
    begun = Measurement([tracks[tracks["frame"] < 30], tracks[tracks["frame"] >= 30]], FACE16, folder=tmp_path)
    for frame in frames[:25]:
        begun.add(frame)
    begun.keep()
    begun.add(replace(frames[25], image=replace(frames[25].image, values=frames[25].image.values + 5)))  # then it died
    begun.recording()
    again = Measurement(tracks, FACE16, folder=tmp_path)
    assert again.next_frame == 25
    for frame in frames[again.next_frame :]:
        again.add(frame)
    recording = again.recording()
    pd.testing.assert_frame_equal(recording.signals, whole.signals)
    pd.testing.assert_frame_equal(recording.events, whole.events)
    assert recording.still[:2] == whole.still[:2]
    (tmp_path / "track0_cells.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"state\.npz: is damaged .* has fewer than 25 rows"):
        Measurement(tracks, FACE16, folder=tmp_path)
    (tmp_path / "state.npz").write_bytes((tmp_path / "state.npz").read_bytes()[:300])
    with pytest.raises(ConfigError, match=r"state\.npz: is damaged"):
        Measurement(tracks, FACE16, folder=tmp_path)


def test_frames_that_stand_at_two_places_of_the_table_are_refused(made: Made) -> None:
    frames, tracks = made
    with pytest.raises(DataError, match="frame 0 of track 0 stands at two places"):
        measure(frames, [tracks[tracks["frame"] < 20], tracks[tracks["frame"] < 1]], FACE16)


def test_rates_of_faces_too_small_to_show_breath_are_never_flagged_ok(made: Made) -> None:
    frames, tracks = made
    small = [replace(f, image=replace(f.image, values=f.image.values[2::5, 2::5])) for f in frames]
    recording = measure(small, tracks.assign(x=(tracks["x"] - 2) / 5, y=(tracks["y"] - 2) / 5), FACE16)
    signals = recording.signals
    assert "ok" not in set(signals[signals["signal"] == "breathing_rate"]["flag"])
    assert any("Film from nearer" in note for note in recording.notes)
    assert not any("Film from nearer" in note for note in measure(*made, FACE16).notes)


def test_hidden_frames_have_no_values(made: Made) -> None:
    frames, tracks = made
    tracks = tracks.copy()
    hidden = tracks["frame"].between(30, 39)
    tracks.loc[hidden, ["x", "y"]] = np.nan
    tracks.loc[hidden, "flag"] = "hidden"
    signals = measure(frames, tracks, FACE16).signals
    rows = signals[(signals["signal"] == "nose_tip_mean") & (signals["flag"] == "hidden")]
    assert len(rows) == 10
    assert rows["value"].isna().all()


def test_gray_recordings_have_breathing_and_no_perspiration_and_bear_a_gain_that_flickers(made: Made) -> None:
    frames, tracks = made
    gray: Unit = "gray"
    rng = np.random.default_rng(6)
    dull = []
    for f in frames:
        factor, offset = rng.choice([0.8, 1.0, 1.25]), rng.choice([-10, 0, 8])
        levels = np.clip(np.rint(factor * ((f.image.values - 18) * 10) + offset), 0, 255).astype(np.float32)
        dull.append(VideoFrame(f.index, f.time_s, ThermalImage(levels, gray)))
    recording = measure(dull, tracks, FACE16)
    signals = recording.signals
    assert not {"perspiration", "pore_energy"} & set(signals["signal"])
    assert any("Perspiration" in note for note in recording.notes)
    rate = signals[signals["signal"] == "breathing_rate"]
    assert rate["value"].iloc[0] == pytest.approx(true_rate(), abs=1.0)
    assert not (recording.events["event"] == "flat_field").any()


def test_a_gain_that_stays_leaves_every_value_as_it_is(made: Made) -> None:
    gain = SteadyGain()
    for frame in made[0]:
        levels = np.rint(frame.image.values * 6).astype(np.float32)
        assert gain(levels) is levels
    stepped = 0.7 * levels + 12
    np.testing.assert_allclose(gain(stepped), levels, atol=0.5)


def test_own_regions_come_from_a_file_or_are_named_wrong(made: Made, tmp_path: Path) -> None:
    frames, tracks = made
    (tmp_path / "mine.yaml").write_text("my_chin: [[chin, -0.1, -0.1], [chin, 0.1, -0.1], [chin, 0, 0.05]]\n")
    own = read_regions(tmp_path / "mine.yaml")
    signals = measure(frames[:3], tracks, FACE16, regions=own).signals
    assert "my_chin_hottest" in set(signals["signal"])
    with pytest.raises(ConfigError, match=r"regions: ear: the corner .* with a landmark of brow_left"):
        checked_regions({"ear": [["ear", 0, 0]] * 3})
    with pytest.raises(ConfigError, match="three or more corners"):
        checked_regions({"line": [["chin", 0, 0]] * 2})
    (tmp_path / "broken.yaml").write_text("my_chin: [[")
    with pytest.raises(ConfigError, match=r"broken\.yaml: can't be read as YAML"):
        read_regions(tmp_path / "broken.yaml")
    (tmp_path / "list.yaml").write_text("- chin")
    with pytest.raises(ConfigError, match=r"list\.yaml should hold lines"):
        read_regions(tmp_path / "list.yaml")


def test_six_landmarks_around_the_lip_suffice_for_breathing(made: Made) -> None:
    frames, tracks = made
    six = SCHEMES["perinasal6"]
    tracks = tracks[tracks["point"].isin(six.landmark_names)]
    signals = measure(frames, tracks, six).signals
    names = set(signals["signal"])
    assert {"nostril_left_mean", "perinasal_mean", "perspiration"} <= names
    assert not {"forehead_mean", "mouth_opening"} & names
    assert signals[signals["signal"] == "breathing_rate"]["value"].iloc[0] == pytest.approx(true_rate(), abs=0.5)
    cheek: list[Corner] = [("eye_left_outer", 0.0, 0.0)] * 3
    with pytest.raises(ConfigError, match="cheek needs eye_left_outer"):
        measure(frames, tracks, six, regions={"cheek": cheek})


def test_steps_of_the_camera_and_late_frames_are_found(made: Made) -> None:
    steps = FrameSteps()
    seen = [steps.step(frame.image.values + (0.7 if frame.index >= 50 else 0.0)) for frame in made[0]]
    median, common = np.array(seen).T
    assert np.flatnonzero(jumps(median, common, "celsius")).tolist() == [50]
    time_s = np.delete(np.arange(20) / 10, [7, 8])
    assert np.flatnonzero(late_frames(time_s)).tolist() == [7]


def test_yawns_and_blinks_by_size_and_duration() -> None:
    time_s = np.arange(200) / 10
    opening = np.full(200, 0.3)
    opening[50:80] = 0.7
    opening[120:124] = 0.7  # a shout
    opening[65:68] = 0.35  # a yawn that nearly ends
    opening[150:180] = 0.4  # talking
    assert [(event.start_s, round(event.end_s, 3)) for event in yawns(time_s, opening)] == [(5.0, 8.0)]
    lids = np.full(200, 0.3)
    lids[60:62] = 0.05
    lids[100:140] = 0.05  # asleep
    assert [event.start_s for event in blinks(time_s, lids)] == [6.0]


def test_the_command_leaves_tables_and_a_page(made: Made, run_script: Callable[..., Any], tmp_path: Path) -> None:
    frames, tracks = made
    np.save(tmp_path / "face.npy", np.stack([frame.image.values for frame in frames]))
    folder = tmp_path / "tracked"
    folder.mkdir()
    tracks.to_csv(folder / "tracks.csv", index=False)
    (folder / "landmarks.json").write_text(json.dumps({"scheme": "face16", "landmarks": list(LANDMARKS)}))
    settings = {"fps": RATE_HZ, "unit": "celsius"}
    (folder / "tracking.json").write_text(json.dumps({"source": str(tmp_path / "face.npy"), "settings": settings}))
    (tmp_path / "mine.yaml").write_text("my_chin: [[chin, -0.1, -0.1], [chin, 0.1, -0.1], [chin, 0, 0.05]]\n")
    result = run_script(
        ["src/signals.py", "tracks=tracked", "output=out", "format=parquet", "regions=mine.yaml"], cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    signals = pd.read_csv(tmp_path / "out" / "signals.csv")
    wanted = {"breathing", "breathing_rate", "perspiration", "mouth_opening", "head_motion", "my_chin_mean"}
    assert wanted <= set(signals["signal"])
    parquet = pd.read_parquet(tmp_path / "out" / "signals.parquet")
    pd.testing.assert_frame_equal(parquet, signals, check_exact=False, rtol=1e-4)
    page = (tmp_path / "out" / "recording.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 4
    assert "http" not in page
    missing = run_script(["src/signals.py", "tracks=nowhere"], cwd=tmp_path)
    assert missing.returncode == 1
    assert "thermal-landmarks track" in missing.stderr


def test_quick_motion_of_the_head_is_known_and_not_beside_gaps() -> None:
    time_s = np.arange(60) / 10
    place = np.where(time_s < 2, 0.0, np.minimum(time_s - 2, 1.0) * 60)  # a second at 60 px/s
    points = np.zeros((60, 16, 2)) + place[:, None, None] * [1.0, 0.0]
    points[45:48] = np.nan
    speed = head_speed(time_s, points, 100.0)
    assert speed[25] == pytest.approx(0.6, abs=0.02)
    fast = np.flatnonzero(moving(speed))
    assert fast[0] in (20, 21)
    assert fast[-1] in (29, 30)
    assert np.isnan(speed[46])
