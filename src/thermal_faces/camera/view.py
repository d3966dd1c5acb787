"""Where the head is and how the camera sees it: pose, distance, placement in the frame, perspective."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from thermal_faces.randomness import Range, chance, uniform
from thermal_faces.ranges import PoseRanges


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Float[np.ndarray, "3 3"]:
    """Turns head coordinates into the camera's directions (x right, y down, z towards the camera).

    Positive yaw turns the face to the image's right, positive pitch lifts it, positive roll turns it clockwise.
    """
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


_FACE_DEPTH_MM = 90.0  # by which the face lies before the head's origin


def turn(vertices_mm: Float[np.ndarray, "*grid 3"], matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "*grid 3"]:
    """Rotates points; written out, so that the result doesn't depend on a linear algebra library."""
    m = matrix.astype(np.float32)
    x, y, z = vertices_mm[..., 0], vertices_mm[..., 1], vertices_mm[..., 2]
    return np.stack([m[i, 0] * x + m[i, 1] * y + m[i, 2] * z for i in range(3)], axis=-1)


@dataclass(frozen=True)
class View:
    """One camera looking at one head."""

    head: np.ndarray  # rotation of the head (3, 3)
    body: np.ndarray  # rotation of the shoulders (3, 3)
    distance_mm: float  # from the camera to the head's origin
    focal_px: float  # focal length in pixels
    centre_px: tuple[float, float]  # where the head's origin appears, x and y in pixels

    @property
    def pixels_per_mm(self) -> float:
        """At the head's origin."""
        return self.focal_px / self.distance_mm

    def project(self, turned_mm: Float[np.ndarray, "*grid 3"]) -> Float[np.ndarray, "*grid 2"]:
        """Pixel coordinates of points that are already turned into the camera's directions."""
        scale = np.float32(self.focal_px) / (np.float32(self.distance_mm) - turned_mm[..., 2])
        x = turned_mm[..., 0] * scale + np.float32(self.centre_px[0])
        y = turned_mm[..., 1] * scale + np.float32(self.centre_px[1])
        return np.stack([x, y], axis=-1)


def draw_view(
    generator: np.random.Generator,
    ranges: PoseRanges,
    *,
    size: tuple[int, int],
    inside_mm: Float[np.ndarray, "points 3"],
    hairline_mm: Float[np.ndarray, "places 3"],
    face_height_mm: float,
) -> View:
    """A random view that keeps the face inside the frame; the number of draws doesn't depend on its size.

    The landmarks, `inside_mm` in the head frame, must stay in the frame, the hairline does so in most views. The face's
    height, hairline to chin, fills the drawn fraction of the frame's height (of a zoom lens).
    """
    height, width = size
    angles = [_near_zero(generator, limits) for limits in (ranges.yaw_deg, ranges.pitch_deg, ranges.roll_deg)]
    follow = uniform(generator, ranges.body_follows_head)
    distance_mm = 1000 * math.exp(uniform(generator, [math.log(d) for d in ranges.distance_m]))
    focal_px = uniform(generator, ranges.face_height) * height * (distance_mm - _FACE_DEPTH_MM) / face_height_mm
    if ranges.field_of_view_deg > 0:
        focal_px = height / 2 / math.tan(math.radians(ranges.field_of_view_deg) / 2)
    place = np.array([uniform(generator, ranges.position_x), uniform(generator, ranges.position_y)])
    if not chance(generator, ranges.hairline_cut):
        inside_mm = np.concatenate([inside_mm, hairline_mm])
    below_deg = uniform(generator, ranges.camera_below_deg)  # the last draw: others came before it
    angles[1] += below_deg
    body = rotation(angles[0] * follow, below_deg, angles[2] * follow * 0.5)
    view = View(rotation(*angles), body, distance_mm, focal_px, (0.0, 0.0))
    points = view.project(turn(inside_mm.astype(np.float32), view.head))
    margin = ranges.margin * height
    # Pixel centres at integers: the frame reaches from -0.5 to size - 0.5. `place` 0 and 1 touch the margins.
    low = margin - 0.5 - points.min(axis=0)
    high = np.array([width, height]) - 0.5 - margin - points.max(axis=0)
    centre = np.where(high > low, low + (high - low) * place, (low + high) / 2)
    return View(view.head, view.body, distance_mm, focal_px, (float(centre[0]), float(centre[1])))


def _near_zero(generator: np.random.Generator, limits: Range) -> float:
    low, high = limits
    straight = min(max(0.0, low), high)
    turned = generator.random() - generator.random()  # -1 to 1, most often near 0
    return straight + turned * ((high - straight) if turned > 0 else (straight - low))
