"""Learning an annotator's offsets from a few faces: Bayesian regression whose variances the faces themselves give.

In the face's frame each coordinate of a landmark differs from the annotation by `constant + pitch * slope + noise` (its
left-right symmetric part) or `yaw * slope + noise` (its antisymmetric part). Constants and slopes of all landmarks come
from normal distributions around zero, whose variances maximise the marginal likelihood (empirical Bayes; Efron and
Morris 1973). A variance that the faces don't support is zero, and so are its offsets. The noise of each coordinate is
moderated towards the mean over all (as in limma; Smyth 2004), and is shared in part by the faces of one person.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float
from scipy.optimize import minimize

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.calibration.offsets import (
    Calibration,
    as_complex,
    as_points,
    in_frame,
    reference_face,
)

Pose = Literal["auto", "yes", "no"]
LEAST_FACES = 2
"""From which an offset and its noise can be told apart at all."""

FACES_FOR_POSE = 12
"""From how many faces on offsets may depend on the pose, if that isn't set."""

_PRIOR_FACES = 4.0  # weight of the mean noise in each coordinate's own
# Twice the log likelihood ratio that a variance must reach. 2.7 is 5 % by chance if landmarks err independently; but
# they err together, by the pose above all, so that more is asked for, as tried on rendered faces without offsets.
_SUPPORT_CONSTANT, _SUPPORT_SLOPE = 4.0, 12.0
_SHARED_BY_ONE_PERSON = 0.5  # 0.44 on 40 rendered people, whose camera changes from picture to picture
_FAR_OFF, _TIMES_MEDIAN = 0.12, 4.0  # faces whose error is beyond both were not found or are annotated wrongly


class Coordinates(NamedTuple):
    """Residuals (face, coordinate), NaN where missing, with what they may depend on (face, term)."""

    values: Float[np.ndarray, "face coordinate"]
    terms: Float[np.ndarray, "face term"]


def learn(
    predicted_px: Float[np.ndarray, "face point 2"],
    annotated_px: Float[np.ndarray, "face point 2"],
    subjects: Sequence[str],
    scheme: Scheme,
    *,
    pose: Pose = "auto",
) -> Calibration:
    """Offsets from a network's landmarks to an annotator's (NaN: missing), and whether they depend on yaw and pitch.

    `pose=auto`: from `FACES_FOR_POSE` faces on.

    Raises:
        DataError: If there are fewer than `LEAST_FACES` faces.
    """
    count = len(predicted_px)
    if count < LEAST_FACES:
        raise DataError(f"{count} annotated faces, expected at least {LEAST_FACES}. Annotate more.")
    predicted, annotated = np.asarray(predicted_px, dtype=float), np.asarray(annotated_px, dtype=float)
    reference = reference_face(predicted, scheme)
    frame = in_frame(predicted, reference, scheme)
    residuals = (as_complex(annotated) - as_complex(predicted)) / frame.scale[:, None]
    used = ~far_off(residuals)
    people = np.asarray(subjects)[used]
    symmetric, antisymmetric = _halves(residuals[used], scheme)
    yaw, pitch = frame.yaw[used], frame.pitch[used]
    with_pose = pose == "yes" or (pose == "auto" and used.sum() >= FACES_FOR_POSE)

    ones = np.ones_like(pitch)
    terms = np.column_stack([ones, pitch] if with_pose else [ones])
    fitted = _both_axes(symmetric, terms, people)
    by_yaw = _both_axes(antisymmetric, yaw[:, None], people)[0] if with_pose else np.zeros(scheme.num_points, complex)
    by_pitch = fitted[1] if with_pose else np.zeros_like(fitted[0])
    limits = (float(np.abs(yaw).max()), float(np.abs(pitch).max())) if with_pose else (0.0, 0.0)
    return Calibration(
        reference=reference,
        offsets=as_points(fitted[0]),
        by_yaw=as_points(by_yaw),
        by_pitch=as_points(by_pitch),
        limits=limits,
        faces=int(used.sum()),
    )


