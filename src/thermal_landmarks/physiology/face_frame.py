"""The face frame, to which the faces of all frames are warped back: the same skin lies under the same pixel.

Each region follows the face by an affine map that fits all landmarks, those near the region most: moving least squares
(Schaefer, McPhail and Warren 2006). One landmark that jitters moves it little, and turning heads foreshorten it as they
should.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.path import Path as Polygon
from scipy.ndimage import map_coordinates

from thermal_landmarks.data.schemes import SCHEMES, Scheme
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.physiology.regions import Corner, available

_FACE16 = SCHEMES["face16"].landmark_names
_MOVING = ("lower_lip", "chin")  # with the jaw; no region hangs on them
_SCALES = {("eye_left_outer", "eye_right_outer"): 1.0, ("mouth_left", "mouth_right"): 0.53}
# Mouths are about 0.53 outer eye distances wide: 0.52 in portraits, 0.56 in rendered faces (docs/landmarks.md).
_SIZES_PX = (24.0, 200.0)
_NEAR = 0.03  # softens the weight of a landmark in the very middle of a region, in squared eye distances
_HOTTEST = 0.05
STATISTICS = ("mean", "median", "spread", "hottest")


@dataclass(frozen=True)
class Patch:
    """A region in the face frame."""

    name: str  # of the region
    corners_px: Float[np.ndarray, "corner 2"]  # of its polygon, in pixels of the face frame
    grid_px: Float[np.ndarray, "height width 2"]  # x and y of the patch's pixels there
    inside: Bool[np.ndarray, "height width"]  # which of them belong to the region
    weights: Float[np.ndarray, " landmark"]  # of each landmark when the region's affine map is fitted


class FaceFrame:
    """One person's face at rest.

    It is the median of the person's own points, so that nothing about the shape of a face is assumed. Its scale is the
    median one of the video: patches have as much detail as the frames, and no more.

    `own` regions come beside those of `REGIONS`; `margin_px` lies around the perinasal region in its patch, for
    morphology at its edge.

    Raises:
        DataError: If no frame has all points.
        ConfigError: If a region needs a landmark that isn't there.
    """

    def __init__(
        self,
        points_px: Float[np.ndarray, "frame landmark 2"],
        names: Sequence[str] = _FACE16,
        *,
        own: Mapping[str, Sequence[Corner]] | None = None,
        margin_px: int = 8,
    ) -> None:
        self.names = tuple(names)
        seen = points_px[np.isfinite(points_px).all(axis=(1, 2))]
        if not len(seen):
            raise DataError("No frame of this track has points, so there is nothing to measure in.")
        shapes, size_px = self._shapes_and_sizes(seen)
        self.eyes_px = float(np.median(size_px))
        self.size_px = float(np.clip(self.eyes_px, *_SIZES_PX))
        self.reference_px: Float[np.ndarray, "landmark 2"] = np.median(shapes, axis=0) * self.size_px
        for name, corners in (own or {}).items():
            lacking = {corner[0] for corner in corners} - set(self.names)
            if lacking:
                raise ConfigError(f"regions: {name} needs {', '.join(sorted(lacking))}, which these tracks lack.")
        regions = {**available(self.names), **(own or {})}
        self.patches = {
            name: self._patch(name, corners, margin_px if name == "perinasal" else 1)
            for name, corners in regions.items()
        }

    def shapes(self, points_px: Float[np.ndarray, "frame landmark 2"]) -> Float[np.ndarray, "frame landmark 2"]:
        """Faces in their own axes (from their middle to the right and down) and relative to their own size."""
        return self._shapes_and_sizes(points_px)[0]

    def _shapes_and_sizes(
        self, points_px: Float[np.ndarray, "frame landmark 2"]
    ) -> tuple[Float[np.ndarray, "frame landmark 2"], Float[np.ndarray, " frame"]]:
        (left, right), width = self._scale()
        across = (points_px[:, right] - points_px[:, left]) / width
        size_px = np.linalg.norm(across, axis=1)
        middle = (points_px[:, right] + points_px[:, left]) / 2
        # To the right eye corner, and a quarter turn from there, downwards.
        axes = np.stack([across, np.stack([-across[:, 1], across[:, 0]], axis=1)], axis=1) / size_px[:, None, None] ** 2
        return np.einsum("nac,npc->npa", axes, points_px - middle[:, None]), size_px

    def _scale(self) -> tuple[tuple[int, int], float]:
        """The two landmarks that a face is measured by, and their distance in those of the outer eye corners."""
        for (left, right), width in _SCALES.items():
            if {left, right} <= set(self.names):
                return (self.names.index(left), self.names.index(right)), width
        raise ConfigError("Signals need the outer eye corners or the corners of the mouth among the landmarks.")

    def _patch(self, name: str, corners: Sequence[Corner], margin_px: int) -> Patch:
        corners_px = np.array(
            [
                self.reference_px[self.names.index(landmark)] + self.size_px * np.array([right, down])
                for landmark, right, down in corners
            ]
        )
        low = np.floor(corners_px.min(axis=0)) - margin_px
        high = np.ceil(corners_px.max(axis=0)) + margin_px
        grid = np.stack(np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)), axis=-1)
        inside = _is_inside(corners_px, grid)
        if not inside.any():  # a far face: the pixel in the middle
            inside[inside.shape[0] // 2, inside.shape[1] // 2] = True
        return Patch(name, corners_px, grid, inside, self.weights_at(corners_px.mean(axis=0)))

    def is_inside(self, name: str, places_px: Float[np.ndarray, "rows columns 2"]) -> Bool[np.ndarray, "rows columns"]:
        """Which places of the face frame lie in a region's polygon."""
        return _is_inside(self.patches[name].corners_px, places_px)

    def weights_at(self, middle_px: Float[np.ndarray, "2"]) -> Float[np.ndarray, " landmark"]:
        """Weights of the landmarks for what lies around a place of the face frame: those near it count most."""
        far = ((self.reference_px - middle_px) ** 2).sum(axis=1) / self.size_px**2
        weights = 1 / (far + _NEAR)
        weights[[name in _MOVING for name in self.names]] = 0
        return weights

    def fitted(
        self, weights: Float[np.ndarray, " landmark"], points_px: Float[np.ndarray, "landmark 2"]
    ) -> Float[np.ndarray, "3 2"]:
        """The affine map from the face frame (x, y, 1) to the pixels of a frame that fits the weighted landmarks."""
        root = np.sqrt(weights)[:, None]
        homogeneous = np.column_stack([self.reference_px, np.ones(len(self.reference_px))])
        return np.linalg.lstsq(root * homogeneous, root * points_px, rcond=None)[0]

    def corners(self, name: str, points_px: Float[np.ndarray, "landmark 2"]) -> Float[np.ndarray, "corner 2"]:
        """A region's polygon in the pixels of a frame."""
        patch = self.patches[name]
        return _apply(self.fitted(patch.weights, points_px), patch.corners_px)

    def warp(
        self,
        name: str,
        values: Float[np.ndarray, "height width"],
        points_px: Float[np.ndarray, "landmark 2"],
        shift_px: Float[np.ndarray, "2"] | None = None,
    ) -> Float[np.ndarray, "patch_height patch_width"]:
        """A region's patch of a frame, shifted as `Registration` says; NaN where it lies outside the frame."""
        patch = self.patches[name]
        grid = patch.grid_px if shift_px is None else patch.grid_px + shift_px
        places = _apply(self.fitted(patch.weights, points_px), grid)
        return map_coordinates(
            values, [places[..., 1], places[..., 0]], order=1, output=np.float64, cval=np.nan, prefilter=False
        )

    def statistics(self, name: str, patch_values: Float[np.ndarray, "height width"]) -> dict[str, float]:
        """`mean`, `median`, `spread` (standard deviation) and `hottest` (mean of the hottest 5 %) of a region.

        All are NaN where a part of the region lies outside the frame.
        """
        values = patch_values[self.patches[name].inside]
        hottest = np.sort(values)[-max(1, round(_HOTTEST * len(values))) :]
        found = (values.mean(), np.median(values), values.std(), hottest.mean())
        return dict(zip(STATISTICS, map(float, found), strict=True))


def face16_places(scheme: Scheme) -> tuple[list[str], list[int]]:
    """The landmarks of `face16` that a scheme has, and where they stand in it."""
    face16 = SCHEMES["face16"]
    shared = [n for n, number in zip(face16.landmark_names, face16.ibug68, strict=True) if number in scheme.ibug68]
    return shared, [scheme.ibug68.index(number) for number in face16.ibug68 if number in scheme.ibug68]


def _is_inside(
    corners_px: Float[np.ndarray, "corner 2"], places_px: Float[np.ndarray, "rows columns 2"]
) -> Bool[np.ndarray, "rows columns"]:
    return np.reshape(Polygon(corners_px).contains_points(places_px.reshape(-1, 2)), places_px.shape[:-1])


def _apply(affine: Float[np.ndarray, "3 2"], places: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "... 2"]:
    return places @ affine[:2] + affine[2]
