import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.errors import DataError
from thermal_landmarks.evaluation.scores import area_under_curve, score

THRESHOLDS = (0.08, 0.1)


def published_scorer(nme: list[float], threshold: float) -> tuple[float, float]:
    """Failure rate and AUC by loops: counts at every 1e-4, Simpson's rule written out (1, 4, 2, 4, ..., 4, 1)."""
    intervals = round(threshold / 1e-4)
    assert intervals % 2 == 0
    curve = [sum(value <= k * 1e-4 for value in nme) / len(nme) for k in range(intervals + 1)]
    weights = [1, *(4 if k % 2 else 2 for k in range(1, intervals)), 1]
    area = math.fsum(w * y for w, y in zip(weights, curve, strict=True)) * 1e-4 / 3
    return sum(value > threshold for value in nme) / len(nme), area / threshold


def assert_agrees(nme: list[float]) -> None:
    found = score(np.array(nme), THRESHOLDS)
    assert found.images == len(nme)
    assert found.nme == pytest.approx(math.fsum(nme) / len(nme), abs=1e-6)
    for threshold in THRESHOLDS:
        failures, area = published_scorer(nme, threshold)
        assert found.failure_rate[threshold] == pytest.approx(failures, abs=1e-6)
        assert found.auc[threshold] == pytest.approx(area, abs=1e-6)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=30))
def test_scores_agree_with_an_independent_scorer(nme: list[float]) -> None:
    assert_agrees(nme)


@pytest.mark.parametrize(
    "nme",
    [
        [0.08],  # exactly at a threshold is no failure
        [0.1, 0.1, 0.08],
        [np.nextafter(0.1, 1), np.nextafter(0.08, 1), np.nextafter(0.08, 0)],
        [0.05, 0.0501, 0.0501, 0.07],  # on the steps of the curve
        [0.0],
        [3.0],
    ],
)
def test_scores_agree_with_an_independent_scorer_on_hard_cases(nme: list[float]) -> None:
    assert_agrees(nme)


def test_limits_are_those_of_a_perfect_and_a_useless_model() -> None:
    perfect, useless = score(np.zeros(3), (0.1,)), score(np.full(3, 0.2), (0.1,))
    assert (perfect.auc[0.1], perfect.failure_rate[0.1]) == (pytest.approx(1), 0)
    assert (useless.auc[0.1], useless.failure_rate[0.1]) == (0, 1)
    assert score(np.array([0.1]), (0.1,)).failure_rate[0.1] == 0


def test_the_exact_rule_is_the_integral_of_the_step_function() -> None:
    nme = np.array([0.02, 0.03, 0.5])
    assert area_under_curve(nme, 0.1, "exact") == pytest.approx((0.08 + 0.07) / 0.1 / 3)
    assert area_under_curve(nme, 0.1, "simpson") == pytest.approx(area_under_curve(nme, 0.1, "exact"), abs=1e-3)


def test_nothing_to_score_and_nan_are_refused() -> None:
    with pytest.raises(DataError, match="no image to score"):
        score(np.empty(0), THRESHOLDS)
    with pytest.raises(DataError, match="2 of 3 images have no NME"):
        score(np.array([0.1, np.nan, np.nan]), THRESHOLDS)
