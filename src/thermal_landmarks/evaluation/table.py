"""What one pass over a data set leaves: for each image what is predicted and what is true, of all processes.

Every number, table, curve and picture of a validation, a test or an evaluation is a function of this table, in double
precision. A missing point or normaliser (NaN: it can't be measured) and a prediction that isn't finite (infinite: the
network failed) are told apart throughout.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from thermal_landmarks.data.batch import Batch, annotated_px, image_size

Normaliser = Literal["inter_ocular", "box", "image_diagonal"]


@dataclass(frozen=True)
class ImageTable:
    """Row i of every column is one image, each image once. Pixels are those of the network's input."""

    index: Int[np.ndarray, " image"]  # the image's row in the samples of its data set, ascending
    prediction: Float[np.ndarray, "image point 2"]  # in [0, 1] image units
    true_px: Float[np.ndarray, "image point 2"]  # NaN where a point is not annotated or cut off by the crop
    inter_ocular_px: Float[np.ndarray, " image"]  # distance of the outer eye corners; NaN where they are not annotated
    box_px: Float[np.ndarray, "image 2"]  # width and height of the upright rectangle around all annotated points
    pixel_size: Float[np.ndarray, " image"]  # pixels of the original image per pixel of the input
    size_px: Float[np.ndarray, "image 2"]  # width and height of the input

    def __len__(self) -> int:
        return len(self.index)

    @property
    def predicted_px(self) -> Float[np.ndarray, "image point 2"]:
        """The predicted points, pixel centres at integers."""
        return self.prediction * self.size_px[:, None] - 0.5

    @cached_property
    def error_px(self) -> Float[np.ndarray, "image point"]:
        """Distance of each predicted point from the true one in pixels of the original image.

        NaN where there is no true one, infinite where the prediction isn't finite.
        """
        return distances(self.predicted_px, self.true_px) * self.pixel_size[:, None]

    @property
    def mean_error_px(self) -> Float[np.ndarray, " image"]:
        """Mean of each image's point errors."""
        return nan_mean(self.error_px, axis=1)

    def nme(
        self, normaliser: Normaliser, error_px: Float[np.ndarray, "image point"] | None = None
    ) -> Float[np.ndarray, " image"]:
        """Mean point error of each image over a length; NaN without a point or a length, infinite as `error_px`.

        The length is `inter_ocular` (outer eye corners), `box` (square root of width x height of the rectangle around
        the true points) or `image_diagonal` (of the network's input). Other errors than those of this table are in
        pixels of the original image.
        """
        length_px = {
            "inter_ocular": lambda: self.inter_ocular_px,
            "box": lambda: np.sqrt(self.box_px.prod(axis=1)),
            "image_diagonal": lambda: np.hypot(*self.size_px.T),
        }[normaliser]()
        mean_px = nan_mean(self.error_px if error_px is None else error_px, axis=1)
        return mean_px / np.where(length_px > 0, length_px * self.pixel_size, np.nan)


def distances(
    predicted: Float[np.ndarray, "*shape 2"], true: Float[np.ndarray, "*shape 2"]
) -> Float[np.ndarray, "*shape"]:
    """Between points; NaN where there is no true one, infinite where the predicted one isn't finite."""
    distance = np.linalg.norm(predicted - true, axis=-1)
    return np.where(np.isnan(true).any(axis=-1) | np.isfinite(distance), distance, np.inf)


def nan_mean(values: np.ndarray, *, axis: int | tuple[int, ...]) -> np.ndarray:
    """The mean of what is not NaN; NaN where nothing else is there, without a warning."""
    valid = ~np.isnan(values)
    count = valid.sum(axis=axis)
    total = np.where(valid, values, 0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(count), np.nan), where=count > 0)


class ImagePass:
    """Collects the batches of one pass, on their device, and brings those of all processes together at its end."""

    def __init__(self, num_points: int) -> None:
        self.num_points = num_points
        self._parts: list[dict[str, Tensor]] = []

    def clear(self) -> None:
        """Forget everything."""
        self._parts = []

    def add(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        """Add a batch; `prediction` in [0, 1] image units. Nothing waits for the device."""
        height, width = image_size(batch)
        self._parts.append(
            {
                "index": batch["index"],
                "prediction": prediction.detach(),
                "true_px": annotated_px(batch),
                "inter_ocular_px": batch["inter_ocular_px"],
                "box_px": batch["box_px"],
                "pixel_size": batch["pixel_size"],
                "size_px": prediction.new_tensor([width, height]).expand(len(prediction), 2),
            }
        )

    def finish(self) -> ImageTable:
        """The table of all processes, and a new beginning."""
        parts = [{name: value.cpu().numpy() for name, value in part.items()} for part in self._parts]
        self._parts = []
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            shards: list[list[dict[str, np.ndarray]]] = [[] for _ in range(torch.distributed.get_world_size())]
            torch.distributed.all_gather_object(shards, parts)
            parts = [part for shard in shards for part in shard]
        parts = parts or [self._nothing()]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return ImageTable(**_each_once(columns))

    def _nothing(self) -> dict[str, np.ndarray]:
        points, pair, one = np.empty((0, self.num_points, 2)), np.empty((0, 2)), np.empty(0)
        index = np.empty(0, dtype=np.int64)
        columns = {"index": index, "prediction": points, "true_px": points, "inter_ocular_px": one}
        return {**columns, "box_px": pair, "pixel_size": one, "size_px": pair}


def _each_once(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows by ascending index; of an image that comes again, masked, to make the processes' shares even, the first."""
    points = (~np.isnan(columns["true_px"]).any(axis=2)).sum(axis=1)
    order = np.lexsort((-points, columns["index"]))
    index = columns["index"][order]
    order = order[np.diff(index, prepend=index[:1] - 1) > 0]
    return {name: v[order] if name == "index" else v[order].astype(np.float64) for name, v in columns.items()}
