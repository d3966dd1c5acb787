"""Who is in a scene: how many people, how large, where, turned how, wearing what."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from thermal_faces import ranges as groups
from thermal_faces.camera.view import View, rotation, turn
from thermal_faces.distant import DistantHead
from thermal_faces.person import FrameState, Person, draw_frame_state, draw_person
from thermal_faces.portrait import Portrait, head_vertices_mm
from thermal_faces.randomness import Range, chance, rng, uniform
from thermal_faces.scene.body import draw_body
from thermal_faces.scene.figure import Figure

_FACE_HEIGHT_MM = 178.0
_FACE_CENTRE_MM = (0.0, 28.0, 90.0)
_DETAILED_PX = 24.0  # faces at least as high are drawn with all their features, lower ones as from afar
_PEOPLE_A_SCENE = 32
_DISTANT_PEOPLE = 256
_FIRST_DISTANT = 2**40
_NEAREST_MM = 330.0
_SMALLEST_PX = 6.5  # height of a face in rows of the camera


@dataclass(frozen=True)
class Cast:
    """Draws the people of scenes from groups of ranges."""

    seed: int
    crowd: groups.CrowdRanges
    anatomy: groups.AnatomyRanges
    expression: groups.ExpressionRanges
    temperature: groups.TemperatureRanges
    appearance: groups.AppearanceRanges

    def figures(
        self, index: int, size: tuple[int, int], ambient_c: float, camera_rows: int | None = None
    ) -> list[Figure]:
        """The people of one scene, the farthest first; a camera with fewer rows than the picture sees them nearer."""
        generator = rng(self.seed, index, "crowd")
        crowd, (height, _) = self.crowd, size
        heights = self._face_heights(generator, height, camera_rows or height)
        focal = height * math.exp(uniform(generator, (math.log(0.8), math.log(2.6))))
        horizon = height * uniform(generator, (0.15, 0.65))
        camera_up_mm = uniform(generator, (-300, 900))
        figures: list[Figure] = []
        x = 0.0
        for number, face_px in enumerate(heights):
            person_generator = rng(self.seed, index, number, "figure")
            near = number > 0 and chance(person_generator, crowd.close_together)
            x, y = self._place(person_generator, size, face_px, horizon, camera_up_mm, x if near else None)
            figures.append(self._figure(index, number, person_generator, face_px, (x, y), focal, ambient_c))
        return sorted(figures, key=lambda figure: -figure.portrait.view.distance_mm)

    def _face_heights(self, generator: np.random.Generator, height: int, camera_rows: int) -> list[float]:
        """In pixels, the largest first."""
        crowd = self.crowd
        empty, alone, few = (chance(generator, p) for p in (crowd.nobody, crowd.alone, crowd.few))
        several, many = int(generator.integers(2, 5)), int(generator.integers(5, max(int(crowd.most), 5) + 1))
        people = 0 if empty else 1 if alone else min(several if few else many, int(crowd.most))
        low = max(crowd.face_px[0], min(_SMALLEST_PX * height / camera_rows, crowd.face_px[1]))
        high = max(min(crowd.face_px[1], crowd.face_share * height), low)
        # Groups stand farther away.
        high = low * (high / low) ** (1.0 if people < 2 else 0.85 if people < 5 else 0.62)
        largest = math.exp(uniform(generator, (math.log(low), math.log(high))))
        others = [max(largest * uniform(generator, crowd.others_size), low) for _ in range(people - 1)]
        return [largest, *others][:people]

    def _place(
        self,
        generator: np.random.Generator,
        size: tuple[int, int],
        face_px: float,
        horizon: float,
        camera_up_mm: float,
        beside: float | None,
    ) -> tuple[float, float]:
        """Centre of a face in pixels: people farther away are nearer to the horizon."""
        height, width = size
        free, half = chance(generator, self.crowd.outside), 0.55 * face_px
        x, y = uniform(generator, (0, width)), uniform(generator, (0, height))
        if beside is not None:
            x = beside + uniform(generator, (-1.6, 1.6)) * face_px
        up_mm = camera_up_mm + uniform(generator, (-250, 350))
        level = horizon + up_mm * face_px / _FACE_HEIGHT_MM
        if face_px < 0.35 * height and chance(generator, 0.75):
            y = level if half < level < height - half else half + abs(level - half) % max(height - 2 * half, 1.0)
        if not free:
            x, y = (
                float(np.clip(v, min(half, limit / 2), max(limit - half, limit / 2)))
                for v, limit in ((x, width), (y, height))
            )
        return x, y

    def _figure(
        self,
        index: int,
        number: int,
        generator: np.random.Generator,
        face_px: float,
        place_px: tuple[float, float],
        focal_px: float,
        ambient_c: float,
    ) -> Figure:
        yaw, pitch, roll = self._angles(generator)
        away = abs(yaw) > 90
        distant = None
        if face_px < _DETAILED_PX:
            person, frame_state, vertices, distant = self.painted(int(generator.integers(_DISTANT_PEOPLE)))
        else:
            person, frame_state, vertices = self._person(index * _PEOPLE_A_SCENE + number)
        person = self._at_temperature(generator, person, ambient_c)
        frame_state = _seen_from(yaw, frame_state)
        distance = focal_px * _FACE_HEIGHT_MM * person.scale / face_px + _FACE_CENTRE_MM[2]
        if distance < _NEAREST_MM:
            focal_px, distance = focal_px * _NEAREST_MM / distance, _NEAREST_MM
        posture = self._posture(generator)
        body_yaw = yaw + uniform(generator, (-40, 40)) * (1 if away else 0.4) - (0 if away else 0.6 * yaw)
        body = rotation(body_yaw, 0.0, 0.35 * roll * uniform(generator, (0, 1)))
        view = View(rotation(yaw, pitch, roll), body, distance, focal_px, (0.0, 0.0))
        centre = turn(np.array(_FACE_CENTRE_MM, np.float32) * np.float32(person.scale), view.head)
        offset = view.project(centre)
        view = replace(view, centre_px=(place_px[0] - float(offset[0]), place_px[1] - float(offset[1])))
        cloth_c = ambient_c + 0.8 * frame_state.cloth_warmth * (person.forehead_c - ambient_c)
        skin_c, neck_c = person.forehead_c, person.forehead_c + person.regions_k["neck"]
        limbs = draw_body(generator, posture, skin_c=skin_c, neck_c=neck_c, cloth_c=cloth_c, ambient_c=ambient_c)
        portrait = Portrait(person, frame_state, vertices, view, whole=True, distant=distant)
        return Figure(portrait, limbs, (yaw, pitch, roll))

    def _person(self, subject: int) -> tuple[Person, FrameState, np.ndarray]:
        person = draw_person(self.seed, subject, self.anatomy, self.temperature, self.appearance)
        frame_state = draw_frame_state(
            self.seed, subject, 0, person, self.expression, self.temperature, self.appearance
        )
        return person, frame_state, head_vertices_mm(person, frame_state)

    def painted(self, number: int) -> tuple[Person, FrameState, np.ndarray, DistantHead]:
        """One of the people who are seen from afar; each process paints them once."""
        if number not in self._distant:
            # Numbers that no scene has for people who are near.
            person, frame_state, vertices = self._person(_FIRST_DISTANT + number)
            self._distant[number] = person, frame_state, vertices, DistantHead.of(person, frame_state)
        return self._distant[number]

    @cached_property
    def _distant(self) -> dict[int, tuple[Person, FrameState, np.ndarray, DistantHead]]:
        return {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_distant": {}}

    def _angles(self, generator: np.random.Generator) -> tuple[float, float, float]:
        crowd = self.crowd
        yaw, profile, away = (
            _near_zero(generator, crowd.yaw_deg),
            uniform(generator, crowd.profile_deg),
            uniform(generator, crowd.away_deg),
        )
        if chance(generator, crowd.profile):
            yaw = profile
        if chance(generator, crowd.away):
            yaw = (away + 180) % 360 - 180
        roll = _near_zero(generator, crowd.roll_deg) * (0.2 if chance(generator, crowd.level) else 1.0)
        return yaw, _near_zero(generator, crowd.pitch_deg), roll

    def _posture(self, generator: np.random.Generator) -> str:
        sits, walks = chance(generator, self.crowd.sitting), chance(generator, self.crowd.walking)
        return "sitting" if sits else "walking" if walks else "standing"

    def _at_temperature(self, generator: np.random.Generator, person: Person, ambient_c: float) -> Person:
        """Cooled by cold air, and now and then much cooler or hotter than the others."""
        dim, dim_k = chance(generator, self.crowd.dim), uniform(generator, self.crowd.dim_k)
        cold_k = min(ambient_c - 24, 0) * self.crowd.cold_skin * uniform(generator, (0.3, 1.3))
        return replace(person, forehead_c=person.forehead_c + cold_k + (dim_k if dim else 0.0))


def _seen_from(yaw_deg: float, frame_state: FrameState) -> FrameState:
    """Without what is drawn for faces only, in people who are seen from the side or from behind."""
    worn = frame_state.worn
    if abs(yaw_deg) > 75:
        worn = replace(worn, occluder="")
    if abs(yaw_deg) > 90:
        headwear = "cap" if worn.headwear == "peaked_cap" else worn.headwear
        worn = replace(worn, headwear=headwear, neckwear="", mask="")
    return replace(frame_state, worn=worn, glasses=frame_state.glasses and abs(yaw_deg) < 80)


def _near_zero(generator: np.random.Generator, limits: Range) -> float:
    turned = generator.random() - generator.random()
    return turned * (limits[1] if turned > 0 else -limits[0])
