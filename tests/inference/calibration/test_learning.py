"""The kernel against dense Gaussians, and what it must never do with few faces."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.calibration.learning import (
    Coordinates,
    _statistics,
    learn,
    log_likelihood,
    shared_noise,
    shrunk,
)
from thermal_landmarks.inference.calibration.leave_one_out import Faces, calibrate, left_out, mean_error

FACE16 = get_scheme("face16")
MIRROR = np.array([-1.0, 1.0])
MEAN_FACE = np.array(
    [
        *[(-0.43, -0.3), (0.43, -0.3), (-0.5, 0), (-0.22, 0), (0.22, 0), (0.5, 0), (0, -0.03), (0, 0.34)],
        *[(-0.16, 0.47), (0, 0.5), (0.16, 0.47), (-0.27, 0.78), (0, 0.63), (0.27, 0.78), (0, 0.91), (0, 1.3)],
    ]
)


def some_coordinates(faces=7, coordinates=3, seed=0):
    generator = np.random.default_rng(seed)
    terms = np.column_stack([np.ones(faces), generator.normal(0, 0.3, faces)])
    values = generator.normal(0.02, 0.03, (faces, coordinates))
    values[0, 0] = values[3, 2] = np.nan
    people = np.array(["a", "a", "b", "b", "c", "d", "e"][:faces])
    return Coordinates(values, terms), people


def dense(coordinates, people, column, noise):
    """Residuals of one coordinate, their terms, and the covariance of their noise, entry by entry."""
    rows = [i for i in range(len(people)) if not np.isnan(coordinates.values[i, column])]
    shared = shared_noise(coordinates.values, coordinates.terms, people)
    covariance = np.array(
        [[noise * (1.0 if i == j else shared if people[i] == people[j] else 0.0) for j in rows] for i in rows]
    )
    return coordinates.values[rows, column], coordinates.terms[rows], covariance


@pytest.mark.parametrize("variances", [(4e-4, 0.0), (0.0, 9e-4), (2e-4, 5e-4)])
def test_posterior_and_likelihood_are_those_of_dense_gaussians(variances):
    coordinates, people = some_coordinates()
    statistics = _statistics(coordinates, people)
    found = shrunk(statistics, np.array(variances))
    total = 0.0
    for column in range(coordinates.values.shape[1]):
        e, x, noise = dense(coordinates, people, column, statistics.noise[column])
        prior = np.diag(variances)
        marginal = x @ prior @ x.T + noise
        np.testing.assert_allclose(found[column], prior @ x.T @ np.linalg.inv(marginal) @ e, rtol=1e-9)
        zero = np.zeros(len(e))
        total += multivariate_normal.logpdf(e, zero, marginal) - multivariate_normal.logpdf(e, zero, noise)
    assert log_likelihood(statistics, np.array(variances)) == pytest.approx(total)


def test_the_noise_that_faces_of_one_person_share_is_recovered():
    generator = np.random.default_rng(3)
    people = np.repeat([f"p{i}" for i in range(12)], 6)
    own = np.repeat(generator.normal(0, 0.03, (12, 40)), 6, axis=0)
    values = own + generator.normal(0, 0.04, own.shape)
    assert shared_noise(values, np.ones((72, 1)), people) == pytest.approx(0.36, abs=0.06)
    assert shared_noise(values, np.ones((72, 1)), generator.permutation(people)) < 0.06
    assert shared_noise(values[:6], np.ones((6, 1)), people[:6]) == 0.5  # of one person it can't be told
    assert shared_noise(values[::6], np.ones((12, 1)), people[::6]) == 0  # a face a person


def faces_of(count, generator, *, offset=0.0, noise=0.03, whole=0.01):
    """Predictions and an annotator's points; the network errs by landmark, and in place and size as a whole."""
    shapes = MEAN_FACE + generator.normal(0, 0.03, (count, 16, 2))
    turns = np.exp(1j * generator.normal(0, 0.2, count))[:, None] * generator.uniform(30, 150, (count, 1))

    def placed(points):
        z = (points[..., 0] + 1j * points[..., 1]) * turns
        return np.stack([z.real, z.imag], axis=-1) + 200

    errors = generator.standard_t(4, (count, 16, 2)) * noise / 2**0.5
    errors += generator.normal(0, whole, (count, 1, 2)) + shapes * generator.normal(0, whole, (count, 1, 1))
    return placed(shapes + errors), placed(shapes + offset), turns[:, 0].__abs__()


def an_annotator(generator, size):
    offset = generator.normal(0, size, (16, 2))
    return (offset + offset[FACE16.flip_indices] * MIRROR) / 2**0.5


def change_on_others(count, generator, size, people=None):
    """Mean NME on 200 other faces before and after learning from `count`."""
    offset = an_annotator(generator, size)
    predicted, annotated, lengths = faces_of(count, generator, offset=offset)
    subjects = people or [f"p{i}" for i in range(count)]
    calibration = calibrate(Faces(predicted, annotated, subjects, lengths), FACE16).calibration
    others, truth, lengths = faces_of(200, generator, offset=offset)
    return [
        float((np.linalg.norm(points - truth, axis=2).mean(axis=1) / lengths).mean())
        for points in (others, calibration.apply(others, FACE16))
    ]


