"""One page on a recording: still with points and regions, breathing, perspiration, temperatures, quality."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermal_landmarks.physiology.face_frame import FaceFrame
from thermal_landmarks.physiology.signals import Recording
from thermal_landmarks.reporting.pages import render

_TEMPERATURES = ("forehead", "nose_tip", "perinasal", "eye_corner_left", "eye_corner_right")
_FINE, _DOUBT = "#1565c0", "#c62828"
_WIDE, _HIGH = 7.2, 2.1  # inches
_CLOCKS = ((3 * 3600, 3600, "hours"), (600, 60, "minutes"), (0, 1, "seconds"))  # from how many seconds on, length, name


class Clock(NamedTuple):
    """In what the time of a recording is shown: a night in hours."""

    seconds: int
    name: str

    @classmethod
    def of(cls, seconds: float) -> "Clock":
        return next(cls(length, name) for least, length, name in _CLOCKS if seconds >= least)


class Track(NamedTuple):
    """A person's part of the page."""

    number: int
    figures: list[tuple[str, str]]
    numbers: list[tuple[str, str]]


def write_page(recording: Recording, path: Path, *, title: str) -> Path:
    """Write a page that needs nothing but itself.

    Returns:
        The page.
    """
    measured = sorted(recording.signals["track"].unique())
    signals = recording.signals
    seconds = float(signals["time_s"].max())
    clock = Clock.of(seconds)
    tracks = [_track(recording, number, clock) for number in measured]
    flagged = signals[signals["signal"].str.startswith("perinasal_mean")]["flag"].value_counts()
    page = render(
        "recording.html.j2",
        title=title,
        still=_still(recording),
        still_s=recording.still[1],
        tracks=tracks,
        notes=recording.notes,
        unit="°C" if recording.unit == "celsius" else "gray levels",
        flags=[(str(flag), int(count)) for flag, count in flagged.items()],
        events=[
            {**row, "track": "camera" if row["track"] < 0 else row["track"]}
            for row in recording.events.head(200).to_dict("records")
        ],
        left_out=max(0, len(recording.events) - 200),
        length=f"{seconds / clock.seconds:.{0 if clock.seconds == 1 else 1}f} {clock.name}",
    )
    path.write_text(page, encoding="utf-8")
    return path


def _track(recording: Recording, number: int, clock: Clock) -> Track:
    of_track = recording.signals[recording.signals["track"] == number]
    by_signal = {str(name): rows for name, rows in of_track.groupby("signal", sort=False)}
    events = recording.events[recording.events["track"] == number]
    figures, numbers = [], []
    if "breathing" in by_signal:
        unit = "K" if recording.unit == "celsius" else "gray levels"
        figures.append(("Breathing", _breathing(by_signal, events, unit, clock)))
        rates = by_signal["breathing_rate"]
        fine = rates[rates["flag"] == "ok"]["value"]
        rate = f"{fine.median():.1f} /min" if len(fine) else "no window was good enough"
        numbers.append(("Breathing rate", rate))
        numbers.append(("Good windows", f"{len(fine)} of {len(rates)}"))
    if "perspiration" in by_signal:
        figures.append(("Perspiration at the upper lip", _perspiration(by_signal["perspiration"], events, clock)))
    figures.append(("Temperatures of the regions", _temperatures(by_signal, recording.unit, clock)))
    for kind in ("perspiration", "yawn", "blink", "apnoea"):
        count = int((events["event"] == kind).sum())
        if count:
            numbers.append(({"perspiration": "Rises of perspiration"}.get(kind, f"{kind.capitalize()}s"), str(count)))
    seen = by_signal["perinasal_mean"]
    numbers.append(("Frames measured", f"{int(seen['value'].notna().sum()):,} of {len(seen):,}"))
    numbers.append(("Confidence of the points", f"{seen['quality'].median():.0%}"))
    return Track(number, figures, numbers)


