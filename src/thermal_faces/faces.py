"""The data set of rendered faces: a `Source` whose images are made when they are asked for."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Float

from thermal_faces import ranges as groups
from thermal_faces.annotation import Annotation, ThermalImage
from thermal_faces.camera.display import to_gray
from thermal_faces.camera.sensor import record
from thermal_faces.camera.view import draw_view
from thermal_faces.errors import ConfigError, DataError
from thermal_faces.head.surface import mean_head
from thermal_faces.landmarks import LANDMARKS, SCHEME
from thermal_faces.person import draw_frame_state, draw_person
from thermal_faces.portrait import Portrait, head_vertices_mm
from thermal_faces.randomness import chance, rng
from thermal_faces.scene.room import draw_ambient_c, paint_room
from thermal_faces.worn.accessories import worn_attributes

RENDERER_VERSION = 14
"""Goes up with every change that alters a pixel or a point, so that no stale cache is read."""

_CHIN = LANDMARKS.index("chin")

Group = Mapping[str, Any] | None


class _Annotations(Sequence[Annotation]):
    """Annotations of some images; a slice is as lazy, so that each worker process computes its own."""

    def __init__(self, source: "SyntheticFaces", images: range) -> None:
        self.source = source
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, which: int) -> Annotation: ...

    @overload
    def __getitem__(self, which: slice) -> "_Annotations": ...

    def __getitem__(self, which: int | slice) -> "Annotation | _Annotations":
        if isinstance(which, slice):
            return _Annotations(self.source, self.images[which])
        return self.source.annotation(*divmod(self.images[which], self.source.images_per_subject))


class SyntheticFaces:
    """Rendered thermal faces with exact landmarks.

    Every image depends on nothing but the seed, its subject and its index: not on order, process or machine. Another
    seed gives other people, another `size` (height, width) shows the same scenes. Each group of settings gives what
    differs from the defaults of its class in `ranges`. `markers` paints a hot spot at every landmark onto the surface,
    for tests of the geometry.

    Raises:
        ConfigError: If a setting isn't known or makes no sense.
    """

    scheme = SCHEME
    one_face_an_image = True
    """Known without the geometry of all images."""

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
        """All annotations, subject by subject, from geometry alone; computed when asked for."""
        return _Annotations(self, range(len(self)))

    def annotation(self, subject: int, index: int) -> Annotation:
        """The annotation of one image."""
        portrait = self.portrait(subject, index)
        points_px, visible = portrait.landmarks()
        frame_state = portrait.frame_state
        return Annotation(
            image=Path("synthetic") / f"subject_{subject:05d}" / f"{index:05d}",
            points_px=points_px,
            subject=f"synthetic_{self.seed}_{subject:05d}",
            visible=visible,
            box_px=portrait.box_px(),
            location=f"seed {self.seed}, subject {subject}, image {index}",
            attributes={
                "eye_opening": frame_state.eye_opening,
                **worn_attributes(portrait.person, frame_state),
                "eight_bit": self._is_eight_bit(self._display(subject, index)),
            },
        )

    def load(self, annotation: Annotation) -> ThermalImage:
        """Renders the image of an annotation, in degrees Celsius or as an 8-bit gray picture.

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
        image_c, display = self.render(subject, index), self._display(subject, index)
        if self._is_eight_bit(display):
            return ThermalImage(to_gray(display, self.sensor, image_c), "gray")
        return ThermalImage(image_c, "celsius")

    def _display(self, subject: int, index: int) -> np.random.Generator:
        return rng(self.seed, subject, index, "display")

    def _is_eight_bit(self, display: np.random.Generator) -> bool:
        return chance(display, self.sensor.eight_bit)

    def portrait(self, subject: int, index: int) -> Portrait:
        """Who is seen in one image, and how."""
        return _portrait(self, subject, index)

    def empty_room(self, subject: int, index: int) -> tuple[float, Float[np.ndarray, "height width"]]:
        """Ambient temperature and the picture of the room without the person, in degrees Celsius."""
        room = rng(self.seed, subject, index, "room")
        ambient_c = draw_ambient_c(room, self.scene)
        return ambient_c, paint_room(room, self.scene, ambient_c, self.size)

    def render(self, subject: int, index: int) -> Float[np.ndarray, "height width"]:
        """One image in degrees Celsius."""
        ambient_c, image = self.empty_room(subject, index)
        self.portrait(subject, index).draw_over(image, ambient_c, markers=self.markers)
        return record(rng(self.seed, subject, index, "sensor"), self.sensor, image, ambient_c)

    def fingerprint(self) -> str:
        """Hash of all settings and of the renderer's version."""
        state = {name: groups.known_settings(v) if name in groups.GROUPS else v for name, v in vars(self).items()}
        text = json.dumps({"renderer": RENDERER_VERSION, **state}, sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=1)  # an image's annotation and its picture are asked for one after the other
def _portrait(source: SyntheticFaces, subject: int, index: int) -> Portrait:
    person = draw_person(source.seed, subject, source.anatomy, source.temperature, source.appearance)
    frame_state = draw_frame_state(
        source.seed, subject, index, person, source.expression, source.temperature, source.appearance
    )
    vertices = head_vertices_mm(person, frame_state)
    landmarks = vertices[tuple(mean_head().landmark_vertices.T)]
    hairline = person.scale * np.array([[0, -person.hairline_mm, 80]], np.float32)
    view = draw_view(
        rng(source.seed, subject, index, "pose"),
        source.pose,
        size=source.size,
        inside_mm=landmarks,
        hairline_mm=hairline,
        face_height_mm=float(landmarks[_CHIN, 1]) + person.hairline_mm * person.scale,
    )
    return Portrait(person, frame_state, vertices, view)
