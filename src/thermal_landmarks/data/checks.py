"""Reading a whole data set as training would, and listing everything in it that is wrong or odd."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import Annotation, Source, ThermalImage
from thermal_landmarks.data.check_report import DataReport, Finding, finding_at
from thermal_landmarks.data.left_right import count_pairs, swapped_pairs
from thermal_landmarks.data.normalisation import is_constant
from thermal_landmarks.data.schemes import Scheme, get_scheme
from thermal_landmarks.data.shared_images import duplicated_images, shared_images
from thermal_landmarks.errors import DataError
from thermal_landmarks.long_work import in_chunks

_CHUNK = 16
_PLAUSIBLE_C = (-30.0, 80.0)  # 1st and 99th percentile of a picture of a person in any room


class ImageFacts(NamedTuple):
    """What is left of an image after its check."""

    digest: str
    size: tuple[int, int]  # height, width
    unit: str
    low: float  # 1st percentile
    median: float
    high: float  # 99th percentile
    constant: bool = False  # nothing to see
    missing: int = 0  # values that the file lacks


def check_source(
    source: Source,
    *,
    name: str = "",
    scheme: str | None = None,
    needs_box: bool = False,
    whole_images: bool = False,
    finder: bool = False,
    workers: int = 0,
) -> DataReport:
    """Read every annotation and image of a data set.

    Args:
        source: The data set.
        name: For headings; by default the reader's name.
        scheme: Landmarks that a network is to learn; None: all of the source.
        needs_box: Whether faces are cropped by their boxes.
        whole_images: Whether a network sees images whole; each face of one with several then needs a frame of its own.
        finder: Whether faces are to be found, for which a box is enough.
        workers: Processes that decode images; 0 means one a core.

    Returns:
        The report. An annotation file that can't be read is an error in it, too.

    Raises:
        ConfigError: If the source lacks landmarks of `scheme`.
    """
    own = get_scheme(source.scheme)
    wanted = own.index_map(get_scheme(scheme)) if scheme else np.arange(own.num_points)
    report = DataReport(name or type(source).__name__, source.scheme)
    try:
        annotations = list(source.annotations())
    except DataError as error:
        report.findings.append(Finding("error", "annotations", "", "", str(error)))
        return report
    facts = list(_load_all(source, annotations, workers))
    needs = {"needs_box": needs_box, "whole_images": whole_images, "finder": finder}
    findings = find_faults(annotations, facts, own, wanted=wanted, **needs)
    report.findings = sorted(findings, key=lambda finding: finding.severity)
    _count(report, annotations, facts, own)
    bad = {(finding.image, finding.location) for finding in report.bad_items}
    report.good = [a for a in annotations if (str(a.image), a.location) not in bad]
    return report


def find_faults(
    annotations: Sequence[Annotation],
    facts: Sequence[ImageFacts | str],
    scheme: Scheme,
    *,
    wanted: np.ndarray | None = None,
    needs_box: bool = False,
    whole_images: bool = False,
    finder: bool = False,
) -> list[Finding]:
    """What is wrong or odd in annotations whose images have been read.

    Args:
        annotations: All of a data set.
        facts: Of each annotation's image, or the reason why it can't be read.
        scheme: Of the annotations.
        wanted: Indices of the landmarks that a network is to learn; None: all.
        needs_box: Whether faces are cropped by their boxes.
        whole_images: Whether a network sees images whole; each face of one with several then needs a frame of its own.
        finder: Whether faces are to be found, for which a box is enough.
    """
    wanted = np.arange(scheme.num_points) if wanted is None else wanted
    readable = [a for a, fact in zip(annotations, facts, strict=True) if not isinstance(fact, str)]
    return [
        *_check_faces(annotations, facts, scheme, wanted, needs_box, finder),
        *duplicated_images(annotations, [None if isinstance(fact, str) else fact.digest for fact in facts]),
        *shared_images(readable, scheme if whole_images else None),
    ]


def image_facts(image: ThermalImage) -> ImageFacts:
    """What the checks need to know of an image's values."""
    values = np.ascontiguousarray(image.values)
    digest = hashlib.blake2b(values.tobytes(), digest_size=16).hexdigest()
    low, median, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
    height, width = values.shape[-2:]
    constant = low == high and is_constant(values, image.unit)
    return ImageFacts(digest, (height, width), image.unit, low, median, high, constant, image.missing)


