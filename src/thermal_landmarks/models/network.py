"""The networks: root -> components (stem -> branch) -> head, for all models and ensembles (Baker 2023, section 3)."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, cast

from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models import (  # noqa: F401  (fills the registries)
    branches,
    center_map,
    heads,
    lotr,
    pyramid,
    roots,
    soft_argmax,
    stems,
    timm_root,
    vit,
)
from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.models.layers import require_positive
from thermal_landmarks.models.registry import BRANCHES, HEADS, ROOTS, STEMS
from thermal_landmarks.models.shapes import FeatureMap, Grid, Shape, grid_of

STEM_LETTERS = {
    "conv": "C",
    "resnext": "R",
    "alt_conv_luong": "L",
    "alt_conv_bahdanau": "B",
    "alt_conv_resnext": "A",
}
BRANCH_NUMBERS = {"none": "1", "luong": "2", "bahdanau": "3", "vit": "4"}
LOTR_BACKBONES = {"mobilenetv2_100": "M", "resnet50": "R", "hrnet_w18": "HR"}
LOTR_STEMS = {"projection": "", "deconvolution": "+"}


def model_id(stem: str, branch: str) -> str:
    """The paper's name of a pair (`A-2`), or `stem/branch` where the paper has none."""
    if stem in STEM_LETTERS and branch in BRANCH_NUMBERS:
        return f"{STEM_LETTERS[stem]}-{BRANCH_NUMBERS[branch]}"
    return f"{stem}/{branch}"


class Component(nn.Sequential):
    """One stem and one branch; the head gets its output."""

    def __init__(self, in_shape: Shape, *, stem: Mapping[str, Any], branch: Mapping[str, Any], num_points: int) -> None:
        built_stem = STEMS.build(stem, in_shape=in_shape)
        built_branch = BRANCHES.build(branch, in_shape=built_stem.out_shape, num_points=num_points)
        super().__init__(built_stem, built_branch)
        self.out_shape: Shape = built_branch.out_shape
        self.grid: Grid | None = grid_of(built_stem, built_branch)


class Network(nn.Module):
    """The chain of root, components and head; what the head gives is a matter of the subclass.

    Root, stem, branch and head are settings: `name` and their constructor's keyword arguments. `num_points` is 0 where
    the head gives no landmarks; `ensemble` components stand side by side on the root, each with its own weights.

    Attributes:
        gives: What the subclass wants of its head, `landmarks` or `faces`.
        settings: Plain data that rebuilds the network: `type(network)(**network.settings)`. Pretrained weights are
            not fetched again: whoever rebuilds a network has its own.

    Raises:
        ConfigError: If a name or setting is unknown or out of range, neighbouring shapes don't fit, or the head gives
            something else.
    """

    gives: str

    def __init__(
        self,
        *,
        root: Mapping[str, Any],
        stem: Mapping[str, Any],
        branch: Mapping[str, Any],
        head: Mapping[str, Any],
        in_channels: int,
        image_size: Iterable[int],
        num_points: int,
        ensemble: int = 1,
    ) -> None:
        super().__init__()
        height, width = image_size
        require_positive("network", in_channels=in_channels, height=height, width=width, ensemble=ensemble)
        self.settings: dict[str, Any] = {
            "root": _plain(root),
            "stem": _plain(stem),
            "branch": _plain(branch),
            "head": _plain(head),
            "in_channels": int(in_channels),
            "image_size": [int(height), int(width)],
            "ensemble": int(ensemble),
        }
        if "pretrained" in root:
            self.settings["root"]["pretrained"] = False
        self.image_shape = FeatureMap(in_channels, height, width)
        self.root = ROOTS.build(root, in_shape=self.image_shape)
        components = [
            Component(self.root.out_shape, stem=stem, branch=branch, num_points=num_points) for _ in range(ensemble)
        ]
        self.components = nn.ModuleList(components)
        self.head = HEADS.build(
            head,
            in_shapes=[component.out_shape for component in components],
            num_points=num_points,
            image_shape=self.image_shape,
            grid=grid_of(self.root, components[0]),
        )
        given = getattr(self.head, "gives", "landmarks")
        if given != self.gives:
            raise ConfigError(
                f"head={head['name']} gives {given}, but this network is to give {self.gives}. "
                "Set data.task=faces for head=center_map and data.task=landmarks for every other head."
            )

    @property
    def model_id(self) -> str:
        """The paper's name of this stem and branch, such as `A-2`, or of this LOTR, such as `LOTR-M+`."""
        root, stem, branch, head = (self.settings[part]["name"] for part in ("root", "stem", "branch", "head"))
        backbone = self.settings["root"].get("model")
        if (root, branch, head) == ("timm", "lotr", "per_query") and backbone in LOTR_BACKBONES and stem in LOTR_STEMS:
            return f"LOTR-{LOTR_BACKBONES[backbone]}{LOTR_STEMS[stem]}"
        return model_id(stem, branch)

    def compile_parts(self) -> None:
        """Let `torch.compile` make each stem and branch faster, when it is first called; needs a C++ compiler."""
        for component in self.components:
            for part in cast(Component, component):
                part.compile()

    def _features(self, images: Tensor) -> list[Tensor]:
        features = self.root(images)
        return [component(features) for component in self.components]


