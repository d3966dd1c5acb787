"""Branches: attention over the stem's output (Baker 2023, section 3.1). The vision transformer is in `vit.py`."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer, Score
from thermal_landmarks.models.layers import Normalisation, require_positive
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.models.shapes import FeatureMap, Grid, Shape


@BRANCHES.register("none")
class NoBranch(nn.Identity):
    """The stem is connected directly to the head (the paper's models 1)."""

    def __init__(self, in_shape: Shape) -> None:
        super().__init__()
        self.out_shape = in_shape
        self.grid = Grid(1.0)


class ChannelAttentionBranch(nn.Module):
    """`depth` layers of channel-wise self-attention. Their settings: see `ChannelAttentionLayer`.

    `width` is D, the channels that attend to each other; where it differs from the stem's width, a 1x1 convolution
    leads over (that is ours; it keeps the head small). None: the stem's width.
    """

    score: Score

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        depth: int,
        width: int | None,
        residual: bool,
        bias: bool = False,
        chunk_megabytes: float | None,
        normalisation: Normalisation,
        start_scale: float = 0.3,
    ) -> None:
        super().__init__()
        channels = in_shape.channels if width is None else width
        require_positive("branch", depth=depth, width=channels)
        self.lead: nn.Module = nn.Identity()
        if channels != in_shape.channels:
            self.lead = nn.Conv2d(in_shape.channels, channels, 1)
        layer: Any = {"score": self.score, "residual": residual, "bias": bias, "normalisation": normalisation}
        layer |= {"chunk_megabytes": chunk_megabytes, "start_scale": start_scale}
        self.layers = nn.Sequential(*(ChannelAttentionLayer(channels, **layer) for _ in range(depth)))
        self.out_shape = FeatureMap(channels, in_shape.height, in_shape.width)
        self.grid = Grid(1.0)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        attended: Tensor = self.layers(self.lead(features))
        return attended


@BRANCHES.register("luong")
class LuongBranch(ChannelAttentionBranch):
    """With Luong's score (the paper's models 2). Settings: see `ChannelAttentionBranch`."""

    score = "luong"


@BRANCHES.register("bahdanau")
class BahdanauBranch(ChannelAttentionBranch):
    """With Bahdanau's score (the paper's models 3); `shared_scale`: all channels share its u, instead of one each."""

    def __init__(self, in_shape: FeatureMap, *, shared_scale: bool = False, **shared: Any) -> None:
        self.score = "bahdanau_shared" if shared_scale else "bahdanau"
        super().__init__(in_shape, **shared)
