"""The same seed gives the same pixels on every processor: here this one, with its newer instructions switched off."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_faces import SyntheticFaces, portable_math
from thermal_faces.camera.blur import gaussian_blur

# As NumPy names them: what it found beyond the processor's oldest kind, newest last.
FOUND = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
EVERYTHING = {
    "glasses_owner": 0.5,
    "glasses": 1.0,
    "cap": 0.3,
    "beard": 0.7,
    "long_hair": 0.5,
    "fringe": 0.5,
} | dict.fromkeys(
    ("peaked_cap", "head_band", "hood", "headphones", "scarf", "collar", "mask", "occluder", "head_rest", "strand"), 0.3
)
OLD = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(FOUND),
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
}


def digest() -> str:
    """Of images before they are rounded to steps of the sensor, the strictest case, and of points."""
    source = SyntheticFaces(
        subjects=16,
        images_per_subject=1,
        size=(120, 160),
        appearance=EVERYTHING,
        scene={"bystander": 0.5, "warm_object": 0.5, "lamp": 0.5},
        sensor={"step_k": [0, 0], "eight_bit": 0.5, "palette": 0.5, "jpeg": 0.5, "motion": 0.3},
    )
    content = sha256()
    for annotation in source.annotations():
        content.update(annotation.points_px.tobytes())
        content.update(source.load(annotation).values.tobytes())
    return content.hexdigest()


@pytest.mark.parametrize("change", [{"NPY_DISABLE_CPU_FEATURES": " ".join(FOUND[1:])}, OLD], ids=["middle", "oldest"])
def test_pixels_do_not_depend_on_the_processor(change: dict[str, str], tmp_path: Path) -> None:
    if not FOUND:
        pytest.skip("NumPy has nothing to switch off here")
    environment = {**os.environ, **change}
    if change is OLD:  # compiled code is cached for each kind of processor
        environment["NUMBA_CACHE_DIR"] = str(tmp_path)
    command = [sys.executable, __file__]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == digest()


@given(x=st.floats(-86, 86))
@settings(max_examples=200)
def test_exp_is_that_of_numpy_to_nine_digits(x: float) -> None:
    assert portable_math.exp(x) == pytest.approx(np.exp(x), rel=1e-9)
    assert portable_math.exp(np.float32(x)) == pytest.approx(np.exp(np.float64(np.float32(x))), rel=6e-8)


def test_exp_of_what_is_far_away_is_nothing() -> None:
    np.testing.assert_allclose(portable_math.exp(np.array([-1e3, -1e30], np.float32)), 0, atol=1e-37)


@given(base=st.floats(0, 1e3), exponent=st.floats(0.1, 8))
@settings(max_examples=200)
def test_power_is_that_of_numpy_to_nine_digits(base: float, exponent: float) -> None:
    assert portable_math.power(base, exponent) == pytest.approx(base**exponent, rel=2e-9, abs=1e-30)


def test_hypot_is_the_length() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 50)).astype(np.float32)
    np.testing.assert_allclose(portable_math.hypot(x, y), np.hypot(x.astype(float), y), rtol=1e-7)
    assert portable_math.hypot(x, y).dtype == np.float32


@pytest.mark.parametrize("deviation_px", [0.3, 1.2, 3.0])
def test_blur_is_a_weighted_mean_of_the_neighbours(deviation_px: float) -> None:
    image = np.random.default_rng(0).standard_normal((7, 12)).astype(np.float32)
    reach = int(2.5 * deviation_px + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation_px) ** 2)
    weights /= weights.sum()
    bordered = np.pad(image, reach, mode="edge")
    blurred = gaussian_blur(image, deviation_px)
    for y, x in np.ndindex(image.shape):
        window = bordered[y : y + 2 * reach + 1, x : x + 2 * reach + 1]
        assert blurred[y, x] == pytest.approx(weights @ window @ weights, abs=1e-5)


if __name__ == "__main__":
    print(digest())
