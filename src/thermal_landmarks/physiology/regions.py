"""Regions of skin that move with the face: the same skin lies under the same pixel of a region's patch in every frame.

A region is a polygon whose corners are landmarks with an offset. Each region follows the face by an affine map that
fits all landmarks, those near the region most: moving least squares (Schaefer, McPhail and Warren 2006). One landmark
that jitters moves it little, and turning heads foreshorten it as they should.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.path import Path as Polygon
from scipy.ndimage import map_coordinates

from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.errors import ConfigError, DataError

Corner = tuple[str, float, float]
"""A landmark of `face16`, and the way from it to the right and down, in distances of the outer eye corners."""


def _around(landmark: str, right: float, down: float, half: float) -> list[Corner]:
    return [(landmark, right + half * x, down + half * y) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


REGIONS: dict[str, list[Corner]] = {
    "perinasal": [
        *(("ala_left", -0.05, 0.07), ("subnasale", 0.0, 0.05), ("ala_right", 0.05, 0.07)),
        *(("mouth_right", 0.0, -0.06), ("upper_lip", 0.0, -0.05), ("mouth_left", 0.0, -0.06)),
    ],
    "nostril_left": [
        *(("ala_left", 0.0, -0.01), ("subnasale", -0.03, -0.03)),
        *(("subnasale", -0.03, 0.05), ("ala_left", 0.0, 0.08)),
    ],
    "nostril_right": [
        *(("subnasale", 0.03, -0.03), ("ala_right", 0.0, -0.01)),
        *(("ala_right", 0.0, 0.08), ("subnasale", 0.03, 0.05)),
    ],
    "nose_tip": _around("nose_tip", 0.0, 0.0, 0.07),
    "forehead": [
        *(("brow_left", 0.05, -0.35), ("brow_right", -0.05, -0.35)),
        *(("brow_right", -0.05, -0.12), ("brow_left", 0.05, -0.12)),
    ],
    "eye_corner_left": _around("eye_left_inner", 0.03, 0.0, 0.06),
    "eye_corner_right": _around("eye_right_inner", -0.03, 0.0, 0.06),
    "cheek_left": _around("eye_left_outer", 0.08, 0.42, 0.1),
    "cheek_right": _around("eye_right_outer", -0.08, 0.42, 0.1),
}
"""The regions that are always measured; left and right are the image's."""

MARGIN_PX = 6
"""Around a region in its patch, for morphology at its edge."""

_FACE16 = SCHEMES["face16"]
_MOVING = ("lower_lip", "chin")  # with the jaw; no region hangs on them
_SIZES_PX = (24.0, 200.0)
_NEAR = 0.03  # softens the weight of a landmark in the very middle of a region, in squared eye distances
_HOTTEST = 0.05


@dataclass(frozen=True)
class Patch:
    """A region in the face frame.

    Attributes:
        name: Of the region.
        corners_px: Of its polygon, in pixels of the face frame.
        grid_px: x and y of the patch's pixels there.
        inside: Which of them belong to the region.
        weights: Of each landmark of `face16` when the region's affine map is fitted.
    """

    name: str
    corners_px: Float[np.ndarray, "corner 2"]
    grid_px: Float[np.ndarray, "height width 2"]
    inside: Bool[np.ndarray, "height width"]
    weights: Float[np.ndarray, "16"]


