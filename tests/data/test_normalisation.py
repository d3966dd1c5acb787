from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.data.normalisation import (
    ValueRange,
    encode,
    encoding_of,
    is_constant,
    normalise,
    normalise_stored,
)
from thermal_landmarks.data.preprocessing import Crop, Preprocessing
from thermal_landmarks.errors import ConfigError, DataError


def test_window_ignores_the_image_and_knows_gray_from_celsius():
    values = np.linspace(0, 50, 100).reshape(10, 10)
    window = ValueRange(mode="window", temperature_range_c=(20, 40))
    assert window.limits(values, "celsius") == (20, 40)
    assert window.limits(values, "gray") == (0, 255)


def test_percentiles_shrug_off_a_hot_lamp():
    values = np.full((100, 100), 30.0)
    values[:50] = 20
    values[0, 0] = 300
    low, high = ValueRange().limits(values, "celsius")
    assert (low, high) == (20, 30)


def test_where_nearly_all_has_one_value_the_extremes_are_the_limits():
    values = np.full((80, 80), 65535.0, dtype=np.float32)
    values[2, 2], values[4, 4] = 65000, 65100
    assert ValueRange().limits(values, "gray") == (65000, 65535)


FINITE_F32 = st.floats(-(2.0**99), 2.0**99, width=32)
PIXELS = st.one_of(
    st.sampled_from([np.uint8, np.uint16, np.int16, np.uint32]).flatmap(
        lambda dtype: hnp.arrays(dtype, (6, 8), elements=hnp.from_dtype(np.dtype(dtype)))
    ),
    hnp.arrays(np.float32, (6, 8), elements=FINITE_F32),
    st.tuples(
        FINITE_F32, st.floats(-100, 100, width=32), hnp.arrays(np.float32, (6, 8), elements=st.floats(0, 1, width=32))
    ).map(
        lambda parts: np.float32(parts[0]) + np.float32(parts[1]) * parts[2]  # little contrast far from zero
    ),
    st.tuples(st.integers(0, 65535), st.integers(-3, 3)).map(
        lambda p: np.where(np.arange(48).reshape(6, 8) == 13, p[0] + p[1], p[0])
    ),
)


@given(unit=st.sampled_from(["gray", "celsius"]), pixels=PIXELS)
def test_normalisation_is_exact_and_finite_for_values_of_any_type_and_size(unit: Unit, pixels: np.ndarray) -> None:
    image = ThermalImage(pixels.astype(np.float32), unit)
    preprocessing = Preprocessing((6, 8))
    if is_constant(image.values, unit):
        with pytest.raises(DataError, match="all of the image has one value"):
            preprocessing(image)
        return
    prepared = preprocessing(image)
    encoding = encoding_of(image, prepared.limits)
    found = normalise_stored(
        torch.from_numpy(encode(prepared.values, encoding)[None, None]),
        torch.tensor([encoding]),
        torch.tensor([prepared.limits]),
    )
    low, high = prepared.limits
    expected = (2 * (prepared.values.astype(np.float64) - low) / (high - low) - 1).clip(-1, 1)
    step = 2 * encoding.scale / (high - low)  # of what is stored, in normalised values
    assert np.abs(found.numpy()[0, 0] - expected).max() <= 0.51 * step + 0.01


@pytest.mark.parametrize("constant", [0, 1e-30, 255, 32768, 65535, -273.15, 9e29])
@pytest.mark.parametrize("mode", ["percentile", "window"])
def test_a_constant_image_has_no_face(constant: float, mode: Literal["percentile", "window"]) -> None:
    preprocessing = Preprocessing((30, 40), normalisation=ValueRange(mode=mode))
    with pytest.raises(DataError, match="all of the image has one value"):
        preprocessing(ThermalImage(np.full((60, 80), constant, dtype=np.float32), "gray"))


def test_a_crop_of_one_value_has_the_contrast_of_its_image() -> None:
    values = np.full((60, 80), 20, dtype=np.float32)
    values[40:, 60:] = 36
    prepared = Preprocessing((30, 40), crop=Crop(mode="box"))(ThermalImage(values, "celsius"), box_px=(5, 5, 20, 20))
    assert prepared.limits == (20, 36)


def test_limits_become_plus_and_minus_one_and_the_rest_is_clipped():
    values = torch.tensor([10.0, 20, 25, 30, 99]).view(1, 1, 1, 5)
    found = normalise(values, torch.tensor([20.0]), torch.tensor([30.0]))
    assert found.flatten().tolist() == [-1, -1, 0, 1, 1]


def test_falling_range_is_refused():
    with pytest.raises(ConfigError, match="must rise"):
        ValueRange(temperature_range_c=(40, 20))


def test_a_range_that_float32_cannot_tell_from_nothing_is_refused():
    with pytest.raises(ConfigError, match="too narrow"):
        ValueRange(gray_range=(40000, 40000.001))
