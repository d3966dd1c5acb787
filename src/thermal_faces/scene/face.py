"""What of a rendered scene is a face: where it is, and whether the picture shows it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.resampling import shrink
from thermal_faces.scene.figure import Figure

MOST_HIDDEN = 0.5
"""A face of which a larger share is covered or out of the frame is neither looked for nor counted against a finder."""
_CELLS = 10
_FAINTEST = {"celsius": 0.2, "gray": 3.0}  # least detail (`head_detail`) of a face that can be told from a blank head


@dataclass(frozen=True)
class SceneFace:
    """One face in a rendered scene."""

    # The `face16` landmarks, float32 (16, 2); parts of faces may lie outside the picture
    points_px: Float[np.ndarray, "16 2"]
    # Which of them can be seen: inside the picture, facing the camera, with nothing in front of them
    visible: Bool[np.ndarray, " 16"]
    # x_min, y_min, x_max, y_max of the head's surface from the middle of the forehead (62 mm above the eyes, where
    # hairlines begin) to the chin and from ear to ear (80 degrees to both sides), as far as it faces the camera. It
    # comes from geometry: a cap or a mask changes nothing, and the box may reach out of the picture.
    box_px: tuple[float, float, float, float]
    angle_deg: float  # roll in the picture's plane, clockwise
    yaw_deg: float  # turn to the picture's right
    pitch_deg: float  # positive where the face is lifted or seen from below
    # Share of the face's surface in the box that is out of the picture or behind something other than a mask or glasses
    hidden: float
    # Whether this is a visible face: half of it or more is in the picture with nothing in front (`MOST_HIDDEN`), it is
    # more than a few pixels of the camera high, and the picture shows something inside it (`head_detail`). Others are
    # left out of training and scores, found or not.
    is_face: bool


def face_of(
    figure: Figure,
    covered: Bool[np.ndarray, "height width"],
    smallest_px: float,
    image: Float[np.ndarray, "height width"],
    unit: str,
) -> SceneFace | None:
    """The face of a figure, or its head if the picture doesn't tell that it is turned away; else None.

    It is `covered` by what is in front of it; the smallest face that counts is `smallest_px` high.
    """
    box = figure.box_px() if figure.shows_face else figure.head_box_px()
    shows_detail = head_detail(image, box) >= _FAINTEST[unit]
    if shows_detail and not figure.shows_face:
        return None
    points_px, visible = figure.landmarks(covered)
    hidden = figure.hidden(covered)
    yaw, pitch, roll = figure.angles_deg
    is_face = figure.shows_face and shows_detail and hidden <= MOST_HIDDEN and box[3] - box[1] >= smallest_px
    return SceneFace(points_px, visible, box, roll, yaw, pitch, hidden, is_face)


def head_detail(image: Float[np.ndarray, "height width"], box_px: tuple[float, float, float, float]) -> float:
    """How much a picture shows inside a head: the standard deviation from an even slope, in the picture's unit.

    It is that of the means over ten by ten parts of the ellipse inside the head's outline (fewer where the head has
    fewer pixels), so that neither the outline nor single pixels' noise counts for much.
    """
    x_min, y_min, x_max, y_max = box_px
    x, y, half_width, half_height = (x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min
    half_width, half_height = 0.36 * half_width, 0.4 * half_height
    top, bottom = (round(np.clip(v, 0, image.shape[0])) for v in (y - half_height, y + half_height + 1))
    left, right = (round(np.clip(v, 0, image.shape[1])) for v in (x - half_width, x + half_width + 1))
    if min(bottom - top, right - left) < 3:
        return 0.0
    size = (min(_CELLS, bottom - top), min(_CELLS, right - left))
    cells = shrink(image[top:bottom, left:right], size)
    down = (top + (np.arange(size[0]) + 0.5) * (bottom - top) / size[0] - 0.5 - y) / half_height
    across = (left + (np.arange(size[1]) + 0.5) * (right - left) / size[1] - 0.5 - x) / half_width
    v, u = (grid.ravel() for grid in np.meshgrid(down, across, indexing="ij"))
    inside = u**2 + v**2 <= 1
    slope = np.column_stack([np.ones_like(u), u, v])[inside]
    values = cells.ravel()[inside].astype(float)
    return float((values - slope @ np.linalg.lstsq(slope, values, rcond=None)[0]).std())
