"""The overlay video of a tracked recording: landmarks, boxes and the numbers of tracks, as H.264."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd

from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.evaluation.drawing import draw_boxes, draw_points, to_rgb
from thermal_landmarks.inference.tracking.table import read_frames

_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")  # Okabe and Ito
_LEAST_HEIGHT = 360  # smaller frames are enlarged, for crosses that can be told apart
_TIME_BASE = Fraction(1, 1000)
_OPTIONS: dict[str, Any] = {"crf": "23", "preset": "veryfast", "threads": "1", "bf": "0"}
"""One thread: the same file always; no frames out of order: the film begins at 0 s."""


def write_overlay(
    path: Path,
    frames: Iterable[VideoFrame],
    folder: Path,
    *,
    fps: float,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write an MP4 video that is readable up to where a crash has ended it; a frame without faces is in it as it is.

    The folder has `tracks.csv` and `faces.csv`; each frame keeps its own time stamp; `advance` is called with 1 after
    each.
    """
    points_of, faces_of = (_Rows(folder / name) for name in ("tracks.csv", "faces.csv"))
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream, pts = None, -1
        for frame in frames:
            picture = _picture(frame, points_of(frame.index), faces_of(frame.index))
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt, stream.time_base = "yuv420p", _TIME_BASE
                stream.codec_context.time_base = _TIME_BASE  # else times are rounded to 1 / rate, and may be equal
                stream.options = _OPTIONS
            coded = av.VideoFrame.from_ndarray(picture, format="rgb24")
            pts = max(pts + 1, round(frame.time_s / float(_TIME_BASE)))  # an encoder wants them to rise
            coded.pts, coded.time_base = pts, _TIME_BASE
            container.mux(stream.encode(coded))
            advance(1)
        if stream is not None:
            container.mux(stream.encode(None))


class _Rows:
    """The rows of frames whose numbers rise."""

    def __init__(self, path: Path) -> None:
        self._frames = read_frames(path)
        self._ahead = next(self._frames, None)

    def __call__(self, frame: int) -> pd.DataFrame | None:
        while self._ahead is not None and self._ahead[0] < frame:
            self._ahead = next(self._frames, None)
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == frame else None


def _picture(frame: VideoFrame, points: pd.DataFrame | None, faces: pd.DataFrame | None) -> np.ndarray:
    picture = to_rgb(frame.image.values)
    zoom = max(1, round(_LEAST_HEIGHT / picture.shape[0]))
    picture = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    shift = (zoom - 1) / 2  # pixel centres are at integers
    for face in () if faces is None else faces.itertuples():
        if points is None or face.flag in ("lost", "hidden"):
            continue
        colour = _COLOURS[face.track % len(_COLOURS)]
        marks = points[points["track"] == face.track][["x", "y"]].to_numpy() * zoom + shift
        x0, y0, x1, y1 = (
            float(end) * zoom + shift for end in (face.box_x_min, face.box_y_min, face.box_x_max, face.box_y_max)
        )
        mark = "?" if face.flag == "doubtful" else ""
        picture = draw_boxes(picture, [(x0, y0, x1, y1)], [f"{face.track}{mark}"], colour=colour)
        picture = draw_points(picture, marks, colour=colour)
    height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: height - height % 2, : width - width % 2])  # 4:2:0 wants even sides
