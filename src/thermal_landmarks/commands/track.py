"""Faces of a video from frame to frame: `python src/track.py source=VIDEO`."""

import itertools
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError, Interrupted

_CHOICES = {"smoothing": ("none", "one_euro", "kalman"), "format": ("csv", "deeplabcut")}
_NO_INFLUENCE = ("hydra", "output", "resume", "overlay", "record", "frames", "format", "smoothing", "device")


@command("track", renders=False)
def main(cfg: DictConfig) -> None:
    """Track the faces and leave tracks.csv, tracks.parquet, faces.csv, tracking.json, tracks.png and overlay.mp4."""
    import torch
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from thermal_landmarks import __version__
    from thermal_landmarks.data.video import RECORDING, is_camera, open_video, without_credentials
    from thermal_landmarks.inference.predictor import Predictor
    from thermal_landmarks.inference.tracking.files import TrackFiles, track_frames
    from thermal_landmarks.inference.tracking.overlay import write_overlay
    from thermal_landmarks.inference.tracking.table import (
        read_pieces,
        smoothed_pieces,
        write_deeplabcut,
        write_parquet,
    )
    from thermal_landmarks.inference.tracking.tracker import Tracker
    from thermal_landmarks.reporting.tracking_figure import tracking_figure
    from thermal_landmarks.runs import git_commit, write_json
    from thermal_landmarks.training.stopping import stop_requests

    if cfg.source is None:
        raise ConfigError("source= is missing: a video, a folder of frames, a camera's number (source=0).")
    for name, known in _CHOICES.items():
        if cfg[name] not in known:
            raise ConfigError(f"{name}={cfg[name]} is unknown. Choose {', '.join(known)}.")
    console = Console()
    torch.set_num_threads(1)  # a face is too little work to share
    folder = Path(HydraConfig.get().runtime.output_dir)
    source, camera, recording = without_credentials(str(cfg.source)), is_camera(str(cfg.source)), folder / RECORDING
    if cfg.resume is not None and camera:
        raise ConfigError(f"resume={cfg.resume}: source={source} can't be seen again. Leave out resume=.")
    of_video = {name: cfg[name] for name in ("fps", "unit", "palette", "marks", "size", "dtype")}
    video = open_video(str(cfg.source), **of_video, record=recording if cfg.record else None)
    predictor = Predictor.from_checkpoint(cfg.checkpoint, device=cfg.device, speed=cfg.speed)
    tracker = Tracker(
        predictor,
        find_every=cfg.find_every,
        min_score=cfg.min_score,
        min_confidence=cfg.min_confidence,
        fps=video.fps,
    )
    plain: Any = {**OmegaConf.to_container(cfg, resolve=True), "source": source}  # type: ignore[dict-item]
    settings = {key: value for key, value in plain.items() if key not in _NO_INFLUENCE}
    names = predictor.scheme.landmark_names
    write_json(folder / "landmarks.json", {"scheme": predictor.scheme.name, "landmarks": list(names)})
    files = TrackFiles(folder, settings, names)
    first = files.state["next_frame"]
    wanted = _total(video.n_frames, cfg.frames)

    def frames(start: int) -> Any:
        return itertools.islice(video.frames(start), None if cfg.frames is None else max(0, cfg.frames - start))

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} frames/s"),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        stop_requests() as request,
    ):
        request.patient = True
        task = progress.add_task("Tracking", total=wanted, completed=first, rate=0.0)
        drawing = progress.add_task("Drawing", total=wanted, rate=0.0, visible=False)

        def advance(frame: int) -> None:
            rate = (frame + 1 - first) / max(time.perf_counter() - started, 1e-6)
            progress.update(task, completed=frame + 1, rate=rate)

        outcome = track_frames(
            tracker,
            frames,
            files,
            name=video.name,
            again=not video.live,
            stopped=lambda: request.signal_number is not None,
            advance=advance,
        )
        seconds = time.perf_counter() - started
        pieces = smoothed_pieces(folder / "tracks.csv", predictor.scheme, cfg.smoothing)
        write_parquet(pieces, folder / "tracks.parquet", smooth=cfg.smoothing != "none")
        if cfg.format == "deeplabcut":
            write_deeplabcut(folder, names, outcome.tracks, folder / "tracks_deeplabcut.csv")
        faces = read_pieces(folder / "faces.csv")
        tracking_figure(faces, folder / "tracks.png", title=video.name, frames=outcome.frames)
        if video.live:
            video.close()
        finished = request.signal_number is None or camera
        if cfg.overlay and finished and (recording.exists() or not video.live):
            progress.update(drawing, visible=True)
            again = open_video(str(recording), **of_video) if video.live else video
            write_overlay(
                folder / "overlay.mp4",
                itertools.islice(again.frames(), outcome.frames),
                folder,
                fps=video.fps,
                advance=lambda frame: progress.update(drawing, completed=frame + 1),
            )
    write_json(
        folder / "tracking.json",
        {
            "source": source,
            "recording": recording.name if video.live and recording.exists() else None,
            "settings": plain,
            "frames": outcome.frames,
            "finished": finished and outcome.ended is None,
            "ended": outcome.ended,
            "tracks": outcome.tracks,
            "faces": {flag: outcome.counts.get(flag, 0) for flag in ("ok", "doubtful", "hidden", "lost")},
            "frames_without": outcome.counts.get("without", 0),
            "frames_unusable": outcome.counts.get("unusable", 0),
            "frames_per_second": round((outcome.frames - first) / max(seconds, 1e-6), 2),
            "thermal_landmarks": __version__,
            "commit": git_commit(),
        },
    )
    _say(console, outcome, folder)
    if video.marked_pixels:
        console.print("Marks of the camera were filled in every frame (marks=kept leaves them)", soft_wrap=True)
    if not finished and request.signal_number is not None:
        raise Interrupted(
            f"Stopped after frame {outcome.frames - 1}; {folder} holds what came before. Go on: "
            f"thermal-landmarks track source={cfg.source} resume={folder}",
            request.signal_number,
        )


def _total(available: int | None, wanted: int | None) -> int | None:
    known = [count for count in (available, wanted) if count is not None]
    return min(known, default=None)


def _say(console: Any, outcome: Any, folder: Path) -> None:
    people = "1 track" if outcome.tracks == 1 else f"{outcome.tracks} tracks"
    without = outcome.counts.get("without", 0)
    console.print(
        f"{people} in {outcome.frames:,} frames{f', {without:,} without a face' if without else ''}: "
        f"{folder / 'tracks.csv'}",
        soft_wrap=True,
    )
    if outcome.ended not in (None, "stopped"):
        console.print(f"The video ends early: {outcome.ended}", soft_wrap=True, markup=False, highlight=False)


if __name__ == "__main__":
    main()
