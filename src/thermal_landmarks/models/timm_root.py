"""Root: any convolutional backbone of timm, with its weights from ImageNet (LOTR, arXiv 2109.10057).

LOTR's three are `mobilenetv2_100`, `resnet50` and `hrnet_w18`. Thermal images have one channel: timm sums the first
layer's weights over the colours.
"""

import copy
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import is_whole
from thermal_landmarks.models.registry import ROOTS
from thermal_landmarks.models.shapes import FeatureMap, Grid


@ROOTS.register("timm")
class TimmRoot(nn.Module):
    """A backbone of timm up to its pooling, or its first stages. Settings: `conf/root/timm.yaml`.

    The whole backbone has the convolutions that follow the stages (MobileNetV2: 1280 channels; HRNet: its scales joined
    to 2048).

    Raises:
        ConfigError: If timm has no such model or stage, its weights can't be fetched, or it gives no feature map.
    """

    def __init__(self, in_shape: FeatureMap, *, model: str, stage: int | None, pretrained: bool) -> None:
        super().__init__()
        self.stage = stage
        self.backbone = _create(model, stage, pretrained=pretrained, in_channels=in_shape.channels)
        mean, std = (_of_channels(self.backbone.pretrained_cfg[name], in_shape.channels) for name in ("mean", "std"))
        self.scale: Tensor  # from [-1, 1] to what the weights were trained on
        self.offset: Tensor
        self.register_buffer("scale", 0.5 / std, persistent=False)
        self.register_buffer("offset", (0.5 - mean) / std, persistent=False)
        self.out_shape = self._probe(in_shape, model)
        self.grid = _grid(self.backbone, in_shape, self.out_shape)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        return self._features(self.backbone, images * self.scale + self.offset)

    def _features(self, backbone: Any, images: Tensor) -> Tensor:
        features: Tensor = backbone.forward_features(images) if self.stage is None else backbone(images)[0]
        return features

    def _probe(self, in_shape: FeatureMap, model: str) -> FeatureMap:
        """Find the shape of the output without computing it, and freeze weights that have no part in it."""
        backbone = copy.deepcopy(self.backbone).to("meta").eval()
        features = self._features(backbone, torch.empty(1, *in_shape, device="meta"))
        channels = backbone.num_features if self.stage is None else backbone.feature_info.channels()[0]
        if features.ndim != 4 or features.shape[1] != channels:
            raise ConfigError(
                f"The timm root needs a backbone that gives maps (channels, height, width), but {model} gives "
                f"{tuple(features.shape[1:])}. Set root.model to a convolutional network such as resnet50."
            )
        gradients = torch.autograd.grad(features.sum(), list(backbone.parameters()), allow_unused=True)
        for parameter, gradient in zip(self.backbone.parameters(), gradients, strict=True):
            parameter.requires_grad_(gradient is not None)
        return FeatureMap(*features.shape[1:])


def _create(model: str, stage: int | None, *, pretrained: bool, in_channels: int) -> Any:
    import timm  # imports a thousand models: only where one is wanted

    if not timm.is_model(model):
        close = ", ".join(get_close_matches(model, timm.list_models(), n=5)) or "timm.list_models()"
        raise ConfigError(f"timm has no model '{model}' (root.model). Did you mean one of: {close}?")
    options: dict[str, Any] = {"pretrained": pretrained, "in_chans": in_channels}
    if stage is None:
        options["num_classes"] = 0
    else:
        options |= {"features_only": True, "out_indices": (_checked_stage(model, stage),)}
    try:
        return timm.create_model(model, **options)
    except Exception as error:  # no network, no such weights, a broken download: all kinds
        if not pretrained:
            raise
        reason = (str(error).splitlines() or [""])[0].rstrip(".")
        raise ConfigError(
            f"The pretrained weights of {model} can't be fetched ({type(error).__name__}: {reason}). Without a "
            "network, set root.pretrained=false to begin with random weights."
        ) from error


def _checked_stage(model: str, stage: int) -> int:
    import timm

    with torch.device("meta"):
        try:
            backbone: Any = timm.create_model(model, features_only=True)
            count = len(backbone.feature_info.channels())
        except (RuntimeError, AttributeError) as error:
            raise ConfigError(f"timm can't divide {model} into stages ({error}). Set root.stage=null.") from error
    if not is_whole(stage) or not 0 <= stage < count:
        raise ConfigError(
            f"root.stage must be null or a whole number from 0 to {count - 1} for {model}, found {stage!r}."
        )
    return stage


def _grid(backbone: nn.Module, image: FeatureMap, features: FeatureMap) -> Grid | None:
    """Where the cells lie, or None for a backbone whose layers pad one side more than the other.

    Every path through layers that are centred, as those of LOTR's three are, starts at the first pixel.
    """
    windows = [m for m in backbone.modules() if hasattr(m, "kernel_size") and hasattr(m, "stride")]
    if not all(_centred(window) for window in windows if max(_pair(window.stride)) > 1):
        return None
    step = 1
    while -(-image.width // step) > features.width:
        step *= 2
    fits = (-(-image.height // step), -(-image.width // step)) == (features.height, features.width)
    return Grid(float(step)) if fits else None


def _centred(window: Any) -> bool:
    if isinstance(window.padding, str) or type(window).__name__.endswith("Same"):  # more to the right than to the left
        return False
    return all(2 * p == k - 1 for p, k in zip(_pair(window.padding), _pair(window.kernel_size), strict=True))


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, Sequence) else (value, value)


def _of_channels(colours: tuple[float, ...], channels: int) -> Float[Tensor, "channel 1 1"]:
    values = torch.tensor(colours)
    return (values if len(values) == channels else values.mean().expand(channels))[:, None, None].clone()
