"""The breath's signal from cells of skin around the nostrils.

Where the breath shows differs from nose to nose and with the angle of the camera, and beside it lie edges that tremble
with every motion. So the base of the nose is cut into cells, and several places, each with its mirror image, are asked
for what they have in common with the cells around them; the place with the clearest rhythm speaks for the recording.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import map_coordinates

from thermal_landmarks.physiology.breathing import levelled
from thermal_landmarks.physiology.face_frame import FaceFrame
from thermal_landmarks.physiology.rhythm import HALF_POWER, Grid, rhythm, smooth, thinned, without_drift

_RIGHT, _DOWN = (-0.22, 0.22), (-0.14, 0.16)  # from the base of the nose, in outer eye distances
_CELL = 0.025
_ASIDE, _BELOW = (0.07, 0.1), (-0.05, -0.02, 0.01, 0.06)  # places that are asked, relative to the base of the nose
_REACH = 0.03  # of a place
_ROUNDS = 2
_QUICKEST_HZ = 0.75
_MISFIT_COST = 10.0


class Breath(NamedTuple):
    """What the nostrils say."""

    # Mean over the cells in which the breath shows, one value a frame; NaN where it isn't seen
    temperature: Float[np.ndarray, " frame"]
    weight: Float[np.ndarray, " frame"]  # how far each frame is believed, 0 to 1
    cells: Float[np.ndarray, " cell"]  # share of each cell in it


class NostrilCells:
    """The cells at the base of one face's nose."""

    def __init__(self, frame: FaceFrame) -> None:
        x, y = (np.arange(low, high + 1e-9, _CELL) for low, high in (_RIGHT, _DOWN))
        self.offsets = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        # A cell's value is the mean of samples that lie about a pixel apart.
        samples = max(1, round(_CELL * frame.size_px / 1.5))
        inner = (np.arange(samples) + 0.5) / samples - 0.5
        inside = np.stack(np.meshgrid(inner, inner), axis=-1).reshape(-1, 2) * _CELL
        base = frame.reference_px[frame.names.index("subnasale")]
        self._places = base + (self.offsets[:, None] + inside) * frame.size_px
        self._weights = frame.weights_at(base)
        self._frame = frame

    def __call__(
        self,
        values: Float[np.ndarray, "height width"],
        points_px: Float[np.ndarray, "landmark 2"],
        shift_px: Float[np.ndarray, "2"],
    ) -> Float[np.ndarray, " cell"]:
        """The cells' temperatures in a frame; NaN where they lie outside."""
        affine = self._frame.fitted(self._weights, points_px)
        places = (self._places + shift_px) @ affine[:2] + affine[2]
        found = map_coordinates(
            values, [places[..., 1], places[..., 0]], order=1, output=np.float64, cval=np.nan, prefilter=False
        )
        return found.mean(axis=1).astype(np.float32)


def trust(misfit: Float[np.ndarray, " frame"], usual: float) -> Float[np.ndarray, " frame"]:
    """How far frames are believed whose registration leaves this misfit, 0 to 1; 1 where it isn't known."""
    above = np.maximum(np.nan_to_num(misfit, nan=usual) / max(usual, 1e-9) - 1, 0)
    return 1 / (1 + _MISFIT_COST * above**2)


def breath(
    time_s: Float[np.ndarray, " frame"],
    cells: Float[np.ndarray, "frame cell"],
    misfit: Float[np.ndarray, " frame"],
    offsets: Float[np.ndarray, "cell 2"],
    *,
    jumps: Bool[np.ndarray, " frame"] | None = None,
) -> Breath:
    """The signal of the cells in which the breath is clearest; NaN: they aren't seen.

    `misfit` is that of `Registration`, `offsets` are the cells' places from the base of the nose in outer eye
    distances, and `jumps` frames at which the camera stepped.
    """
    regular = Grid(time_s)
    between, slots = regular.step_s, regular.slots
    seen = np.isfinite(cells).all(axis=1)
    grid = np.nan_to_num(regular.means(np.where(seen[:, None], levelled(cells, jumps), np.nan)))
    even = np.nan_to_num(regular.means(np.where(seen, 1.0, np.nan)))
    usual = float(np.nanmedian(misfit)) if np.isfinite(misfit).any() else 1.0
    sure = np.nan_to_num(regular.means(np.where(seen, trust(misfit, usual), np.nan)))
    best, clearest = None, -1.0
    for weight in (even, sure):
        few, few_weight, step = thinned(grid, weight, between)
        quick = HALF_POWER / _QUICKEST_HZ / (step * between)
        band = smooth(without_drift(few, few_weight, step * between), few_weight, quick)
        for below in _BELOW:
            for aside in _ASIDE:
                share = _speaking(band, few_weight, offsets, aside, below)
                clear = rhythm(few @ share, few_weight, step * between).share
                clear_now = float(np.average(clear, weights=np.maximum(few_weight, 1e-9)))
                if clear_now > clearest:
                    clearest, best = clear_now, (weight, share)
    assert best is not None
    weight, share = best
    return Breath(np.where(seen, cells @ share, np.nan), weight[slots], share)


def _speaking(
    band: Float[np.ndarray, "frame cell"],
    weight: Float[np.ndarray, " frame"],
    offsets: Float[np.ndarray, "cell 2"],
    aside: float,
    below: float,
) -> Float[np.ndarray, " cell"]:
    """Each cell's share in the signal that is common to the cells near a place and its mirror image."""
    far = ((np.abs(offsets[:, 0]) - aside) ** 2 + (offsets[:, 1] - below) ** 2) / (2 * _REACH**2)
    near, mass = np.exp(-far), weight / max(weight.sum(), 1e-9)
    swing = np.sqrt(mass @ band**2) + 1e-9
    share = near / swing
    for _ in range(_ROUNDS):
        common = band @ share
        alike = (mass * common) @ band / (swing * np.sqrt(mass @ common**2) + 1e-12)
        share = np.maximum(alike, 0) ** 2 * near / swing
    return share / max(share.sum(), 1e-12)
