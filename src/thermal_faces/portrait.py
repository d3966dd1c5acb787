"""One face in front of one camera: where its landmarks are, and its picture.

What is drawn first lies behind: a head rest, hair behind the neck, neck and shoulders, the far ear, the head, glasses,
the near ear, hair beside the face and what is worn over it, what is held in front.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.rasterizer import (
    cell_areas_px,
    draw,
    draw_surface,
    samples_per_cell,
    visible_cells,
)
from thermal_faces.camera.view import View, turn
from thermal_faces.distant import DistantHead, coarse
from thermal_faces.head.back import back_texture_c, back_vertices_mm
from thermal_faces.head.bust import bust_texture_c, ear_texture_c, ear_vertices_mm, turned_bust_mm
from thermal_faces.head.shape_modes import displace
from thermal_faces.head.surface import mean_head
from thermal_faces.person import FrameState, Person
from thermal_faces.skin.features import paint_features
from thermal_faces.skin.temperature_map import (
    Canvas,
    broad_temperature_c,
    paint_grain,
    paint_marker,
    with_grazing_loss,
)
from thermal_faces.worn.accessories import hidden_by_accessories, worn_cloth, worn_glasses
from thermal_faces.worn.beard import paint_beard
from thermal_faces.worn.cloth import Cloth
from thermal_faces.worn.hair import paint_hair, thicken
from thermal_faces.worn.headwear import headwear_mm, paint_headwear
from thermal_faces.worn.occluders import paint_head_rest, paint_occluder

# Closer samples change the picture by less than a tenth of the sensor's noise.
_SAMPLE_SPACING_PX = 0.95
_COARSE_SPACING_PX = 1.35
_MARKER_C = 60.0
_MARKER_RADIUS_MM = 0.35
_TURNED = 0.1  # sine of the yaw beyond which the near ear lies in front of the head


def head_vertices_mm(person: Person, frame_state: FrameState) -> Float[np.ndarray, "rows columns 3"]:
    """The surface of a person's head with its expression and hair, in the head frame."""
    vertices = displace({**person.shape_mm, **frame_state.expression_mm})
    thicken(vertices, person, headwear_mm(frame_state.worn))
    return vertices * np.float32(person.scale)


