"""The figures of "The Heat is On: Thermal Facial Landmark Tracking" (arXiv 2311.08308), Tables 1 to 5, as printed.

They stand in `published.csv` and were measured on a private data set: whatever stands beside them here was not, and
isn't comparable. Where the paper contradicts itself the tables are followed, as the report's notes tell.
"""

import csv
from pathlib import Path
from typing import NamedTuple

SOURCE = "arXiv 2311.08308"


class Figures(NamedTuple):
    """One model of one table; None is what the table doesn't have."""

    parameters: int | None  # Table 1: of a study's best model
    accuracy: float | None
    wing: float  # Table 1: of the validation images after 20 epochs; else of the test, coordinates in [0, 1]
    mae: float | None
    mse: float | None


def _read() -> dict[str, dict[str, Figures]]:
    tables: dict[str, dict[str, Figures]] = {}
    with Path(__file__).with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            parameters = int(row["parameters"]) if row["parameters"] else None
            accuracy, mae, mse = (float(row[name]) if row[name] else None for name in ("accuracy", "mae", "mse"))
            figures = Figures(parameters, accuracy, float(row["wing"]), mae, mse)
            tables.setdefault(row["kind"], {})[row["model"]] = figures
    return tables


TABLES = _read()
"""Tables 1 to 5 in this order: by what was done (`search`, `singular`, `ensemble`, ...), then by model."""


def order(model_id: str) -> tuple[int, str]:
    """To sort models as the paper does, others last."""
    models = list(TABLES["search"])
    return (models.index(model_id) if model_id in models else len(models), model_id)
