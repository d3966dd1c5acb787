"""The sentences at the head of a report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from thermal_landmarks.reporting.report.findings import findings
from thermal_landmarks.reporting.report.rows import group
from thermal_landmarks.reporting.report.runs import collect

Found = Callable[[], list[str]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    return lambda: findings(group(collect([tmp_path]).runs))


def test_the_best_model_the_front_and_the_means_of_the_parts_are_told(
    make_run: Callable[..., Path], found: Found
) -> None:
    grid = {"C-1": (1.4, 40_000), "C-2": (1.0, 90_000), "A-1": (1.2, 50_000), "A-2": (0.6, 80_000)}
    for name, (wing, parameters) in grid.items():
        make_run(name, name, wing=wing, parameters=parameters, **{"val/prediction_spread": 0.7})
    make_run("C-1_again", "C-1", seed=1, wing=1.6, parameters=40_000, **{"val/prediction_spread": 0.7})
    assert found() == [
        "A-2 has the lowest error of 4 models: 6.00 % with 80,000 parameters.",
        (
            "Smaller ones that no other model beats in both error and size: A-1 (12.00 % with 50,000 parameters), "
            "C-1 (15.00 % with 40,000 parameters)."
        ),
        "By stem, mean over the same branches: alt_conv_resnext 9.00 %, conv 12.50 %.",
        "By branch, mean over the same stems: luong 8.00 %, none 13.50 %.",
        "No model collapsed to nearly one answer for every image.",
        "Models with a single seed can change places with another one: small differences may be chance.",
    ]


def test_ensembles_are_compared_with_the_single_models_and_collapsed_ones_named(
    make_run: Callable[..., Path], found: Found
) -> None:
    for name, spread in (("R-1", 0.01), ("A-1", 0.8)):
        make_run(name, name, **{"val/prediction_spread": spread})
    make_run("three", "A-1", ensemble=3, wing=1.25)
    told = found()
    assert "Collapsed to nearly one answer for every image: R-1." in told
    assert told[-1] == "Ensembles: worse than the single, unchanged model in 1 of 1 (A-1 ×3 +2.50 points)."


def test_one_model_says_nothing(make_run: Callable[..., Path], found: Found) -> None:
    make_run("alone", "A-1")
    assert found() == []
