"""Tables that are read and written in pieces are those that would be made at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.tracking.smoothing import smooth
from thermal_landmarks.inference.tracking.table import read_frames, read_pieces, smoothed_pieces

SCHEME = get_scheme("face16")
FRAMES, FPS = 400, 10.0


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, one of whom comes later and is hidden for a while."""
    rng = np.random.default_rng(0)
    rows = []
    for frame in range(FRAMES):
        for track in range(1 if frame < 150 else 2):
            hidden = track == 1 and 200 <= frame < 220
            for point, name in enumerate(SCHEME.landmark_names):
                x, y = np.array([20.0 * point + 0.3 * frame, 9.0 * point]) + rng.normal(0, 0.5, 2)
                x, y = (np.nan, np.nan) if hidden else (x, y)
                rows.append((frame, frame / FPS, track, name, x, y, 0.9, "hidden" if hidden else "ok"))
    path = tmp_path_factory.mktemp("tracks") / "tracks.csv"
    columns = ["frame", "time_s", "track", "point", "x", "y", "confidence", "flag"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False, float_format="%.3f")
    return path


@pytest.mark.parametrize("rows", [16, 100, 5000, 10**6])
def test_pieces_hold_whole_frames_and_all_rows(tracks: Path, rows: int) -> None:
    pieces = list(read_pieces(tracks, rows))
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), pd.read_csv(tracks))
    frames = [set(piece["frame"]) for piece in pieces]
    assert sum(map(len, frames)) == FRAMES
    assert [frame for frame, _ in read_frames(tracks)] == list(range(FRAMES))


@pytest.mark.parametrize("method", ["one_euro", "kalman"])
@pytest.mark.parametrize("rows", [1500, 10**6])
def test_smoothing_in_pieces_is_smoothing_at_once(tracks: Path, method: str, rows: int) -> None:
    pieces = pd.concat(smoothed_pieces(tracks, SCHEME, method, rows), ignore_index=True)
    assert len(pieces) == len(pd.read_csv(tracks))
    for track in (0, 1):
        mine = pieces[(pieces["track"] == track) & (pieces["point"] == "chin")]
        ends = (mine["x"].to_numpy(), mine["time_s"].to_numpy())
        corners = [pieces[(pieces["track"] == track) & (pieces["point"] == name)] for name in _corners()]
        size = np.nanmedian(
            np.hypot(*(corners[0][axis].to_numpy() - corners[1][axis].to_numpy() for axis in ("x", "y")))
        )
        expected = smooth(ends[0][:, None], ends[1], method, size=float(size))[:, 0]
        np.testing.assert_allclose(mine["x_smooth"], expected, atol=2e-3)


def _corners() -> list[str]:
    assert SCHEME.outer_eye_corners is not None
    return [SCHEME.landmark_names[point] for point in SCHEME.outer_eye_corners]