def _load_all(source: Source, annotations: Sequence[Annotation], workers: int) -> Iterator[ImageFacts | str]:
    jobs = [(source, annotations[i : i + _CHUNK]) for i in range(0, len(annotations), _CHUNK)]
    return in_chunks("Reading images", _load_chunk, jobs, total=len(annotations), workers=workers)


def _load_chunk(job: tuple[Source, Sequence[Annotation]]) -> list[ImageFacts | str]:
    source, annotations = job
    results: list[ImageFacts | str] = []
    for annotation in annotations:
        try:
            results.append(image_facts(source.load(annotation)))
        except DataError as error:
            results.append(str(error))
    return results


def _check_faces(
    annotations: Sequence[Annotation],
    facts: Sequence[ImageFacts | str],
    scheme: Scheme,
    wanted: np.ndarray,
    needs_box: bool,
    finder: bool,
) -> Iterator[Finding]:
    for annotation, fact in zip(annotations, facts, strict=True):
        if isinstance(fact, str):
            yield finding_at("error", "unreadable", annotation, fact)
            continue
        points = annotation.points_px
        if finder and not np.isfinite(points).all(axis=1).any() and annotation.box_px is not None:
            yield from _check_bare_box(annotation, annotation.box_px, fact)
            yield from _check_values(annotation, fact)
            continue
        if not np.isfinite(points[wanted]).all(axis=1).any():
            yield finding_at("error", "no landmarks", annotation, "none of the wanted landmarks is annotated.")
            continue
        yield from _check_frame(annotation, fact, scheme)
        yield from _check_sides(annotation, scheme)
        yield from _check_values(annotation, fact)
        if annotation.box_px is None and needs_box:
            reason = "no face box, but the crop is set to `box`. Give boxes or set data.crop.mode=none."
            yield finding_at("error", "no box", annotation, reason)
        elif annotation.box_px is not None:
            yield from _check_box(annotation, annotation.box_px)


def _check_frame(annotation: Annotation, fact: ImageFacts, scheme: Scheme) -> Iterator[Finding]:
    outside = _outside(annotation.points_px, fact.size)
    present = np.isfinite(annotation.points_px).all(axis=1)
    height, width = fact.size
    if outside[present].all():
        reason = f"all landmarks are outside the image of {width} x {height} pixels. Are they for another image size?"
        yield finding_at("error", "outside", annotation, reason)
    elif outside.any():
        names = ", ".join(scheme.landmark_names[i] for i in np.flatnonzero(outside)[:5])
        reason = f"{outside.sum()} landmark(s) outside the image of {width} x {height} pixels: {names}. "
        yield finding_at("warning", "outside", annotation, f"{reason}Training ignores them.")
    elif present.sum() > 1 and np.ptp(annotation.points_px[present], axis=0).max() < 2:
        reason = "all landmarks lie within 2 pixels. Are they fractions of the image's size instead of pixels?"
        yield finding_at("error", "collapsed", annotation, reason)


def _check_sides(annotation: Annotation, scheme: Scheme) -> Iterator[Finding]:
    swapped = swapped_pairs(annotation.points_px, scheme)
    total = count_pairs(annotation.points_px, scheme)
    if not len(swapped):
        return
    named = ", ".join(f"{scheme.landmark_names[a]}/{scheme.landmark_names[b]}" for a, b in swapped[:4])
    reason = f"{len(swapped)} of {total} pairs of left and right landmarks have changed places: {named}"
    if 2 * len(swapped) >= total:
        reason += ". Left and right are the image's: order the landmarks so, or mirror the image back."
        yield finding_at("error", "left and right", annotation, reason)
    else:
        yield finding_at("warning", "left and right", annotation, f"{reason}. Look whether the head is turned so far.")


