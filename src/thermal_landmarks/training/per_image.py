"""One row an image: what a test writes down for tables, figures and worst cases."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.batch import Batch, to_pixels
from thermal_landmarks.training.normalised_metrics import Normaliser, normalised_errors
from thermal_landmarks.training.point_errors import image_size, point_errors_px


@dataclass
class PerImageTable:
    """Errors and predictions of each tested image, on the CPU.

    After `gather`, the columns are tensors of all processes, ordered by `index`, each image once.

    Attributes:
        normaliser: Of the NME column.
        columns: `index` (M,), `nme` (M,), `pixel_error` (M,) mean over the valid points in pixels of the original
            image, `point_error_px` (M, N) of each point in the same pixels, NaN where not annotated and infinite where
            the prediction isn't finite, `prediction_px` (M, N, 2) in pixels of the network's input; filled by
            `gather`.
    """

    normaliser: Normaliser = "inter_ocular"
    columns: dict[str, Tensor] = field(default_factory=dict)
    _parts: list[dict[str, Tensor]] = field(default_factory=list)

    def clear(self) -> None:
        """Forget everything."""
        self.columns = {}
        self._parts = []

    def add(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        """Add a batch; `prediction` in [0, 1] image units. Nothing waits for the device."""
        errors = point_errors_px(prediction, batch).nan_to_num(nan=torch.inf) * batch["pixel_size"][:, None]
        self._parts.append(
            {
                "measured": batch["mask"].any(dim=1),
                "index": batch["index"],
                "nme": normalised_errors(prediction, batch, self.normaliser),
                "pixel_error": errors.sum(dim=1) / batch["mask"].sum(dim=1),
                "point_error_px": errors.masked_fill(~batch["mask"], torch.nan),
                "prediction_px": to_pixels(prediction, image_size(batch)),
            }
        )

    def gather(self) -> None:
        """Bring the rows of all processes together in `columns`."""
        parts = [{name: value.cpu() for name, value in part.items()} for part in self._parts]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            shards: list[list[dict[str, Tensor]]] = [[] for _ in range(torch.distributed.get_world_size())]
            torch.distributed.all_gather_object(shards, parts)
            parts = [part for shard in shards for part in shard]
        self._parts = []
        if not parts:
            return
        columns = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        measured = columns.pop("measured")  # not so: an image repeated to make the processes' shares even
        row = measured.nonzero().squeeze(1)
        row = row[columns["index"][row].argsort()]
        self.columns = {name: value[row] for name, value in columns.items()}
