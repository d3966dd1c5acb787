import numpy as np
import pytest

from thermal_landmarks.data.geometry import mean_shape, similarity_matrix, transform_points
from thermal_landmarks.data.left_right import count_pairs, swapped_pairs
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.schemes import SCHEMES, get_scheme
from thermal_landmarks.errors import ConfigError


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_mirroring_twice_restores_the_order(scheme):
    order = scheme.flip_indices
    assert sorted(order) == list(range(scheme.num_points))
    np.testing.assert_array_equal(order[order], np.arange(scheme.num_points))


def test_mirror_partners_of_face16_carry_opposite_names():
    scheme = get_scheme("face16")
    for name, partner in zip(scheme.landmark_names, scheme.flip_indices, strict=True):
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


def test_wflw_maps_to_ibug_as_published():
    """WFLW's definition of its points by their groups (Wu et al. 2018, Figure 2), against iBUG's."""
    jaw, brows, nose = range(0, 33, 2), [*range(33, 38), *range(42, 47)], range(51, 60)
    eyes = [60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75]
    expected = [*jaw, *brows, *nose, *eyes, *range(76, 96)]
    assert get_scheme("wflw98").index_map(get_scheme("ibug68")).tolist() == expected
    assert get_scheme("wflw98").outer_eye_corners == (60, 72)


@pytest.mark.parametrize("name", ["jd106", "lapa106"])
@pytest.mark.parametrize("target", ["ibug68", "face16", "perinasal6"])
def test_106_points_reach_ibug_by_way_of_wflw(name, target):
    source, wflw, ibug = get_scheme(name), get_scheme("wflw98"), get_scheme(target)
    np.testing.assert_array_equal(source.index_map(wflw)[wflw.index_map(ibug)], source.index_map(ibug))


def test_lapa_and_jd_landmark_do_not_pass_for_one_another():
    with pytest.raises(ConfigError, match=r"'lapa106' can't serve scheme 'jd106'.*wflw98"):
        get_scheme("lapa106").index_map(get_scheme("jd106"))


SAMPLES = {"wflw98": "wflw", "lapa106": "lapa", "ibug68": "300w", "cofw29": "cofw"}


def sample_faces(shared_data, name):
    folder = shared_data / "mmpose-samples" / "tests" / "data" / SAMPLES[name]
    source = CocoKeypoints(annotation_file=folder / f"test_{SAMPLES[name]}.json", scheme=name)
    return [face.points_px for face in source.annotations()]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mirrored_real_face_keeps_the_meaning_of_its_points(shared_data, name):
    """Mirrored and re-ordered, a face lies nearly on itself; the eye on the left stays the left eye."""
    scheme = get_scheme(name)
    jaw = {"ibug68": 17, "cofw29": 0}.get(name, 33)
    inner = slice(jaw, None)  # the jaw of a turned head is not its own mirror image
    left, right = scheme.outer_eye_corners
    for face in sample_faces(shared_data, name):
        inter_ocular = np.linalg.norm(face[left] - face[right])

        def distances(points, face=face, inter_ocular=inter_ocular):
            points, face = points[inner], face[inner]
            fitted = transform_points(points, similarity_matrix(points, face))
            return np.linalg.norm(fitted - face, axis=1) / inter_ocular

        mirrored = face * [-1, 1]
        assert distances(mirrored[scheme.flip_indices]).mean() < 0.12
        assert distances(mirrored).mean() > 0.3
        assert len(swapped_pairs(mirrored[scheme.flip_indices], scheme)) == 0
        assert len(swapped_pairs(mirrored, scheme)) > 0.8 * count_pairs(face, scheme)


@pytest.mark.parametrize("name", ["wflw98", "lapa106", "cofw29"])
def test_points_of_real_faces_are_where_their_ibug_numbers_say(shared_data, name):
    """Against the mean shape of the 300-W samples, which number their points as iBUG does."""
    shared = {number: i for i, number in enumerate(get_scheme(name).ibug68) if number < 68}
    numbers = sorted(shared)
    reference = mean_shape(np.stack(sample_faces(shared_data, "ibug68")))
    eyes = np.linalg.norm(reference[36] - reference[45])
    reference = reference[numbers]
    for face in sample_faces(shared_data, name):
        own = face[[shared[number] for number in numbers]]
        fitted = transform_points(own, similarity_matrix(own, reference))
        inner = np.array(numbers) >= 17  # the jaw turns with the head
        assert np.linalg.norm(fitted - reference, axis=1)[inner].mean() < 0.13 * eyes
        order = [fitted[numbers.index(i)][0] for i in (36, 37, 38, 39, 42, 43, 44, 45) if i in shared]
        assert order == sorted(order)
