"""Batch normalisation folded into the convolution beside it: the same network with fewer steps, for prediction."""

import copy
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.layers import ResNeXtLayer

Module = TypeVar("Module", bound=nn.Module)


def fold_normalisation(network: Module) -> Module:
    """A copy in evaluation mode whose convolutions do the batch normalisations next to them."""
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        if isinstance(module, nn.Sequential):
            for place in range(len(module) - 1):
                _fold(module, str(place), str(place + 1))
        elif isinstance(module, ResNeXtLayer):
            _fold(module, "down", "down_normalisation")
            _fold(module, "middle", "middle_normalisation")
        elif isinstance(module, ChannelAttentionLayer):
            _fold_before(module, "normalisation", "projection")
    return folded


def _fold(parent: nn.Module, convolution: str, normalisation: str) -> None:
    first, second = parent.get_submodule(convolution), parent.get_submodule(normalisation)
    if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
        setattr(parent, convolution, fuse_conv_bn_eval(first, second))
        setattr(parent, normalisation, nn.Identity())


@torch.no_grad()
def _fold_before(parent: nn.Module, normalisation: str, convolution: str) -> None:
    """A normalisation that comes first: exact where the convolution sees one pixel, so that no padding takes part."""
    first, second = parent.get_submodule(normalisation), parent.get_submodule(convolution)
    if not isinstance(first, nn.BatchNorm2d) or not isinstance(second, nn.Conv2d) or second.kernel_size != (1, 1):
        return
    assert first.running_var is not None
    assert first.running_mean is not None
    scale = first.weight / (first.running_var + first.eps).sqrt()
    weight, bias = second.weight.flatten(1), second.bias
    shift = weight @ (first.bias - first.running_mean * scale)
    second.bias = nn.Parameter(shift if bias is None else bias + shift)
    second.weight = nn.Parameter((weight * scale)[:, :, None, None])
    setattr(parent, normalisation, nn.Identity())
