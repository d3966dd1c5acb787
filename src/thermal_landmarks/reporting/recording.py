"""One page on a recording: still with points and regions, breathing, perspiration, temperatures, quality."""

import base64
import io
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermal_landmarks.physiology.face_frame import FaceFrame
from thermal_landmarks.physiology.signals import Recording
from thermal_landmarks.physiology.track_signals import TrackSignals
from thermal_landmarks.reporting.pages import render

_TEMPERATURES = ("forehead", "nose_tip", "perinasal", "eye_corner_left", "eye_corner_right")
_FINE, _DOUBT = "#1565c0", "#c62828"
_WIDE, _HIGH = 7.2, 2.1  # inches
_STRETCHES = 1500  # of a line: about two a pixel
_RATES = 240  # points
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
    seconds, flagged = recording.seconds, Counter[str]()
    clock = Clock.of(seconds)
    tracks = [_track(recording, number, clock) for number in sorted(recording.tracks)]
    for signals in recording.tracks.values():
        flagged.update(signals.table("perinasal_mean")["flag"])
    page = render(
        "recording.html.j2",
        title=title,
        still=_still(recording),
        still_s=recording.still[1],
        tracks=tracks,
        notes=recording.notes,
        unit="°C" if recording.unit == "celsius" else "gray levels",
        flags=flagged.most_common(),
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
    signals = recording.tracks[number]
    events = recording.events[recording.events["track"] == number]
    figures, numbers = [], []
    if "breathing" in signals.names:
        unit, rates = "K" if recording.unit == "celsius" else "gray levels", signals.table("breathing_rate")
        figures.append(("Breathing", _breathing(signals.table("breathing"), rates, events, unit, clock)))
        fine = rates[rates["flag"] == "ok"]["value"]
        rate = f"{fine.median():.1f} /min" if len(fine) else "no window was good enough"
        numbers.append(("Breathing rate", rate))
        numbers.append(("Good windows", f"{len(fine)} of {len(rates)}"))
    if "perspiration" in signals.names:
        level = signals.table("perspiration")
        figures.append(("Perspiration at the upper lip", _perspiration(level, events, clock)))
    figures.append(("Temperatures of the regions", _temperatures(signals, recording.unit, clock)))
    for kind in ("perspiration", "yawn", "blink", "apnoea"):
        count = int((events["event"] == kind).sum())
        if count:
            numbers.append(({"perspiration": "Rises of perspiration"}.get(kind, f"{kind.capitalize()}s"), str(count)))
    seen = signals.table("perinasal_mean")
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
        points_px, row = face.seen_px(number), face.points.row(number)
        if points_px is None or row is None:
            continue
        _draw_regions(axes, face.frame, points_px)
        points = face.points.points_px[row]
        axes.plot(*points.T, ".", color="#ffca28", markersize=3)
        axes.annotate(str(track), points.min(axis=0), color="#ffca28", fontsize=11, ha="right", va="bottom")
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.axis("off")
    return _png(figure)


def _contrast(recording: Recording) -> tuple[float, float]:
    """Darkest and brightest value of the still: those of the faces, with some room below for what is around them."""
    number, _, values = recording.still
    shown = [(face.frame, face.seen_px(number)) for face in recording.faces.values()]
    skin = [frame.warp("perinasal", values, points).ravel() for frame, points in shown if points is not None]
    high = float(np.nanquantile(values, 0.999))
    usual = float(np.nanmedian(np.concatenate(skin)))
    return usual - 7 * max(high - usual, 1e-3), high


def _draw_regions(axes: Axes, frame: FaceFrame, points_px: np.ndarray) -> None:
    for name in frame.patches:
        corners = frame.corners(name, points_px)
        axes.fill(*corners.T, facecolor="none", edgecolor="#4dd0e1", linewidth=0.9)


def _breathing(wave: pd.DataFrame, rates: pd.DataFrame, events: pd.DataFrame, unit: str, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, 2 * _HIGH), dpi=110, layout="constrained")
    wave_axes, rate_axes = figure.subplots(2, 1, sharex=True)
    _line(wave_axes, wave, clock, color=_FINE, linewidth=0.9)
    for _, event in events[events["event"] == "apnoea"].iterrows():
        wave_axes.axvspan(
            event["start_s"] / clock.seconds, event["end_s"] / clock.seconds, color=_DOUBT, alpha=0.15, linewidth=0
        )
    wave_axes.set_ylabel(f"nostrils, {unit}")
    rates, seconds = drawn_rates(rates)
    fine = (rates["flag"] == "ok").to_numpy()
    time_of, of = rates["time_s"] / clock.seconds, f", median of {seconds} s" if seconds else ""
    rate_axes.plot(time_of[fine], rates["value"][fine], "o", color=_FINE, markersize=3.5, label=f"good{of}")
    rate_axes.plot(time_of[~fine], rates["value"][~fine], "x", color=_DOUBT, markersize=4.5, label=f"doubtful{of}")
    highest = max(30.0, 1.15 * np.nanmax([0.0, *rates["value"]]))
    rate_axes.set(ylabel="breaths/min", xlabel=clock.name, ylim=(0, highest))
    rate_axes.legend(loc="lower right", ncols=2, fontsize=8, frameon=False)
    return _png(figure)


