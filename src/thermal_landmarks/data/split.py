"""Seeded splits by subject, and the file that keeps them beside a run."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runs import write_json

STAGES = ("train", "val", "test")


@dataclass(frozen=True)
class SplitSettings:
    """How subjects are divided."""

    val: float = 0.15  # fraction of the subjects for validation
    test: float = 0.15  # fraction of the subjects for the test
    seed: int = 0  # of the shuffle
    overlap: bool = False  # all subjects in every split: for overfitting a few images on purpose, never for a result
    file: str | None = None  # A `split.json` of an earlier run to follow instead

    def __post_init__(self) -> None:
        for name in ("val", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"data.split.{name}={getattr(self, name)} is a fraction of the subjects, in [0, 1).")


Split = dict[str, list[str]]
"""Subjects of each stage."""


def split_subjects(subjects: Sequence[str], settings: SplitSettings, *, with_test: bool = True) -> Split:
    """Divide the subjects of annotations, repeats allowed, into train, val and, if it is to come from here, test.

    Raises:
        ConfigError: If there are too few subjects for the fractions, or a split file doesn't fit.
    """
    unique = sorted(set(subjects))
    if settings.file is not None:
        return read_split(Path(settings.file), unique, STAGES if with_test else STAGES[:2])
    if settings.overlap:
        return {stage: unique for stage in STAGES if with_test or stage != "test"}
    fractions = {"val": settings.val, "test": settings.test if with_test else 0.0}
    counts = {stage: math.ceil(fraction * len(unique)) for stage, fraction in fractions.items()}
    train = len(unique) - sum(counts.values())
    if train < 1 or min(counts["val"], 1) < 1:
        raise ConfigError(
            f"{len(unique)} subject(s) can't be divided into train, val={settings.val} and test={settings.test} "
            "without a subject in two of them. Add subjects, change data.split.val and data.split.test, or set "
            "data.split.overlap=true to overfit on purpose."
        )
    order = [unique[i] for i in np.random.default_rng(settings.seed).permutation(len(unique))]
    split = {
        "train": order[:train],
        "val": order[train : train + counts["val"]],
        "test": order[train + counts["val"] :],
    }
    return {stage: sorted(names) for stage, names in split.items() if with_test or stage != "test"}


def write_split(path: Path, split: Split) -> None:
    """Keep a split as JSON."""
    write_json(path, split)


def read_split(path: Path, subjects: Sequence[str], stages: Sequence[str] = STAGES) -> Split:
    """The named stages of a split from a file, checked against the subjects at hand.

    Raises:
        ConfigError: If a subject stands in two splits, or the file and the data name different subjects.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        split: Split = {stage: content[stage] for stage in stages}
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise ConfigError(
            f"data.split.file={path}: can't be read as a split of {', '.join(stages)} ({error!r}). "
            "Give a split.json of a run."
        ) from error
    seen: dict[str, str] = {}
    for stage, names in split.items():
        for name in names:
            if name in seen:
                raise ConfigError(
                    f"{path}: subject '{name}' stands in '{seen[name]}' and in '{stage}'. Keep it in one."
                )
            seen[name] = stage
    if unknown := sorted(set(subjects) ^ set(seen)):
        raise ConfigError(
            f"{path} and the data set don't name the same subjects; they differ in: {', '.join(unknown[:8])}. "
            "Use the split of a run on the same data."
        )
    return split
