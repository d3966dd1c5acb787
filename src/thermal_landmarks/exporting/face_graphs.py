"""The parts of `Predictor.faces` as modules that can be exported: where faces are, and their landmarks with confidence.

The first takes images (height, width) of any size, degrees Celsius or gray levels, the second one. `onnx_file` joins
them.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.data.batch import numbers
from thermal_landmarks.data.face_frames import expected_points, face_frames
from thermal_landmarks.data.scenes.gray import PERCENTILES, SAMPLES, SKIN_RANGE_C
from thermal_landmarks.data.warping import inverse
from thermal_landmarks.exporting.calibration_graph import CalibrationGraph
from thermal_landmarks.inference.confidence import BEYOND, Confidence, agreement_of
from thermal_landmarks.inference.finder import LARGE, LEAST_SCORE, MULTIPLE, OVERLAP, SURE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.second_look import SecondLook
from thermal_landmarks.models.network import FinderNetwork

_USUAL_SHAPE = 3 / 4  # height of an image by its width


class Seen(nn.Module):
    """What the finder's network is shown of images: gray levels, padded to whole cells, and the longest side before.

    Args:
        longest_side: That images are seen at.
    """

    def __init__(self, longest_side: int) -> None:
        super().__init__()
        self.longest_side = longest_side
        # As `to_bytes` has it for images of the usual shape, which must not depend on the image here.
        self._step = max(1, int((_USUAL_SHAPE * longest_side**2 / SAMPLES) ** 0.5))

    def forward(
        self, images: Float[Tensor, "image height width"], celsius: Bool[Tensor, ""]
    ) -> tuple[Float[Tensor, "image 1 rows columns"], Float[Tensor, "1"]]:
        _, height, width = images.shape
        low, high = (
            torch.where(celsius, end, sign * math.inf) for end, sign in zip(SKIN_RANGE_C, (-1, 1), strict=True)
        )
        values = torch.clamp(images, low, high)
        longest: Any = torch.sym_max(height, width)  # open, as are the sizes that follow from it
        size: Any = [(2 * side * self.longest_side + longest) // (2 * longest) for side in (height, width)]
        seen = F.interpolate(values[:, None], size=size, mode="bilinear", align_corners=False, antialias=True)
        ends = _percentiles(seen[:, 0, :: self._step, :: self._step].flatten(1))
        darkest, brightest = (end[:, None, None, None] for end in ends)
        gray = ((seen - darkest) * (255 / (brightest - darkest).clamp(min=1e-3))).round().clamp(0, 255) / 127.5 - 1
        return F.pad(gray, (0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE), value=-1.0), numbers([longest], images)


class Cells(nn.Module):
    """From what `Seen` gives to a box, a score and an angle for each cell, scores only at peaks.

    Args:
        network: The finder's.
        longest_side: That images are seen at.
    """

    def __init__(self, network: FinderNetwork, longest_side: int) -> None:
        super().__init__()
        self.network = network
        self.longest_side = longest_side

    def forward(self, gray: Float[Tensor, "image 1 rows columns"], longest: Float[Tensor, "1"]) -> tuple[Tensor, ...]:
        boxes, score, angle = self.at_cells(gray, longest)
        return boxes.transpose(1, 2), score[:, None], angle

    def at_cells(
        self, gray: Float[Tensor, "image 1 rows columns"], longest: Float[Tensor, "1"]
    ) -> tuple[Float[Tensor, "image 4 cell"], Float[Tensor, "image cell"], Float[Tensor, "image cell"]]:
        """Boxes, scores and angles; what belongs to one side of the boxes lies together, which is quicker."""
        maps = self.network(gray)
        score = maps.score.sigmoid()
        peaks = F.max_pool2d(score[:, None], 3, stride=1, padding=1)[:, 0] == score
        centre, half = maps.box.flatten(2).split(2, dim=1)
        half = half / 2
        pixels = longest * (self.network.stride / self.longest_side)  # of the image, a cell
        boxes = torch.cat([centre - half, centre + half], dim=1) * pixels - 0.5
        cos, sin = maps.angle.flatten(2).unbind(1)
        return boxes, (score * peaks).flatten(1), torch.atan2(sin, cos)


class CellsOfOne(Cells):
    """Of one image, and whether a quick look is enough (`inference.finder.is_enough`)."""

    def forward(self, gray: Tensor, longest: Tensor) -> tuple[Tensor, ...]:
        boxes, score, angle = self.at_cells(gray, longest)
        return boxes.transpose(1, 2), score[:, None], angle, shows_one_face(boxes[0], score[0], longest)


class Candidates(nn.Module):
    """What the finder sees in an image.

    Its two parts are converted one by one: the sizes of all of the network's layers would follow from those of the
    image by formulas that take PyTorch's exporter a minute to simplify.

    Args:
        finder: With one size and without turns.
        size: That the image is seen at; None: the finder's.
        cells: The second part.
    """

    def __init__(self, finder: Finder, size: int | None = None, cells: type[Cells] = Cells) -> None:
        super().__init__()
        (usual,) = finder.sizes
        self.seen = Seen(size or usual)
        self.cells = cells(finder.network, size or usual)

    def forward(
        self, images: Float[Tensor, "image height width"], celsius: Bool[Tensor, ""]
    ) -> tuple[Float[Tensor, "image cell 4"], Float[Tensor, "image 1 cell"], Float[Tensor, "image cell"]]:
        boxes, scores, angles = self.cells(*self.seen(images, celsius))
        return boxes, scores, angles


def shows_one_face(
    boxes: Float[Tensor, "4 cell"], score: Float[Tensor, " cell"], longest_side: Float[Tensor, "1"]
) -> Bool[Tensor, "1"]:
    """Whether the best cell is a large face that is surely there, and no cell shows another."""
    best = boxes.index_select(1, score.argmax(keepdim=True))
    shared = (torch.minimum(boxes[2:], best[2:]) - torch.maximum(boxes[:2], best[:2])).clamp(min=0).prod(dim=0)
    areas, area = (boxes[2:] - boxes[:2]).prod(dim=0), (best[2:] - best[:2]).prod()
    another = (score > LEAST_SCORE) & (shared <= OVERLAP * (areas + area - shared))
    return (score.max() >= SURE) & (area >= (LARGE * longest_side).square()) & ~another.any()


class FaceLandmarks(nn.Module):
    """The landmarks of faces whose boxes are known, and how sure they are.

    Args:
        predictor: Whose crops come from the image (speed `fast` or `balanced`).
        confidence: For looks at that speed.
        second_look: The finder's, if it has one.
    """

    def __init__(self, predictor: Predictor, confidence: Confidence, second_look: SecondLook | None) -> None:
        super().__init__()
        self.second_look = second_look
        self.cascade = predictor.cascade
        self.network = predictor.cascade.network
        calibration = predictor.cascade.calibration
        self.calibrated = nn.Identity() if calibration is None else CalibrationGraph(calibration, predictor.scheme)
        cascade = predictor.preprocessing.cascade
        assert cascade is not None
        self.frame_size = predictor.preprocessing.image_size
        start, known = expected_points(predictor.scheme, cascade.reference, self.frame_size)
        self.register_buffer("start", torch.from_numpy(start).float())
        self.register_buffer("known", None if known.all() else torch.from_numpy(known))
        for name, weights in confidence.settings.items():
            self.register_buffer(name, torch.tensor(weights))

    known: Tensor | None
    start: Tensor
    found_weights: Tensor
    face_weights: Tensor
    point_weights: Tensor

    def forward(
        self,
        image: Float[Tensor, "height width"],
        boxes: Float[Tensor, "face 4"],
        score: Float[Tensor, " face"],
        angle: Float[Tensor, " face"],
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Landmarks (face, point, 2) in pixels, their confidence (face,), that of each (face, point), score (face,)."""
        size = (image.shape[0], image.shape[1])
        if self.second_look is not None:
            score = self.second_look(image, boxes, angle, score)
        frames = face_frames(boxes, angle, self.frame_size)
        start_px = (self.start - frames[:, None, :, 2]) @ inverse(frames[:, :, :2]).transpose(1, 2)
        looks = self.calibrated(self.cascade.see_images(image[None, None], start_px, self.known))
        points = looks.mean(dim=0)
        face, each, outside = agreement_of(looks, boxes, score, size)
        sure = (each @ self.point_weights).sigmoid()
        sure = torch.where(outside, sure.clamp(max=BEYOND), sure)
        return points, (face @ self.face_weights).sigmoid(), sure, (face @ self.found_weights).sigmoid()


def _percentiles(
    values: Float[Tensor, "image n"],
) -> tuple[Float[Tensor, " image"], Float[Tensor, " image"]]:
    """As `numpy.percentile` gives them, from the ends of the values alone."""
    low, high = PERCENTILES
    assert low == 100 - high
    count = values.shape[1]
    rank = numbers([count - 1], values)[0] * (low / 100)
    some = count // 200 + 2
    ends = torch.stack([values.topk(some, largest=False).values, values.topk(some).values])
    place = rank.floor().long()
    at, beyond = ends[..., place], ends[..., place + 1]
    dark, bright = at + (rank - rank.floor()) * (beyond - at)
    return dark, bright
