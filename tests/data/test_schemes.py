import numpy as np
import pytest

from thermal_landmarks.data.schemes import SCHEMES, get_scheme
from thermal_landmarks.errors import ConfigError


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_mirroring_twice_restores_the_order(scheme):
    order = scheme.mirror_order
    assert sorted(order) == list(range(scheme.num_points))
    np.testing.assert_array_equal(order[order], np.arange(scheme.num_points))


def test_mirror_partners_of_face16_carry_opposite_names():
    scheme = get_scheme("face16")
    for name, partner in zip(scheme.landmark_names, scheme.mirror_order, strict=True):
        swapped = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert scheme.landmark_names[partner] == swapped


def test_index_map_picks_the_same_anatomical_points():
    ibug, sftl, target = get_scheme("ibug68"), get_scheme("sftl54"), get_scheme("perinasal6")
    assert ibug.index_map(target).tolist() == [31, 33, 35, 48, 51, 54]
    assert sftl.index_map(target).tolist() == [31, 33, 35, 48, 49, 50]
    assert get_scheme("face16").index_map(target).tolist() == [8, 9, 10, 11, 12, 13]


def test_missing_landmarks_are_named():
    with pytest.raises(ConfigError, match="has no ibug_0"):
        get_scheme("face16").index_map(get_scheme("ibug68"))


def test_unknown_scheme_lists_the_known_ones():
    with pytest.raises(ConfigError, match="perinasal6, face16"):
        get_scheme("perinasal")


def test_eye_corners():
    assert get_scheme("face16").outer_eye_corners == (2, 5)
    assert get_scheme("perinasal6").outer_eye_corners is None
