"""The fit of the faces' confidence."""

import numpy as np
from face_confidence import fit_logistic
from numpy.testing import assert_allclose


def test_logistic_regression_finds_the_probabilities_it_was_made_with() -> None:
    draw = np.random.default_rng(0)
    features = np.column_stack([np.ones(20_000), draw.normal(size=(20_000, 2))])
    true = np.array([0.5, 1.5, -0.7])
    right = draw.uniform(size=20_000) < 1 / (1 + np.exp(-features @ true))
    assert_allclose(fit_logistic(features, right, penalty=0.0), true, atol=0.08)
