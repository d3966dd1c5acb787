"""What a network costs: parameters, floating-point operations, memory for training, time.

One multiply-add counts as two operations. Counted are convolutions, matrix products and attention, as in the
literature; normalisation and activations are not.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.network import Network
from thermal_landmarks.models.shapes import FeatureMap


class ModelRow(NamedTuple):
    """One line of the table of models."""

    model_id: str  # `A-2`, or `stem/branch`
    stem: str  # name
    branch: str  # name
    image_shape: FeatureMap  # channels, height and width of the input
    parameters: int  # number of trained numbers
    gflops: float  # billions of operations for one image
    memory_per_sample_bytes: int  # activations kept for the backward pass, for one image in float32
    latency_ms: float | None  # time of a single image; None: not measured


def count_parameters(module: nn.Module) -> int:
    """Number of parameters that training changes."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def count_flops(network: Network) -> int:
    """Floating-point operations of one image's forward pass."""
    attention = 0

    def add_attention(_: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        # The hand-written kernels are invisible to the counter: q_i k_j and a_ij v_j, D x D times in each pixel.
        nonlocal attention
        channels, height, width = inputs[0].shape[1:]
        attention += 2 * 2 * channels**2 * height * width

    layers = [module for module in network.modules() if isinstance(module, ChannelAttentionLayer)]
    hooks = [layer.register_forward_hook(add_attention) for layer in layers]
    try:
        with _evaluating(network), torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(_images(network, 1))
    finally:
        for hook in hooks:
            hook.remove()
    return counter.get_total_flops() + attention


def latency_ms(network: Network, *, repeats: int = 30) -> float:
    """Median time of a single image on the network's device and on this machine, in milliseconds."""
    images, device = _images(network, 1), next(network.parameters()).device
    times = []
    with _evaluating(network), torch.inference_mode():
        for _ in range(repeats + 5):  # the first ones find kernels and memory
            start = time.perf_counter()
            network(images)
            if device.type != "cpu":
                torch.accelerator.synchronize(device)
            times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times[5:])


def memory_per_sample_bytes(network: Network, *, batch_size: int = 2) -> int:
    """Activations that one training image keeps until the backward pass, in float32.

    Weights, their gradients and the optimizer's state come on top, but once, not for each image. A storage that several
    operations keep counts once.
    """
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, tuple[Tensor, int]] = {}  # holding the tensor keeps its address from being used again

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    with (
        _evaluating(network),  # batch statistics must not change by measuring
        torch.enable_grad(),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        network(_images(network, batch_size))
    return sum(size for _, size in kept.values()) // batch_size


def model_row(network: Network, *, timed: bool = False) -> ModelRow:
    """Measure one network, and if `timed` how long it takes for an image."""
    return ModelRow(
        network.model_id,
        network.settings["stem"]["name"],
        network.settings["branch"]["name"],
        network.image_shape,
        count_parameters(network),
        count_flops(network) / 1e9,
        memory_per_sample_bytes(network),
        latency_ms(network) if timed else None,
    )


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was_training = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in was_training.items():
            module.training = training


def _images(network: Network, count: int) -> Tensor:
    reference = next(network.parameters())
    return torch.zeros(count, *network.image_shape, device=reference.device, dtype=reference.dtype)
