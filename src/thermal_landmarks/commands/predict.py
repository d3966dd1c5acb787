"""Landmarks of every face in image files: `python src/predict.py source=FOLDER`."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from thermal_landmarks.allocator import keep_freed_memory
from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError, require_choice

if TYPE_CHECKING:
    from thermal_landmarks.data.schemes import Scheme
    from thermal_landmarks.inference.face import FindsFaces
    from thermal_landmarks.inference.image_files import Outcome
    from thermal_landmarks.inference.predictor import Predictor
    from thermal_landmarks.physiology.stills import TemperatureTable

_NOBODY = (
    "No face was found in any image. Where there are some: rotations=all finds them in pictures that lie on their "
    "side, finder_size=[448,1024] small ones, min_score=0.3 faint ones; faces=frame takes each image for one face"
)
_CHOICES = {"faces": ("auto", "one", "frame"), "rotations": ("upright", "all"), "format": ("csv", "coco")}


@command("predict", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Find the faces, predict their landmarks, and leave points.csv, landmarks.json and overlays in the folder."""
    from rich.console import Console

    from thermal_landmarks.inference.image_files import find_images
    from thermal_landmarks.inference.picture_reader import Reading
    from thermal_landmarks.runtime import ExportedFaces
    from thermal_landmarks.runtime.engine import WithSecondOpinion, exported_file
    from thermal_landmarks.runtime.exported import cores

    for name, known in _CHOICES.items():
        require_choice(name, cfg[name], known)
    workers = cores() if cfg.threads == "auto" else cfg.threads
    if not isinstance(workers, int) or workers < 1:
        raise ConfigError(f"threads={cfg.threads}: expected auto, or a number from 1 on.")
    keep_freed_memory()
    errors = Console(stderr=True)
    files = find_images(cfg.source)
    reading = Reading(
        unit=cfg.unit,
        counts_table=None if cfg.counts_table is None else Path(cfg.counts_table),
        palette=cfg.palette,
        marks=cfg.marks,
        debug=cfg.debug,
        report=lambda failure: errors.print(
            f"skipped: {failure.reason}", markup=False, highlight=False, soft_wrap=True
        ),
    )
    settings: dict[str, Any] = {"overlays": cfg.overlays, "reading": reading}
    file = exported_file(cfg.engine, cfg.checkpoint, cfg)
    if file is None:
        _with_torch(cfg, files, folder, workers, settings)
        return
    if cfg.engine == "auto" and file != Path(str(cfg.checkpoint)) and find_spec("torch") is not None:
        exported: ExportedFaces = WithSecondOpinion(file, lambda: _predictor(cfg))
    else:
        exported = ExportedFaces(file)
    speed = exported.settings["speed"]
    if cfg.speed not in (None, speed):
        raise ConfigError(f"speed={cfg.speed}: {file} was exported for speed={speed}. Leave speed= out.")
    _predict_faces(exported, cfg, files, folder, workers=workers, **settings)


def _predictor(cfg: DictConfig) -> "Predictor":
    from thermal_landmarks.inference.predictor import Predictor

    return Predictor.from_checkpoint(
        cfg.checkpoint,
        device=cfg.device,
        precision=cfg.precision,
        flip_tta=cfg.flip_tta,
        batch_size=cfg.batch_size,
        speed=cfg.speed or "balanced",
    )


def _with_torch(cfg: DictConfig, files: list[Path], folder: Path, workers: int, settings: dict[str, Any]) -> None:
    import torch

    from thermal_landmarks.inference.face_places import choose_boxes, choose_five_points, read_all_boxes
    from thermal_landmarks.inference.finder import Finder
    from thermal_landmarks.inference.image_files import predict_files

    predictor = _predictor(cfg)
    if predictor.device.type == "cpu":
        torch.set_num_threads(1)  # each worker's: several share an image's little work badly
        settings["workers"] = workers
    if cfg.faces == "frame" or cfg.five_points is not None or cfg.boxes == "whole":
        if cfg.temperatures:
            raise ConfigError("temperatures= wants faces that are found, or boxes=FILE. Leave out faces=frame.")
        crop = predictor.preprocessing.crop
        five_points = choose_five_points(cfg.five_points, crop)
        boxes = choose_boxes(cfg.boxes, crop, five_points=five_points)
        outcome = predict_files(predictor, files, folder, boxes=boxes, five_points=five_points, **settings)
        _say(outcome, f"{outcome.predicted} of {len(files)} images", files, folder)
    else:
        sizes = [cfg.finder_size] if isinstance(cfg.finder_size, int) else list(cfg.finder_size)
        usual = sizes == [448] and cfg.rotations == "upright" and cfg.speed != "exact"
        finder = Finder.from_checkpoint(
            cfg.finder,
            sizes=sizes,
            first_size=cfg.finder_first_size if usual else None,
            rotations=cfg.rotations,
            device=predictor.device,
        )
        boxes_px = None if cfg.boxes is None else read_all_boxes(Path(cfg.boxes))
        _predict_faces(predictor, cfg, files, folder, finder=finder, boxes=boxes_px, **settings)


def _predict_faces(predictor: "FindsFaces", cfg: DictConfig, files: list[Path], folder: Path, **settings: Any) -> None:
    from thermal_landmarks.inference.face_files import predict_faces

    temperatures = _temperature_table(cfg, folder, predictor.scheme) if cfg.temperatures else None
    if temperatures is not None:
        settings["also"] = temperatures.add_faces
    outcome = predict_faces(predictor, files, folder, **_faces_settings(cfg), **settings)
    if temperatures is not None:
        temperatures.close()
        if temperatures.without:
            print(f"{temperatures.without} images with faces hold no temperatures; unit= names that of bare numbers")
    _say(outcome, str(outcome), files, folder)
    if not outcome.faces:
        print(_NOBODY)


def _temperature_table(cfg: DictConfig, folder: Path, scheme: "Scheme") -> "TemperatureTable":
    from thermal_landmarks.physiology.regions import read_regions
    from thermal_landmarks.physiology.stills import TemperatureTable

    own = read_regions(Path(cfg.temperatures).expanduser()) if isinstance(cfg.temperatures, str) else {}
    return TemperatureTable(folder / "temperatures.csv", scheme, own)


def _faces_settings(cfg: DictConfig) -> dict[str, Any]:
    one = cfg.faces == "one"
    return {
        "most": 1 if one else None,
        "min_score": 0.0 if one else cfg.min_score,
        "min_confidence": cfg.min_confidence,
        "form": cfg.format,
    }


def _say(outcome: "Outcome", said: str, files: list[Path], folder: Path) -> None:
    from rich.console import Console

    from thermal_landmarks.errors import DataError

    console = Console()
    console.print(f"{said}: {folder / 'points.csv'}", soft_wrap=True)
    if outcome.palettes:
        counted = ", ".join(f"{name} {count}" for name, count in outcome.palettes.most_common())
        console.print(f"Colour palettes read as intensity: {counted}", soft_wrap=True)
    if outcome.masked:
        console.print(f"Marks of the camera were filled in {outcome.masked} pictures (marks=kept leaves them)")
    if outcome.failures:
        listed = "\n".join(f"  {failure.path}" for failure in outcome.failures)
        raise DataError(f"{len(outcome.failures)} of {len(files)} images have no prediction:\n{listed}")


if __name__ == "__main__":
    main()
