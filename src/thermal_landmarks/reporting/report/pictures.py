"""Pictures of a report: samples (the paper's Figure 1), augmentation (Figure 2), activation maximisation (3 and 4)."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from thermal_landmarks.errors import UserError, said_by
from thermal_landmarks.reporting.report.rows import Protocol, Row
from thermal_landmarks.runs import RunFolder


@dataclass(frozen=True)
class Picture:
    """An image with what it shows."""

    name: str  # of its file, without suffix
    caption: str  # below it
    webp: bytes
    width: int  # in pixels
    height: int  # in pixels

    @property
    def uri(self) -> str:
        """The image inside the page."""
        return f"data:image/webp;base64,{base64.b64encode(self.webp).decode()}"


def picture(path: Path, name: str, caption: str, *, width: int) -> Picture:
    """An image file, shrunk to a width and compressed."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"this picture can't be read ({said_by(error)}). Make it again, or remove it.") from error
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    image.save(content, "WEBP", quality=78, method=5)
    return Picture(name, caption, content.getvalue(), *image.size)


LeftOut = list[tuple[Path, str]]
"""Gets each file that can't be shown, and why: a damaged picture ends no report."""


def sample_pictures(protocols: Sequence[Protocol], left_out: LeftOut, *, width: int) -> list[Picture]:
    """Overlays of the best singular model and of the best ensemble: best, median and worst test images of each."""
    pictures: list[Picture] = []
    for kind in ("singular", "ensemble"):
        row = _best(row for protocol in protocols[:1] for row in protocol.of(kind))
        if row is None:
            continue
        for which in ("best", "median", "worst"):
            path = RunFolder(row.first.folder).figures / f"overlays_{which}.png"
            if path.is_file():
                what = f"{row.name}, seed {row.first.metrics.get('seed')}, run {row.first.number}: {which} test images"
                _add(pictures, left_out, path, f"samples_{kind}_{which}", what, width)
    return pictures


def activation_pictures(
    found: Sequence[tuple[Path, dict[str, Any]]], left_out: LeftOut, *, width: int, most: int
) -> list[Picture]:
    """What `visualize.py` left, the first `most`."""
    pictures: list[Picture] = []
    for i, (folder, facts) in enumerate(found[:most]):
        path = (folder / str(facts.get("figure", ""))).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            found_figure = str(facts.get("figure"))[:200]
            left_out.append((folder / "visualize.json", f"its figure {found_figure} isn't in that folder"))
            continue
        caption = f"{facts.get('model_id', 'model')}, layer {facts.get('layer')}: {facts.get('what', 'activation')}"
        caption += f", {facts['form']} form" if facts.get("form") else ""
        _add(pictures, left_out, path, f"activation_{i + 1}", caption, width)
    return pictures


def _add(pictures: list[Picture], left_out: LeftOut, path: Path, name: str, caption: str, width: int) -> None:
    try:
        pictures.append(picture(path, name, caption, width=width))
    except UserError as error:
        left_out.append((path, str(error)))


def augmentation_picture(
    montages: Sequence[Path], protocols: Sequence[Protocol], folder: Path, *, samples: int, width: int
) -> Picture | None:
    """Images before and after augmentation: of `check_data.py`, else drawn from the data settings of the runs.

    The newest montage is taken; else the first protocol's data settings, of rendered faces with `samples` people of
    their own, each a row (0: none).

    Raises:
        UserError: If the data can't be read.
    """
    if montages:
        newest = max(montages, key=lambda path: path.stat().st_mtime)
        return picture(newest, "augmentation", f"As {newest.parent.name} shows it", width=width)
    config = next((p.rows[0].first.config for p in protocols if p.rows[0].first.config), None)
    if config is None or samples < 1:
        return None
    from omegaconf import OmegaConf

    from thermal_landmarks.building import build
    from thermal_landmarks.reporting.data_check import write_montage

    settings = OmegaConf.create({"data": config["data"], "samples": samples})
    if str(config["data"]["source"].get("_target_")).endswith("SyntheticFaces"):
        settings.data.source.subjects, settings.data.source.images_per_subject = samples, 1
    path = folder / "augmentation.png"
    write_montage(settings, build("source", settings.data.source), path)
    drawn = picture(path, "augmentation", f"Drawn from the data settings of {protocols[0].label}", width=width)
    path.unlink()
    return drawn


def _best(rows: Any) -> Row | None:
    measured = [(row.mean("test/wing"), row) for row in rows]
    return min((m for m in measured if m[0] is not None), key=lambda m: m[0], default=(None, None))[1]
