"""How pictures and recordings are read, before anything is predicted: `python src/info.py source=FILE`."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command
from thermal_landmarks.data.paths import matching
from thermal_landmarks.errors import ConfigError, DataError, UserError, require_choice


@dataclass(frozen=True)
class Reading:
    """What is known of one file once its picture, or its first frame, is read."""

    file: str
    kind: str  # picture or video
    width: int
    height: int
    frames: int | None  # None: the file doesn't say
    fps: float | None  # None: a picture
    unit: str  # celsius, or gray: no temperatures
    lowest: float
    median: float
    highest: float
    palette: str | None  # that was turned back into intensity
    marked_pixels: int  # under logos, scales and the like, which are filled

    def __str__(self) -> str:
        shown = f"{self.file}: {self.kind}, {self.width} x {self.height}"
        if self.fps is not None:
            shown += f", {self.frames:,} frames" if self.frames is not None else ", frames not counted"
            shown += f" at {self.fps:.4g} a second"
            shown += f" ({self.frames / self.fps:.1f} s)" if self.frames is not None else ""
        unit = "degrees Celsius" if self.unit == "celsius" else "gray levels, no temperatures"
        shown += f"; {unit}: {self.lowest:.1f} to {self.highest:.1f}, median {self.median:.1f}"
        shown += f"; palette {self.palette}" if self.palette else ""
        return shown + (f"; {self.marked_pixels:,} pixels under marks are filled" if self.marked_pixels else "")


@command("info", renders=False)
def main(cfg: DictConfig) -> None:
    """Say of each file its size, length and unit, the values that it shows, its palette, and what the camera drew."""
    require_choice("format", cfg.format, ("text", "json"))
    entries = [cfg.source] if isinstance(cfg.source, str) else list(cfg.source or ())
    files = [file for entry in entries for file in matching(entry) or [Path(entry)]]
    if not files:
        raise ConfigError("source= is missing: a picture, a recording, a pattern in quotes ('day1/*'), or a list.")
    readings, failures = [], 0
    for file in files:
        try:
            readings.append(read(file, unit=cfg.unit, fps=cfg.fps))
        except UserError as error:
            failures += 1
            print(f"error: {error}", file=sys.stderr)
        else:
            if cfg.format == "text":
                print(readings[-1])
    if cfg.format == "json":
        print(json.dumps([asdict(reading) for reading in readings], indent=1))
    if failures:
        raise DataError(f"{failures} of {len(files)} files can't be read.")


def read(path: Path, *, unit: str | None = None, fps: float | None = None) -> Reading:
    """A file as `predict` reads it, or as `track` does where it is no single picture.

    Raises:
        DataError: If it is neither.
    """
    from thermal_landmarks.data.formats.displayed import as_heat
    from thermal_landmarks.data.formats.images import read_image, readable_suffixes

    of_picture: DataError | None = None
    if path.suffix.lower() in readable_suffixes() and path.is_file():
        try:
            image = as_heat(read_image(path, unit=unit), "auto", "masked")
        except DataError as error:
            of_picture = error
        else:
            shown = _values(image.values)
            height, width = image.values.shape
            return Reading(
                str(path), "picture", width, height, 1, None, image.unit, *shown, image.palette, image.masked
            )
    try:
        return _video(path, unit=unit, fps=fps)
    except DataError as error:
        raise of_picture or error from error


def _video(path: Path, *, unit: str | None, fps: float | None) -> Reading:
    from thermal_landmarks.data.video import open_video

    video = open_video(path, unit=unit, fps=fps)
    try:
        shown = _values(next(iter(video)).image.values)
    finally:
        video.close()
    height, width = video.size
    about = (video.n_frames, video.fps, video.unit, *shown, video.palette, video.marked_pixels)
    return Reading(str(path), "video", width, height, *about)


def _values(values: np.ndarray) -> tuple[float, float, float]:
    return float(values.min()), float(np.median(values)), float(values.max())


if __name__ == "__main__":
    main()
