"""The parts of `Predictor.faces` as modules that can be exported: where faces are, and their landmarks with confidence.

`seen_graph` prepares images (height, width) of any size for the first, `choice_graph` chooses among what it sees, and
`onnx_file` joins them.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from thermal_landmarks.data.face_frames import expected_points, face_frames
from thermal_landmarks.data.warping import inverse
from thermal_landmarks.exporting.calibration_graph import CalibrationGraph
from thermal_landmarks.inference.confidence import BEYOND, Confidence, agreement_of
from thermal_landmarks.inference.finder import LARGE, LEAST_SCORE, OVERLAP, SURE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.second_look import SecondLook
from thermal_landmarks.models.network import FinderNetwork


class Cells(nn.Module):
    """From gray levels (`seen_graph`) to a box, a score and a direction for each cell, scores only at peaks.

    Args:
        network: The finder's.
        longest_side: That images are seen at.
    """

    def __init__(self, network: FinderNetwork, longest_side: int) -> None:
        super().__init__()
        self.network = network
        self.longest_side = longest_side

    def forward(self, gray: Float[Tensor, "image 1 rows columns"], longest: Float[Tensor, "1"]) -> tuple[Tensor, ...]:
        """Boxes (image, cell, 4), scores (image, 1, cell), and cosine and sine of the angles (image, cell, 2)."""
        boxes, score, directions = self.at_cells(gray, longest)
        return boxes.transpose(1, 2), score[:, None], directions.transpose(1, 2)

    def at_cells(
        self, gray: Float[Tensor, "image 1 rows columns"], longest: Float[Tensor, "1"]
    ) -> tuple[Float[Tensor, "image 4 cell"], Float[Tensor, "image cell"], Float[Tensor, "image 2 cell"]]:
        """What belongs to one side of the boxes lies together, which is quicker."""
        maps = self.network(gray)
        score = maps.score.sigmoid()
        peaks = F.max_pool2d(score[:, None], 3, stride=1, padding=1)[:, 0] == score
        centre, half = maps.box.flatten(2).split(2, dim=1)
        half = half / 2
        pixels = longest * (self.network.stride / self.longest_side)  # of the image, a cell
        boxes = torch.cat([centre - half, centre + half], dim=1) * pixels - 0.5
        return boxes, (score * peaks).flatten(1), maps.angle.flatten(2)


class BestCell(Cells):
    """The best cell of one image, and whether it is enough (`inference.finder.is_enough`)."""

    def forward(self, gray: Tensor, longest: Tensor) -> tuple[Tensor, ...]:
        boxes, score, directions = self.at_cells(gray, longest)
        best = score[0].argmax(keepdim=True)
        enough = shows_one_face(boxes[0], score[0], best, longest)
        box, each, direction = (part.index_select(-1, best) for part in (boxes, score[:, None], directions))
        return box.transpose(1, 2), each, direction.transpose(1, 2), enough


class Candidates:
    """What the finder sees in an image.

    Args:
        finder: With one size and without turns.
        size: That the image is seen at; None: the finder's.
        cells: What the network's maps become.
    """

    def __init__(self, finder: Finder, size: int | None = None, cells: type[Cells] = Cells) -> None:
        (usual,) = finder.sizes
        self.longest_side = size or usual
        self.cells = cells(finder.network, self.longest_side)


def shows_one_face(
    boxes: Float[Tensor, "4 cell"],
    score: Float[Tensor, " cell"],
    best_cell: Int[Tensor, "1"],
    longest_side: Float[Tensor, "1"],
) -> Bool[Tensor, "1"]:
    """Whether the best cell is a large face that is surely there, and no cell shows another."""
    best = boxes.index_select(1, best_cell)
    width, height = (torch.minimum(boxes[2:], best[2:]) - torch.maximum(boxes[:2], best[:2])).clamp(min=0)
    (widths, heights), (best_width, best_height) = boxes[2:] - boxes[:2], best[2:] - best[:2]
    shared, areas, area = width * height, widths * heights, best_width * best_height
    another = (score > LEAST_SCORE) & (shared <= OVERLAP * (areas + area - shared))
    sure = score.index_select(0, best_cell) >= SURE
    return sure & (area >= (LARGE * longest_side).square()) & ~another.any()


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