@dataclass(frozen=True)
class Portrait:
    """A person at a moment, as a camera sees them."""

    person: Person  # who is seen
    frame_state: FrameState  # what the face does and wears
    vertices_mm: Float[np.ndarray, "rows columns 3"]  # the head's surface in the head frame (`head_vertices_mm`)
    view: View
    # Also draws the back of the head, and a torso with a waist, seen from behind where the body is turned away: for
    # people who look to the side or away
    whole: bool = False
    distant: DistantHead | None = None  # the head as it is painted from afar, coarsely and without ears

    def landmarks(self) -> tuple[Float[np.ndarray, "16 2"], Bool[np.ndarray, " 16"]]:
        """Pixels of the `face16` landmarks, and which can be seen: facing the camera with nothing in front of them."""
        turned, points_px = self._head_points
        facing = cell_areas_px(points_px) > 0
        hidden = facing & ~visible_cells(points_px, turned[..., 2])
        rows, columns = mean_head().landmark_vertices.T
        around = [(rows - down, columns - across) for down in (0, 1) for across in (0, 1)]
        facing_cells = np.sum([facing[place] for place in around], axis=0)
        hidden_cells = np.sum([hidden[place] for place in around], axis=0)
        visible = (facing_cells >= 2) & (hidden_cells == 0)
        places_px = points_px[rows, columns].astype(np.float32)
        visible &= ~hidden_by_accessories(self.person, self.frame_state, self.view, self.vertices_mm, places_px)
        return places_px, visible

    def box_px(self) -> tuple[float, float, float, float]:
        """Rectangle around the face from forehead to chin, ear to ear: x_min, y_min, x_max, y_max."""
        _, points_px = self._head_points
        x, y = np.moveaxis(points_px[_face_rows()], -1, 0)
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def draw_over(self, image: Float[np.ndarray, "height width"], ambient_c: float, *, markers: bool = False) -> None:
        """Paints the person over a background in degrees Celsius, in place; `markers`: see `SyntheticFaces`."""
        person, frame_state, view = self.person, self.frame_state, self.view
        right_side_nearness = float(view.head[2, 0])
        near, far = (1, -1) if right_side_nearness > 0 else (-1, 1)
        near_ear_in_front = abs(right_side_nearness) > _TURNED
        cloths = worn_cloth(person, frame_state, view, ambient_c)
        if frame_state.worn.head_rest:
            paint_head_rest(image, person, frame_state.worn, view, ambient_c)
        for cloth in cloths:
            if cloth.hollow:
                self._draw_cloth(image, cloth, inside=True)
        self._draw_bust(image, ambient_c)
        self._draw_ear(image, far)
        for cloth in cloths:
            if cloth.behind_head:
                self._draw_cloth(image, cloth)
        if not near_ear_in_front:
            self._draw_ear(image, near)
        self._draw_head(image, ambient_c, markers=markers)
        glasses = worn_glasses(person, frame_state, view, self.vertices_mm)
        if glasses is not None:
            glasses.paint(image, person.forehead_c, ambient_c)
        if near_ear_in_front:
            self._draw_ear(image, near)
        for cloth in cloths:
            if not cloth.behind_head:
                self._draw_cloth(image, cloth)
        if frame_state.worn.occluder:
            paint_occluder(image, person, frame_state.worn, view, ambient_c)

    @cached_property
    def _head_points(self) -> tuple[Float[np.ndarray, "rows columns 3"], Float[np.ndarray, "rows columns 2"]]:
        turned = turn(self.vertices_mm, self.view.head)
        return turned, self.view.project(turned)

    def _draw_head(self, image: np.ndarray, ambient_c: float, *, markers: bool) -> None:
        person, frame_state = self.person, self.frame_state
        turned, points = self._head_points
        if self.distant is not None:
            turned, points = coarse(turned), coarse(points)
            texture = self.distant.texture_c(person.forehead_c, ambient_c)
            self._draw_back(image, texture, 1)
            draw_surface(image, points, turned[..., 2], texture)
            return
        facing = _facing(turned, self.view)
        skin_c = with_grazing_loss(
            broad_temperature_c(person, frame_state), facing, ambient_c, frame_state.grazing_loss
        )
        canvas = Canvas(skin_c, samples_per_cell(points[_face_rows()], _SAMPLE_SPACING_PX))
        paint_grain(canvas, person)
        paint_features(canvas, person, frame_state)
        paint_beard(canvas, person)
        paint_hair(canvas, person, facing, ambient_c)
        paint_headwear(canvas, person, frame_state, ambient_c)
        if markers:
            for place in mean_head().landmarks_frontal_mm.values():
                paint_marker(canvas, place, _MARKER_C, _MARKER_RADIUS_MM)
        if self.whole:
            self._draw_back(image, canvas.texture, canvas.samples)
        draw_surface(image, points, turned[..., 2], canvas.texture)

    def _draw_back(self, image: np.ndarray, head_c: np.ndarray, samples: int) -> None:
        vertices = back_vertices_mm(self.vertices_mm if self.distant is None else coarse(self.vertices_mm))
        points = self.view.project(turn(vertices, self.view.head))
        texture = back_texture_c(head_c, len(points), samples)
        draw(image, points, texture, cell_areas_px(points) > 0)

    def _draw_bust(self, image: np.ndarray, ambient_c: float) -> None:
        head, body = self.view.head, self.view.body
        if self.whole:
            head, body = _facing_camera(head), _facing_camera(body)
        turned = turned_bust_mm(self.person, head, body, waist=0.22 if self.whole else 0.0)
        points = self.view.project(turned * np.float32(self.person.scale))
        # The rows below the frame need no texture.
        rows = min(int((points[..., 1].min(axis=1) < image.shape[0]).sum()) + 1, len(points))
        if rows < 2:
            return
        points = points[:rows]
        samples = samples_per_cell(points, _COARSE_SPACING_PX, most=32)
        texture = bust_texture_c(self.person, self.frame_state, rows, samples, ambient_c)
        draw(image, points, texture, cell_areas_px(points) > 0)

    def _draw_cloth(self, image: np.ndarray, cloth: Cloth, *, inside: bool = False) -> None:
        points = cloth.points_px(self.view, self.person.scale)
        samples = samples_per_cell(points, _COARSE_SPACING_PX, most=24)
        draw(image, points, cloth.texture_c(samples), cloth.cells(points, inside=inside))

    def _draw_ear(self, image: np.ndarray, side: int) -> None:
        if self.distant is not None:
            return
        vertices = ear_vertices_mm(side, self.person) * np.float32(self.person.scale)
        points = self.view.project(turn(vertices, self.view.head))
        samples = samples_per_cell(points, _SAMPLE_SPACING_PX)
        texture = ear_texture_c(side, self.person, self.frame_state, samples)
        draw(image, points, texture, np.ones((points.shape[0] - 1, points.shape[1] - 1), bool))


def _face_rows() -> slice:
    """Rows of the head's grid from the forehead to the chin."""
    middle_y = mean_head().frontal_mm[:, mean_head().frontal_mm.shape[1] // 2, 1]
    rows = np.flatnonzero((middle_y > -62) & (middle_y < 118))
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _facing_camera(matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """Of something whose back is like its front: turned round where its front is turned away."""
    return matrix if matrix[2, 2] >= 0 else matrix * np.array([-1, 1, -1])


def _facing(turned_mm: Float[np.ndarray, "rows columns 3"], view: View) -> Float[np.ndarray, "rows columns"]:
    """Cosine between the surface's normal and the direction to the camera, at the vertices."""
    down = np.gradient(turned_mm, axis=0)
    across = np.gradient(turned_mm, axis=1)
    normal = np.stack(
        [
            down[..., 1] * across[..., 2] - down[..., 2] * across[..., 1],
            down[..., 2] * across[..., 0] - down[..., 0] * across[..., 2],
            down[..., 0] * across[..., 1] - down[..., 1] * across[..., 0],
        ],
        axis=-1,
    )
    to_camera = np.array([0, 0, view.distance_mm], np.float32) - turned_mm
    length = np.sqrt((normal * normal).sum(-1) * (to_camera * to_camera).sum(-1)) + np.float32(1e-6)
    return -(normal * to_camera).sum(-1) / length
