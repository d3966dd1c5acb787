"""Open surfaces around the head that are drawn as a whole: hair that hangs, hoods, collars, peaks, ear cups."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.rasterizer import cell_areas_px, upsample
from thermal_faces.camera.view import View, turn
from thermal_faces.noise import smooth_noise
from thermal_faces.randomness import rng


@dataclass(frozen=True)
class Cloth:
    """A grid of vertices with its temperature."""

    vertices_mm: Float[np.ndarray, "rows columns 3"]  # in the head's frame
    temperature_c: Float[np.ndarray, "rows columns"]  # at the vertices
    key: tuple[int | str, ...]  # seed and parts of its irregular pattern (`randomness.rng`)
    grain_k: float = 0.3  # strength of that pattern
    knots: tuple[int, int] = (8, 16)  # of that pattern: how fine it is down and across
    with_body: bool = False  # turns with the shoulders, not with the head
    hollow: bool = False  # runs around the head: cells that face away are its inside and lie behind everything
    behind_head: bool = False  # its outside lies in front of the neck but behind the head

    def points_px(self, view: View, scale: float) -> Float[np.ndarray, "rows columns 2"]:
        """Its vertices in the picture of a person of that size."""
        vertices = (self.vertices_mm * scale).astype(np.float32)
        return view.project(turn(vertices, view.body if self.with_body else view.head))

    def cells(
        self, points_px: Float[np.ndarray, "rows columns 2"], *, inside: bool = False
    ) -> Bool[np.ndarray, "rows-1 columns-1"]:
        """Cells to draw: all; of a hollow cloth those whose outside is seen, or those whose inside is."""
        outside = cell_areas_px(points_px) > 0
        return ~outside if inside else outside | (not self.hollow)

    def texture_c(self, samples: int) -> Float[np.ndarray, "down across"]:
        """Temperature at the samples of all cells."""
        texture = upsample(self.temperature_c.astype(np.float32), samples)
        seed, *parts = self.key
        return texture + np.float32(self.grain_k) * smooth_noise(
            rng(int(seed), *parts), texture.shape[0], texture.shape[1], self.knots
        )


def covers(
    points_px: Float[np.ndarray, "rows columns 2"],
    cells: Bool[np.ndarray, "rows-1 columns-1"],
    places_px: Float[np.ndarray, "places 2"],
) -> Bool[np.ndarray, " places"]:
    """Which places lie inside one of the chosen cells."""
    corners = [points_px[:-1, :-1], points_px[:-1, 1:], points_px[1:, 1:], points_px[1:, :-1]]
    chosen = np.stack([corner[cells] for corner in corners])
    edges = np.roll(chosen, -1, axis=0) - chosen
    to_place = places_px[:, None, None] - chosen
    turn = edges[..., 0] * to_place[..., 1] - edges[..., 1] * to_place[..., 0]
    return ((turn >= 0).all(axis=1) | (turn <= 0).all(axis=1)).any(axis=1)
