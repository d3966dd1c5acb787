import numpy as np
import pytest

from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.models.face_decoding import Detections

FACE, ELSEWHERE = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)


def found(*rows: tuple[float, tuple[float, ...]]) -> Detections:
    boxes = np.array([box for _, box in rows]).reshape(-1, 4)
    return Detections(boxes, np.array([score for score, _ in rows]), np.zeros(len(rows)))


def test_the_curve_counts_faces_found_and_false_ones_at_every_threshold() -> None:
    scores = FindingScores()
    scores.add(found((0.9, FACE), (0.7, ELSEWHERE)), np.array([FACE]))
    scores.add(found((0.8, FACE)), np.array([FACE]))
    scores.add(found((0.6, ELSEWHERE)), np.empty((0, 4)))
    scores.add(found((0.5, FACE)), np.array([FACE]))
    scores.add(found(), np.array([FACE]))
    curve = scores.curve()
    np.testing.assert_allclose(curve.score, [0.9, 0.8, 0.7, 0.6, 0.5])
    np.testing.assert_allclose(curve.recall, [0.25, 0.5, 0.5, 0.5, 0.75])
    np.testing.assert_allclose(curve.precision, [1, 1, 2 / 3, 1 / 2, 3 / 5])
    np.testing.assert_allclose(curve.false_per_picture, [0, 0, 0.2, 0.4, 0.4])
    assert curve.average_precision == pytest.approx(0.5 * 1 + 0.25 * 0.6)
    assert curve.at_false_rate(0.1) == (0.5, 0.8)
    assert curve.at_false_rate(0.4) == (0.75, 0.5)
    assert curve.at_threshold(0.65) == (0.5, 0.2)
    assert curve.at_threshold(0.95) == (0.0, 0.0)


def test_faces_of_one_score_enter_together_and_nothing_found_is_no_error() -> None:
    scores = FindingScores()
    scores.add(found((0.5, FACE), (0.5, ELSEWHERE)), np.array([FACE]))
    assert len(scores.curve().score) == 1
    assert scores.curve().at_false_rate(0.5) == (0.0, 1.0)
    scores.clear()
    scores.add(found(), np.array([FACE]))
    assert scores.curve().average_precision == 0
