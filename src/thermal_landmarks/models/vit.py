"""The vision transformer branch: one patch encoder, then transformer layers (Baker 2023, Appendix A.2, eqs. 12 and 13;
Dosovitskiy et al. 2021). Layers normalise first, which trains without warm-up.

Maps that the patch size doesn't divide are padded with zeros at the right and the bottom.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import require_number, require_positive
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.models.shapes import FeatureMap, Tokens


class PatchEncoder(nn.Module):
    """Cuts a map into patches, embeds each linearly and adds a learned position.

    Args:
        in_shape: Of the incoming feature map.
        patch_size: Side of a patch in pixels of the map.
        dim: Length of a token.

    Raises:
        ConfigError: If a patch is larger than the map.
    """

    def __init__(self, in_shape: FeatureMap, *, patch_size: int, dim: int) -> None:
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
        self.positions = nn.Parameter(torch.randn(rows * columns, dim) * 0.02)
        self.out_shape = Tokens(rows * columns, dim)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b token dim"]:
        if any(self.padding):
            features = F.pad(features, self.padding)
        size = self.patch_size
        patches = rearrange(features, "b c (row y) (column x) -> b (row column) (y x c)", y=size, x=size)
        tokens: Tensor = self.embedding(patches)
        return tokens + self.positions


class TransformerLayer(nn.Module):
    """Multi-head self-attention among tokens, then two fully connected layers, each added to its input.

    Args:
        dim: Length of a token.
        heads: Number of attention layers in parallel.
        mlp_ratio: Hidden width of the fully connected layers, as a multiple of `dim`.
    """

    def __init__(self, *, dim: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_normalisation = nn.LayerNorm(dim)
        self.projection = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)
        self.mlp_normalisation = nn.LayerNorm(dim)
        hidden = round(dim * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, tokens: Float[Tensor, "b token dim"]) -> Float[Tensor, "b token dim"]:
        projected = self.projection(self.attention_normalisation(tokens))
        queries, keys, values = rearrange(projected, "b t (n heads d) -> n b heads t d", n=3, heads=self.heads)
        attended = F.scaled_dot_product_attention(queries, keys, values)
        tokens = tokens + self.output(rearrange(attended, "b heads t d -> b t (heads d)"))
        result: Tensor = tokens + self.mlp(self.mlp_normalisation(tokens))
        return result


@BRANCHES.register("vit")
class VisionTransformerBranch(nn.Module):
    """One patch encoder, then transformer layers over the patches (the paper's models 4).

    Args:
        in_shape: Of the incoming feature map.
        depth: Number of transformer layers.
        patch_size: Side of a patch in pixels of the map.
        dim: Length of a token.
        heads: Attention heads of each layer; must divide `dim`.
        mlp_ratio: Hidden width of the fully connected layers, as a multiple of `dim`.

    Raises:
        ConfigError: If a patch is larger than the map, `heads` doesn't divide `dim`, or a setting is out of range.
    """

    def __init__(
        self, in_shape: FeatureMap, *, depth: int, patch_size: int, dim: int, heads: int, mlp_ratio: float
    ) -> None:
        super().__init__()
        require_positive("branch", depth=depth, patch_size=patch_size, dim=dim, heads=heads)
        require_number("branch", mlp_ratio=mlp_ratio)
        if dim % heads or mlp_ratio <= 0:
            raise ConfigError(
                f"The vit branch needs heads that divide dim and a positive mlp_ratio, found branch.heads={heads}, "
                f"branch.dim={dim}, branch.mlp_ratio={mlp_ratio}."
            )
        self.encoder = PatchEncoder(in_shape, patch_size=patch_size, dim=dim)
        self.layers = nn.Sequential(
            *(TransformerLayer(dim=dim, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth))
        )
        self.normalisation = nn.LayerNorm(dim)
        self.out_shape = self.encoder.out_shape

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b token dim"]:
        tokens: Tensor = self.normalisation(self.layers(self.encoder(features)))
        return tokens
