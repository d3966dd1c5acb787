"""Heads seen from afar: painted once, without what is finer than a pixel, then used in any room and pose."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from thermal_faces.person import FrameState, Person
from thermal_faces.skin.temperature_map import Canvas, broad_temperature_c
from thermal_faces.worn.beard import paint_beard
from thermal_faces.worn.hair import paint_hair
from thermal_faces.worn.headwear import paint_headwear

_EVERY = 2  # row and column of the head's grid
_COLD_C, _WARM_C = 0.0, 30.0


@dataclass(frozen=True)
class DistantHead:
    """Temperatures of a head on a coarse grid, in two rooms; those in other rooms lie on the line through both."""

    forehead_c: float  # of the person who was painted
    cold_c: Float[np.ndarray, "down across"]  # one value for each cell of the coarse grid, in a cold room
    warm_c: Float[np.ndarray, "down across"]  # in a warm one

    @staticmethod
    def of(person: Person, frame_state: FrameState) -> "DistantHead":
        """Paints skin, beard, hair and headwear."""
        cold_c, warm_c = (_painted(person, frame_state, ambient_c) for ambient_c in (_COLD_C, _WARM_C))
        return DistantHead(person.forehead_c, cold_c, warm_c)

    def texture_c(self, forehead_c: float, ambient_c: float) -> Float[np.ndarray, "down across"]:
        """In a room of that temperature, if the person had that forehead: all skin is as much warmer or colder."""
        shift = forehead_c - self.forehead_c
        share = np.float32((ambient_c - shift - _COLD_C) / (_WARM_C - _COLD_C))
        return self.cold_c + share * (self.warm_c - self.cold_c) + np.float32(shift)


def coarse(grid: Float[np.ndarray, "rows columns *rest"]) -> Float[np.ndarray, "down across *rest"]:
    """Vertices of the coarse grid, first and last included."""
    rows, columns = ([*range(0, length - 1, _EVERY), length - 1] for length in grid.shape[:2])
    return grid[np.ix_(rows, columns)]


def _painted(person: Person, frame_state: FrameState, ambient_c: float) -> Float[np.ndarray, "down across"]:
    skin_c = broad_temperature_c(person, frame_state)
    canvas = Canvas(skin_c, 1)
    paint_beard(canvas, person)
    paint_hair(canvas, person, np.ones_like(skin_c), ambient_c)
    paint_headwear(canvas, person, frame_state, ambient_c)
    texture = canvas.texture
    # The mean of the cells that each coarse cell holds.
    for axis in (0, 1):
        starts = np.arange(0, texture.shape[axis], _EVERY)
        counts = np.diff(np.append(starts, texture.shape[axis])).astype(np.float32)
        texture = np.add.reduceat(texture, starts, axis=axis) / (counts[:, None] if axis == 0 else counts)
    return texture
