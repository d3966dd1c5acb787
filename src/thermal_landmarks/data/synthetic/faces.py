"""The data set of rendered faces: a `Source` whose images are made when they are asked for."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.data.synthetic import settings as groups
from thermal_landmarks.data.synthetic.bust import bust_texture_c, ear_texture_c, ear_vertices_mm, turned_bust_mm
from thermal_landmarks.data.synthetic.camera import View, draw_view, turn
from thermal_landmarks.data.synthetic.features import paint_features
from thermal_landmarks.data.synthetic.hair import paint_accessories, paint_hair, thicken
from thermal_landmarks.data.synthetic.head_surface import mean_head
from thermal_landmarks.data.synthetic.long_hair import long_hair_texture_c, long_hair_vertices_mm
from thermal_landmarks.data.synthetic.person import Moment, Person, draw_moment, draw_person
from thermal_landmarks.data.synthetic.randomness import stream, uniform
from thermal_landmarks.data.synthetic.rasterizer import (
    cell_areas_px,
    draw,
    draw_surface,
    samples_per_cell,
    visible_cells,
)
from thermal_landmarks.data.synthetic.scene import paint_room
from thermal_landmarks.data.synthetic.sensor import record
from thermal_landmarks.data.synthetic.shape_modes import displace
from thermal_landmarks.data.synthetic.skin import (
    Canvas,
    broad_temperature_c,
    paint_grain,
    paint_marker,
    with_grazing_loss,
)
from thermal_landmarks.errors import ConfigError, DataError

RENDERER_VERSION = 1
"""Goes up with every change that alters a pixel or a point, so that no stale cache is read."""

_SAMPLE_SPACING_PX = 0.85
_COARSE_SPACING_PX = 1.35
_MARKER_C = 60.0
_MARKER_RADIUS_MM = 0.35

Group = Mapping[str, Any] | None


class SyntheticFaces:
    """Rendered thermal faces with exact landmarks.

    Every image depends on nothing but the seed, its subject and its index: not on order, process or machine.

    Args:
        subjects: Number of people.
        images_per_subject: Images of each.
        size: Height and width of an image; another size shows the same scenes.
        seed: Another seed gives other people.
        anatomy: Settings of `AnatomyRanges` that differ from the defaults; likewise the following.
        expression: Of `ExpressionRanges`.
        pose: Of `PoseRanges`.
        temperature: Of `TemperatureRanges`.
        appearance: Of `AppearanceRanges`.
        scene: Of `SceneRanges`.
        sensor: Of `SensorRanges`.
        markers: Paints a hot spot at every landmark onto the surface, for tests of the geometry.

    Raises:
        ConfigError: If a setting isn't known or makes no sense.
    """

    scheme = "face16"

    def __init__(
        self,
        *,
        subjects: int = 73,
        images_per_subject: int = 10,
        size: tuple[int, int] = (480, 640),
        seed: int = 0,
        anatomy: groups.AnatomyRanges | Group = None,
        expression: groups.ExpressionRanges | Group = None,
        pose: groups.PoseRanges | Group = None,
        temperature: groups.TemperatureRanges | Group = None,
        appearance: groups.AppearanceRanges | Group = None,
        scene: groups.SceneRanges | Group = None,
        sensor: groups.SensorRanges | Group = None,
        markers: bool = False,
    ) -> None:
        if subjects < 1 or images_per_subject < 1:
            raise ConfigError(f"subjects={subjects} and images_per_subject={images_per_subject} should be at least 1.")
        if len(size) != 2 or min(size) < 16:
            raise ConfigError(f"size={tuple(size)} should be (height, width) of at least 16 pixels each.")
        self.subjects = subjects
        self.images_per_subject = images_per_subject
        self.size = (int(size[0]), int(size[1]))
        self.seed = seed
        self.markers = markers
        self.anatomy = groups.settings_from(groups.AnatomyRanges, anatomy, "anatomy")
        self.expression = groups.settings_from(groups.ExpressionRanges, expression, "expression")
        self.pose = groups.settings_from(groups.PoseRanges, pose, "pose")
        self.temperature = groups.settings_from(groups.TemperatureRanges, temperature, "temperature")
        self.appearance = groups.settings_from(groups.AppearanceRanges, appearance, "appearance")
        self.scene = groups.settings_from(groups.SceneRanges, scene, "scene")
        self.sensor = groups.settings_from(groups.SensorRanges, sensor, "sensor")

    def __len__(self) -> int:
        return self.subjects * self.images_per_subject

    def annotations(self) -> Sequence[Annotation]:
        """All annotations, subject by subject, from geometry alone."""
        return [
            self.annotation(subject, index)
            for subject in range(self.subjects)
            for index in range(self.images_per_subject)
        ]

    def annotation(self, subject: int, index: int) -> Annotation:
        """The annotation of one image."""
        person, moment = self._who(subject, index)
        vertices, view = self._pose(person, moment, subject, index)
        turned = turn(vertices, view.head)
        projected = view.project(turned)
        points, visible = _landmarks(projected, turned[..., 2])
        if moment.glasses:
            visible &= ~_behind_glasses()
        face_box = projected[_face_rows(), :].reshape(-1, 2)
        (left, top), (right, bottom) = face_box.min(axis=0), face_box.max(axis=0)
        return Annotation(
            image=Path("synthetic") / f"subject_{subject:05d}" / f"{index:05d}",
            points_px=points,
            subject=f"synthetic_{self.seed}_{subject:05d}",
            visible=visible,
            box_px=(float(left), float(top), float(right), float(bottom)),
            location=f"seed {self.seed}, subject {subject}, image {index}",
            attributes={"glasses": moment.glasses, "cap": moment.cap, "eye_opening": moment.eye_opening},
        )

    def load(self, annotation: Annotation) -> ThermalImage:
        """Renders the image of an annotation.

        Raises:
            DataError: If the annotation isn't one of this source.
        """
        try:
            subject, index = int(annotation.image.parent.name.removeprefix("subject_")), int(annotation.image.name)
        except ValueError:
            subject = index = -1
        if not (0 <= subject < self.subjects and 0 <= index < self.images_per_subject):
            raise DataError(
                f"{annotation.image} is not an image of these synthetic faces ({self.subjects} subjects with "
                f"{self.images_per_subject} images each). Ask only for images that annotations() lists."
            )
        return ThermalImage(self.render(subject, index), "celsius")

    def render(self, subject: int, index: int) -> Float[np.ndarray, "height width"]:
        """One image in degrees Celsius."""
        person, moment = self._who(subject, index)
        vertices, view = self._pose(person, moment, subject, index)
        room = stream(self.seed, subject, index, "room")
        ambient_c = uniform(room, self.scene.ambient_c)
        image = paint_room(room, self.scene, ambient_c, self.size)
        self._draw_long_hair(image, person, view, ambient_c, behind=True)
        self._draw_bust(image, person, moment, view, ambient_c)
        near, far = (1, -1) if view.head[2, 0] > 0 else (-1, 1)
        turned_far = abs(float(view.head[2, 0])) > 0.1
        for side in (far,) if turned_far else (far, near):
            self._draw_ear(image, side, person, moment, view)
        self._draw_head(image, vertices, person, moment, view, ambient_c)
        if turned_far:
            self._draw_ear(image, near, person, moment, view)
        self._draw_long_hair(image, person, view, ambient_c, behind=False)
        return record(stream(self.seed, subject, index, "sensor"), self.sensor, image)

    def fingerprint(self) -> str:
        """Hash of all settings and of the renderer's version."""
        state = {name: asdict(v) if name in _GROUPS else v for name, v in vars(self).items()}
        text = json.dumps({"renderer": RENDERER_VERSION, **state}, sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _who(self, subject: int, index: int) -> tuple[Person, Moment]:
        person = draw_person(self.seed, subject, self.anatomy, self.temperature, self.appearance)
        moment = draw_moment(self.seed, subject, index, person, self.expression, self.temperature, self.appearance)
        return person, moment

    def _pose(
        self, person: Person, moment: Moment, subject: int, index: int
    ) -> tuple[Float[np.ndarray, "rows columns 3"], View]:
        vertices = displace({**person.shape_mm, **moment.expression_mm})
        landmarks = vertices[tuple(mean_head().landmark_vertices.T)] * np.float32(person.scale)
        hairline = np.array([[0, -person.hairline_mm, 80]], np.float32) * np.float32(person.scale)
        thicken(vertices, person, moment)
        vertices *= np.float32(person.scale)
        view = draw_view(
            stream(self.seed, subject, index, "pose"),
            self.pose,
            size=self.size,
            inside_mm=np.concatenate([landmarks, hairline]),
            face_height_mm=(float(landmarks[15, 1] / person.scale) + person.hairline_mm) * person.scale,
        )
        return vertices, view

    def _draw_head(
        self, image: np.ndarray, vertices: np.ndarray, person: Person, moment: Moment, view: View, ambient_c: float
    ) -> None:
        turned = turn(vertices, view.head)
        points = view.project(turned)
        facing = _facing(turned, view)
        skin_c = with_grazing_loss(broad_temperature_c(person, moment), facing, ambient_c, moment.grazing_loss)
        canvas = Canvas(skin_c, samples_per_cell(points[_face_rows()], _SAMPLE_SPACING_PX))
        paint_grain(canvas, person)
        paint_features(canvas, person, moment)
        paint_hair(canvas, person, ambient_c)
        paint_accessories(canvas, person, moment, ambient_c)
        if self.markers:
            for place in mean_head().landmarks_frontal_mm.values():
                paint_marker(canvas, place, _MARKER_C, _MARKER_RADIUS_MM)
        draw_surface(image, points, turned[..., 2], canvas.texture)

    def _draw_bust(self, image: np.ndarray, person: Person, moment: Moment, view: View, ambient_c: float) -> None:
        turned = turned_bust_mm(person, view.head, view.body) * np.float32(person.scale)
        points = view.project(turned)
        rows = min(int((points[..., 1].min(axis=1) < self.size[0]).sum()) + 1, len(points))
        points = points[:rows]
        samples = samples_per_cell(points, _COARSE_SPACING_PX, most=32)
        texture = bust_texture_c(person, moment, rows, samples, ambient_c)
        draw(image, points, texture, cell_areas_px(points) > 0)

    def _draw_long_hair(self, image: np.ndarray, person: Person, view: View, ambient_c: float, *, behind: bool) -> None:
        if not person.long_hair_mm:
            return
        points = view.project(turn(long_hair_vertices_mm(person) * np.float32(person.scale), view.head))
        samples = samples_per_cell(points, _COARSE_SPACING_PX, most=24)
        outside = cell_areas_px(points) > 0
        draw(image, points, long_hair_texture_c(person, samples, ambient_c), ~outside if behind else outside)

    def _draw_ear(self, image: np.ndarray, side: int, person: Person, moment: Moment, view: View) -> None:
        turned = turn(ear_vertices_mm(side, person) * np.float32(person.scale), view.head)
        points = view.project(turned)
        samples = samples_per_cell(points, _SAMPLE_SPACING_PX)
        texture = ear_texture_c(side, person, moment, samples)
        draw(image, points, texture, np.ones((points.shape[0] - 1, points.shape[1] - 1), bool))


_GROUPS = ("anatomy", "expression", "pose", "temperature", "appearance", "scene", "sensor")


def _face_rows() -> slice:
    rows = np.flatnonzero((mean_head().frontal_mm[:, 40, 1] > -62) & (mean_head().frontal_mm[:, 40, 1] < 118))
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _behind_glasses() -> Bool[np.ndarray, " 16"]:
    return np.array(["eye" in name for name in get_scheme("face16").landmark_names])


def _landmarks(
    points_px: Float[np.ndarray, "rows columns 2"], nearness_mm: Float[np.ndarray, "rows columns"]
) -> tuple[Float[np.ndarray, "16 2"], Bool[np.ndarray, " 16"]]:
    """Where the landmarks are seen, and which of them are: those that face the camera with nothing in front of them."""
    facing = cell_areas_px(points_px) > 0
    hidden = facing & ~visible_cells(points_px, nearness_mm)
    rows, columns = mean_head().landmark_vertices.T
    around = [(rows - down, columns - across) for down in (0, 1) for across in (0, 1)]
    facing_cells = np.sum([facing[place] for place in around], axis=0)
    hidden_cells = np.sum([hidden[place] for place in around], axis=0)
    return points_px[rows, columns].astype(np.float32), (facing_cells >= 2) & (hidden_cells == 0)


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
