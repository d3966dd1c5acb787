"""Glasses: opaque in the long-wave infrared and nearly as cold as the room. They stand before the eyes in space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.planes import pixels_around, seen_on_plane
from thermal_faces.camera.view import View, turn
from thermal_faces.portable_math import exp, hypot, power
from thermal_faces.randomness import chance, rng
from thermal_faces.ranges import AppearanceRanges

_PUSHED_UP_MM = -64.0


@dataclass(frozen=True)
class Glasses:
    """One pair of glasses; lengths in mm."""

    half_width: float  # of a lens
    half_height: float  # of a lens
    power: float  # shape of a lens: 2 an ellipse, more: a rectangle
    spread: float  # from the middle to a lens' centre
    frame: float  # thickness of the frame; 0: rimless
    sports: bool  # one wide, bent lens
    bow: float  # how far the front bends back: its depth over the square of the distance from the middle, per mm
    temple: float  # half the height of the arms
    glass_warmth: float  # between ambient (0) and skin (1)
    frame_warmth: float  # likewise; metal mirrors the room
    reflection: tuple[float, float, float]  # strength and place (x, y) of a warm reflection


def draw_glasses(seed: int, subject: int, appearance: AppearanceRanges) -> Glasses | None:
    """The glasses that a subject owns; None: none."""
    generator = rng(seed, subject, "glasses")
    owner, rimless, sports = (
        chance(generator, p) for p in (appearance.glasses_owner, appearance.rimless, appearance.sports)
    )
    width, height, power, spread, frame = generator.uniform([20, 12.5, 1.9, 31, 0.7], [27, 23, 5.5, 34, 4.0])
    glass, rim, mirror, x, y = generator.uniform([0.05, 0.0, 0.0, -40, -14], [0.5, 0.55, 0.35, 40, 14])
    sunglasses = chance(generator, appearance.sunglasses) and not sports
    large_width, large_height, gap, bow, temple = generator.uniform([25, 17, 2, 0.001, 2], [31, 25, 5, 0.003, 9])
    if not owner:
        return None
    if sunglasses:
        width, height, spread = large_width, large_height, large_width + gap
        glass, mirror = 0.5 * glass, 0.5 * mirror
    return Glasses(
        half_width=float(width),
        half_height=float(1.3 * height if sports else height),
        power=float(power),
        spread=float(spread),
        frame=0.0 if rimless else float(frame),
        sports=sports,
        bow=float(bow) if sunglasses else 0.0035 if sports else 0.0012,
        temple=float(temple) if sunglasses else 0.8 if rimless else float(0.8 + 0.5 * frame),
        glass_warmth=float(glass),
        frame_warmth=float(rim),
        reflection=(float(mirror), float(x), float(y)),
    )


@dataclass(frozen=True)
class WornGlasses:
    """Glasses on a face that a camera sees."""

    glasses: Glasses  # their shape
    view: View
    centre_mm: tuple[float, float, float]  # the middle of the bridge in the head's frame
    scale: float  # size of the head

    def paint(self, image: Float[np.ndarray, "height width"], skin_c: float, ambient_c: float) -> None:
        """Paints them over the picture, in place."""
        ends = self._ends_mm()
        margin = 30 * self.view.pixels_per_mm
        rows, columns = pixels_around(self.view.project(turn(ends, self.view.head)), margin, image.shape)
        part = image[rows, columns]
        if not part.size:
            return
        x_px = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :]
        y_px = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        for cover, warmth in self._layers(x_px, y_px):
            part += cover * (np.float32(ambient_c) + warmth * np.float32(skin_c - ambient_c) - part)

    def hides(self, places_px: Float[np.ndarray, "places 2"]) -> Bool[np.ndarray, " places"]:
        """Which places of the picture lie behind lens or frame."""
        covers = [cover for cover, _ in self._layers(places_px[:, 0], places_px[:, 1])]
        return np.max(covers, axis=0) > 0.5

    def _ends_mm(self) -> Float[np.ndarray, "4 3"]:
        """Of the two arms: at the frame and at the ear, for the left-hand and the right-hand one."""
        x, y, z = self.centre_mm
        reach = (self.glasses.spread + self.glasses.half_width) * self.scale
        hinge_z = z - max(6.0, self.glasses.bow * reach * reach)
        ends = [[(side * reach + x, y - 3, hinge_z), (side * 77 * self.scale, y + 2, -2)] for side in (-1, 1)]
        return np.array(ends, np.float32).reshape(4, 3)

    def _layers(self, x_px: np.ndarray, y_px: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cover and warmth of the arms, the lenses and the frame, in the order of painting."""
        g, pixel_mm = self.glasses, 1 / self.view.pixels_per_mm
        layers = []
        for i, side in enumerate((-1, 1)):
            # The arm on the far side is hidden by the face.
            if side * self.view.head[2, 0] > -0.12:
                ends = self.view.project(turn(self._ends_mm()[2 * i : 2 * i + 2], self.view.head))
                distance = _distance_to_line(x_px, y_px, *ends) * np.float32(pixel_mm)
                cover = np.clip((g.temple - distance) / pixel_mm + 0.5, 0, 1)
                layers.append((cover, np.full_like(cover, g.frame_warmth)))
        x, y = seen_on_plane(self.view, self.view.head, self.centre_mm[2], x_px, y_px, bow=g.bow)
        x, y = (x - np.float32(self.centre_mm[0])) / self.scale, (y - np.float32(self.centre_mm[1])) / self.scale
        pixel_mm /= self.scale
        side = np.abs(x)
        lens = self._lens_mm(side, y)
        bridge = np.maximum(
            np.abs(y + 0.25 * g.half_height) - 0.7 - 0.4 * g.frame, side - g.spread + 0.9 * g.half_width
        )
        strength, mirror_x, mirror_y = g.reflection
        mirrored = exp(-(((x - mirror_x) / 11) ** 2) - ((y - mirror_y) / 7) ** 2)
        # Warmed by the face behind it, least at the middle.
        glass = np.float32(g.glass_warmth) + strength * mirrored + 0.12 * np.clip(1 + lens / 12, 0, 1)
        layers.append((np.clip(0.5 - lens / pixel_mm, 0, 1), glass.astype(np.float32)))
        rim = bridge if g.frame == 0 or g.sports else np.minimum(np.abs(lens) - 0.5 * g.frame, bridge)
        if g.sports and g.frame:
            rim = np.abs(lens) - 0.5 * g.frame
        cover = np.clip(0.5 - rim / pixel_mm, 0, 1)
        layers.append((cover, np.full_like(cover, g.frame_warmth)))
        return [(cover.astype(np.float32), warmth.astype(np.float32)) for cover, warmth in layers]

    def _lens_mm(self, side: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance outside the nearest lens, about; negative inside."""
        g = self.glasses
        centre, half_width = (0.0, g.spread + 1.15 * g.half_width) if g.sports else (g.spread, g.half_width)
        across, down = np.abs((side - centre) / half_width), np.abs(y / g.half_height)
        if g.sports:
            # Room for the nose.
            down = down + 0.5 * np.clip(1 - side / 13, 0, 1) * (y > 0)
        # Lower corners rounder than upper ones.
        roundness = np.where(y > 0, np.float32(min(g.power, 2.6)), np.float32(g.power)).astype(np.float32)
        radius = power(power(across, roundness) + power(down, roundness), 1 / roundness)
        return (radius - 1) * np.float32(g.half_height)


def _distance_to_line(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    dx, dy = (float(v) for v in end - start)
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / max(dx * dx + dy * dy, 1e-6)
    along = np.clip(along, 0, 1)
    return hypot(x - start[0] - along * dx, y - start[1] - along * dy)


def wear(
    glasses: Glasses, view: View, eyes_mm: Float[np.ndarray, "4 3"], nasion_mm: Float[np.ndarray, " 3"],
    scale: float, *, slide_mm: float, pushed_up: bool,
) -> WornGlasses:  # fmt: skip
    """Puts glasses onto a face: they have slipped down the nose by `slide_mm`, or are pushed up onto the forehead."""
    y = _PUSHED_UP_MM * scale if pushed_up else float(eyes_mm[:, 1].mean()) + (1.5 + slide_mm) * scale
    z = 90 * scale if pushed_up else float(max(nasion_mm[2] + 3, eyes_mm[:, 2].mean() + 13)) + 0.3 * slide_mm
    return WornGlasses(glasses, view, (float(nasion_mm[0]), y, z), scale)
