"""Random generators that depend on nothing but the seed and a key, and draws from ranges."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

Range = tuple[float, float]
"""Lowest and highest value; drawn uniformly."""


def rng(seed: int, *key: int | str) -> np.random.Generator:
    """The generator of one part of one picture, e.g. `rng(seed, subject, index, "pose")`.

    Each part has a generator of its own, so that one more draw in one part doesn't change the others.
    """
    numbers = [crc32(part.encode()) if isinstance(part, str) else part for part in key]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(numbers))))


def uniform(generator: np.random.Generator, limits: Sequence[float]) -> float:
    """One value, uniform between the two limits."""
    low, high = limits
    return float(low + (high - low) * generator.random())


def chance(generator: np.random.Generator, probability: float) -> bool:
    """True with that probability."""
    return bool(generator.random() < probability)


def truncated_normal(generator: np.random.Generator, deviation: float, bound: float = 2.5) -> float:
    """A normal value of that standard deviation; what lies beyond `bound` deviations is set there."""
    return min(max(generator.standard_normal(), -bound), bound) * deviation
