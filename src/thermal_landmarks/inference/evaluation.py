"""Measure a predictor on annotated images: the metrics of training, and every image's errors in original pixels."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from lightning.fabric.utilities import move_data_to_device
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from thermal_landmarks.data.batch import to_unit
from thermal_landmarks.data.cache import CachedSamples
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import RawBatch
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.training.metrics import build_metrics
from thermal_landmarks.training.normalised_metrics import normalised_errors


@dataclass(frozen=True)
class Evaluation:
    """What was measured; row i of every array is one image, NaN where a point is missing.

    Attributes:
        samples: The cache that the images come from.
        rows: Their rows in it.
        metrics: `test/...`, as at the end of training.
        nme: NaN where the image has no normaliser.
        predicted_px: In pixels of the original images.
        true_px: In pixels of the original images; NaN also where the crop has cut a point off.
        annotated_px: In pixels of the original images, with the points that the crop has cut off.
        predicted_input_px: In pixels of the network's input.
        true_input_px: In pixels of the network's input.
    """

    samples: CachedSamples
    rows: Int[np.ndarray, " image"]
    metrics: dict[str, float]
    nme: Float[np.ndarray, " image"]
    predicted_px: Float[np.ndarray, "image point 2"]
    true_px: Float[np.ndarray, "image point 2"]
    annotated_px: Float[np.ndarray, "image point 2"]
    predicted_input_px: Float[np.ndarray, "image point 2"]
    true_input_px: Float[np.ndarray, "image point 2"]

    @property
    def error_px(self) -> Float[np.ndarray, "image point"]:
        """Distance of each predicted point from the true one in pixels of the original image.

        NaN where there is no true one, infinite where the prediction isn't finite.
        """
        distance = np.linalg.norm(self.predicted_px - self.true_px, axis=-1)
        missing = np.isnan(self.true_px).any(axis=-1)
        return np.where(missing | np.isfinite(distance), distance, np.inf)

    @property
    def mean_error_px(self) -> Float[np.ndarray, " image"]:
        """Mean of each image's point errors."""
        return nan_mean(self.error_px, axis=1)


def nan_mean(values: np.ndarray, *, axis: int) -> np.ndarray:
    """The mean of what is not NaN; NaN where nothing else is there, without a warning."""
    valid = ~np.isnan(values)
    count = valid.sum(axis=axis)
    total = np.where(valid, values, 0).sum(axis=axis)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


@torch.inference_mode()
def evaluate(predictor: Predictor, data: LandmarkDataModule, *, metrics: dict[str, Any] | None = None) -> Evaluation:
    """Predict the data module's test set and measure the errors.

    Args:
        predictor: Of the same scheme and preprocessing as the data module.
        data: With a test set.
        metrics: Keyword arguments of `build_metrics`.
    """
    settings = metrics or {}
    measured = build_metrics("test/", num_points=predictor.scheme.num_points, **settings).to(predictor.device)
    parts: list[dict[str, np.ndarray]] = []
    columns = (TextColumn("Evaluating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=len(data.datasets["test"]))
        for raw in data.test_dataloader():
            on_device = cast(RawBatch, move_data_to_device(raw, predictor.device))
            batch = data.finish(on_device, augment=False)
            predicted_px = predictor.predict_normalised(batch["image"])
            predicted = to_unit(predicted_px, data.image_size)
            measured.update(predicted, batch)
            nme = normalised_errors(predicted, batch, settings.get("normaliser", "inter_ocular"))
            true_px = batch["points_px"].masked_fill(~batch["mask"][..., None], torch.nan)
            columns_of_batch = {"rows": batch["index"], "nme": nme, "predicted": predicted_px, "true": true_px}
            parts.append({name: value.cpu().numpy() for name, value in columns_of_batch.items()})
            progress.advance(task, len(nme))
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    samples, landmarks = data.datasets["test"].samples, data.datasets["test"].landmarks
    annotated = samples.points_px[table["rows"]][:, landmarks]
    back = [invert_matrix(samples.matrix[row].astype(np.float64)) for row in table["rows"]]
    return Evaluation(
        samples=samples,
        rows=table["rows"],
        metrics={name: float(value) for name, value in measured.compute().items()},
        nme=table["nme"],
        predicted_px=np.stack([transform_points(p, m) for p, m in zip(table["predicted"], back, strict=True)]),
        true_px=np.stack([transform_points(p, m) for p, m in zip(table["true"], back, strict=True)]),
        annotated_px=np.stack([transform_points(p, m) for p, m in zip(annotated, back, strict=True)]),
        predicted_input_px=table["predicted"],
        true_input_px=table["true"],
    )