class FaceFrame:
    """One person's face at rest, to which the faces of all frames are warped back.

    It is the median of the person's own points, so that nothing about the shape of a face is assumed. Its scale is the
    median one of the video: patches have as much detail as the frames, and no more.

    Args:
        points_px: `face16` points of all frames in pixels; NaN where the face is not seen.
        own: More regions, as `REGIONS`.

    Raises:
        DataError: If no frame has all points.
        ConfigError: If a region names an unknown landmark or has fewer than three corners.
    """

    def __init__(
        self, points_px: Float[np.ndarray, "frame 16 2"], own: Mapping[str, Sequence[Sequence[object]]] | None = None
    ) -> None:
        seen = points_px[np.isfinite(points_px).all(axis=(1, 2))]
        if not len(seen):
            raise DataError("No frame of this track has points, so there is nothing to measure in.")
        left, right = (_FACE16.landmark_names.index(f"eye_{side}_outer") for side in ("left", "right"))
        across = seen[:, right] - seen[:, left]
        size_px = np.linalg.norm(across, axis=1)
        middle = (seen[:, right] + seen[:, left]) / 2
        # Each face's own axes: to its right eye corner, and a quarter turn from there, downwards.
        axes = np.stack([across, np.stack([-across[:, 1], across[:, 0]], axis=1)], axis=1) / size_px[:, None, None] ** 2
        shape = np.median(np.einsum("nac,npc->npa", axes, seen - middle[:, None]), axis=0)
        self.size_px = float(np.clip(np.median(size_px), *_SIZES_PX))
        self.reference_px: Float[np.ndarray, "16 2"] = shape * self.size_px
        regions = {**REGIONS, **{name: _checked(name, corners) for name, corners in (own or {}).items()}}
        self.patches = {name: self._patch(name, corners) for name, corners in regions.items()}

    def _patch(self, name: str, corners: Sequence[Corner]) -> Patch:
        corners_px = np.array(
            [
                self.reference_px[_FACE16.landmark_names.index(landmark)] + self.size_px * np.array([right, down])
                for landmark, right, down in corners
            ]
        )
        low = np.floor(corners_px.min(axis=0)) - MARGIN_PX
        high = np.ceil(corners_px.max(axis=0)) + MARGIN_PX
        grid = np.stack(np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)), axis=-1)
        inside = np.reshape(Polygon(corners_px).contains_points(grid.reshape(-1, 2)), grid.shape[:-1])
        if not inside.any():  # a far face: the pixel in the middle
            inside[inside.shape[0] // 2, inside.shape[1] // 2] = True
        far = ((self.reference_px - corners_px.mean(axis=0)) ** 2).sum(axis=1) / self.size_px**2
        weights = 1 / (far + _NEAR)
        weights[[_FACE16.landmark_names.index(landmark) for landmark in _MOVING]] = 0
        return Patch(name, corners_px, grid, inside, weights)

    def affine(self, patch: Patch, points_px: Float[np.ndarray, "16 2"]) -> Float[np.ndarray, "3 2"]:
        """The map of a region from the face frame (x, y, 1) to the pixels of a frame."""
        root = np.sqrt(patch.weights)[:, None]
        homogeneous = np.column_stack([self.reference_px, np.ones(len(self.reference_px))])
        return np.linalg.lstsq(root * homogeneous, root * points_px, rcond=None)[0]

    def corners(self, name: str, points_px: Float[np.ndarray, "16 2"]) -> Float[np.ndarray, "corner 2"]:
        """A region's polygon in the pixels of a frame."""
        patch = self.patches[name]
        return _apply(self.affine(patch, points_px), patch.corners_px)

    def warp(
        self, name: str, values: Float[np.ndarray, "height width"], points_px: Float[np.ndarray, "16 2"]
    ) -> Float[np.ndarray, "patch_height patch_width"]:
        """A region's patch of a frame; NaN where it lies outside the frame.

        Args:
            name: Of the region.
            values: Of the frame.
            points_px: Of the face there.
        """
        patch = self.patches[name]
        places = _apply(self.affine(patch, points_px), patch.grid_px)
        return map_coordinates(
            values, [places[..., 1], places[..., 0]], order=1, output=np.float64, cval=np.nan, prefilter=False
        )

    def statistics(self, name: str, patch_values: Float[np.ndarray, "height width"]) -> dict[str, float]:
        """`mean`, `median`, `spread` (standard deviation) and `hottest` (mean of the hottest 5 %) of a region.

        All are NaN where a part of the region lies outside the frame.
        """
        values = patch_values[self.patches[name].inside]
        hottest = np.sort(values)[-max(1, round(_HOTTEST * len(values))) :]
        return {
            "mean": float(values.mean()),
            "median": float(np.median(values)),
            "spread": float(values.std()),
            "hottest": float(hottest.mean()),
        }


def _apply(affine: Float[np.ndarray, "3 2"], places: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "... 2"]:
    return places @ affine[:2] + affine[2]


def _checked(name: str, corners: Sequence[Sequence[object]]) -> list[Corner]:
    names = _FACE16.landmark_names
    checked: list[Corner] = []
    for corner in corners:
        landmark, *offset = corner
        if landmark not in names or len(offset) != 2 or not all(isinstance(part, int | float) for part in offset):
            raise ConfigError(
                f"regions.{name}: the corner {list(corner)} should be [LANDMARK, RIGHT, DOWN], the last two in "
                f"distances of the outer eye corners, with a landmark of {', '.join(names)}."
            )
        checked.append((str(landmark), float(str(offset[0])), float(str(offset[1]))))
    if len(checked) < 3:
        raise ConfigError(f"regions.{name} has {len(checked)} corners; a polygon has three or more.")
    return checked