def _still(recording: Recording) -> str:
    number, _, values = recording.still
    height, width = values.shape
    figure = Figure(figsize=(_WIDE, _WIDE * height / width), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1))
    low, high = _contrast(recording)
    axes.imshow(values, cmap="gray", vmin=low, vmax=high)
    for track, face in recording.faces.items():
        row = face.rows.get(number)
        if row is None or not np.isfinite(face.face_px[row]).all():
            continue
        _draw_regions(axes, face.frame, face.face_px[row])
        points = face.points_px[row]
        axes.plot(*points.T, ".", color="#ffca28", markersize=3)
        axes.annotate(str(track), points.min(axis=0), color="#ffca28", fontsize=11, ha="right", va="bottom")
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.axis("off")
    return _png(figure)


def _contrast(recording: Recording) -> tuple[float, float]:
    """Darkest and brightest value of the still: those of the faces, with some room below for what is around them."""
    number, _, values = recording.still
    skin = [
        face.frame.warp("perinasal", values, face.face_px[face.rows[number]]).ravel()
        for face in recording.faces.values()
        if number in face.rows and np.isfinite(face.face_px[face.rows[number]]).all()
    ]
    high = float(np.nanquantile(values, 0.999))
    usual = float(np.nanmedian(np.concatenate(skin)))
    return usual - 7 * max(high - usual, 1e-3), high


def _draw_regions(axes: Axes, frame: FaceFrame, points_px: np.ndarray) -> None:
    for name in frame.patches:
        corners = frame.corners(name, points_px)
        axes.fill(*corners.T, facecolor="none", edgecolor="#4dd0e1", linewidth=0.9)


def _breathing(by_signal: dict[str, pd.DataFrame], events: pd.DataFrame, unit: str, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, 2 * _HIGH), dpi=110, layout="constrained")
    wave_axes, rate_axes = figure.subplots(2, 1, sharex=True)
    wave, rates = by_signal["breathing"], by_signal["breathing_rate"]
    wave_axes.plot(wave["time_s"] / clock.seconds, wave["value"], color=_FINE, linewidth=0.9)
    for _, event in events[events["event"] == "apnoea"].iterrows():
        wave_axes.axvspan(
            event["start_s"] / clock.seconds, event["end_s"] / clock.seconds, color=_DOUBT, alpha=0.15, linewidth=0
        )
    wave_axes.set_ylabel(f"nostrils, {unit}")
    fine = (rates["flag"] == "ok").to_numpy()
    rate_axes.plot(
        (rates["time_s"] / clock.seconds)[fine], rates["value"][fine], "o", color=_FINE, markersize=3.5, label="good"
    )
    rate_axes.plot(
        (rates["time_s"] / clock.seconds)[~fine],
        rates["value"][~fine],
        "x",
        color=_DOUBT,
        markersize=4.5,
        label="doubtful",
    )
    highest = max(30.0, 1.15 * np.nanmax([0.0, *rates["value"]]))
    rate_axes.set(ylabel="breaths/min", xlabel=clock.name, ylim=(0, highest))
    rate_axes.legend(loc="lower right", ncols=2, fontsize=8, frameon=False)
    return _png(figure)


def _perspiration(level: pd.DataFrame, events: pd.DataFrame, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, _HIGH), dpi=110, layout="constrained")
    axes = figure.subplots()
    weak = (level["flag"] == "weak").any()
    axes.plot(level["time_s"] / clock.seconds, level["value"], color=_DOUBT if weak else _FINE, linewidth=1.2)
    if weak:
        axes.set_title("can't be told from noise and motion", fontsize=8, color=_DOUBT)
    for onset in events[events["event"] == "perspiration"]["start_s"]:
        axes.axvline(onset / clock.seconds, color=_DOUBT, linewidth=0.9, linestyle="--")
    axes.set(ylabel="depth of\ncold spots, K", xlabel=f"{clock.name} (dashed: onsets)")
    return _png(figure)


def _temperatures(by_signal: dict[str, pd.DataFrame], unit: str, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, 1.3 * _HIGH), dpi=110, layout="constrained")
    axes = figure.subplots()
    for name in (name for name in _TEMPERATURES if f"{name}_median" in by_signal):
        rows = by_signal[f"{name}_median"]
        axes.plot(rows["time_s"] / clock.seconds, rows["value"], linewidth=0.9, label=name.replace("_", " "))
    axes.set(ylabel="°C" if unit == "celsius" else "gray levels", xlabel=clock.name)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), ncols=3, fontsize=8, frameon=False)
    return _png(figure)


def _png(figure: Figure) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