@pytest.mark.parametrize("count", [3, 5, 12])
def test_few_faces_never_make_it_worse_than_none(count):
    generator, rounds = np.random.default_rng(count), 60 // (count + 2)
    without = np.array([change_on_others(count, generator, 0.0) for _ in range(rounds)])
    assert (without[:, 1] <= 1.04 * without[:, 0]).all()
    assert without[:, 1].mean() <= 1.005 * without[:, 0].mean()
    slight = np.array([change_on_others(count, generator, 0.01) for _ in range(rounds)])
    assert slight[:, 1].mean() <= 1.005 * slight[:, 0].mean()
    clear = np.array([change_on_others(count, generator, 0.04) for _ in range(rounds)])
    assert (clear[:, 1] < clear[:, 0]).all()
    assert clear[:, 1].mean() < 0.85 * clear[:, 0].mean()


def test_many_faces_recover_the_annotators_offsets():
    generator = np.random.default_rng(0)
    offset = an_annotator(generator, 0.05)
    predicted, annotated, _ = faces_of(50, generator, offset=offset)
    learned = learn(predicted, annotated, [str(i) for i in range(50)], FACE16, pose="no")
    size = np.linalg.norm(learned.reference[5] - learned.reference[2])
    assert size == pytest.approx(1)
    assert np.abs(learned.offsets - offset).max() < 0.02
    np.testing.assert_allclose(learned.offsets[FACE16.flip_indices] * MIRROR, learned.offsets, atol=1e-12)


def test_offsets_that_follow_the_pose_are_found_and_kept_from_few_faces():
    generator = np.random.default_rng(1)
    yaw = generator.uniform(-0.5, 0.5, 40)
    shapes = np.repeat(MEAN_FACE[None], 40, axis=0)
    shapes[:, 7, 0] += 0.4 * yaw  # the nose tip stands out most
    shapes += generator.normal(0, 0.005, shapes.shape)
    annotated = shapes.copy()
    annotated[:, 7, 0] -= 0.2 * yaw
    subjects = [str(i) for i in range(40)]
    learned = learn(100 * shapes, 100 * annotated, subjects, FACE16)
    assert np.argmax(np.abs(learned.by_yaw).sum(axis=1)) == 7
    moved = learned.apply(100 * shapes, FACE16)
    assert np.abs(moved - 100 * annotated).mean() < 0.5 * np.abs(shapes - annotated).mean() * 100
    few = learn(100 * shapes[:8], 100 * annotated[:8], subjects[:8], FACE16)
    assert not few.by_yaw.any()
    assert not few.by_pitch.any()


def test_missing_points_teach_nothing_and_one_side_stands_for_both():
    generator = np.random.default_rng(5)
    predicted, annotated, _ = faces_of(10, generator, offset=an_annotator(generator, 0.05))
    incomplete = annotated.copy()
    incomplete[:, 15] = np.nan  # no chin
    incomplete[:, 11] = np.nan  # no left mouth corner
    incomplete[2, 7] = np.nan
    learned = learn(predicted, incomplete, [str(i) for i in range(10)], FACE16)
    assert not learned.offsets[15].any()
    assert np.abs(learned.offsets[13]).max() > 0.01
    np.testing.assert_allclose(learned.offsets[11], learned.offsets[13] * MIRROR)


def test_a_face_that_was_not_found_teaches_nothing():
    generator = np.random.default_rng(6)
    predicted, annotated, _ = faces_of(6, generator, offset=an_annotator(generator, 0.03))
    subjects = list("abcdef")
    wrong = predicted.copy()
    wrong[5] += 300
    with_lost, without = (
        learn(wrong, annotated, subjects, FACE16),
        learn(predicted[:5], annotated[:5], subjects[:5], FACE16),
    )
    assert with_lost.faces == 5
    np.testing.assert_allclose(with_lost.offsets, without.offsets, atol=0.01)


def test_all_faces_of_a_person_are_left_out_together():
    generator = np.random.default_rng(7)
    predicted, annotated, lengths = faces_of(8, generator, offset=an_annotator(generator, 0.05))
    people = list("aaabbbcc")
    moved = left_out(Faces(predicted, annotated, people, lengths), FACE16)
    by_hand = learn(predicted[3:], annotated[3:], people[3:], FACE16).apply(predicted[:3], FACE16)
    np.testing.assert_allclose(moved[:3], by_hand)


def test_what_does_not_help_the_people_left_out_is_not_kept():
    generator = np.random.default_rng(8)
    predicted, annotated, lengths = faces_of(40, generator, noise=0.01, whole=0.0)
    annotated[:20, 7] += 0.06 * lengths[:20, None]  # one person's nose
    faces = Faces(predicted, annotated, ["a"] * 20 + ["b"] * 20, lengths)
    outcome = calibrate(faces, FACE16, pose="no")
    assert mean_error(outcome.after) <= mean_error(outcome.before)
    assert outcome.calibration.is_nothing


def test_too_few_faces_are_an_error():
    predicted, annotated, _ = faces_of(1, np.random.default_rng(0))
    with pytest.raises(DataError, match="1 annotated faces, expected at least 2"):
        learn(predicted, annotated, ["a"], FACE16)


def test_one_persons_peculiarities_are_not_taken_for_the_annotators():
    generator = np.random.default_rng(9)
    gains = []
    for _ in range(10):
        predicted, annotated, _ = faces_of(10, generator, noise=0.015, whole=0.0)
        own = generator.normal(0, 0.01, (16, 2))
        learned = learn(predicted, annotated + 80 * own, ["a"] * 10, FACE16, pose="no")
        several = learn(predicted, annotated + 80 * own, list("abcdefghij"), FACE16, pose="no")
        gains.append((np.abs(learned.offsets).mean(), np.abs(several.offsets).mean()))
    one, many = np.mean(gains, axis=0)
    assert one < 0.6 * many
