"""Breathing, perspiration and temperatures along the tracks of a video: `python src/signals.py tracks=FOLDER`."""

import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError, DataError, Interrupted, require_choice

if TYPE_CHECKING:
    from rich.console import Console

    from thermal_landmarks.data.video import Video
    from thermal_landmarks.physiology.signals import Measurement, Recording

_FORMATS = ("csv", "parquet")
_OF_THE_VIDEO = ("fps", "unit", "palette", "marks", "size", "dtype")
_MEASURED = "measured"  # folder of what a measurement that was stopped goes on from
_KEPT_EVERY_S = 10.0


@command("signals", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Measure, and leave signals.csv, events.csv, summary.csv and recording.html; with format=parquet also Parquet."""
    from rich.console import Console

    from thermal_landmarks.data.schemes import SCHEMES
    from thermal_landmarks.data.video import open_video
    from thermal_landmarks.inference.tracking.table import read_tracks
    from thermal_landmarks.physiology.perspiration import elements
    from thermal_landmarks.physiology.regions import checked_regions, read_regions
    from thermal_landmarks.physiology.signals import Measurement
    from thermal_landmarks.reporting.recording import write_page
    from thermal_landmarks.runs import PROGRESS
    from thermal_landmarks.training.stopping import stop_requests

    if cfg.tracks is None:
        raise ConfigError("tracks= is missing: the folder that thermal-landmarks track has written.")
    require_choice("format", cfg.format, _FORMATS)
    elements(cfg.element_px)  # before an hour of measuring
    own: Any = OmegaConf.to_container(cfg.regions, resolve=True) if OmegaConf.is_config(cfg.regions) else cfg.regions
    regions = read_regions(Path(own).expanduser()) if isinstance(own, str) else checked_regions(own)
    made_by_track = Path(cfg.tracks).expanduser()
    tracking, landmarks = (_read(made_by_track / name) for name in ("tracking.json", "landmarks.json"))
    scheme = str(landmarks.get("scheme"))
    if scheme not in SCHEMES:
        raise DataError(f"{made_by_track / 'landmarks.json'}: scheme '{scheme[:100]}' is unknown.")
    source = str(cfg.source) if cfg.source is not None else _recording(tracking, made_by_track)
    stored = tracking.get("settings")
    settings = {name: stored.get(name) if isinstance(stored, dict) else None for name in _OF_THE_VIDEO}
    settings |= {name: cfg[name] for name in ("fps", "unit") if cfg[name] is not None}
    video = open_video(source, **{name: value for name, value in settings.items() if value is not None})
    console = Console()
    begun = {"tracks": str(made_by_track.absolute()), "source": source, "regions": own, "element_px": cfg.element_px}
    begun = json.loads(json.dumps({**begun, **settings}))
    _require_same(folder, begun)
    measurement = Measurement(
        read_tracks(made_by_track),
        SCHEMES[scheme],
        regions=regions,
        element_px=cfg.element_px,
        folder=folder / _MEASURED,
    )
    with stop_requests() as request:
        request.patient = True
        keep = partial(_keep, measurement, folder, begun)
        _measure(measurement, video, keep, lambda: request.signal_number is not None, console)
        baseline_s = None if cfg.baseline_s is None else tuple(cfg.baseline_s)
        recording = measurement.recording(window_s=cfg.window_s, baseline_s=baseline_s)
        values = _write_tables(recording, folder, parquet=cfg.format == "parquet")
        page = write_page(recording, folder / "recording.html", title=Path(source).name)
    for note in recording.notes:
        console.print(note, soft_wrap=True, markup=False, highlight=False)
    console.print(f"{values:,} values, {len(recording.events)} events: {page}", soft_wrap=True)
    if request.signal_number is not None:
        raise Interrupted(
            f"Stopped after frame {measurement.next_frame - 1}; {folder} holds what was measured before. Go on: "
            f"thermal-landmarks signals tracks={cfg.tracks} resume={folder}",
            request.signal_number,
        )
    shutil.rmtree(folder / _MEASURED)
    (folder / PROGRESS).unlink(missing_ok=True)


def _measure(
    measurement: "Measurement",
    video: "Video",
    keep: Callable[[], None],
    stopped: Callable[[], bool],
    console: "Console",
) -> None:
    """All frames that have tracks, or those until the user stops; what is needed to go on is kept every few seconds."""
    from thermal_landmarks.long_work import counting

    end = max(int(face.points.frames[-1]) for face in measurement.faces.values()) + 1
    kept_at = time.monotonic()
    with counting("Measuring", end, before=measurement.next_frame, console=console) as advance:
        for frame in video.frames(measurement.next_frame, end):
            advance(frame.index + 1 - measurement.next_frame)
            measurement.add(frame)
            if time.monotonic() - kept_at >= _KEPT_EVERY_S:
                keep()
                kept_at = time.monotonic()
            if stopped():
                keep()  # from here a job goes on, without what follows
                break


def _keep(measurement: "Measurement", folder: Path, begun: dict[str, Any]) -> None:
    from thermal_landmarks.runs import PROGRESS, write_json

    measurement.keep()
    write_json(folder / PROGRESS, begun)


def _write_tables(recording: "Recording", folder: Path, *, parquet: bool) -> int:
    """signals.csv, events.csv and summary.csv, and the same as Parquet; gives the number of values."""
    from thermal_landmarks.physiology.signal_files import SignalFiles
    from thermal_landmarks.physiology.summary import summarise

    with SignalFiles(folder, parquet=parquet) as files:
        summary = summarise(files.passed_on(recording.tables()), recording.events)
    for name, table in (("events", recording.events), ("summary", summary)):
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
        if parquet:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    return files.values


def _require_same(folder: Path, begun: dict[str, Any]) -> None:
    """Refuse to go on with other settings than those that a measurement began with."""
    from thermal_landmarks.runs import PROGRESS

    if not (folder / PROGRESS).exists():
        return
    earlier = _read(folder / PROGRESS)
    changed = [name for name in {**earlier, **begun} if earlier.get(name) != begun.get(name)]
    if changed:
        listed = ", ".join(f"{name}={earlier.get(name)} then, {begun.get(name)} now" for name in sorted(changed))
        raise ConfigError(f"{folder} was begun with other settings ({listed}). Repeat them, or start from scratch.")


def _recording(tracking: dict[str, Any], folder: Path) -> str:
    """The file or folder that was tracked; a stored address or camera opens nothing by itself."""
    from thermal_landmarks.data.video import RECORDING, is_camera

    if tracking.get("recording") == RECORDING:
        return str(folder / RECORDING)
    source = tracking.get("source")
    if not isinstance(source, str) or source == "-" or is_camera(source):
        raise ConfigError(
            f"{folder / 'tracking.json'}: source {str(source)[:200]} is no recording that can be read again. Give the "
            "file: source=FILE."
        )
    return source


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: can't be read ({error}). tracks= names a folder that thermal-landmarks track has written."
        ) from error
    return content


if __name__ == "__main__":
    main()
