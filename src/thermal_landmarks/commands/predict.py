"""Landmarks of image files: `python src/predict.py checkpoint=outputs/train/... source=FOLDER`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("predict")
def main(cfg: DictConfig) -> None:
    """Predict, and leave points.csv, landmarks.json and overlays in the output folder."""
    from rich.console import Console

    from thermal_landmarks.errors import DataError
    from thermal_landmarks.inference.face_places import choose_boxes, choose_five_points
    from thermal_landmarks.inference.image_files import find_images, predict_files
    from thermal_landmarks.inference.predictor import Predictor
    from thermal_landmarks.models.checkpoint import find_checkpoint

    console, errors = Console(), Console(stderr=True)
    checkpoint = find_checkpoint(cfg.checkpoint)
    files = find_images(cfg.source)
    predictor = Predictor.from_checkpoint(
        checkpoint, device=cfg.device, precision=cfg.precision, mirror=cfg.mirror, batch_size=cfg.batch_size
    )
    crop = predictor.preprocessing.crop
    five_points = choose_five_points(cfg.five_points, crop)
    boxes = choose_boxes(cfg.boxes, crop, five_points=five_points)
    counts_table = None if cfg.counts_table is None else Path(cfg.counts_table)
    folder = Path(HydraConfig.get().runtime.output_dir)

    outcome = predict_files(
        predictor,
        files,
        folder,
        unit=cfg.unit,
        counts_table=counts_table,
        boxes=boxes,
        five_points=five_points,
        overlays=cfg.overlays,
        debug=cfg.debug,
        report=lambda failure: errors.print(
            f"skipped: {failure.reason}", markup=False, highlight=False, soft_wrap=True
        ),
    )
    console.print(f"{outcome.predicted} of {len(files)} images: {folder / 'points.csv'}", soft_wrap=True)
    if outcome.failures:
        listed = "\n".join(f"  {failure.path}" for failure in outcome.failures)
        raise DataError(f"{len(outcome.failures)} of {len(files)} images have no prediction:\n{listed}")


if __name__ == "__main__":
    main()
