"""Colour palettes of thermal cameras: recognised by their curve through colour space, and turned back into intensity.

A picture in a palette shows one quantity, so its colours lie on one curve; those of a photograph fill a volume. The
curves here are drawn through a few colours of each palette, from cold to warm; vendors' versions differ a little.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
from jaxtyping import Complex64, Float, Float32, UInt8

from thermal_landmarks.errors import ConfigError

KNOTS: dict[str, tuple[tuple[int, int, int], ...]] = {
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
"""Of the palettes that can be recognised by their colours, by name."""

_SAMPLES = 4000
_NEAR = 32.0  # of 255: how far colours may lie from the curve (JPEG, and vendors' versions)
_GRAY = 18.0  # spread of red, green and blue below which a pixel has no colour
_EXACT = 2.0  # mean distance from a palette that no other can be nearer by
_FEW = 400  # of the sample, which tell that a palette is out of the question
_LEAST_COLOURED = 0.35  # share of the pixels
# Of the coloured pixels. Small JPEG pictures blend colours between areas; photographs stay below 0.5.
_LEAST_NEAR = 0.75
_LEAST_REACH = 0.35  # of the palette, between the 2nd and the 98th percentile
_LEVELS = 256
_CODES = 2**15  # colours with 5 bits a channel
_ROUNDED = 7.0  # levels of 255 by which they can be off


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours from cold to warm, in equal steps."""

    name: str  # of the palette
    colours: Float[np.ndarray, "step 3"]  # two or more, red, green and blue from 0 to 255

    def nearest(self, colours: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """Level (0 cold, 255 warm) of the palette's colour that is nearest to each, and the distance to it."""
        palette = self.colours.astype(np.float32)
        half_square = (palette**2).sum(axis=1) / 2
        # |c - p|^2 is smallest where |p|^2 / 2 - c.p is. Pieces that fit into a cache are several times faster.
        pieces = np.array_split(colours.astype(np.float32), -(-len(colours) // 256))
        step = np.concatenate([(half_square - piece @ palette.T).argmin(axis=1) for piece in pieces])
        return step * (255 / (len(palette) - 1)), np.linalg.norm(colours - palette[step], axis=1)

    def distance(self, rgb: UInt8[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape"]:
        """Of each pixel's colour from the palette, in levels of 255."""
        return self.read(rgb)[1]

    def read(
        self, rgb: UInt8[np.ndarray, "*shape 3"]
    ) -> tuple[Float32[np.ndarray, "*shape"], Float32[np.ndarray, "*shape"]]:
        """Intensity and distance from a table of colours with 5 bits a channel; what is new is added to it."""
        red, green, blue = np.moveaxis(rgb, -1, 0)
        code = (red >> 3).astype(np.uint16)
        for channel in (green, blue):
            code <<= 5
            code |= channel >> 3
        found = self._table.take(code)
        if np.isnan(found).any():
            new = np.unique(code[np.isnan(found)])
            colours = np.stack([new >> 10, (new >> 5) & 31, new & 31], axis=1) * 8.0 + 4
            levels, distances = self.nearest(colours)
            self._table[new] = levels + 1j * distances
            found = self._table.take(code)
        return found.real, found.imag

    @cached_property
    def _table(self) -> Complex64[np.ndarray, " code"]:
        """Level and distance of each colour, as one number, which one look-up finds; NaN where none was asked for."""
        return np.full(_CODES, np.nan, np.complex64)

    @property
    def is_gray(self) -> bool:
        """Whether it has no colour."""
        return bool(np.ptp(self.colours, axis=1).max() <= _GRAY)

    @property
    def rises(self) -> bool:
        """Whether its warm end is the brighter one."""
        return bool(self.colours[-1].mean() >= self.colours[0].mean())


@dataclass(frozen=True)
class PaletteFit:
    """How well a palette explains a picture."""

    palette: Palette  # which
    near: float  # share of the coloured pixels on its curve
    distance: float  # their mean distance from it, in levels of 255


BLACK_HOT = Palette("black_hot", np.linspace(255.0, 0.0, _LEVELS)[:, None].repeat(3, axis=1))
"""Gray pictures whose dark parts are warm; nothing in their colours tells that."""


@cache
def named_palette(name: str) -> Palette:
    """A known palette.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name == BLACK_HOT.name:
        return BLACK_HOT
    if name not in KNOTS:
        raise ConfigError(f"palette={name} is unknown. Choose auto, none, {BLACK_HOT.name}, {', '.join(KNOTS)}.")
    knots = np.array(KNOTS[name], dtype=float)
    at = np.linspace(0, len(knots) - 1, _LEVELS)
    return Palette(name, np.stack([np.interp(at, np.arange(len(knots)), channel) for channel in knots.T], axis=1))


@lru_cache(maxsize=16)
def palette_of(name: str, colours: bytes) -> Palette:
    """A palette that a file or a picture brings along: the pictures of a folder mostly share it."""
    return Palette(name, np.frombuffer(colours, np.uint8).reshape(-1, 3).astype(float))


def recognise_palette(rgb: UInt8[np.ndarray, "height width 3"], others: Iterable[Palette] = ()) -> PaletteFit | None:
    """The palette that a picture is shown in; None for gray pictures and for photographs."""
    coloured = _coloured_sample(rgb)
    if coloured is None:
        return None
    few = coloured[:: max(1, len(coloured) // _FEW)]
    code, of_pixel = np.unique(coloured @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)
    colours = np.stack([code >> 16, (code >> 8) & 255, code & 255], axis=1).astype(float)
    best: PaletteFit | None = None
    for palette in (*others, *map(named_palette, KNOTS)):
        fit = _fit(palette, colours, of_pixel) if _may_be_shown_in(few, palette) else None
        if fit is not None and (best is None or fit.distance < best.distance):
            best = fit
        if best is not None and best.distance < _EXACT:
            break
    return best


def is_shown_in(rgb: UInt8[np.ndarray, "height width 3"], palette: Palette) -> bool:
    """Whether a picture's colours are those of a palette that its file states; gray palettes show gray pictures."""
    flat = rgb.reshape(-1, 3)
    _, distance = palette.nearest(flat[:: max(1, len(flat) // _SAMPLES)].astype(float))
    return bool((distance <= _NEAR).mean() >= _LEAST_NEAR)


def spread_of(rgb: UInt8[np.ndarray, "*shape 3"]) -> UInt8[np.ndarray, "*shape"]:
    """Between the strongest and the weakest of red, green and blue."""
    red, green, blue = np.moveaxis(rgb, -1, 0)  # far faster than along the last axis
    spread: np.ndarray = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return spread


def _coloured_sample(rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "n 3"] | None:
    """Some of the pixels that have a colour; None of a picture that is mostly gray."""
    flat = rgb.reshape(-1, 3)
    sample = flat[:: max(1, len(flat) // _SAMPLES)]
    coloured = sample[spread_of(sample) > _GRAY]
    return coloured if len(coloured) >= _LEAST_COLOURED * len(sample) else None


def _may_be_shown_in(few: UInt8[np.ndarray, "n 3"], palette: Palette) -> bool:
    """Whether looking at more colours can tell; five standard deviations of a share of 400 say that it can't."""
    least = _LEAST_NEAR - 0.11
    if (palette.distance(few) <= _NEAR + _ROUNDED).mean() < least:  # most end here, at the price of a table look-up
        return False
    return bool((palette.nearest(few.astype(float))[1] <= _NEAR).mean() >= least)


def _fit(palette: Palette, colours: Float[np.ndarray, "colour 3"], of_pixel: np.ndarray) -> PaletteFit | None:
    level, distance = (each[of_pixel] for each in palette.nearest(colours))
    near = distance <= _NEAR
    reach = np.ptp(np.percentile(level[near], [2, 98])) / 255 if near.any() else 0.0
    if near.mean() < _LEAST_NEAR or reach < _LEAST_REACH:
        return None
    return PaletteFit(palette, float(near.mean()), float(distance.mean()))
