"""Caps, bands around the forehead and medical masks: painted over the head, which they thicken; and a cap's peak."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.rasterizer import upsample
from thermal_faces.head.surface import mean_head
from thermal_faces.noise import smooth_noise
from thermal_faces.person import FrameState, Person
from thermal_faces.portable_math import exp
from thermal_faces.randomness import rng
from thermal_faces.skin.temperature_map import Canvas
from thermal_faces.worn.cloth import Cloth
from thermal_faces.worn.wardrobe import Worn


@dataclass(frozen=True)
class _Layer:
    """Something that lies on the head between two heights, in mm of the mean face."""

    top: float  # upper edge at the middle
    bottom: float  # lower edge at the middle
    half_width: float  # reach to both sides
    bow: float  # how much further down the edges are, per squared mm from the middle
    slant: float  # its edges' slope
    thickness: float  # how far it stands off
    warmth: float  # between ambient (0) and skin (1)
    folds_k: float  # strength of its irregular pattern

    def depth_mm(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance inside its nearest edge; negative outside."""
        height = y - np.float32(self.bow) * x * x - np.float32(self.slant) * x
        inside = np.minimum(height - np.float32(self.top), np.float32(self.bottom) - height)
        return np.minimum(inside, np.float32(self.half_width) - np.abs(x))


def _layers(worn: Worn) -> Iterator[_Layer]:
    generator = rng(worn.key[0], *worn.key[1:], "headwear")
    # All are drawn, so that one more kind doesn't change the others.
    edge, low_edge, slant, bow, warmth, folds_k = generator.uniform(
        [-64, -58, -0.1, 0.0, 0.1, 0.1], [-48, -34, 0.1, 0.003, 0.65, 0.7]
    )
    band_y, band_half, patch, patch_half, band_warmth = generator.uniform([-62, 4, 0, 14, 0.15], [-44, 20, 1, 48, 0.85])
    mask_top, mask_bottom, mask_warmth, mask_side = generator.uniform([8, 104, 0.35, 54], [24, 124, 0.9, 66])
    if worn.headwear == "cap":
        yield _Layer(-300, low_edge, 200, bow, slant, 7, warmth, folds_k)
    elif worn.headwear == "peaked_cap":
        yield _Layer(-300, edge, 200, 0.4 * bow, 0.4 * slant, 11, warmth, folds_k)
    elif worn.headwear == "head_band":
        half_width = patch_half if patch < 0.35 else 200
        yield _Layer(
            band_y - band_half, band_y + band_half, half_width, bow - 0.002, slant, 2, band_warmth, 0.4 * folds_k
        )
    if worn.mask:
        top = mask_top if worn.mask == "over_nose" else 48.0
        yield _Layer(top, mask_bottom, mask_side, -0.003, 0.2 * slant, 4, mask_warmth, folds_k + 0.3)


def headwear_mm(worn: Worn) -> Float[np.ndarray, "rows columns"] | None:
    """How far the head's vertices move outwards under what lies on them; NaN where nothing does."""
    x, y = np.moveaxis(mean_head().frontal_mm, -1, 0)
    result = None
    for layer in _layers(worn):
        result = np.full(x.shape, np.nan, np.float32) if result is None else result
        depth = layer.depth_mm(x, y)
        inside = depth > -4
        result[inside] = layer.thickness * np.clip((depth[inside] + 4) / 10, 0, 1)
    return result


def hidden_below(worn: Worn, places_mm: Float[np.ndarray, "places 2"]) -> Bool[np.ndarray, " places"]:
    """Which places of the mean face something lies on."""
    hidden = np.zeros(len(places_mm), bool)
    for layer in _layers(worn):
        hidden |= layer.depth_mm(places_mm[:, 0], places_mm[:, 1]) > 0
    return hidden


def paint_headwear(canvas: Canvas, person: Person, frame_state: FrameState, ambient_c: float) -> None:
    """What lies on the head, and the straps of a mask."""
    worn = frame_state.worn
    for number, layer in enumerate(_layers(worn)):
        low, high = max(layer.top - 16, -129), min(layer.bottom + 30, 150)
        view, x, y = canvas.window((-80, 80), (low, high)) if layer.top > -200 else _whole_rows(canvas, high)
        folds = smooth_noise(rng(worn.key[0], *worn.key[1:], "folds", number), view.shape[0], view.shape[1], (9, 14))
        cover = np.clip(np.float32(0.5) + layer.depth_mm(x, y) / np.float32(1.6), 0, 1)
        cloth_c = (
            np.float32(ambient_c + layer.warmth * (person.forehead_c - ambient_c)) + np.float32(layer.folds_k) * folds
        )
        if layer.top > 0:
            # Cold where it stands off at its edges, warm over the mouth.
            cloth_c += np.float32(1.2) * exp(-((x / 26) ** 2) - ((y - 66) / 22) ** 2) - np.float32(0.6)
            if worn.mask == "over_nose" and frame_state.mask_k:
                cloth_c += np.float32(frame_state.mask_k) * exp(-((x / 34) ** 2) - ((y - 52) / 28) ** 2)
            strap = np.minimum(np.abs(y - 42 - 0.1 * np.abs(x)), np.abs(y - 84 + 0.35 * np.abs(x)))
            cover = np.maximum(cover, np.clip(1.8 - strap, 0, 1) * (np.abs(x) > layer.half_width - 2))
        view += cover * (cloth_c - view)


def _whole_rows(canvas: Canvas, lowest_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Like `Canvas.window`, around the whole head."""
    frontal = mean_head().frontal_mm
    rows = int(np.flatnonzero(frontal[:, 0, 1] < lowest_mm + 30)[-1])
    x, y = (upsample(np.ascontiguousarray(frontal[: rows + 1, :, axis]), canvas.samples) for axis in range(2))
    return canvas.texture[: x.shape[0]], x, y


def peak(person: Person, worn: Worn, ambient_c: float) -> Cloth:
    """The peak of a cap: juts out over the forehead, cold, bent down at its sides."""
    (layer,) = (layer for layer in _layers(worn) if layer.top < -200)
    generator = rng(worn.key[0], *worn.key[1:], "peak")
    length, drop, bend, warmth = generator.uniform([45, 4, 6, 0.05], [78, 34, 24, 0.4])
    turn = np.radians(np.linspace(-72, 72, 25))[None, :]
    out = np.linspace(0, 1, 9)[:, None]
    x = (72 + 4 * out) * np.sin(turn)
    y = layer.bottom - 3 + layer.slant * x + drop * out**1.5 + bend * np.sin(turn) ** 2 * (0.4 + 0.6 * out)
    z = 14 + 86 * np.cos(turn) + length * out * np.cos(turn) ** 0.6
    vertices = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    temperature_c = np.full(vertices.shape[:2], ambient_c + warmth * (person.forehead_c - ambient_c))
    temperature_c = temperature_c + 1.2 * (1 - out) ** 2 * np.sign(person.forehead_c - ambient_c)
    return Cloth(vertices, temperature_c, (*worn.key, "peak pattern"), grain_k=0.2)
