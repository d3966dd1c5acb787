"""One complete person of a scene: how it is drawn, where its face is, and how much of that can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.rasterizer import cell_areas_px
from thermal_faces.camera.view import turn
from thermal_faces.head.surface import longitudes_deg, mean_head
from thermal_faces.portrait import Portrait
from thermal_faces.scene.body import Body
from thermal_faces.worn.accessories import worn_cloth
from thermal_faces.worn.cloth import covers
from thermal_faces.worn.occluders import hidden_by_occluder

FACE_TOP_MM = -62.0
"""Upper edge of a face's box, from the eyes: the middle of the forehead, where hairlines begin."""
_FACE_BOTTOM_MM = 118.0
_EAR_DEG = 80.0


@dataclass(frozen=True)
class Figure:
    """A person at a place of the scene."""

    portrait: Portrait  # head and torso as the camera sees them
    body: Body  # arms and legs
    angles_deg: tuple[float, float, float]  # yaw, pitch and roll of the head

    @property
    def shows_face(self) -> bool:
        """Whether the face is turned to the camera by 90 degrees or less."""
        return abs(self.angles_deg[0]) <= 90

    def draw_over(self, image: Float[np.ndarray, "height width"], ambient_c: float) -> None:
        """Paints the person but for what it holds before its torso, in place."""
        self.body.draw_over(image, self.portrait.view, self.portrait.person.scale, front=False)
        self.portrait.draw_over(image, ambient_c)

    def draw_front(self, image: Float[np.ndarray, "height width"]) -> None:
        """Paints arms and legs that lie before the torso, in place."""
        self.body.draw_over(image, self.portrait.view, self.portrait.person.scale, front=True)

    def box_px(self) -> tuple[float, float, float, float]:
        """Rectangle around what faces the camera of the surface from mid-forehead to chin, ear to ear."""
        low, high = self._face_px.min(axis=0), self._face_px.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def head_box_px(self) -> tuple[float, float, float, float]:
        """Rectangle around the same part of the head, whether it faces the camera or not."""
        rows, columns = face_grid()
        view = self.portrait.view
        points = view.project(turn(self.portrait.vertices_mm[rows, columns], view.head)).reshape(-1, 2)
        low, high = points.min(axis=0), points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def landmarks(self, covered: Bool[np.ndarray, "height width"]) -> tuple[np.ndarray, Bool[np.ndarray, " 16"]]:
        """Pixels of the `face16` landmarks, and which can be seen: not those `covered` by something nearer."""
        points_px, visible = self.portrait.landmarks()
        return points_px, visible & ~_outside_or_covered(points_px, covered)

    def hidden(self, covered: Bool[np.ndarray, "height width"]) -> float:
        """Share of the face that is out of the frame, or behind something: hair, a hood, a hand, another person.

        Masks and glasses, which lie on the face, hide nothing in this sense.
        """
        places = self._face_px[:: max(len(self._face_px) // 80, 1)]
        portrait = self.portrait
        person, frame_state, view = portrait.person, portrait.frame_state, portrait.view
        behind = _outside_or_covered(places, covered)
        if frame_state.worn.occluder:
            behind |= hidden_by_occluder(person, frame_state.worn, view, places)
        for cloth in worn_cloth(person, frame_state, view, ambient_c=20.0):
            if not cloth.behind_head:
                points_px = cloth.points_px(view, person.scale)
                behind |= covers(points_px, cloth.cells(points_px), places)
        return float(behind.mean())

    @cached_property
    def _face_px(self) -> Float[np.ndarray, "places 2"]:
        """Those vertices of the face whose surface faces the camera."""
        rows, columns = face_grid()
        vertices = self.portrait.vertices_mm[rows, columns]
        points = self.portrait.view.project(turn(vertices, self.portrait.view.head))
        facing = cell_areas_px(points) > 0
        seen = np.zeros(points.shape[:2], bool)
        for down in (slice(None, -1), slice(1, None)):
            for across in (slice(None, -1), slice(1, None)):
                seen[down, across] |= facing
        # Beyond 80 degrees of yaw and pitch there may be none.
        return points[seen] if seen.any() else points.reshape(-1, 2)


def paint_people(
    image: Float[np.ndarray, "height width"], figures: Sequence[Figure], ambient_c: float
) -> tuple[list[Bool[np.ndarray, "height width"]], Bool[np.ndarray, "height width"]]:
    """Paints people over each other, in place.

    Returns:
        For each, the pixels that an arm of their own or somebody nearer covers; and all pixels of people.
    """
    covered = [np.zeros(image.shape, bool) for _ in figures]
    people = np.zeros(image.shape, bool)
    for number, figure in enumerate(figures):
        before = image.copy()
        figure.draw_over(image, ambient_c)
        behind_arms = image.copy()
        figure.draw_front(image)
        covered[number] |= image != behind_arms
        changed = image != before
        people |= changed
        for behind in covered[:number]:
            behind |= changed
    return covered, people


def face_grid() -> tuple[slice, slice]:
    """Rows and columns of the head's grid that make up the face: mid-forehead to chin, ear to ear."""
    middle_y = mean_head().frontal_mm[:, mean_head().frontal_mm.shape[1] // 2, 1]
    rows = np.flatnonzero((middle_y > FACE_TOP_MM) & (middle_y < _FACE_BOTTOM_MM))
    columns = np.flatnonzero(np.abs(longitudes_deg()) <= _EAR_DEG)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _outside_or_covered(places_px: np.ndarray, covered: np.ndarray) -> Bool[np.ndarray, " places"]:
    height, width = covered.shape
    nearest = np.rint(places_px)
    x, y = nearest[:, 0], nearest[:, 1]
    outside = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    x, y = (np.clip(v, 0, limit - 1).astype(np.intp) for v, limit in ((x, width), (y, height)))
    return outside | covered[y, x]
