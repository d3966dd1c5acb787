"""Faces of a video from frame to frame: `python src/track.py source=VIDEO`."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError, Interrupted, require_choice

if TYPE_CHECKING:
    from rich.console import Console

    from thermal_landmarks.data.video import Video
    from thermal_landmarks.inference.tracking.files import Tracked

_CHOICES = {"smoothing": ("none", "one_euro", "kalman"), "format": ("csv", "deeplabcut")}
_NO_INFLUENCE = ("hydra", "output", "resume", "overlay", "record", "latest", "frames", "format", "smoothing", "device")


@command("track", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Track the faces and leave tracks.csv, tracks.parquet, faces.csv, tracking.json, tracks.png and overlay.mp4."""
    import torch
    from rich.console import Console

    from thermal_landmarks.data.video import RECORDING, is_camera, latest_frames, open_video, without_credentials
    from thermal_landmarks.inference.predictor import Predictor
    from thermal_landmarks.inference.tracking.files import TrackFiles, track_frames
    from thermal_landmarks.inference.tracking.overlay import write_overlay
    from thermal_landmarks.inference.tracking.tracker import Tracker
    from thermal_landmarks.long_work import counting
    from thermal_landmarks.runs import write_json
    from thermal_landmarks.training.stopping import stop_requests

    _check(cfg)
    console = Console()
    torch.set_num_threads(1)  # a face is too little work to share
    source, camera, recording = without_credentials(str(cfg.source)), is_camera(str(cfg.source)), folder / RECORDING
    if cfg.resume is not None and camera:
        raise ConfigError(f"resume={cfg.resume}: source={source} can't be seen again. Leave out resume=.")
    of_video = {name: cfg[name] for name in ("fps", "unit", "palette", "marks", "size", "dtype")}
    video = open_video(str(cfg.source), **of_video, record=recording if cfg.record else None)
    if cfg.latest and not video.live:
        raise ConfigError(f"latest=true: source={cfg.source} is no camera, stream or pipe, and waits for each frame.")
    predictor = Predictor.from_checkpoint(cfg.checkpoint, device=cfg.device, speed=cfg.speed)
    of_tracker = {name: cfg[name] for name in ("find_every", "min_score", "min_confidence")}
    tracker = Tracker(predictor, **of_tracker, fps=video.fps)
    settings: Any = {**OmegaConf.to_container(cfg, resolve=True), "source": source}  # type: ignore[dict-item]
    scheme = predictor.scheme
    write_json(folder / "landmarks.json", {"scheme": scheme.name, "landmarks": list(scheme.landmark_names)})
    files = TrackFiles(folder, {key: value for key, value in settings.items() if key not in _NO_INFLUENCE}, scheme)
    first, started = files.state["next_frame"], time.perf_counter()
    with stop_requests() as request:
        request.patient = True
        with counting("Tracking", _total(video, cfg.frames), before=first, console=console) as advance:
            outcome = track_frames(
                tracker,
                lambda start: (latest_frames if cfg.latest else iter)(video.frames(start, cfg.frames)),
                files,
                name=video.name,
                again=not video.live,
                stopped=lambda: request.signal_number is not None,
                advance=advance,
            )
        rate = (outcome.frames - first) / max(time.perf_counter() - started, 1e-6)
        _write_tables(cfg, folder, predictor.scheme, outcome, title=video.name)
        if video.live:
            video.close()
        finished = request.signal_number is None or camera
        if cfg.overlay and finished and (recording.exists() or not video.live):
            again = open_video(str(recording), **of_video) if video.live else video
            with counting("Drawing", outcome.frames, console=console) as advance:
                shown = again.frames(0, outcome.frames)
                write_overlay(folder / "overlay.mp4", shown, folder, fps=video.fps, advance=advance)
    place = source if camera or source == "-" else os.path.abspath(source)  # noqa: PTH100 (a pattern is no path)
    of_source = {"source": place, "recording": RECORDING if video.live and recording.exists() else None}
    record = _record(outcome, finished=finished, frames_per_second=round(rate, 2))
    write_json(folder / "tracking.json", {**of_source, "settings": settings, **record})
    _say(console, outcome, folder)
    if video.marked_pixels:
        console.print("Marks of the camera were filled in every frame (marks=kept leaves them)", soft_wrap=True)
    if not finished and request.signal_number is not None:
        raise Interrupted(
            f"Stopped after frame {outcome.frames - 1}; {folder} holds what came before. Go on: "
            f"thermal-landmarks track source={cfg.source} resume={folder}",
            request.signal_number,
        )


def _check(cfg: DictConfig) -> None:
    if cfg.source is None:
        raise ConfigError("source= is missing: a video, a folder of frames, a camera's number (source=0).")
    for name, known in _CHOICES.items():
        require_choice(name, cfg[name], known)


def _total(video: "Video", wanted: int | None) -> int | None:
    known = [count for count in (video.n_frames, wanted) if count is not None]
    return min(known, default=None)


def _write_tables(cfg: DictConfig, folder: Path, scheme: Any, outcome: "Tracked", *, title: str) -> None:
    """What is made of the finished tracks.csv and faces.csv."""
    from thermal_landmarks.inference.tracking.table import (
        read_pieces,
        smoothed_pieces,
        write_deeplabcut,
        write_parquet,
    )
    from thermal_landmarks.reporting.tracking_figure import tracking_figure

    pieces = smoothed_pieces(folder / "tracks.csv", scheme, cfg.smoothing)
    write_parquet(pieces, folder / "tracks.parquet", smooth=cfg.smoothing != "none")
    if cfg.format == "deeplabcut":
        write_deeplabcut(folder, scheme.landmark_names, outcome.tracks, folder / "tracks_deeplabcut.csv")
    tracking_figure(read_pieces(folder / "faces.csv"), folder / "tracks.png", title=title, frames=outcome.frames)


def _record(outcome: "Tracked", *, finished: bool, frames_per_second: float) -> dict[str, Any]:
    from thermal_landmarks import __version__
    from thermal_landmarks.runs import git_commit

    return {
        "frames": outcome.frames,
        "finished": finished and outcome.ended is None,
        "ended": outcome.ended,
        "tracks": outcome.tracks,
        "faces": {flag: outcome.counts.get(flag, 0) for flag in ("ok", "doubtful", "hidden", "lost")},
        "frames_without": outcome.counts.get("without", 0),
        "frames_passed": outcome.counts.get("passed", 0),
        "frames_unusable": outcome.counts.get("unusable", 0),
        "frames_per_second": frames_per_second,
        "thermal_landmarks": __version__,
        "commit": git_commit(),
    }


def _say(console: "Console", outcome: "Tracked", folder: Path) -> None:
    people = "1 track" if outcome.tracks == 1 else f"{outcome.tracks} tracks"
    without = outcome.counts.get("without", 0)
    console.print(
        f"{people} in {outcome.frames:,} frames{f', {without:,} without a face' if without else ''}: "
        f"{folder / 'tracks.csv'}",
        soft_wrap=True,
    )
    if passed := outcome.counts.get("passed", 0):
        console.print(f"{passed:,} frames came too fast and were left (latest=true)", soft_wrap=True)
    if outcome.ended not in (None, "stopped"):
        console.print(f"The video ends early: {outcome.ended}", soft_wrap=True, markup=False, highlight=False)


if __name__ == "__main__":
    main()
