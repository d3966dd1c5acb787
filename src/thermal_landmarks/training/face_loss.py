"""The finder's loss: what each cell of its maps should say, and how far they are from it.

Targets as of CenterNet (arXiv 1904.07850); focal loss of the scores (Lin et al. 2017), GIoU of the boxes (Rezatofighi
et al. 2019, arXiv 1902.09630), L1 of the angle.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.scenes.batch import Faces
from thermal_landmarks.models.center_map import FaceMaps

_SPREAD = 0.09  # of the Gaussian around a centre, relative to the face's width and height
_LEAST_SPREAD = 0.7  # in cells
_TAUGHT = 0.5  # cells whose heat is at least this learn box and angle


class FaceTargets(NamedTuple):
    """Targets of the maps."""

    heat: Float[Tensor, "b h w"]  # 1 at the cell of each centre, falling off around it; (b, h, w)
    counts: Bool[Tensor, "b h w"]  # cells whose score counts: not those of ignored faces; (b, h, w)
    weight: Float[Tensor, "b h w"]  # of box and angle in each cell, 1 in sum for each face; (b, h, w)
    box: Float[Tensor, "b 4 h w"]  # of the face whose heat is greatest, as `FaceMaps.box`; (b, 4, h, w)
    angle: Float[Tensor, "b 2 h w"]  # its cosine and sine; (b, 2, h, w)


def face_targets(faces: Faces, stride: int, size: tuple[int, int]) -> FaceTargets:
    """Targets for maps of `size` (height, width) cells, each `stride` pixels wide."""
    height, width = size
    device = faces.boxes_px.device
    boxes = (torch.nan_to_num(faces.boxes_px) + 0.5) / stride  # in cells from the map's corner
    centre, extent = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    x = torch.arange(width, device=device) + 0.5
    y = torch.arange(height, device=device) + 0.5
    spread = (_SPREAD * extent).clamp(min=_LEAST_SPREAD)
    across = torch.exp(-((x - centre[..., :1]) ** 2) / (2 * spread[..., :1] ** 2))  # (b, face, w)
    down = torch.exp(-((y - centre[..., 1:]) ** 2) / (2 * spread[..., 1:] ** 2))
    # The cell that holds the centre gets the full heat, wherever in the cell the centre is.
    cell = centre.floor()
    across = torch.where(x.floor() == cell[..., :1], 1.0, across)
    down = torch.where(y.floor() == cell[..., 1:], 1.0, down)
    each = down[..., :, None] * across[..., None, :] * faces.wanted[..., None, None]  # (b, face, h, w)
    heat, owner = each.max(dim=1)
    inside_x = (x >= boxes[..., :1]) & (x <= boxes[..., 2:3])
    inside_y = (y >= boxes[..., 1:2]) & (y <= boxes[..., 3:])
    ignored = (inside_y[..., :, None] & inside_x[..., None, :] & faces.ignored[..., None, None]).any(dim=1)
    rows = torch.arange(len(boxes), device=device)[:, None, None]
    target = torch.cat([centre, extent], dim=-1)[rows, owner]
    angle = faces.angle[rows, owner]
    taught = torch.where(heat >= _TAUGHT, heat, 0.0)
    totals = torch.zeros(len(boxes), boxes.shape[1], device=device)
    totals = totals.scatter_add(1, owner.flatten(1), taught.flatten(1))
    share = taught / totals[rows, owner].clamp(min=1e-6)
    return FaceTargets(
        heat,
        ~ignored | (heat == 1),
        share,
        target.permute(0, 3, 1, 2),
        torch.stack([angle.cos(), angle.sin()], dim=1),
    )


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
