"""How far to trust a face and each of its landmarks: agreement of several looks, turned into probabilities.

Looks of several sizes, at the face and at its mirror image, agree where there is something to see. A logistic
regression on that agreement and the finder's score is fitted to rendered faces that no network was trained on
(docs/faces.md); its weights come with the finder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import ConfigError

LEAST = 1e-4
BEYOND = 0.02  # confidence of a landmark outside the picture, at most
FACE_FEATURES = ("one", "score", "disagreement", "size", "displacement")
_LARGEST = 1e4  # of a weight
POINT_FEATURES = ("one", "score", "disagreement", "size", "displacement", "own disagreement", "others' spread")


@dataclass(frozen=True)
class Agreement:
    """What several looks at one face say together."""

    face: Float[np.ndarray, " feature"]  # of `FACE_FEATURES`, each about 1 in size
    points: Float[np.ndarray, "point feature"]  # (point, feature) of `POINT_FEATURES`
    outside: Float[np.ndarray, " point"]  # (point,) whether the landmark lies outside the picture

    @classmethod
    def of(
        cls, looks_px: Float[np.ndarray, "look point 2"], box_px: np.ndarray, score: float, size: tuple[int, ...]
    ) -> "Agreement":
        """Of the landmarks that each look gave.

        Args:
            looks_px: In pixels of the image.
            box_px: Where the finder has seen the face.
            score: Of the finder.
            size: (height, width) of the image.
        """
        extent = np.asarray(box_px[2:], dtype=float) - np.asarray(box_px[:2], dtype=float)
        face_px = max(float(np.sqrt(extent.prod())), 1e-3)
        points = looks_px.mean(axis=0)
        spread = np.sqrt(((looks_px - points) ** 2).sum(axis=2).mean(axis=0)) / face_px
        middle = (np.asarray(box_px[:2]) + np.asarray(box_px[2:])) / 2
        displacement = float(np.linalg.norm(points.mean(axis=0) - middle)) / face_px
        mean = float(spread.mean())
        face = np.array(
            [
                1.0,
                _logit(np.clip(score, 0.01, 0.99)),
                np.log(max(mean, LEAST) / 0.02),
                np.log(np.clip(face_px, 6, 100) / 30),
                displacement / 0.1,
            ]
        )
        own = np.log(np.maximum(spread, LEAST) / 0.02)
        worst = np.full(len(own), np.log(max(float(np.quantile(spread, 0.9)), LEAST) / 0.02))
        outside = ((points < -0.5) | (points > np.array([size[1], size[0]]) - 0.5)).any(axis=1)
        return cls(face, np.column_stack([np.tile(face, (len(own), 1)), own, worst]), outside)


@dataclass(frozen=True)
class Confidence:
    """Probabilities from agreement."""

    found_weights: Float[np.ndarray, " feature"]  # of `FACE_FEATURES`, for being a face at all
    face_weights: Float[np.ndarray, " feature"]  # of `FACE_FEATURES`, for landmarks that are right
    point_weights: Float[np.ndarray, " feature"]  # of `POINT_FEATURES`

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], speed: str = "exact") -> "Confidence":
        """From a finder's checkpoint; one that was never calibrated for a speed gives its score as the confidence.

        Args:
            settings: The weights for `exact`, and by name those for other speeds, whose fewer looks agree more easily.
            speed: At which faces are looked at.

        Raises:
            ConfigError: If they are no weights of these features.
        """
        lengths = (len(FACE_FEATURES), len(FACE_FEATURES), len(POINT_FEATURES))
        try:
            if speed != "exact":
                settings = settings.get(speed, {})
            if not settings:
                return cls(*(np.eye(length)[1] for length in lengths))
            weights = [np.array(settings[field.name], dtype=float) for field in fields(cls)]
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"The finder's confidence can't be read ({type(error).__name__}: {error}).") from error
        found = [each.shape for each in weights]
        if found != [(length,) for length in lengths] or not all((np.abs(w) <= _LARGEST).all() for w in weights):
            raise ConfigError(
                f"The finder's confidence has weights of shapes {found}, expected lengths {lengths} and numbers up to "
                f"{_LARGEST:g}. Give another finder."
            )
        return cls(*weights)

    @property
    def settings(self) -> dict[str, list[float]]:
        """Plain data."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    def found(self, agreement: Agreement) -> float:
        """That this is a face."""
        return float(_expit(agreement.face @ self.found_weights))

    def face(self, agreement: Agreement) -> float:
        """That this is a face whose landmarks are right."""
        return float(_expit(agreement.face @ self.face_weights))

    def points(self, agreement: Agreement) -> Float[np.ndarray, " point"]:
        """That each landmark is in the picture, visible and right."""
        probability = _expit(agreement.points @ self.point_weights)
        return np.where(agreement.outside, np.minimum(probability, BEYOND), probability)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _expit(value: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(value)))  # overflows nowhere
