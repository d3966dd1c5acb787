"""Rendered scenes with any number of people, and where their faces are: what the face finder is trained on."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces import ranges as groups
from thermal_faces.camera.display import to_gray
from thermal_faces.camera.sensor import record
from thermal_faces.faces import RENDERER_VERSION, Group
from thermal_faces.randomness import chance, stream
from thermal_faces.scene.cast import Cast
from thermal_faces.scene.figure import Figure
from thermal_faces.scene.room import draw_ambient_c, paint_room
from thermal_landmarks.errors import ConfigError, DataError

Size = tuple[int, int]
Settings = TypeVar("Settings")

MOST_HIDDEN = 0.7
"""A face of which a larger share is covered or out of the frame is neither looked for nor counted against a finder."""

# More is worn than in portraits, cameras are coarser, and most of them give 8-bit pictures.
_APPEARANCE = {
    "cap": 0.07, "peaked_cap": 0.08, "head_band": 0.03, "hood": 0.07, "headphones": 0.04, "scarf": 0.07,
    "high_collar": 0.1, "mask": 0.08, "occluder": 0.08, "head_rest": 0.03,
}  # fmt: skip
_SCENE = {
    "hot_room": 0.12, "outdoors": 0.22, "outdoors_c": (-12.0, 42.0), "objects": (0.0, 14.0), "texture_k": (0.0, 0.8),
    "warm_object": 0.35, "cold_object": 0.15, "lamp": 0.25, "bystander": 0.0,
}  # fmt: skip
_SENSOR = {
    "interpolated": 0.6, "native_height_px": (50.0, 400.0), "eight_bit": 0.6, "palette": 0.1, "equalised": 0.35,
    "jpeg": 0.5, "jpeg_step": (1.0, 9.0), "noise_k": (0.03, 0.16),
}  # fmt: skip


@dataclass(frozen=True)
class SceneFace:
    """One face in a rendered scene.

    Attributes:
        points_px: The `face16` landmarks, float32 (16, 2); parts of faces may lie outside the picture.
        visible: Which of them can be seen: inside the picture, facing the camera, with nothing in front of them.
        box_px: x_min, y_min, x_max, y_max of the head's surface from the middle of the forehead (62 mm above the eyes,
            where hairlines begin) to the chin and from ear to ear (80 degrees to both sides), as far as it faces the
            camera. It comes from geometry: a cap or a mask changes nothing, and the box may reach out of the picture.
        angle_deg: Roll in the picture's plane, clockwise.
        yaw_deg: Turn to the picture's right.
        pitch_deg: Positive where the face is lifted or seen from below.
        hidden: Share of the face's surface in the box that is out of the picture or behind something other than a mask
            or glasses.
        is_face: False for a face hidden too far to be looked for (`MOST_HIDDEN`): left out of training and scores.
    """

    points_px: Float[np.ndarray, "16 2"]
    visible: Bool[np.ndarray, " 16"]
    box_px: tuple[float, float, float, float]
    angle_deg: float
    yaw_deg: float
    pitch_deg: float
    hidden: float
    is_face: bool


@dataclass(frozen=True)
class RenderedScene:
    """A picture and its faces.

    Attributes:
        values: float32 (height, width): degrees Celsius, or whole gray levels from 0 to 255.
        unit: Which of these.
        faces: All faces that are turned to the camera by up to 90 degrees, the farthest first.
    """

    values: Float[np.ndarray, "height width"]
    unit: Literal["celsius", "gray"]
    faces: tuple[SceneFace, ...]


class SyntheticScenes:
    """Rooms and outdoor scenes with 0 to 10 people, their faces known exactly; nothing is stored.

    A scene depends on nothing but the settings, the seed and its index: not on order, process or machine.

    Args:
        images: Number of scenes.
        size: Height and width of the pictures; or a smallest and a largest such pair, for scenes of many sizes.
        seed: Another seed gives other people and rooms.
        crowd: Settings of `CrowdRanges` that differ from the defaults.
        anatomy: Of `AnatomyRanges`.
        expression: Of `ExpressionRanges`.
        temperature: Of `TemperatureRanges`.
        appearance: Of `AppearanceRanges`; without it, more is worn than in `SyntheticFaces`.
        scene: Of `SceneRanges`; without it, rooms are fuller, hotter and colder than there.
        sensor: Of `SensorRanges`; without it, cameras are coarser than there and six of ten pictures are 8-bit.

    Raises:
        ConfigError: If a setting isn't known or makes no sense.
    """

    scheme = "face16"

    def __init__(
        self,
        *,
        images: int = 1000,
        size: Size | tuple[Size, Size] = (240, 320),
        seed: int = 0,
        crowd: groups.CrowdRanges | Group = None,
        anatomy: groups.AnatomyRanges | Group = None,
        expression: groups.ExpressionRanges | Group = None,
        temperature: groups.TemperatureRanges | Group = None,
        appearance: groups.AppearanceRanges | Group = None,
        scene: groups.SceneRanges | Group = None,
        sensor: groups.SensorRanges | Group = None,
    ) -> None:
        if images < 1:
            raise ConfigError(f"images={images} should be at least 1.")
        self.images = images
        self.smallest, self.largest = _size_limits(size)
        self.seed = seed
        self.cast = Cast(
            seed,
            groups.settings_from(groups.CrowdRanges, crowd, "crowd"),
            groups.settings_from(groups.AnatomyRanges, anatomy, "anatomy"),
            groups.settings_from(groups.ExpressionRanges, expression, "expression"),
            groups.settings_from(groups.TemperatureRanges, temperature, "temperature"),
            groups.settings_from(groups.AppearanceRanges, _over(_APPEARANCE, appearance), "appearance"),
        )
        self.scene = groups.settings_from(groups.SceneRanges, _over(_SCENE, scene), "scene")
        self.sensor = groups.settings_from(groups.SensorRanges, _over(_SENSOR, sensor), "sensor")

    def __len__(self) -> int:
        return self.images

    def fingerprint(self) -> str:
        """Hash of all settings and of the renderer's version."""
        state = {
            "renderer": RENDERER_VERSION,
            "images": self.images,
            "size": [self.smallest, self.largest],
            **{
                name: asdict(part)
                for name, part in (("cast", self.cast), ("scene", self.scene), ("sensor", self.sensor))
            },
        }
        return hashlib.sha256(json.dumps(state, sort_keys=True, default=dict).encode()).hexdigest()[:32]

    def size(self, index: int) -> Size:
        """Height and width of one picture."""
        share = stream(self.seed, index, "size").random()
        height, width = (
            round(math.exp(math.log(low) + share * (math.log(high) - math.log(low))))
            for low, high in zip(self.smallest, self.largest, strict=True)
        )
        return height, width

    def render(self, index: int) -> RenderedScene:
        """One scene.

        Raises:
            DataError: If there is no scene of that index.
        """
        if not 0 <= index < self.images:
            raise DataError(f"There is no scene {index}: these are {self.images}, counted from 0.")
        size = self.size(index)
        room = stream(self.seed, index, "room")
        ambient_c = draw_ambient_c(room, self.scene)
        image = paint_room(room, self.scene, ambient_c, size)
        faces = _paint_people(image, self.cast.figures(index, size, ambient_c), ambient_c)
        image = record(stream(self.seed, index, "sensor"), self.sensor, image, ambient_c)
        display = stream(self.seed, index, "display")
        if chance(display, self.sensor.eight_bit):
            return RenderedScene(to_gray(display, self.sensor, image), "gray", faces)
        return RenderedScene(image, "celsius", faces)


