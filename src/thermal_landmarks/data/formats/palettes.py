"""Colour palettes of thermal cameras: recognised by their curve through colour space, and turned back into intensity.

A picture in a palette shows one quantity, so its colours lie on one curve; those of a photograph fill a volume. The
curves here are drawn through a few colours of each palette, from cold to warm; vendors' versions differ a little.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from jaxtyping import Float, UInt8

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError

_KNOTS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "iron": (
        (0, 0, 10), (20, 0, 80), (60, 0, 135), (103, 0, 153), (145, 0, 155), (179, 10, 147), (204, 37, 117),
        (222, 66, 65), (235, 97, 22), (244, 130, 3), (250, 163, 0), (254, 196, 18), (255, 226, 82), (255, 250, 180),
        (255, 255, 246),
    ),
    "rainbow": (
        (1, 3, 74), (0, 22, 100), (0, 50, 134), (0, 75, 179), (0, 99, 214), (1, 120, 219), (6, 138, 185),
        (28, 156, 109), (78, 175, 48), (128, 193, 14), (175, 207, 1), (220, 213, 3), (239, 206, 8), (253, 174, 19),
        (255, 127, 32), (253, 53, 52), (247, 24, 75), (247, 55, 94), (251, 109, 117), (255, 168, 149),
        (255, 211, 182), (255, 233, 208),
    ),
    "rainbow_hc": (
        (0, 0, 0), (48, 0, 72), (120, 0, 150), (90, 0, 205), (15, 10, 230), (0, 90, 235), (0, 175, 225),
        (0, 205, 120), (40, 205, 20), (150, 225, 0), (240, 235, 0), (255, 170, 0), (255, 80, 0), (235, 10, 15),
        (215, 20, 80), (235, 120, 170), (255, 225, 240), (255, 255, 255),
    ),
    "spectrum": (
        (0, 0, 0), (48, 5, 25), (80, 16, 65), (50, 5, 130), (0, 0, 255), (0, 128, 128), (0, 255, 0), (128, 128, 0),
        (255, 0, 0), (245, 80, 40), (240, 115, 50), (240, 150, 75), (240, 208, 115), (255, 255, 190), (255, 255, 255),
    ),
    "spectrum_hc": (
        (0, 0, 0), (60, 0, 70), (130, 0, 150), (215, 0, 230), (110, 0, 212), (20, 10, 178), (10, 80, 208),
        (10, 144, 212), (0, 225, 235), (15, 144, 50), (16, 112, 16), (70, 150, 12), (150, 200, 5), (245, 240, 0),
        (215, 110, 12), (208, 48, 14), (190, 10, 20), (190, 60, 60), (215, 120, 120), (235, 190, 190), (255, 255, 255),
    ),
    "jet": (
        (0, 0, 128), (0, 0, 255), (0, 128, 255), (0, 255, 255), (128, 255, 128), (255, 255, 0), (255, 128, 0),
        (255, 0, 0), (128, 0, 0),
    ),
    "turbo": (
        (48, 18, 59), (70, 97, 214), (62, 156, 254), (24, 214, 203), (70, 248, 132), (162, 252, 60), (225, 221, 55),
        (254, 161, 48), (239, 90, 17), (194, 36, 3), (122, 4, 3),
    ),
    "lava": (
        (0, 0, 0), (12, 30, 60), (15, 80, 110), (15, 110, 120), (60, 75, 110), (115, 30, 85), (170, 10, 50),
        (215, 25, 20), (240, 75, 5), (250, 130, 0), (255, 185, 10), (255, 230, 90), (255, 255, 255),
    ),
    "arctic": (
        (0, 0, 30), (5, 15, 120), (10, 40, 200), (25, 100, 245), (60, 160, 230), (100, 170, 180), (120, 125, 125),
        (145, 110, 75), (190, 130, 40), (235, 160, 20), (255, 195, 50), (255, 230, 140), (255, 250, 225),
    ),
    "amber": ((0, 0, 0), (64, 38, 0), (128, 80, 0), (191, 124, 0), (240, 165, 10), (255, 195, 60), (255, 235, 190)),
    "hot_metal": ((0, 0, 0), (85, 0, 0), (170, 0, 0), (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0),
                  (255, 255, 128), (255, 255, 255)),
    "glowbow": ((0, 0, 0), (64, 6, 0), (128, 20, 0), (180, 45, 0), (220, 85, 5), (245, 130, 20), (255, 175, 50),
                (255, 215, 110), (255, 245, 200)),
    "inferno": (
        (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10),
        (249, 201, 50), (252, 255, 164),
    ),
    "plasma": (
        (13, 8, 135), (84, 2, 163), (139, 10, 165), (185, 50, 137), (219, 92, 104), (244, 136, 73), (254, 188, 43),
        (240, 249, 33),
    ),
    "green": ((0, 0, 0), (0, 64, 0), (0, 128, 0), (0, 191, 0), (20, 255, 20), (180, 255, 180)),
}  # fmt: skip

_SAMPLES = 4000
_NEAR = 32.0  # of 255: how far colours may lie from the curve (JPEG, and vendors' versions)
_GRAY = 18.0  # spread of red, green and blue below which a pixel has no colour
_FEW = 400  # of the sample, which tell that a palette is out of the question
_LEAST_COLOURED = 0.35  # share of the pixels
# Of the coloured pixels. Small JPEG pictures blend colours between areas; photographs stay below 0.5.
_LEAST_NEAR = 0.75
_LEAST_REACH = 0.35  # of the palette, between the 2nd and the 98th percentile
_LEVELS = 256


@dataclass(frozen=True)
class PaletteFit:
    """How well a palette explains a picture.

    Attributes:
        name: Of the palette.
        near: Share of the coloured pixels on its curve.
        distance: Their mean distance from it, in levels of 255.
    """

    name: str
    near: float
    distance: float


def palette_names() -> tuple[str, ...]:
    """All palettes that can be inverted."""
    return tuple(_KNOTS)


@cache
def palette_colours(name: str) -> Float[np.ndarray, "256 3"]:
    """The palette from cold to warm, in equal steps.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in _KNOTS:
        raise ConfigError(f"palette={name} is unknown. Choose auto, none, {', '.join(_KNOTS)}.")
    knots = np.array(_KNOTS[name], dtype=float)
    at = np.linspace(0, len(knots) - 1, _LEVELS)
    return np.stack([np.interp(at, np.arange(len(knots)), channel) for channel in knots.T], axis=1)


