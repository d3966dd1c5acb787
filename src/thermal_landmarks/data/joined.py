"""Two caches as one, so that batches mix the samples of both; nothing is copied on the disk."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, SupportsIndex

import numpy as np

from thermal_landmarks.data.cache import CachedSamples, Rows
from thermal_landmarks.data.schemes import Scheme, get_scheme


class JoinedRows:
    """The rows of one array on the disk, then those of another of the same shape.

    Args:
        first: Rows from 0 on.
        second: Those after them.
    """

    def __init__(self, first: Rows, second: Rows) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def __getitem__(self, rows: SupportsIndex | Sequence[int] | np.ndarray) -> np.ndarray:
        """One row, or several as a new array."""
        wanted = np.arange(len(self))[rows]
        numbers = wanted.reshape(-1)
        behind = numbers >= len(self._first)
        parts = self._first[numbers[~behind]], self._second[numbers[behind] - len(self._first)]
        found = np.empty((numbers.size, *parts[0].shape[1:]), parts[0].dtype)
        found[~behind], found[behind] = parts
        return found if wanted.ndim else found[0]


def joined(first: CachedSamples, second: CachedSamples, scheme: Scheme) -> CachedSamples:
    """The samples of two caches of the same frame size, one after the other, in one scheme.

    Raises:
        ConfigError: If one of them lacks landmarks of the scheme.
    """
    both = (first, second)

    def column(name: str) -> Any:
        parts = [getattr(samples, name) for samples in both]
        return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else [item for part in parts for item in part]

    points = [samples.points_px[:, get_scheme(samples.scheme).index_map(scheme)] for samples in both]
    own: dict[str, Any] = {
        "images": JoinedRows(first.images, second.images),
        "points_px": np.concatenate(points),
        "scheme": scheme.name,
    }
    others = {field.name: column(field.name) for field in fields(CachedSamples) if field.name not in own}
    return CachedSamples(**own, **others)
