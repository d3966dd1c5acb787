"""The vision transformer branch: one patch encoder, then transformer layers (Baker 2023, Appendix A.2, eqs. 12 and 13;
Dosovitskiy et al. 2021).

Ours: layers normalise first, which trains without warm-up, GELU stands between the fully connected layers, and there is
no class token; settings give the form of the sources that the paper cites (docs/paper_departures.md).
Maps that the patch size doesn't divide are padded with zeros at the right and the bottom.
"""

from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.models.layers import Activation, make_activation, require_number, require_positive
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.models.shapes import FeatureMap, Grid, Patches, Tokens

Normalise = Literal["before", "after"]


class PatchEncoder(nn.Module):
    """Cuts a map into patches, embeds each linearly and adds a learned position. Settings: those of the branch.

    Raises:
        ConfigError: If a patch is larger than the map.
    """

    def __init__(self, in_shape: FeatureMap, *, patch_size: int, dim: int, class_token: bool = False) -> None:
        super().__init__()
        channels, height, width = in_shape
        if patch_size > min(height, width):
            raise ConfigError(
                f"The vit branch cuts patches of {patch_size}x{patch_size} from a map of only {height}x{width} pixels "
                f"(shape {tuple(in_shape)} from the stem). Set branch.patch_size to at most {min(height, width)}, "
                "a smaller stem.stride or stem.strided_repeats, or a larger image size."
            )
        self.patch_size = patch_size
        rows, columns = -(-height // patch_size), -(-width // patch_size)
        self.padding = (0, columns * patch_size - width, 0, rows * patch_size - height)
        self.embedding = nn.Linear(channels * patch_size**2, dim)
        count = rows * columns + class_token
        self.positions = nn.Parameter(torch.randn(count, dim) * 0.02)
        self.class_token = nn.Parameter(torch.zeros(dim)) if class_token else None
        self.out_shape = Tokens(count, dim) if class_token else Patches.of(FeatureMap(dim, rows, columns))

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b token dim"]:
        if any(self.padding):
            features = F.pad(features, self.padding)
        size = self.patch_size
        patches = rearrange(features, "b c (row y) (column x) -> b (row column) (y x c)", y=size, x=size)
        tokens: Tensor = self.embedding(patches)
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(len(tokens), 1, -1), tokens], dim=1)
        return tokens + self.positions


class TransformerLayer(nn.Module):
    """Multi-head self-attention among tokens, then two fully connected layers, each added to its input.

    Settings: those of the branch.
    """

    def __init__(
        self,
        *,
        dim: int,
        heads: int,
        mlp_ratio: float,
        normalise: Normalise = "before",
        activation: Activation = "gelu",
    ) -> None:
        super().__init__()
        self.heads = heads
        self.normalise_first = normalise == "before"
        self.attention_normalisation = nn.LayerNorm(dim)
        self.projection = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)
        self.mlp_normalisation = nn.LayerNorm(dim)
        hidden = round(dim * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), make_activation(activation), nn.Linear(hidden, dim))

    def forward(self, tokens: Float[Tensor, "b token dim"]) -> Float[Tensor, "b token dim"]:
        if self.normalise_first:
            tokens = tokens + self._attend(self.attention_normalisation(tokens))
            first: Tensor = tokens + self.mlp(self.mlp_normalisation(tokens))
            return first
        tokens = self.attention_normalisation(tokens + self._attend(tokens))
        last: Tensor = self.mlp_normalisation(tokens + self.mlp(tokens))
        return last

    def _attend(self, tokens: Tensor) -> Tensor:
        projected = self.projection(tokens)
        queries, keys, values = rearrange(projected, "b t (n heads d) -> n b heads t d", n=3, heads=self.heads)
        attended = F.scaled_dot_product_attention(queries, keys, values)
        joined: Tensor = self.output(rearrange(attended, "b heads t d -> b t (heads d)"))
        return joined


@BRANCHES.register("vit")
class VisionTransformerBranch(nn.Module):
    """One patch encoder, then transformer layers over the patches (the paper's models 4).

    `heads` must divide `dim`; the fully connected layers are `mlp_ratio` times as wide as it. Settings:
    `conf/branch/vit.yaml`.

    Raises:
        ConfigError: If a patch is larger than the map, `heads` doesn't divide `dim`, or a setting is out of range.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        depth: int,
        patch_size: int,
        dim: int,
        heads: int,
        mlp_ratio: float,
        normalise: Normalise = "before",
        activation: Activation = "gelu",
        class_token: bool = False,
    ) -> None:
        super().__init__()
        require_positive("branch", depth=depth, patch_size=patch_size, dim=dim, heads=heads)
        require_number("branch", mlp_ratio=mlp_ratio)
        if dim % heads or mlp_ratio <= 0:
            raise ConfigError(
                f"The vit branch needs heads that divide dim and a positive mlp_ratio, found branch.heads={heads}, "
                f"branch.dim={dim}, branch.mlp_ratio={mlp_ratio}."
            )
        require_choice("branch.normalise", normalise, get_args(Normalise))
        self.encoder = PatchEncoder(in_shape, patch_size=patch_size, dim=dim, class_token=class_token)
        layer: Any = {
            "dim": dim,
            "heads": heads,
            "mlp_ratio": mlp_ratio,
            "normalise": normalise,
            "activation": activation,
        }
        self.layers = nn.Sequential(*(TransformerLayer(**layer) for _ in range(depth)))
        self.normalisation = nn.LayerNorm(dim) if normalise == "before" else nn.Identity()
        self.out_shape = self.encoder.out_shape
        self.grid = Grid(patch_size, (patch_size - 1) / 2)  # of the patches

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b token dim"]:
        tokens: Tensor = self.normalisation(self.layers(self.encoder(features)))
        return tokens
