"""Rendered scenes with any number of people, and where their faces are: what the face finder is trained on."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces import ranges as groups
from thermal_faces.camera.burnt_in import burn_in
from thermal_faces.camera.display import compressed, to_gray
from thermal_faces.camera.sensor import record
from thermal_faces.errors import ConfigError, DataError
from thermal_faces.faces import RENDERER_VERSION, Group
from thermal_faces.landmarks import SCHEME
from thermal_faces.randomness import chance, rng, uniform
from thermal_faces.scene.backdrop import Backdrops
from thermal_faces.scene.cast import Cast
from thermal_faces.scene.clutter import paint_in_front, paint_landscape, paint_reflection, paint_things
from thermal_faces.scene.face import SceneFace, face_of
from thermal_faces.scene.figure import paint_people
from thermal_faces.scene.room import draw_ambient_c, paint_room

Size = tuple[int, int]
Mask = Bool[np.ndarray, "height width"]
Settings = TypeVar("Settings")

SCENES_VERSION = 5
"""Goes up with every change that alters a scene's pixel or label, so that no stale file is read."""

# More is worn than in portraits, cameras are coarser, and most of them give 8-bit pictures.
_APPEARANCE = {
    "cap": 0.07, "peaked_cap": 0.08, "head_band": 0.03, "hood": 0.07, "headphones": 0.04, "scarf": 0.07,
    "high_collar": 0.1, "mask": 0.08, "occluder": 0.08, "head_rest": 0.03,
}  # fmt: skip
_SCENE = {
    "hot_room": 0.12, "outdoors": 0.22, "outdoors_c": (-12.0, 42.0), "objects": (0.0, 14.0), "texture_k": (0.0, 0.8),
    "warm_object": 0.35, "cold_object": 0.15, "lamp": 0.15, "bystander": 0.0,
}  # fmt: skip
_SENSOR = {
    "interpolated": 0.6, "native_height_px": (50.0, 400.0), "eight_bit": 0.6, "palette": 0.1, "equalised": 0.35,
    "inverted": 0.25, "jpeg": 0.5, "jpeg_step": (1.0, 9.0), "noise_k": (0.03, 0.16),
}  # fmt: skip


@dataclass(frozen=True)
class RenderedScene:
    """A picture and its faces."""

    # float32 (height, width): degrees Celsius, or whole gray levels from 0 to 255
    values: Float[np.ndarray, "height width"]
    unit: Literal["celsius", "gray"]  # which of these
    # All faces that are turned to the camera by up to 90 degrees, the farthest first; and heads turned away of which
    # the picture shows an outline alone, so that nobody can tell whether they have a face (`is_face=False`)
    faces: tuple[SceneFace, ...]


