"""What `check_data.py` leaves: report.json, findings.csv, the data set as COCO JSON, and pictures.

`montage.png` shows samples as the network gets them; `faces.png` whole pictures with every annotated face, where some
show several or a finder is to learn from them.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from omegaconf import DictConfig, OmegaConf
from PIL import Image
from rich.console import Console

from thermal_landmarks.building import build
from thermal_landmarks.data.annotation import Annotation, Source
from thermal_landmarks.data.batch import annotated_px
from thermal_landmarks.data.check_report import DataReport, Finding
from thermal_landmarks.data.checks import Use, check_source
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.face_frames import annotated_box
from thermal_landmarks.data.readers.base import FileReader
from thermal_landmarks.data.readers.coco import write_coco
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.data.split import SplitSettings, split_subjects
from thermal_landmarks.data.task import settings_of_task, task_of
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.evaluation.drawing import Picture, PointsPx, draw_boxes, draw_points, to_rgb
from thermal_landmarks.evaluation.figures import overlay_grid
from thermal_landmarks.runs import write_json

_IGNORED_COLOUR = "#999999"
_TILE, _COLUMNS = (360, 480), 2  # of whole pictures: height and width, and how many side by side
_RANDOM_VERSIONS = 3  # columns of the montage after the original, where the augmentation stores no rotated versions


def check_data(cfg: DictConfig, folder: Path, *, console: Console | None = None) -> bool:
    """Check the data set of a composed `conf/check_data.yaml`, print the report and write it into a folder.

    Returns:
        Whether training would accept the data set.
    """
    console = console or Console()
    OmegaConf.resolve(cfg)
    folder.mkdir(parents=True, exist_ok=True)
    sources: dict[str, Source] = {"": build("source", cfg.data.source)}
    if cfg.data.test_source is not None:
        sources["test"] = build("source", cfg.data.test_source)
    reports = {}
    finder = task_of(cfg.data) == "faces"
    use = Use(
        scheme=cfg.data.scheme,
        needs_box=cfg.data.crop.mode == "box" and not finder,
        whole_images=cfg.data.crop.mode == "none" and not finder,
        finder=finder,
    )
    for part, source in sources.items():
        name = f"{cfg.data_name} {part}".strip()
        reports[part] = check_source(source, use, name=name, workers=cfg.data.workers)
    _check_split(cfg, reports[""], with_test="test" not in sources)
    for part, report in reports.items():
        console.print(report.render())
        _write(report, sources[part], folder, part)
    if cfg.samples > 0 and all(report.good for report in reports.values()):
        if finder or _has_several_faces(reports[""].good):
            pictures = draw_faces(sources[""], reports[""].good, most=cfg.samples)
            Image.fromarray(pictures).save(folder / "faces.png")
        if not finder:
            write_montage(cfg, sources[""], folder / "montage.png")
    console.print(f"Report: {folder}", soft_wrap=True)
    return not any(report.bad_items for report in reports.values())


def _check_split(cfg: DictConfig, report: DataReport, *, with_test: bool) -> None:
    if not report.good:
        return
    try:
        split_subjects([a.subject for a in report.good], SplitSettings(**cfg.data.split), with_test=with_test)
    except (ConfigError, DataError) as error:
        report.findings.insert(0, Finding("error", "split", "", "data.split", str(error)))


def _write(report: DataReport, source: Source, folder: Path, part: str) -> None:
    prefix = f"{part}_" if part else ""
    write_json(folder / f"{prefix}report.json", report.record())
    report.write_findings(folder / f"{prefix}findings.csv")
    files = [annotation for annotation in report.good if annotation.image.is_file()]  # rendered faces have no files
    if files:
        unit = getattr(source, "unit", None)
        write_coco(folder / f"{prefix}coco.json", files, scheme=report.scheme, sizes=report.image_sizes, unit=unit)


def write_montage(cfg: DictConfig, source: Source, path: Path) -> None:
    """Draw `cfg.samples` images of a source before and after the augmentation of `cfg.data`."""
    # all usable images serve as training images here, whatever the split
    split = {**cfg.data.split, "overlap": True, "file": None}
    settings: dict[str, Any] = {"source": None, "test_source": None, "on_bad_item": "skip", "split": split}
    data: LandmarkDataModule = build("data", {**settings_of_task(cfg.data), **settings})
    data.source = source
    data.setup()
    dataset = data.datasets["train"]
    images = len(dataset.rows)
    chosen = np.linspace(0, images - 1, min(cfg.samples, images)).round().astype(int)
    first = chosen * dataset.variants

    def version(indices: np.ndarray, *, augment: bool, titles: list[str]) -> list[tuple[Picture, PointsPx, str]]:
        batch = data.finish(dataset.__getitems__(indices.tolist()), augment=augment)
        return list(zip(batch["image"].numpy(), annotated_px(batch).numpy(), titles, strict=True))

    subjects = [data.datasets["train"].samples.subjects[row] for row in dataset.rows[chosen]]
    before = version(first, augment=False, titles=subjects)
    if dataset.angle_deg is not None:
        angles = dataset.angle_deg[chosen]
        columns = [
            version(first + i, augment=True, titles=[f"{angle:+.0f} degrees" for angle in angles[:, i]])
            for i in range(1, dataset.variants)
        ]
    else:
        # an index above the length belongs to a later epoch, so that each column draws again
        columns = [
            version(first + epoch * len(dataset), augment=True, titles=[f"epoch {epoch}"] * len(chosen))
            for epoch in range(_RANDOM_VERSIONS)
        ]
    panels = [panel for row in zip(before, *columns, strict=True) for panel in row]
    shown, points_px, titles = zip(*panels, strict=True)
    overlay_grid(shown, points_px, titles=titles, columns=1 + len(columns)).savefig(path)


def _has_several_faces(annotations: Sequence[Annotation]) -> bool:
    """Whether any picture shows more than one face."""
    return len({annotation.image for annotation in annotations}) < len(annotations)


def draw_faces(source: Source, annotations: Sequence[Annotation], *, most: int) -> UInt8[np.ndarray, "height width 3"]:
    """Some pictures side by side, those with the most faces first; each face has the number of its annotation.

    Regions that are to be ignored are gray.
    """
    scheme = get_scheme(source.scheme)
    regions = source.ignored if isinstance(source, FileReader) else {}
    by_image: dict[Path, list[tuple[int, Annotation]]] = defaultdict(list)
    for number, annotation in enumerate(annotations):
        by_image[annotation.image].append((number, annotation))
    shown = sorted(by_image.values(), key=len, reverse=True)[:most]
    height, width = _TILE
    sheet = Image.new("RGB", (min(len(shown), _COLUMNS) * width, -(-len(shown) // _COLUMNS) * height))
    for place, faces in enumerate(shown):
        picture = Image.fromarray(to_rgb(source.load(faces[0][1]).values))
        scale = min(height / picture.height, width / picture.width)
        drawn = np.asarray(picture.resize((round(picture.width * scale), round(picture.height * scale))))
        edges = np.tile(drawn.shape[1::-1], 2) - 1
        ignored = [
            tuple(((np.array(box) + 0.5) * scale - 0.5).clip(0, edges)) for box in regions.get(faces[0][1].image, ())
        ]
        drawn = draw_boxes(drawn, ignored, ["ignored"] * len(ignored), colour=_IGNORED_COLOUR)
        for number, annotation in faces:
            box = annotated_box(annotation, scheme)
            if box is not None:
                left, top, right, bottom = (box[0] + 0.5) * scale - 0.5
                drawn = draw_boxes(drawn, [(left, top, right, bottom)], [str(number)])
            drawn = draw_points(drawn, (annotation.points_px + 0.5) * scale - 0.5)
        sheet.paste(Image.fromarray(drawn), (place % _COLUMNS * width, place // _COLUMNS * height))
    return np.asarray(sheet)
