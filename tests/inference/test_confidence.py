import numpy as np
import pytest
from numpy.testing import assert_allclose

from thermal_landmarks.inference.confidence import Agreement, Confidence


def test_agreement_is_what_its_definition_says() -> None:
    draw = np.random.default_rng(1)
    box, score, size = np.array([10.0, 20, 50, 70]), 0.7, (60, 80)
    looks = draw.uniform([15, 25], [45, 75], (4, 16, 2))
    points = np.sum(looks, axis=0) / 4
    side = (40 * 50) ** 0.5
    spread = [np.mean([np.sum((look[i] - points[i]) ** 2) for look in looks]) ** 0.5 / side for i in range(16)]
    away = np.hypot(*(points.mean(axis=0) - [30, 45])) / side
    face = [1, np.log(0.7 / 0.3), np.log(np.mean(spread) / 0.02), np.log(side / 30), away / 0.1]
    seen = Agreement.of(looks, box, score, size)
    assert_allclose(seen.face, face)
    assert_allclose(seen.points[:, :5], [face] * 16)
    assert_allclose(seen.points[:, 5], np.log(np.array(spread) / 0.02))
    assert_allclose(seen.points[:, 6], np.log(np.quantile(spread, 0.9) / 0.02))
    assert seen.outside.tolist() == [bool(y > 59.5) for y in points[:, 1]]


def test_confidence_falls_with_disagreement_and_outside_the_picture() -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(20, 40, (16, 2))
    points[0] = [-5, 30]
    box = np.array([15.0, 15, 45, 50])
    weights = np.array([2.0, 0.5, -1.0, 0, 0])
    trained = Confidence(weights, weights, np.array([2.0, 0, 0, 0, 0, -1.0, 0]))
    faces = [
        Agreement.of(points + draw.normal(0, spread, (6, 16, 2)), box, 0.8, (60, 80)) for spread in (0.1, 1.0, 5.0)
    ]
    assert np.all(np.diff([trained.face(face) for face in faces]) < 0)
    confidence = trained.points(faces[0])
    assert confidence[0] <= 0.02
    assert confidence[1:].min() > 0.5
    assert trained.found(faces[0]) == trained.face(faces[0])
    again = Confidence.from_settings(trained.settings)
    assert again.face(faces[0]) == trained.face(faces[0])
    assert Confidence.from_settings({}).face(faces[0]) == pytest.approx(0.8, abs=1e-6)