def _paint_people(image: np.ndarray, figures: Sequence[Figure], ambient_c: float) -> tuple[SceneFace, ...]:
    """Paints people over each other, in place, and finds what is left of their faces."""
    covered = [np.zeros(image.shape, bool) for _ in figures]
    for number, figure in enumerate(figures):
        before = image.copy()
        figure.draw_over(image, ambient_c)
        behind_arms = image.copy()
        figure.draw_front(image)
        covered[number] |= image != behind_arms
        for behind in covered[:number]:
            behind |= image != before
    return tuple(_face(figure, behind) for figure, behind in zip(figures, covered, strict=True) if figure.shows_face)


def _face(figure: Figure, covered: Bool[np.ndarray, "height width"]) -> SceneFace:
    points_px, visible = figure.landmarks(covered)
    hidden = figure.hidden(covered)
    yaw, pitch, roll = figure.angles_deg
    return SceneFace(points_px, visible, figure.box_px(), roll, yaw, pitch, hidden, hidden <= MOST_HIDDEN)


def _over(defaults: Mapping[str, Any], given: Settings | Group) -> Settings | Mapping[str, Any]:
    """Defaults of scenes below what a mapping gives; an instance is taken as it is."""
    return {**defaults, **(given or {})} if given is None or isinstance(given, Mapping) else given


def _size_limits(size: Size | tuple[Size, Size]) -> tuple[Size, Size]:
    pair = np.asarray(size)
    if pair.shape == (2,):
        pair = np.stack([pair, pair])
    if pair.shape != (2, 2) or pair.min() < 16 or (pair[0] > pair[1]).any():
        raise ConfigError(
            f"size={size} should be (height, width) of at least 16 pixels each, or a smallest and a largest such pair."
        )
    (low_h, low_w), (high_h, high_w) = pair.tolist()
    return (int(low_h), int(low_w)), (int(high_h), int(high_w))