def without_palette(image: ThermalImage, palette: str = "auto") -> ThermalImage:
    """An 8-bit colour picture of a thermal camera as the intensity that it shows; other images as they are.

    Args:
        image: As it was read.
        palette: `auto` recognises it, `none` leaves the luminance, a name says which it is.

    Raises:
        ConfigError: If there is no such palette.
    """
    if palette not in ("auto", "none"):
        palette_colours(palette)
    if palette == "none" or image.rgb is None or image.rgb.dtype != np.uint8:
        return image
    fit = recognise_palette(image.rgb) if palette == "auto" else PaletteFit(palette, 1.0, 0.0)
    if fit is None:
        return image
    return replace(image, values=invert_palette(image.rgb, fit.name), palette=fit.name)


def recognise_palette(rgb: UInt8[np.ndarray, "height width 3"]) -> PaletteFit | None:
    """The palette that a picture is shown in; None for gray pictures and for photographs."""
    flat = rgb.reshape(-1, 3)
    sample = flat[:: max(1, len(flat) // _SAMPLES)].astype(float)
    coloured = sample[np.ptp(sample, axis=1) > _GRAY]
    if len(coloured) < _LEAST_COLOURED * len(sample):
        return None
    few = coloured[:: max(1, len(coloured) // _FEW)]
    fits = []
    for name in _KNOTS:
        # Five standard deviations of a share of 400: looking at all colours would not change it.
        if (_nearest(few, name)[1] <= _NEAR).mean() < _LEAST_NEAR - 0.11:
            continue
        level, distance = _nearest(coloured, name)
        near = distance <= _NEAR
        reach = np.ptp(np.percentile(level[near], [2, 98])) / _LEVELS if near.any() else 0.0
        if near.mean() >= _LEAST_NEAR and reach >= _LEAST_REACH:
            fits.append(PaletteFit(name, float(near.mean()), float(distance.mean())))
    return min(fits, key=lambda fit: fit.distance, default=None)


def invert_palette(rgb: UInt8[np.ndarray, "height width 3"], name: str) -> Float[np.ndarray, "height width"]:
    """Intensity of each pixel, 0 (cold) to 255 (warm), float32.

    Args:
        rgb: The picture.
        name: Of its palette.

    Raises:
        ConfigError: If there is no such palette.
    """
    coarse = rgb >> 3
    code = (coarse[..., 0].astype(np.uint16) << 10) | (coarse[..., 1].astype(np.uint16) << 5) | coarse[..., 2]
    return _levels(name)[code]


@cache
def _levels(name: str) -> Float[np.ndarray, "32768"]:
    """Level of every colour, with 5 bits a channel: videos have the same colours in every frame."""
    code = np.arange(32**3)
    colours = np.stack([code >> 10, (code >> 5) & 31, code & 31], axis=1) * 8.0 + 4
    return _nearest(colours, name)[0].astype(np.float32)


def _nearest(colours: Float[np.ndarray, "n 3"], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Level of the nearest colour of a palette, and the distance to it."""
    palette = palette_colours(name).astype(np.float32)
    half_square = (palette**2).sum(axis=1) / 2
    # |c - p|^2 is smallest where |p|^2 / 2 - c.p is; pieces that fit into a processor's cache are several times faster.
    pieces = np.array_split(colours.astype(np.float32), -(-len(colours) // 256))
    level = np.concatenate([(half_square - piece @ palette.T).argmin(axis=1) for piece in pieces])
    return level.astype(float), np.linalg.norm(colours - palette[level], axis=1)