def _check_values(annotation: Annotation, fact: ImageFacts) -> Iterator[Finding]:
    if fact.constant:
        reason = f"all of the image has one value, {fact.median:g}: there is no face to see. Remove it."
        yield finding_at("error", "constant", annotation, reason)
    elif fact.low == fact.high:
        reason = f"98 % of the image have one value, {fact.median:g}. Is it an image?"
        yield finding_at("warning", "constant", annotation, reason)
    if fact.missing:
        reason = f"{fact.missing} values are missing (NaN or a mark such as -9999) and filled by the image's median."
        yield finding_at("warning", "missing values", annotation, reason)
    low, high = _PLAUSIBLE_C
    if fact.unit == "celsius" and not (low <= fact.low and fact.high <= high):
        reason = f"{fact.low:.1f} to {fact.high:.1f} degrees Celsius is odd for a person in a room. Is the unit right?"
        yield finding_at("warning", "temperature", annotation, reason)


def _check_box(annotation: Annotation, box_px: tuple[float, float, float, float]) -> Iterator[Finding]:
    left, top, right, bottom = box_px
    x, y = np.nanmean(annotation.points_px, axis=0)
    if not (left <= x <= right and top <= y <= bottom):
        reason = f"the centre of the landmarks ({x:.0f}, {y:.0f}) is outside the face box {left:g} {top:g} {right:g} "
        yield finding_at("warning", "box", annotation, f"{reason}{bottom:g}. Does the box belong to this face?")


def _check_bare_box(
    annotation: Annotation, box_px: tuple[float, float, float, float], fact: ImageFacts
) -> Iterator[Finding]:
    left, top, right, bottom = box_px
    height, width = fact.size
    if not (0 <= (left + right) / 2 <= width - 1 and 0 <= (top + bottom) / 2 <= height - 1):
        reason = f"the middle of the face box {left:g} {top:g} {right:g} {bottom:g} is outside the image of {width} x "
        yield finding_at("error", "outside", annotation, f"{reason}{height} pixels. Is it for another image size?")


def _count(
    report: DataReport, annotations: Sequence[Annotation], facts: Sequence[ImageFacts | str], scheme: Scheme
) -> None:
    read = {a.image: f for a, f in zip(annotations, facts, strict=True) if not isinstance(f, str)}
    usable = [(a, f) for a, f in zip(annotations, facts, strict=True) if not isinstance(f, str)]
    report.faces = len(annotations)
    report.images = len(read)
    report.subjects = dict(Counter(a.subject for a in annotations))
    report.image_sizes = {image: fact.size for image, fact in read.items()}
    report.sizes = dict(Counter(report.image_sizes.values()))
    report.units = dict(Counter(fact.unit for fact in read.values()))
    report.value_range = {unit: _value_range(f for f in read.values() if f.unit == unit) for unit in report.units}
    absent = sum((np.isnan(a.points_px).any(axis=1).astype(int) for a, _ in usable), np.zeros(scheme.num_points, int))
    report.missing = dict(zip(scheme.landmark_names, absent.tolist(), strict=True))
    report.hidden = sum(
        int((~a.visible & np.isfinite(a.points_px).all(axis=1)).sum()) for a, _ in usable if a.visible is not None
    )
    report.outside = sum(int(_outside(a.points_px, f.size).sum()) for a, f in usable)


def _value_range(facts: Iterable[ImageFacts]) -> tuple[float, float, float]:
    low, median, high = np.array([(f.low, f.median, f.high) for f in facts]).T
    return float(low.min()), float(np.median(median)), float(high.max())


def _outside(points_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    # a pixel reaches half a pixel beyond its centre; NaN compares as inside
    beyond = (points_px < -0.5) | (points_px > np.array([width, height]) - 0.5)
    return np.any(beyond, axis=1)
