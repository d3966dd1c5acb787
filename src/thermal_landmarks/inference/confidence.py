"""How far to trust a face and each of its landmarks: agreement of several looks, turned into probabilities.

Looks of several sizes, at the face and at its mirror image, agree where there is something to see. A logistic
regression on that agreement and the finder's score is fitted to rendered faces that no network was trained on
(docs/faces.md); its weights come with the finder.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.batch import numbers
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
    outside: Bool[np.ndarray, " point"]  # (point,) whether the landmark lies outside the picture

    @classmethod
    def of(
        cls, looks_px: Float[np.ndarray, "look point 2"], box_px: np.ndarray, score: float, size: tuple[int, ...]
    ) -> "Agreement":
        """Of the landmarks that each look gave, in pixels of an image of `size`, where the finder has seen a face."""
        parts = agreement_of(
            torch.from_numpy(np.asarray(looks_px, dtype=float))[:, None],
            torch.from_numpy(np.asarray(box_px, dtype=float))[None],
            torch.tensor([score], dtype=torch.float64),
            size,
        )
        return cls(*(part[0].numpy() for part in parts))


def agreement_of(
    looks_px: Float[Tensor, "look face point 2"],
    boxes_px: Float[Tensor, "face 4"],
    score: Float[Tensor, " face"],
    size: tuple[int, ...],
) -> tuple[Float[Tensor, "face feature"], Float[Tensor, "face point feature"], Bool[Tensor, "face point"]]:
    """The parts of `Agreement` for all faces of an image at once; can be exported."""
    points = looks_px.mean(dim=0)
    face_px = (boxes_px[:, 2:] - boxes_px[:, :2]).prod(dim=1).sqrt().clamp(min=1e-3)
    spread = (looks_px - points).square().sum(dim=3).mean(dim=0).sqrt() / face_px[:, None]
    away = points.mean(dim=1) - (boxes_px[:, :2] + boxes_px[:, 2:]) / 2
    probability = score.clamp(0.01, 0.99)
    face = torch.stack(
        [
            torch.ones_like(score),
            (probability / (1 - probability)).log(),
            _disagreement(spread.mean(dim=1)),
            (face_px.clamp(6, 100) / 30).log(),
            away.square().sum(dim=1).sqrt() / face_px / 0.1,
        ],
        dim=1,
    )
    count = spread.shape[1]
    rank = 0.9 * (count - 1)
    ordered = spread.sort(dim=1).values
    worst = torch.lerp(ordered[:, math.floor(rank)], ordered[:, math.ceil(rank)], rank - math.floor(rank))
    own_and_worst = torch.stack([_disagreement(spread), _disagreement(worst)[:, None].expand(-1, count)], dim=2)
    each = torch.cat([face[:, None].expand(-1, count, -1), own_and_worst], dim=2)
    outside = ((points < -0.5) | (points > numbers(size[::-1], points) - 0.5)).any(dim=2)
    return face, each, outside


def _disagreement(spread: Tensor) -> Tensor:
    return (spread.clamp(min=LEAST) / 0.02).log()


@dataclass(frozen=True)
class Confidence:
    """Probabilities from agreement."""

    found_weights: Float[np.ndarray, " feature"]  # of `FACE_FEATURES`, for being a face at all
    face_weights: Float[np.ndarray, " feature"]  # of `FACE_FEATURES`, for landmarks that are right
    point_weights: Float[np.ndarray, " feature"]  # of `POINT_FEATURES`

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], speed: str = "exact") -> "Confidence":
        """From a finder's checkpoint; one that was never calibrated for a speed gives its score as the confidence.

        Settings are the weights for `exact`, and by name those for other speeds, whose fewer looks agree more easily.

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


def _expit(value: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(value)))  # overflows nowhere