def far_off(residuals: Complex[np.ndarray, "face point"]) -> Bool[np.ndarray, " face"]:
    """Faces from which nothing is learned: the network has seen something else, or the annotation means another."""
    present = ~np.isnan(residuals)
    errors = np.where(present, np.abs(residuals), 0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return ~present.any(axis=1) | (errors > max(_FAR_OFF, _TIMES_MEDIAN * float(np.median(errors))))


def _halves(
    residuals: Complex[np.ndarray, "face point"], scheme: Scheme
) -> tuple[Complex[np.ndarray, "face point"], Complex[np.ndarray, "face point"]]:
    """The symmetric and the antisymmetric part; one side stands for both in the first where the other is missing."""
    mirrored = -residuals.conj()[:, scheme.flip_indices]
    symmetric, antisymmetric = (residuals + mirrored) / 2, (residuals - mirrored) / 2
    symmetric = np.where(np.isnan(symmetric), np.where(np.isnan(residuals), mirrored, residuals), symmetric)
    return symmetric, antisymmetric


def _both_axes(
    parts: Complex[np.ndarray, "face point"], terms: Float[np.ndarray, "face term"], people: np.ndarray
) -> Complex[np.ndarray, "term point"]:
    """Coefficients of every landmark. Of mirror partners and of midlines, what is free is fitted once."""
    values = np.concatenate([parts.real, parts.imag], axis=1)
    free, copies = _free(values)
    fitted = posterior_means(Coordinates(values[:, free], terms), people)
    coefficients = np.zeros((terms.shape[1], values.shape[1]))
    for column, (source, sign) in copies.items():
        coefficients[:, column] = sign * fitted[:, free.index(source)]
    across, down = np.split(coefficients, 2, axis=1)
    return across + 1j * down


def _free(values: Float[np.ndarray, "face column"]) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Columns that differ from each other, and for each column that is not zero its source among them and its sign."""
    free: list[int] = []
    copies: dict[int, tuple[int, int]] = {}
    filled = np.nan_to_num(values, nan=np.inf)
    for column in range(values.shape[1]):
        present = np.isfinite(filled[:, column])
        if not np.any(filled[present, column]):
            continue
        for source in free:
            for sign in (1, -1):
                if column not in copies and np.array_equal(values[:, source], sign * values[:, column], equal_nan=True):
                    copies[column] = (source, sign)
        if column not in copies:
            free.append(column)
            copies[column] = (column, 1)
    return free, copies


class _Statistics(NamedTuple):
    """Of each coordinate: X'X, X'e and the noise's variance, of whitened X and e."""

    squares: Float[np.ndarray, "coordinate term term"]
    products: Float[np.ndarray, "coordinate term"]
    noise: Float[np.ndarray, " coordinate"]


def posterior_means(
    coordinates: Coordinates, people: Sequence[str] | np.ndarray
) -> Float[np.ndarray, "term coordinate"]:
    """Posterior mean of each coordinate's coefficients, with the variances that make all coordinates most likely."""
    statistics = _statistics(coordinates, np.asarray(people))
    support = np.where((coordinates.terms == 1).all(axis=0), _SUPPORT_CONSTANT, _SUPPORT_SLOPE)
    return shrunk(statistics, prior_variances(statistics, support)).T


def shrunk(statistics: _Statistics, variances: Float[np.ndarray, " term"]) -> Float[np.ndarray, "coordinate term"]:
    """Posterior means under given prior variances, which may be zero."""
    root = np.sqrt(variances)
    noise = statistics.noise[:, None]
    squares = root[:, None] * statistics.squares * root / noise[..., None]
    inner = np.linalg.solve(np.eye(len(root)) + squares, (root * statistics.products / noise)[..., None])[..., 0]
    return root * inner


def log_likelihood(statistics: _Statistics, variances: Float[np.ndarray, " term"]) -> float:
    """Marginal log likelihood of all coordinates beyond that of no offsets."""
    root = np.sqrt(variances)
    squares = root[:, None] * statistics.squares * root / statistics.noise[:, None, None]
    products = root * statistics.products / statistics.noise[:, None]
    matrix = np.eye(len(root)) + squares
    explained = (products * np.linalg.solve(matrix, products[..., None])[..., 0]).sum()
    return float(explained - np.linalg.slogdet(matrix)[1].sum()) / 2


def prior_variances(statistics: _Statistics, support: Float[np.ndarray, " term"]) -> Float[np.ndarray, " term"]:
    """The variances of the terms' coefficients that make the faces most likely; zero where they support none.

    Args:
        statistics: Of the faces.
        support: Of each term, twice the log likelihood ratio from which on it is kept.
    """
    terms = statistics.products.shape[1]
    diagonal = np.diagonal(statistics.squares, axis1=1, axis2=2)
    known = (diagonal > 0).any(axis=1)
    if not known.any():
        return np.zeros(terms)
    statistics = _Statistics(*(part[known] for part in statistics))
    estimates = statistics.products / np.maximum(diagonal[known], 1e-12)
    scale = np.maximum((estimates**2).mean(axis=0), 1e-12)

    def maximised(used: Bool[np.ndarray, " term"]) -> tuple[float, np.ndarray]:
        def loss(relative: np.ndarray) -> float:
            variances = np.zeros(terms)
            variances[used] = relative * scale[used]
            return -log_likelihood(statistics, variances)

        if not used.any():
            return 0.0, np.zeros(terms)
        found = minimize(loss, np.full(used.sum(), 0.5), bounds=[(0.0, 10.0)] * int(used.sum()), method="L-BFGS-B")
        variances = np.zeros(terms)
        variances[used] = found.x * scale[used]
        return -float(found.fun), variances

    used = np.ones(terms, dtype=bool)
    best, variances = maximised(used)
    for term in reversed(range(terms)):  # slopes before constants
        without = used.copy()
        without[term] = False
        likelihood, others = maximised(without)
        if 2 * (best - likelihood) < support[term]:
            used, best, variances = without, likelihood, others
    return variances


def _statistics(coordinates: Coordinates, people: np.ndarray) -> _Statistics:
    values, terms = coordinates
    shared = shared_noise(values, terms, people)
    count, width = values.shape[1], terms.shape[1]
    squares, products = np.zeros((count, width, width)), np.zeros((count, width))
    left_over, freedom = np.zeros(count), np.zeros(count)
    present = ~np.isnan(values)
    for pattern in np.unique(present, axis=1).T:  # of missing faces; mostly one
        columns = np.flatnonzero((present == pattern[:, None]).all(axis=0))
        if not pattern.any():
            continue
        same = people[pattern][:, None] == people[pattern][None]
        whiten = np.linalg.cholesky((1 - shared) * np.eye(len(same)) + shared * same)
        x, e = np.linalg.solve(whiten, terms[pattern]), np.linalg.solve(whiten, values[pattern][:, columns])
        squares[columns], products[columns] = x.T @ x, (x.T @ e).T
        fit, _, rank, _ = np.linalg.lstsq(x, e, rcond=None)
        left_over[columns], freedom[columns] = ((e - x @ fit) ** 2).sum(axis=0), len(e) - rank
    mean = left_over.sum() / max(freedom.sum(), 1)
    noise = (_PRIOR_FACES * mean + left_over) / (_PRIOR_FACES + freedom)
    return _Statistics(squares, products, np.maximum(noise, 1e-10))


def shared_noise(
    values: Float[np.ndarray, "face coordinate"], terms: Float[np.ndarray, "face term"], people: np.ndarray
) -> float:
    """Share of the noise's variance that all faces of one person have in common (intraclass correlation).

    The one-way analysis of variance's estimate over all coordinates. Of one person's faces alone it can't be told, and
    `_SHARED_BY_ONE_PERSON` is assumed.
    """
    names, person = np.unique(people, return_inverse=True)
    if len(names) == len(people):
        return 0.0
    if len(names) == 1:
        return _SHARED_BY_ONE_PERSON
    within = between = 0.0
    within_freedom = between_freedom = size = 0.0
    for column in values.T:
        rows = ~np.isnan(column)
        counts = np.bincount(person[rows], minlength=len(names))
        present = counts > 0
        if present.sum() < 2 or rows.sum() <= present.sum():
            continue
        fit, *_ = np.linalg.lstsq(terms[rows], column[rows], rcond=None)
        rest = column[rows] - terms[rows] @ fit
        means = np.bincount(person[rows], rest, minlength=len(names))[present] / counts[present]
        between += (counts[present] * (means - rest.mean()) ** 2).sum()
        within += (rest**2).sum() - (counts[present] * means**2).sum()
        between_freedom += present.sum() - 1
        within_freedom += rows.sum() - present.sum()
        size += rows.sum() - (counts**2).sum() / rows.sum()
    if not within_freedom or not between_freedom:
        return 0.0
    within_variance = within / within_freedom
    typical = size / between_freedom  # faces a person, as the analysis of variance counts them
    common = max(0.0, (between / between_freedom - within_variance) / typical)
    return float(min(0.95, common / max(common + within_variance, 1e-12)))
