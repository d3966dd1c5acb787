"""The picture of a recording."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from thermal_landmarks.reporting.tracking_figure import tracking_figure


def faces(tracks: int) -> pd.DataFrame:
    rows = [(frame, frame / 10, track, 0.9, "ok") for track in range(tracks) for frame in range(3)]
    table = pd.DataFrame(rows, columns=["frame", "time_s", "track", "confidence", "flag"])
    return table.assign(box_x_min=1.0, box_x_max=3.0, box_y_min=2.0, box_y_max=6.0)


def test_a_recording_without_faces_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Figure, "text", lambda self, x, y, text, **settings: said.append(text))
    tracking_figure([], tmp_path / "tracks.png", title="night", frames=1200)
    assert said == ["night: no face in 1,200 frames"]
    width, height = Image.open(tmp_path / "tracks.png").size
    assert width > 5 * height


def test_many_tracks_do_not_cover_the_picture_with_their_names(tmp_path: Path) -> None:
    for tracks in (12, 40):
        tracking_figure([faces(tracks)], tmp_path / f"{tracks}.png", title="crowd", frames=3)
    pictures = [np.asarray(Image.open(tmp_path / f"{tracks}.png").convert("L"), dtype=float) for tracks in (12, 40)]
    upper = [picture[40:260, 120:1150] for picture in pictures]
    assert (upper[1] < 200).mean() < 1.2 * (upper[0] < 200).mean()