class LandmarkNetwork(Network):
    """Images in, landmarks out. Arguments: see `Network`."""

    gives = "landmarks"

    def __init__(self, *, num_points: int, **settings: Any) -> None:
        require_positive("network", num_points=num_points)
        super().__init__(num_points=num_points, **settings)
        self.settings["num_points"] = int(num_points)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b point 2"]:
        """Landmarks in [0, 1] image units; the output is linear, so it may lie outside."""
        points: Tensor = self.head(self._features(images))
        return points

    def forward_train(
        self,
        images: Float[Tensor, "b c h w"],
        target: Float[Tensor, "b point 2"],
        mask: Bool[Tensor, "b point"],
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, ""]]:
        """For training: landmarks, and the penalty that the head wants to be added to the loss.

        `target` holds the true landmarks in [0, 1] image units, `mask` which of them are valid.
        """
        points, penalty = self.head.forward_train(self._features(images), target, mask)
        return points, penalty

    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Let the untrained network predict these points (in [0, 1] image units) on average.

        Starting at the mean of the training set keeps the first steps from destroying the features.
        """
        self.head.set_mean_shape(points)

    def _features(self, images: Tensor) -> list[Tensor]:
        if tuple(images.shape[1:]) != tuple(self.image_shape):
            raise ConfigError(
                f"The network was built for images of (channels, height, width) {tuple(self.image_shape)}, "
                f"found {tuple(images.shape[1:])}. Resize the images or build it with their image_size."
            )
        return super()._features(images)


class FinderNetwork(Network):
    """Images of any size in, maps of faces out; `image_size` is of the images that it is trained on.

    Attributes:
        stride: Pixels of the image for a cell of the maps.

    Raises:
        ConfigError: As `Network`, or if the maps' cells aren't square.
    """

    gives = "faces"

    def __init__(self, **settings: Any) -> None:
        super().__init__(num_points=0, **settings)
        out = cast(FeatureMap, self.components[0].out_shape)
        self.stride = self.image_shape.height // out.height
        if (self.image_shape.height, self.image_shape.width) != (out.height * self.stride, out.width * self.stride):
            raise ConfigError(
                f"Images of {self.image_shape.height}x{self.image_shape.width} pixels give {out.height}x{out.width} "
                "cells, which don't cover them evenly. Set data.image_size to multiples of the network's stride."
            )

    def forward(self, images: Float[Tensor, "b c h w"]) -> FaceMaps:
        """What the head says of every cell."""
        maps: FaceMaps = self.head(self._features(images))
        return maps


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): convert(item) for key, item in value.items()}
        if isinstance(value, str) or not isinstance(value, Iterable):
            return copy.copy(value)
        return [convert(item) for item in value]

    return {str(key): convert(value) for key, value in settings.items() if key != "search"}