def _perspiration(level: pd.DataFrame, events: pd.DataFrame, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, _HIGH), dpi=110, layout="constrained")
    axes = figure.subplots()
    weak = (level["flag"] == "weak").any()
    _line(axes, level, clock, color=_DOUBT if weak else _FINE, linewidth=1.2)
    if weak:
        axes.set_title("can't be told from noise and motion", fontsize=8, color=_DOUBT)
    for onset in events[events["event"] == "perspiration"]["start_s"]:
        axes.axvline(onset / clock.seconds, color=_DOUBT, linewidth=0.9, linestyle="--")
    axes.set(ylabel="depth of\ncold spots, K", xlabel=f"{clock.name} (dashed: onsets)")
    return _png(figure)


def _temperatures(signals: TrackSignals, unit: str, clock: Clock) -> str:
    figure = Figure(figsize=(_WIDE, 1.3 * _HIGH), dpi=110, layout="constrained")
    axes = figure.subplots()
    for name in (name for name in _TEMPERATURES if f"{name}_median" in signals.names):
        _line(axes, signals.table(f"{name}_median"), clock, linewidth=0.9, label=name.replace("_", " "))
    axes.set(ylabel="°C" if unit == "celsius" else "gray levels", xlabel=clock.name)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), ncols=3, fontsize=8, frameon=False)
    return _png(figure)


def _line(axes: Axes, rows: pd.DataFrame, clock: Clock, **style: Any) -> None:
    time_s, values = drawn(rows["time_s"].to_numpy(), rows["value"].to_numpy())
    axes.plot(time_s / clock.seconds, values, **style)


def drawn(
    time_s: Float[np.ndarray, " value"], values: Float[np.ndarray, " value"]
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """A line that looks the same and has few points: of each narrow stretch its lowest and its highest value."""
    each = len(values) // _STRETCHES
    if each < 4:
        return time_s, values
    time_s, values = (array[: len(values) // each * each].reshape(-1, each) for array in (time_s, values))
    seen = ~np.isnan(values)
    low, high = values.min(axis=1, initial=np.inf, where=seen), values.max(axis=1, initial=-np.inf, where=seen)
    ends = np.where(seen.any(axis=1), [low, high], np.nan)
    return np.repeat(time_s.mean(axis=1), 2), ends.T.ravel()


def drawn_rates(rates: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rates, or where they are too many for a picture the medians of equal times, good ones first; and how long."""
    seconds = int(np.ceil(len(rates) / _RATES)) if len(rates) > 2 * _RATES else 0
    if not seconds:
        return rates, 0
    stretch = (rates["time_s"] // seconds).astype(int)
    fine = rates["flag"] == "ok"
    told = fine | ~stretch.isin(stretch[fine].unique())  # of a stretch without a good rate all count
    medians = rates[told].groupby(stretch[told]).agg({"time_s": "mean", "value": "median", "flag": "first"})
    return medians, seconds


def _png(figure: Figure) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