class SyntheticScenes:
    """Rooms and outdoor scenes with 0 to 10 people, their faces known exactly; nothing is stored.

    A scene depends on nothing but the settings, the seed and its index: not on order or process.

    `size` is (height, width), or a smallest and a largest such pair, for scenes of many sizes; another seed gives other
    people and rooms. Each group of settings gives what differs from the defaults of its class in `ranges`, but that
    more is worn than in `SyntheticFaces`, rooms are fuller, hotter and colder, cameras are coarser, and six of ten
    pictures are 8-bit. With `backdrop_share` as probability a real picture without people of `backdrops`, a folder or
    one such picture, stands in place of a painted room.

    Raises:
        ConfigError: If a setting isn't known or makes no sense, or the folder has no pictures.
    """

    scheme = SCHEME

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
        clutter: groups.ClutterRanges | Group = None,
        sensor: groups.SensorRanges | Group = None,
        backdrops: str | Path | None = None,
        backdrop_share: float = 0.6,
    ) -> None:
        if images < 1:
            raise ConfigError(f"images={images} should be at least 1.")
        if not 0 <= backdrop_share <= 1:
            raise ConfigError(f"backdrop_share={backdrop_share} should be a probability, from 0 to 1.")
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
        self.clutter = groups.settings_from(groups.ClutterRanges, clutter, "clutter")
        self.sensor = groups.settings_from(groups.SensorRanges, _over(_SENSOR, sensor), "sensor")
        self.backdrops = None if backdrops is None else Backdrops(backdrops)
        self.backdrop_share = backdrop_share

    def __len__(self) -> int:
        return self.images

    def fingerprint(self) -> str:
        """Hash of all settings and of the renderer's version."""
        state = {
            "renderer": [RENDERER_VERSION, SCENES_VERSION],
            "images": self.images,
            "size": [self.smallest, self.largest],
            **{
                name: groups.known_settings(part)
                for name, part in (
                    ("cast", self.cast),
                    ("scene", self.scene),
                    ("clutter", self.clutter),
                    ("sensor", self.sensor),
                )
            },
        }
        if self.backdrops is not None:
            state["backdrops"] = [self.backdrops.fingerprint(), self.backdrop_share]
        return hashlib.sha256(json.dumps(state, sort_keys=True, default=dict).encode()).hexdigest()[:32]

    def size(self, index: int) -> Size:
        """Height and width of one picture."""
        share = rng(self.seed, index, "size").random()
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
        room, behind = rng(self.seed, index, "room"), rng(self.seed, index, "backdrop")
        ambient_c = draw_ambient_c(room, self.scene)
        real = self.backdrops if chance(behind, self.backdrop_share) else None
        image = real.paint(behind, ambient_c, size) if real else paint_room(room, self.scene, ambient_c, size)
        rows, sensor = self._camera(index, size)
        figures = self.cast.figures(index, size, ambient_c, rows)
        self._paint_surroundings(image, index, ambient_c, empty=not figures, land=real is None)
        covered, people = paint_people(image, figures, ambient_c)
        self._paint_foreground(image, index, ambient_c, covered, people)
        smallest_px = self.clutter.smallest_px * size[0] / rows
        image = record(rng(self.seed, index, "sensor"), sensor, image, ambient_c)
        display = rng(self.seed, index, "display")
        unit: Literal["celsius", "gray"] = "gray" if chance(display, sensor.eight_bit) else "celsius"
        if unit == "gray":
            image = to_gray(display, sensor, image)
        heads = (
            face_of(figure, behind, smallest_px, image, unit) for figure, behind in zip(figures, covered, strict=True)
        )
        faces = tuple(head for head in heads if head is not None)
        marks = rng(self.seed, index, "marks")
        if unit == "gray" and chance(marks, self.clutter.burnt_in):
            image = burn_in(marks, image)
            if chance(marks, sensor.jpeg):
                image = compressed(image, uniform(marks, sensor.jpeg_step))
        return RenderedScene(image, unit, faces)

    def _camera(self, index: int, size: Size) -> tuple[int, groups.SensorRanges]:
        """The camera's own number of rows, and its settings with that number fixed."""
        generator = rng(self.seed, index, "camera")
        coarse, rows = chance(generator, self.sensor.interpolated), uniform(generator, self.sensor.native_height_px)
        if not coarse or rows >= size[0]:
            return size[0], replace(self.sensor, interpolated=0.0)
        return round(rows), replace(self.sensor, interpolated=1.0, native_height_px=(rows, rows))

    def _paint_surroundings(self, image: np.ndarray, index: int, ambient_c: float, *, empty: bool, land: bool) -> None:
        generator = rng(self.seed, index, "surroundings")
        low, high = self.clutter.indoor_c
        if chance(generator, self.clutter.landscape) and land and not low <= ambient_c <= high:
            paint_landscape(image, generator, ambient_c)
        paint_things(image, generator, self.clutter, ambient_c, empty=empty)

    def _paint_foreground(
        self, image: np.ndarray, index: int, ambient_c: float, covered: Sequence[Mask], people: Mask
    ) -> None:
        generator = rng(self.seed, index, "foreground")
        glass, in_front = chance(generator, self.clutter.glass), chance(generator, self.clutter.in_front)
        if glass:
            paint_reflection(image, people, generator, ambient_c)
        if in_front:
            before = image.copy()
            paint_in_front(image, generator, ambient_c)
            for face in covered:
                face |= image != before


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
