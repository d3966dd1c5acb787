from collections.abc import Callable
from typing import Any

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import STEM_LETTERS
from thermal_landmarks.models.registry import STEMS
from thermal_landmarks.models.shapes import FeatureMap

SettingsOf = Callable[[str, str], dict[str, Any]]

SHAPE = FeatureMap(64, 30, 40)


@pytest.mark.parametrize("name", STEM_LETTERS)
def test_a_list_of_widths_is_that_of_each_repeat(name: str, settings_of: SettingsOf) -> None:
    settings = settings_of("stem", name) | {"depth": 4, "strided_repeats": 2}
    by_growth = STEMS.build(settings | {"width": 12, "width_growth": 1.5}, in_shape=SHAPE)
    by_list = STEMS.build(settings | {"width": [12, 18, 18, 18]}, in_shape=SHAPE)
    assert [p.shape for p in by_list.parameters()] == [p.shape for p in by_growth.parameters()]
    narrow_end = STEMS.build(settings | {"width": [12, 20, 36, 10]}, in_shape=SHAPE)
    assert narrow_end.out_shape == FeatureMap(10, 8, 10)
    assert narrow_end(torch.zeros(1, *SHAPE)).shape[1:] == narrow_end.out_shape


@pytest.mark.parametrize("name", STEM_LETTERS)
def test_removed_repeats_leave_the_others_as_they_were(name: str, settings_of: SettingsOf) -> None:
    settings = settings_of("stem", name) | {"depth": 4, "width": [12, 20, 36, 10]}
    whole = STEMS.build(settings, in_shape=SHAPE)
    shorter = STEMS.build(settings | {"removed_repeats": 1}, in_shape=SHAPE)
    kept = STEMS.build(settings | {"depth": 3, "width": [12, 20, 36]}, in_shape=SHAPE)
    assert shorter.out_shape == kept.out_shape
    assert len(shorter.layers) == len(whole.layers) - len(whole.layers) // 4
    shapes = [p.shape for p in whole.parameters()]
    left = [p.shape for p in shorter.parameters()]
    assert left == [p.shape for p in kept.parameters()] == shapes[: len(left)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": [16, 32]}, r"width lists 2 repeats, \[16, 32\], but its depth is 3"),
        ({"width": [16, 32, 0]}, "width must be a whole number of at least 1, found 0"),
        ({"removed_repeats": 3}, r"at least one of its 3 repeats \(stem\.depth\), found 3"),
        ({"removed_repeats": -1}, "at least one of its 3 repeats"),
    ],
)
def test_plans_that_do_not_fit_are_named(change: dict[str, Any], message: str, settings_of: SettingsOf) -> None:
    with pytest.raises(ConfigError, match=message):
        STEMS.build(settings_of("stem", "conv") | change, in_shape=SHAPE)
