"""Offsets from a network's landmarks to an annotator's, in the face's own frame.

The frame comes from the predicted points alone: the similarity transform that fits a symmetric mean face to them. So
offsets turn, grow and move with the face, and applying them needs nothing but the points. Everything is NumPy, so that
prediction without torch can use it too. Points are complex numbers x + iy inside this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from thermal_landmarks.data.geometry import mean_shape
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import ConfigError

# How far the landmarks of the renderer's mean head stand out of the face, as fractions of the distance of the outer
# eye corners. What moves when the mouth opens is left out.
_DEPTH = {19: 0.07, 24: 0.07, 36: 0.0, 45: 0.0, 39: 0.08, 42: 0.08, 27: 0.21, 30: 0.49, 31: 0.25, 35: 0.25, 33: 0.32}

_FARTHEST = 100.0  # distances of the outer eye corners
_LEAST_EXTENT = 1e-3


class InFrame(NamedTuple):
    """Faces in their own frames."""

    points: Complex[np.ndarray, "face point"]  # the landmarks, relative to the reference face's
    scale: Complex[np.ndarray, " face"]  # from the frame to pixels: its modulus is a size, its argument a turn
    yaw: Float[np.ndarray, " face"]  # about the sine of the turn to the image's right; 0 where the scheme can't tell
    pitch: Float[np.ndarray, " face"]  # about the sine of the turn downwards, relative to the reference face


@dataclass(frozen=True)
class Calibration:
    """What is added to a network's landmarks."""

    # (point, 2) a symmetric face, middle at 0; the outer eye corners 1 apart where the scheme has them
    reference: Float[np.ndarray, "point 2"]
    offsets: Float[np.ndarray, "point 2"]  # (point, 2) in the units of the reference
    by_yaw: Float[np.ndarray, "point 2"]  # (point, 2) that is added for each unit of yaw
    by_pitch: Float[np.ndarray, "point 2"]  # (point, 2) that is added for each unit of pitch
    # The greatest yaw and pitch that were seen, of either sign; beyond them the offsets stay as they are
    limits: tuple[float, float]
    faces: int  # how many faces it was learned from

    def apply(
        self, points_px: Float[np.ndarray, "*batch point 2"], scheme: Scheme
    ) -> Float[np.ndarray, "*batch point 2"]:
        """The landmarks as the annotator would place them, in pixels of any image that shows the face undistorted."""
        points = np.asarray(points_px, dtype=np.float64)
        faces = points.reshape(-1, *points.shape[-2:])
        frame = in_frame(faces, self.reference, scheme)
        most_yaw, most_pitch = self.limits
        yaw, pitch = np.clip(frame.yaw, -most_yaw, most_yaw), np.clip(frame.pitch, -most_pitch, most_pitch)
        offsets = as_complex(self.offsets) + yaw[:, None] * as_complex(self.by_yaw)
        moved = as_complex(faces) + frame.scale[:, None] * (offsets + pitch[:, None] * as_complex(self.by_pitch))
        return as_points(moved).reshape(points.shape).astype(np.asarray(points_px).dtype)

    @property
    def is_nothing(self) -> bool:
        """Whether it moves no point."""
        return not any(np.any(part) for part in (self.offsets, self.by_yaw, self.by_pitch))

    @property
    def settings(self) -> dict[str, Any]:
        """Plain lists and numbers, as a checkpoint keeps them."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in plain.items()} | {
            "limits": list(self.limits)
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any] | None, scheme: Scheme) -> "Calibration | None":
        """Rebuild from `settings`; None where a checkpoint was never calibrated.

        Raises:
            ConfigError: If they don't fit the scheme.
        """
        if not settings:
            return None
        try:
            names = ("reference", "offsets", "by_yaw", "by_pitch")
            reference, offsets, by_yaw, by_pitch = arrays = [np.array(settings[name], dtype=float) for name in names]
            most_yaw, most_pitch = (float(limit) for limit in settings["limits"])
            faces = int(settings["faces"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"The checkpoint's calibration can't be read ({error}). Calibrate once more.") from error
        wanted = (scheme.num_points, 2)
        if any(array.shape != wanted or not (np.abs(array) <= _FARTHEST).all() for array in arrays):
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ConfigError(
                f"The checkpoint's calibration has offsets of shapes {shapes}; scheme '{scheme.name}' wants "
                f"numbers of shape {wanted}, none beyond {_FARTHEST:g}. Calibrate once more."
            )
        if np.ptp(reference, axis=0).max() < _LEAST_EXTENT or not all(
            0 <= m <= _FARTHEST for m in (most_yaw, most_pitch)
        ):
            raise ConfigError(
                f"The checkpoint's calibration has a reference face without extent, or limits {most_yaw:g} and "
                f"{most_pitch:g} outside 0 to {_FARTHEST:g}. Calibrate once more."
            )
        return cls(reference, offsets, by_yaw, by_pitch, (most_yaw, most_pitch), faces)


def in_frame(
    points_px: Float[np.ndarray, "face point 2"], reference: Float[np.ndarray, "point 2"], scheme: Scheme
) -> InFrame:
    """Faces in the frame that fits the reference face to all of their points best (least squares)."""
    faces, mean = as_complex(points_px), as_complex(reference)
    middle = faces.mean(axis=1)
    scale = (faces - middle[:, None]) @ mean.conj() / (np.abs(mean) ** 2).sum()
    scale = np.where(scale == 0, 1e-9, scale)  # a network that gives one point for all
    points = (faces - middle[:, None]) / scale[:, None] - mean
    known, depth = depths(scheme)
    if not np.any(depth):
        return InFrame(points, scale, np.zeros(len(faces)), np.zeros(len(faces)))
    turned = points[:, known] @ depth / (depth**2).sum()
    return InFrame(points, scale, turned.real, turned.imag)


def depths(scheme: Scheme) -> tuple[list[int], Float[np.ndarray, " known"]]:
    """The landmarks whose depth is known, and that depth relative to their mean."""
    known = [i for i, number in enumerate(scheme.ibug68) if number in _DEPTH]
    depth = np.array([_DEPTH[scheme.ibug68[i]] for i in known])
    return known, depth - (depth.mean() if known else 0.0)


def reference_face(points_px: Float[np.ndarray, "face point 2"], scheme: Scheme) -> Float[np.ndarray, "point 2"]:
    """The symmetric mean face of predictions: upright, middle at 0, the outer eye corners 1 apart.

    A scheme without outer eye corners gets a root mean square distance of 0.5 from the middle, about as large.
    """
    mean, order = as_complex(mean_shape(points_px).astype(np.float64)), scheme.flip_indices
    mirrored = -mean.conj()[order]
    turn = (mirrored.conj() * mean).sum()
    mean = (mean + mirrored * turn / np.abs(turn)) / 2
    tilt = np.angle(-(mean * mean[order]).sum()) / 2  # 0 where each point's partner is its mirror image
    mean = mean * np.exp(-1j * tilt)
    mean = (mean - mean.conj()[order]) / 2
    mean -= mean.mean()
    if (corners := scheme.outer_eye_corners) is not None:
        size = np.abs(mean[corners[0]] - mean[corners[1]])
    else:
        size = 2 * np.sqrt((np.abs(mean) ** 2).mean())
    return as_points(mean / size)


def as_complex(points: Float[np.ndarray, "*batch 2"]) -> Complex[np.ndarray, "*batch"]:
    """Points x, y as x + iy."""
    return points[..., 0] + 1j * points[..., 1]


def as_points(numbers: Complex[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch 2"]:
    """The inverse of `as_complex`."""
    return np.stack([numbers.real, numbers.imag], axis=-1)
