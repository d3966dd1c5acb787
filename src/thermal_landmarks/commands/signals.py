"""Breathing, perspiration and temperatures along the tracks of a video: `python src/signals.py tracks=FOLDER`."""

import json
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError, DataError, require_choice

_FORMATS = ("csv", "parquet")
_OF_THE_VIDEO = ("fps", "unit", "palette", "marks", "size", "dtype")


@command("signals", renders=False)
def main(cfg: DictConfig) -> None:
    """Measure, and leave signals.csv, events.csv, summary.csv and recording.html; with format=parquet also Parquet."""
    from rich.console import Console

    from thermal_landmarks.data.schemes import SCHEMES
    from thermal_landmarks.data.video import open_video
    from thermal_landmarks.inference.tracking.table import read_tracks
    from thermal_landmarks.long_work import counting
    from thermal_landmarks.physiology.regions import checked_regions, read_regions
    from thermal_landmarks.physiology.signals import measure
    from thermal_landmarks.physiology.summary import summarise
    from thermal_landmarks.reporting.recording import write_page

    if cfg.tracks is None:
        raise ConfigError("tracks= is missing: the folder that thermal-landmarks track has written.")
    require_choice("format", cfg.format, _FORMATS)
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
    tracks = read_tracks(made_by_track)
    last = int(tracks["frame"].max()) if len(tracks) else -1
    console = Console()
    with counting("Measuring", last + 1, console=console) as advance:
        recording = measure(
            video.frames(end=last + 1),
            tracks,
            SCHEMES[scheme],
            regions=regions,
            window_s=cfg.window_s,
            element_px=cfg.element_px,
            baseline_s=None if cfg.baseline_s is None else tuple(cfg.baseline_s),
            advance=advance,
        )
    folder = Path(HydraConfig.get().runtime.output_dir)
    summary = summarise(recording.signals, recording.events)
    for name, table in (("signals", recording.signals), ("events", recording.events), ("summary", summary)):
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
        if cfg.format == "parquet":
            table.to_parquet(folder / f"{name}.parquet", index=False)
    page = write_page(recording, folder / "recording.html", title=Path(source).name)
    for note in recording.notes:
        console.print(note, soft_wrap=True, markup=False, highlight=False)
    console.print(f"{len(recording.signals):,} values, {len(recording.events)} events: {page}", soft_wrap=True)


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
