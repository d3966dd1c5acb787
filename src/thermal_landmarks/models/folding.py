"""Batch normalisation folded into the convolution before it: the same network with fewer steps, for prediction."""

import copy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


def fold_normalisation(network: Module) -> Module:
    """A copy in evaluation mode whose convolutions do the batch normalisation that follows them in a `Sequential`."""
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        for place in range(len(module) - 1):
            convolution, normalisation = module[place], module[place + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
                module[place] = fuse_conv_bn_eval(convolution, normalisation)
                module[place + 1] = nn.Identity()
    return folded
