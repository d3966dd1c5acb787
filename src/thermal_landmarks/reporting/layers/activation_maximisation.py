"""Activation maximisation: pictures that drive one channel of a layer as high as it goes (Baker 2023, section 4.4).

`plain` is the paper's form: gradient ascent on the pixels of a noise image. `regularised` ascends in the picture's
Fourier spectrum under small random shifts, turns and zooms and against total variation (after Olah et al. 2017,
"Feature Visualization", Distill), which leaves out the fine noise that the plain form is made of. In both, each step
follows the gradient of unit size, and pictures stay within the network's own input: values in [-1, 1], and a bounded
contrast, so that brightness says how much each pixel matters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.warping import warp_batch
from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.models.layers import require_number, require_positive
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.reporting.layers.network_layers import NamedLayer

Form = Literal["plain", "regularised"]
Where = Literal["everywhere", "centre"]
Pictures = Float[Tensor, "picture 1 height width"]

_SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Plain:
    """Settings of the paper's form."""

    step: float  # length of a step: root mean square over the pixels
    noise: float  # standard deviation of the noise at the start


@dataclass(frozen=True, kw_only=True)
class Regularised:
    """Settings of the regularised form."""

    learning_rate: float  # of Adam on the spectrum
    noise: float  # standard deviation of the noise at the start
    spectrum_power: float  # amplitudes fall with the frequency to this power, as in natural images
    total_variation: float  # weight of the penalty on differences between neighbouring pixels
    shift_px: float  # the picture is shifted by up to this many pixels, differently in each step,
    rotation_deg: float  # turned by up to this angle,
    zoom: float  # and resized by up to this factor's logarithm


@dataclass(frozen=True, kw_only=True)
class Ascent:
    """How to search.

    Raises:
        ConfigError: If a setting is unknown or out of range.
    """

    form: Form  # `plain` or `regularised`
    # Maximise the channel's mean over its whole map (`everywhere`, as the paper), or the one pixel of it in the
    # `centre`
    where: Where
    steps: int  # of gradient ascent
    contrast: float  # highest root mean square of a picture; thermal views of faces have about 0.5
    seed: int  # of the noise and the shifts
    plain: Plain  # settings of that form
    regularised: Regularised  # settings of that form

    def __post_init__(self) -> None:
        require_choice("form", self.form, get_args(Form))
        require_choice("where", self.where, get_args(Where))
        require_positive("ascent", steps=self.steps)
        require_number("ascent", contrast=self.contrast)
        if not 0 < self.contrast <= 1:
            raise ConfigError(f"contrast={self.contrast} must lie above 0 and not above 1.")


@dataclass(frozen=True)
class Maximised:
    """What a search found."""

    pictures: Pictures  # one a channel, in the units of the network's input
    # Of each channel before each step, and of the final picture; while searching in the regularised form, of the
    # picture as it was shifted and turned
    activation: Float[Tensor, "step picture"]


