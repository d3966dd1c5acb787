"""The finished part of the chain as tables and claims need it: trainings by model, and errors with their uncertainty.

The uncertainty is that of a bootstrap: the test's people are drawn with replacement, each with all images, and so are
the seeds. Two models are compared on the same drawn people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.evaluation.comparison import drawn_people
from thermal_landmarks.search.chain.ledger import Entry
from thermal_landmarks.search.chain.steps import Kind, Step

DRAWS = 4000
COLLAPSED = 0.1
"""A network whose predictions spread less than this over the images, relative to the true points, has collapsed."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


class Results:
    """Finished trainings of one form of the network, `plain` or `ours`."""

    def __init__(self, steps: Sequence[Step], entries: Mapping[str, Entry], form: str) -> None:
        self._records: dict[tuple[Kind, str], list[Record]] = {}
        for step in steps:
            entry = entries.get(step.name)
            if step.form == form and entry is not None and entry.state == "done":
                self._records.setdefault((step.kind, step.model_id), []).append(entry.record)

    def of(self, kind: Kind, model_id: str) -> list[Record]:
        """One record a seed."""
        return self._records.get((kind, model_id), [])

    def models(self, kind: Kind) -> list[str]:
        """Models with a finished training of this kind."""
        return [model_id for found, model_id in self._records if found == kind]

    def nme(self, kind: Kind, model_id: str) -> Estimate:
        """NME in % of a model, over the drawn people."""
        records = [self.of(kind, model_id)]
        return _estimate(records, lambda errors: errors[0])

    def difference(self, kind: Kind, models: Sequence[str], kind_b: Kind, models_b: Sequence[str]) -> Estimate:
        """Mean NME in % of some models less that of others, on the same drawn people."""
        records = [*(self.of(kind, name) for name in models), *(self.of(kind_b, name) for name in models_b)]
        count = len(models)
        return _estimate(records, lambda errors: np.mean(errors[:count], axis=0) - np.mean(errors[count:], axis=0))


def collapsed(record: Record) -> bool:
    """Whether the network says nearly the same of every image."""
    return float(record.get("val/prediction_spread", 1.0)) < COLLAPSED


def _estimate(models: Sequence[Sequence[Record]], statistic: Any) -> Estimate:
    """A statistic of the models' NME in %, for the test's people as they are and for drawn ones."""
    people = sorted(models[0][0]["subjects"])
    images = np.array([models[0][0]["subjects"][person]["images"] for person in people], dtype=float)
    tables = [np.array([[100 * run["subjects"][p]["nme"] for p in people] for run in runs]) for runs in models]
    rng = np.random.default_rng(0)
    weights = drawn_people(images, DRAWS, rng)
    drawn = statistic([_drawn(table, weights, rng) for table in tables])
    whole = statistic([table.mean(axis=0) @ (images / images.sum()) for table in tables])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(whole), float(low), float(high))


def _drawn(
    table: Float[np.ndarray, "seed person"], weights: Float[np.ndarray, "draw person"], rng: np.random.Generator
) -> Float[np.ndarray, " draw"]:
    """Mean error of a model for each draw of people, with as many seeds as it has, drawn too."""
    seeds = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=len(weights)) / len(table)
    return np.einsum("ds,sp,dp->d", seeds, table, weights)
