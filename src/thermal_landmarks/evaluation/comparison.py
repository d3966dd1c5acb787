"""Runs against each other on the same test pictures: differences of their NME, with intervals over the people.

Pictures of one person err alike, so people are drawn with replacement, each with all pictures (a bootstrap by clusters:
Davison and Hinkley 1997, section 3.8), and every run is measured on the same drawn people.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.csv_table import original
from thermal_landmarks.errors import DataError, said_by
from thermal_landmarks.runs import RunFolder

DRAWS = 10_000


def read_errors(folder: Path) -> pd.DataFrame:
    """Image, subject and NME (a share of 1) of each test picture of a run, or of what `evaluate` has left.

    Raises:
        DataError: If the folder has no such table.
    """
    path = RunFolder(folder).per_image
    texts = {"image": original, "subject": original}
    try:
        return pd.read_csv(path, usecols=["image", "subject", "nme"], converters=texts)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: can't be read ({said_by(error)}). Give folders of train or evaluate, which hold {path.name}."
        ) from error


def compare_runs(runs: Mapping[str, pd.DataFrame], *, seed: int = 0) -> pd.DataFrame:
    """One row a run: its NME, how far it lies from the first one's, and the 95 % interval of that.

    Columns: `run`, `images`, `people`, `nme` (% of the inter-ocular distance), `difference` to the first run, `low` and
    `high` of its interval, and `better_on`, the share of people on whom the run errs less than the first. Only pictures
    that all runs have measured count. `runs` are tables of `read_errors` by name.

    Raises:
        DataError: If fewer than two people are left, of whom nothing can be drawn.
    """
    errors = 100 * pd.concat({name: _by_face(table) for name, table in runs.items()}, axis=1).dropna()
    of_people = errors.groupby(level="subject")
    sums, counts = of_people.sum().to_numpy(), of_people.size().to_numpy(dtype=float)
    if len(counts) < 2:
        raise DataError(
            f"The runs share the pictures of {len(counts)} people. Compare runs of the same test set, of at least two."
        )
    means = drawn_people(counts, DRAWS, np.random.default_rng(seed)) @ (sums / counts[:, None])
    whole = sums.sum(axis=0) / counts.sum()
    low, high = np.quantile(means - means[:, :1], [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "run": list(runs),
            "images": len(errors),
            "people": len(counts),
            "nme": whole,
            "difference": whole - whole[0],
            "low": low,
            "high": high,
            "better_on": (sums < sums[:, :1]).mean(axis=0),
        }
    )


def drawn_people(
    images: Float[np.ndarray, " person"], draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "draw person"]:
    """How much each person's mean counts in each draw of as many people, with replacement, each with all images."""
    weights = rng.multinomial(len(images), np.full(len(images), 1 / len(images)), size=draws) * images
    return weights / weights.sum(axis=1, keepdims=True)


def _by_face(table: pd.DataFrame) -> pd.Series:
    """The NME by image, subject, and the face's number among those of one subject in one image."""
    return table.assign(face=table.groupby(["image", "subject"]).cumcount()).set_index(["image", "subject", "face"])[
        "nme"
    ]
