import numpy as np
import pytest
from scipy import ndimage

from thermal_landmarks.data.formats.marks import breadth, strokes


def reference(levels: np.ndarray, broad: int) -> np.ndarray:
    """The definition of `strokes` on all pixels at once, by SciPy's filters."""
    values = levels.astype(int)

    def smallest(image: np.ndarray, side: int) -> np.ndarray:
        return ndimage.minimum_filter(image, side, mode="nearest")

    def largest(image: np.ndarray, side: int) -> np.ndarray:
        return ndimage.maximum_filter(image, side, mode="nearest")

    marks = np.zeros(levels.shape, bool)
    above = values - largest(smallest(values, broad), broad)
    below = smallest(largest(values, broad), broad) - values
    for out, end in ((above, values >= 215), (below, values <= 40)):
        core = (out >= 80) & end
        around = ndimage.convolve(core.astype(int), np.ones((3 * broad, 3 * broad), int), mode="constant")
        core &= around >= 5
        marks |= core | (largest(core, broad + 2) & (out >= 80)) | (largest(core, 3) & (out >= 35))
    closed: np.ndarray = smallest(largest(marks, broad), broad)
    return closed


@pytest.mark.parametrize("seed", range(2))
def test_strokes_are_found_wherever_they_are_and_nowhere_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with_marks = 0
    for _ in range(8):
        height, width = rng.integers(20, 150, 2)
        heat = ndimage.gaussian_filter(rng.random((height, width)), 6)
        levels = (30 + 190 * (heat - heat.min()) / np.ptp(heat)).astype(np.uint8)
        for _ in range(rng.integers(0, 4)):
            y, x = rng.integers(0, height), rng.integers(0, width)
            levels[y : y + rng.integers(1, 4), x : x + rng.integers(1, 60)] = rng.choice([0, 255])
        levels[rng.integers(0, height, 3), rng.integers(0, width, 3)] = 255  # alone: no strokes
        for broad in {3, 7, breadth(levels.shape)}:
            found = strokes(levels, broad)
            with_marks += int(found.any())
            np.testing.assert_array_equal(found, reference(levels, broad))
    assert with_marks >= 5
