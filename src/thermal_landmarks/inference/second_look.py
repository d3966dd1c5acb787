"""A second look at what the finder has found: each candidate upright in the middle of a crop, at its own contrast.

The finder sees a whole picture at once, at one size and one contrast; a small network of the same kind then sees every
candidate at the size at which most is known of faces, and changes the score. It tells backs of heads, and what is as
round as a head, from faces (docs/results/faces.md).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.data.face_frames import face_frames
from thermal_landmarks.data.gathered_views import pyramid_of
from thermal_landmarks.models.folding import fold_normalisation
from thermal_landmarks.models.network import FinderNetwork

SHARE = 0.5
"""Height of a face in its crop, as a fraction of the crop's."""
_SPREAD, _MOST = 0.6, 1.5  # standard deviation of a crop's values as the network gets them, and the largest
_SURE = 8.0  # log odds that count as sure, of either look


class SecondLook(nn.Module):
    """The score of found faces after a look at each; can be exported.

    Args:
        network: A finder's, whose middle cells say whether a face lies in the middle of a crop.
        weights: Of one, the log odds of the finder's score, and those of this network. Their sum is a score on the
            finder's own scale.
    """

    def __init__(self, network: FinderNetwork, weights: Sequence[float]) -> None:
        super().__init__()
        self.size = (network.image_shape.height, network.image_shape.width)
        self.network = fold_normalisation(network).to(memory_format=torch.channels_last)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))

    weights: Tensor

    def forward(
        self,
        image: Float[Tensor, "height width"],
        boxes_px: Float[Tensor, "face 4"],
        angle: Float[Tensor, " face"],
        score: Float[Tensor, " face"],
    ) -> Float[Tensor, " face"]:
        crops = pyramid_of(image[None, None]).crops(face_frames(boxes_px, angle, self.size, SHARE), self.size)
        seen = self.log_odds(normalised(crops)).clamp(-_SURE, _SURE)
        first = score.logit(eps=1e-3)
        return (self.weights[0] + self.weights[1] * first + self.weights[2] * seen).sigmoid()

    def log_odds(self, crops: Float[Tensor, "face 1 height width"]) -> Float[Tensor, " face"]:
        """That a face lies in the middle of each crop, averaged over the crop and its mirror image."""
        both = torch.cat([crops, crops.flip(3)]).contiguous(memory_format=torch.channels_last)
        return middle(self.network(both).score).unflatten(0, (2, -1)).mean(dim=0)


def middle(score: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    """The mean of the four cells in the middle of each map."""
    row, column = score.shape[1] // 2, score.shape[2] // 2
    return score[:, row - 1 : row + 1, column - 1 : column + 1].mean(dim=(1, 2))


def normalised(crops: Float[Tensor, "b 1 height width"]) -> Float[Tensor, "b 1 height width"]:
    """Crops of any unit as the network gets them: each around its own mean, with a contrast of its own."""
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    spread = (crops - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-3)
    return ((crops - mean) * (_SPREAD / spread)).clamp(-_MOST, _MOST)