def maximise(
    network: LandmarkNetwork,
    layer: NamedLayer,
    channels: Sequence[int],
    ascent: Ascent,
    *,
    progress: Callable[[], None] = lambda: None,
) -> Maximised:
    """Search the picture that each channel of a layer answers strongest to; all channels as one batch.

    The network is in evaluation mode; its one image channel is repeated as in training. `progress` is called after each
    step.
    """
    rows, chosen = torch.arange(len(channels)), torch.tensor(channels)
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(ascent.seed)
    in_channels, height, width = network.image_shape

    with layer.recording() as outputs:

        def activation(pictures: Pictures) -> Float[Tensor, " picture"]:
            outputs.clear()
            network(pictures.expand(-1, in_channels, -1, -1))
            maps = outputs[0][rows, chosen]
            if ascent.where == "everywhere":
                return maps.mean(dim=(1, 2))
            return maps[:, maps.shape[1] // 2, maps.shape[2] // 2]

        search = _ascend_pixels if ascent.form == "plain" else _ascend_spectrum
        history: list[Tensor] = []

        def follow(pictures: Pictures, seen: Pictures) -> Pictures:
            """The direction of steepest ascent, of unit size for each picture."""
            values = activation(seen)
            history.append(values.detach())
            progress()
            (slope,) = torch.autograd.grad(values.sum(), pictures)
            return slope / _size(slope).clamp(min=_SMALLEST)

        pictures = search((len(channels), 1, height, width), follow, ascent, generator, device)
        with torch.no_grad():
            history.append(activation(pictures))
    return Maximised(pictures.cpu(), torch.stack(history).cpu())


Follow = Callable[[Pictures, Pictures], Pictures]


def _ascend_pixels(
    shape: tuple[int, ...], follow: Follow, ascent: Ascent, generator: torch.Generator, device: torch.device
) -> Pictures:
    settings = ascent.plain
    pictures = torch.randn(shape, generator=generator).to(device) * settings.noise
    for _ in range(ascent.steps):
        pictures.requires_grad_()
        slope = follow(pictures, pictures)
        pictures = _bounded(pictures.detach() + settings.step * slope, ascent.contrast)
    return pictures


def _ascend_spectrum(
    shape: tuple[int, ...], follow: Follow, ascent: Ascent, generator: torch.Generator, device: torch.device
) -> Pictures:
    settings = ascent.regularised
    height, width = shape[-2:]
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    amplitude = frequency.clamp(min=1 / max(height, width)) ** -settings.spectrum_power
    amplitude = (amplitude / amplitude.square().mean().sqrt()).to(device)
    spectrum = torch.randn(*shape[:2], *frequency.shape, 2, generator=generator).to(device) * settings.noise
    optimizer = torch.optim.Adam([spectrum.requires_grad_()], lr=settings.learning_rate)

    def picture() -> Pictures:
        plain = torch.fft.irfft2(torch.view_as_complex(spectrum) * amplitude, s=(height, width), norm="ortho")
        return _bounded(plain, ascent.contrast)

    for _ in range(ascent.steps):
        pictures = picture()
        leaf = pictures.detach().requires_grad_()
        seen = warp_batch(leaf, _random_matrices(shape, settings, generator).to(device), "reflection")
        slope = follow(leaf, seen)
        (roughness,) = torch.autograd.grad(total_variation(leaf).sum(), leaf)
        optimizer.zero_grad()
        pictures.backward(settings.total_variation * roughness - slope)
        optimizer.step()
    return picture().detach()


def total_variation(pictures: Pictures) -> Float[Tensor, " picture"]:
    """Sum of the absolute differences between neighbouring pixels."""
    return pictures.diff(dim=2).abs().sum(dim=(1, 2, 3)) + pictures.diff(dim=3).abs().sum(dim=(1, 2, 3))


def _random_matrices(
    shape: tuple[int, ...], settings: Regularised, generator: torch.Generator
) -> Float[Tensor, "picture 2 3"]:
    """Similarities about the middle of the picture, in pixels."""
    drawn = torch.rand(4, shape[0], generator=generator) * 2 - 1
    angle, factor = torch.deg2rad(settings.rotation_deg * drawn[0]), torch.exp(settings.zoom * drawn[1])
    cos, sin = factor * angle.cos(), factor * angle.sin()
    linear = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
    middle = torch.tensor([(shape[-1] - 1) / 2, (shape[-2] - 1) / 2])
    offset = middle - linear @ middle + settings.shift_px * drawn[2:].T
    return torch.cat([linear, offset[..., None]], dim=2)


def _size(pictures: Pictures) -> Float[Tensor, "picture 1 1 1"]:
    return pictures.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def _bounded(pictures: Pictures, contrast: float) -> Pictures:
    return (pictures * (contrast / _size(pictures).clamp(min=contrast))).clamp(-1, 1)
