"""The landmark network alone as a module that can be exported: crops of faces in, landmarks in their pixels out.

For callers that find and crop faces themselves. Where faces come from, stages, mirror images and confidence are left to
`face_graphs`; the contrast of a crop, and a calibration, are inside.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.crops import stretch
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.exporting.calibration_graph import CalibrationGraph
from thermal_landmarks.inference.predictor import Predictor

_HALVINGS = 24  # of the range of values: as fine as float32


class CropLandmarks(nn.Module):
    """One look at each crop.

    Args:
        predictor: Of any network that sees one channel.

    Attributes:
        size: (height, width) of a crop: that of the network's input.
        face_size: With a cascade, the larger side of the landmarks' rectangle in a crop, as a fraction of its
            height; None: crops are as `data.crop` made them in training.

    Raises:
        ConfigError: If the network sees colours.
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        preprocessing = predictor.preprocessing
        if preprocessing.colour:
            raise ConfigError("This network sees red, green and blue. Only networks of one channel can be exported.")
        self.network = predictor.cascade.network
        self.channels = preprocessing.in_channels
        calibration = predictor.cascade.calibration
        self.calibrated = nn.Identity() if calibration is None else CalibrationGraph(calibration, predictor.scheme)
        self.size = preprocessing.input_size
        cascade = preprocessing.cascade
        self.face_size = None if cascade is None else cascade.face_size
        normalisation = preprocessing.normalisation
        self._of_crop = None if cascade is None else cascade.percentiles
        self._of_image = normalisation.percentiles if normalisation.mode == "percentile" else None
        self._windows = (normalisation.temperature_range_c, normalisation.gray_range)

    def forward(
        self, crops: Float[Tensor, "crop height width"], celsius: Bool[Tensor, ""]
    ) -> Float[Tensor, "crop point 2"]:
        points = self.network(self._normalised(crops[:, None], celsius).expand(-1, self.channels, -1, -1))
        moved: Tensor = self.calibrated(to_pixels(points, self.size))
        return moved

    def _normalised(self, crops: Tensor, celsius: Tensor) -> Float[Tensor, "crop 1 height width"]:
        if self._of_crop is not None:
            return stretch(crops, self._of_crop, smallest=smallest_by_halving)
        if self._of_image is None:
            low, high = (torch.where(celsius, *ends) for ends in zip(*self._windows, strict=True))
        else:
            values = crops[:, 0, ::2, ::2].flatten(1)
            low, high = (percentile_of(values, end)[:, None, None, None] for end in self._of_image)
        return ((crops - (low + high) / 2) * (2 / (high - low).clamp(min=1e-6))).clamp(-1, 1)


def percentile_of(values: Float[Tensor, "crop n"], percentile: float) -> Float[Tensor, " crop"]:
    """As `numpy.percentile` gives it."""
    rank = percentile / 100 * (values.shape[1] - 1)
    below = smallest_by_halving(values, math.floor(rank))
    return torch.lerp(below, smallest_by_halving(values, math.ceil(rank)), rank - math.floor(rank))


def smallest_by_halving(values: Float[Tensor, "crop n"], rank: int) -> Float[Tensor, " crop"]:
    """The value with `rank` smaller ones, without sorting, which runtimes of phones can't."""
    low, high = values.amin(dim=1), values.amax(dim=1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = (values <= middle[:, None]).to(values.dtype).sum(dim=1) > rank
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    return torch.where(values <= high[:, None], values, low[:, None]).amax(dim=1)
