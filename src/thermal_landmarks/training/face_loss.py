"""The finder's loss: focal loss of the scores (Lin et al. 2017, as in CenterNet), GIoU of the boxes, L1 of the angle.

GIoU after Rezatofighi et al. 2019, arXiv 1902.09630.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.training.face_targets import FaceTargets


class FaceLosses(NamedTuple):
    """Parts of the loss, each an average over the faces of the batch."""

    score: Float[Tensor, ""]
    box: Float[Tensor, ""]
    angle: Float[Tensor, ""]


@dataclass(frozen=True, kw_only=True)
class FaceLoss:
    """The parts and their weighted sum."""

    box_weight: float = 2.0  # of the boxes' GIoU, with L1 of the logarithm of their sizes
    angle_weight: float = 0.5  # of the angle's cosine and sine

    def __call__(self, maps: FaceMaps, targets: FaceTargets) -> tuple[Float[Tensor, ""], FaceLosses]:
        """The loss and its parts."""
        count = (targets.heat == 1).sum().clamp(min=1)
        weight = targets.weight
        size = (maps.box[:, 2:].log() - targets.box[:, 2:].clamp(min=1e-3).log()).abs().sum(dim=1)
        box = (weight * (1 - giou(maps.box, targets.box) + 0.2 * size)).sum() / count
        angle = (weight * (maps.angle - targets.angle).abs().sum(dim=1)).sum() / count
        parts = FaceLosses(focal_loss(maps.score, targets), box, angle)
        return parts.score + self.box_weight * box + self.angle_weight * angle, parts


def focal_loss(score: Float[Tensor, "b h w"], targets: FaceTargets) -> Float[Tensor, ""]:
    """Cross entropy that counts little where the network is right already, or near a centre; a sum for each face."""
    probability = score.sigmoid()
    centre = targets.heat == 1
    hit = -F.logsigmoid(score) * (1 - probability).square()
    miss = -F.logsigmoid(-score) * probability.square() * (1 - targets.heat) ** 4
    loss = torch.where(centre, hit, miss) * targets.counts
    return loss.sum() / centre.sum().clamp(min=1)


def giou(first: Float[Tensor, "b 4 h w"], second: Float[Tensor, "b 4 h w"]) -> Float[Tensor, "b h w"]:
    """Generalised intersection over union of boxes given by centre and size, in [-1, 1]."""
    low_1, high_1 = first[:, :2] - first[:, 2:] / 2, first[:, :2] + first[:, 2:] / 2
    low_2, high_2 = second[:, :2] - second[:, 2:] / 2, second[:, :2] + second[:, 2:] / 2
    shared = (torch.minimum(high_1, high_2) - torch.maximum(low_1, low_2)).clamp(min=0).prod(dim=1)
    hull = (torch.maximum(high_1, high_2) - torch.minimum(low_1, low_2)).prod(dim=1).clamp(min=1e-6)
    union = (first[:, 2:].prod(dim=1) + second[:, 2:].prod(dim=1) - shared).clamp(min=1e-6)
    return shared / union - (hull - union) / hull
