"""What `track` has left, damaged or made up by others: named errors, or tables that `signals` can measure."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from robustness.bounds import held_to_bounds
from robustness.damage import damaged_text, odd_settings

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.tracking.files import TrackFiles
from thermal_landmarks.inference.tracking.table import read_tracks
from thermal_landmarks.physiology.signals import measure

SCHEME = SCHEMES["face16"]
ODD = (np.nan, 1e308, -1, 10**18, "x", "", "=1+1", 0.5, np.inf, "9" * 400)


def _tracks() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (frame, frame / 10, 0, name, *np.round(30 + 10 * rng.random(2), 3), 0.9, "ok")
        for frame in range(8)
        for name in SCHEME.landmark_names
    ]
    return pd.DataFrame(rows, columns=["frame", "time_s", "track", "point", "x", "y", "confidence", "flag"])


def _broken(good: pd.DataFrame) -> list[tuple[str, bytes]]:
    broken = list(damaged_text(good.to_csv(index=False), seed=0))
    for column in good.columns:
        broken.append((f"no {column}", good.drop(columns=column).to_csv(index=False).encode()))
        for value in ODD:
            changed = good.astype(object)
            changed.loc[17, column] = value
            broken.append((f"{column}={str(value)[:9]}", changed.to_csv(index=False).encode()))
            changed[column] = value
            broken.append((f"all {column}={str(value)[:9]}", changed.to_csv(index=False).encode()))
    return broken


def test_every_broken_table_of_tracks_is_refused_by_name_or_measured(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [
        VideoFrame(i, i / 10, ThermalImage(rng.normal(30, 1, (60, 80)).astype(np.float32), "celsius")) for i in range(8)
    ]
    outcomes: Counter[bool] = Counter()
    for what, content in _broken(_tracks()):
        (tmp_path / "tracks.csv").write_bytes(content)
        tracks, message = held_to_bounds(lambda: pd.concat(read_tracks(tmp_path)), "tracks.csv")
        assert message or set(tracks["flag"]) <= {"ok", "doubtful", "hidden", "lost"}, what
        outcomes[bool(message)] += 1
        if tracks is not None and outcomes[False] < 5:
            held_to_bounds(lambda tracks=tracks: measure(iter(frames), tracks, SCHEME), "")
    assert outcomes[True] > 100
    assert outcomes[False] > 12


def test_kept_progress_that_is_damaged_is_refused_by_name_or_gone_on_from(tmp_path: Path) -> None:
    files = TrackFiles(tmp_path, {"speed": "balanced"}, SCHEME)
    sizes = {"tracks.csv": files._points.size, "faces.csv": files._faces.size}
    state = {
        "settings": {"speed": "balanced"},
        "next_frame": 3,
        "counts": {"ok": 3},
        "bytes": sizes,
        "tracker": None,
        "late": None,
    }
    refused = 0
    for what, odd in odd_settings(state, seed=0, count=80):
        (tmp_path / "progress.json").write_text(json.dumps(odd))
        opened, message = held_to_bounds(lambda: TrackFiles(tmp_path, {"speed": "balanced"}, SCHEME), tmp_path.name)
        assert opened or message, what
        assert {path.name: path.stat().st_size for path in tmp_path.glob("*.csv")} == sizes, what
        refused += bool(message)
    assert refused > 20


def test_a_table_that_was_cut_since_is_not_filled_up_with_zeros(tmp_path: Path) -> None:
    with TrackFiles(tmp_path, {}, SCHEME) as files:
        kept = {"tracks.csv": files._points.size, "faces.csv": files._faces.size}
    state = {"settings": {}, "next_frame": 3, "counts": {}, "bytes": kept, "tracker": None, "late": None}
    (tmp_path / "progress.json").write_text(json.dumps(state))
    (tmp_path / "tracks.csv").write_text("frame")
    with pytest.raises(ConfigError, match=r"progress\.json: is damaged \(ValueError: it doesn't fit tracks\.csv"):
        TrackFiles(tmp_path, {}, SCHEME)


@pytest.mark.parametrize("source", ["http://127.0.0.1:9/film.mp4", "rtsp://127.0.0.1/film", "0", "-", None, ["a"]])
def test_tracks_of_others_open_no_address_and_no_camera(
    source: object, tmp_path: Path, run_script: Callable[..., "CompletedProcess[str]"]
) -> None:
    (tmp_path / "tracking.json").write_text(json.dumps({"source": source, "settings": {}}))
    (tmp_path / "landmarks.json").write_text(json.dumps({"scheme": "face16"}))
    done = run_script(["src/signals.py", f"tracks={tmp_path}"], cwd=tmp_path)
    assert done.returncode == 1
    assert "is no recording that can be read again" in done.stderr
