"""Things that look like heads: what they have of one, and what they lack."""

import numpy as np
import pytest

from thermal_faces.randomness import rng
from thermal_faces.scene.easel import Easel
from thermal_faces.scene.street import post, poster


@pytest.mark.parametrize("seed", range(4))
def test_a_posts_head_is_as_wide_as_a_head_and_its_shaft_reaches_down(seed: int) -> None:
    image = np.full((120, 80), 20.0, np.float32)
    post(Easel(image, 40, 30, 30), rng(seed, "post"), 20.0)
    widths = (np.abs(image - 20) > 0.05).sum(axis=1)
    assert 20 <= widths[25:36].max() <= 30
    assert (widths[45:105] > 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_printed_face_is_never_warm(seed: int) -> None:
    image = np.full((100, 80), 20.0, np.float32)
    poster(Easel(image, 40, 50, 50), rng(seed, "poster"), 20.0)
    assert 0.1 < np.abs(image - 20).max() < 4
