"""What a network costs: parameters, floating-point operations, memory for training, time.

One multiply-add counts as two operations. Counted are convolutions, matrix products and attention, as in the
literature; normalisation and activations are not.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.network import LandmarkNetwork, Network
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


def model_table(
    *,
    root: Mapping[str, Any],
    stems: Mapping[str, Mapping[str, Any]],
    branches: Mapping[str, Mapping[str, Any]],
    head: Mapping[str, Any],
    in_channels: int,
    image_size: Sequence[int],
    num_points: int,
    ensemble: int = 1,
    timed: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ModelRow]:
    """Build every stem with every branch and measure it.

    Args:
        root: Settings of the root.
        stems: Settings of each stem, by name.
        branches: Settings of each branch, by name.
        head: Settings of the head.
        in_channels: As of `LandmarkNetwork`; so are the arguments that follow.
        image_size: (height, width).
        num_points: Number of landmarks.
        ensemble: Number of components.
        timed: Whether a single image's time is measured.
        progress: Told the pair that is measured next.
    """
    rows = []
    for (stem_name, stem), (branch_name, branch) in itertools.product(stems.items(), branches.items()):
        progress(f"{stem_name}/{branch_name}")
        network = LandmarkNetwork(
            root=root,
            stem=stem,
            branch=branch,
            head=head,
            in_channels=in_channels,
            image_size=image_size,
            num_points=num_points,
            ensemble=ensemble,
        )
        rows.append(model_row(network, timed=timed))
    return rows


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
