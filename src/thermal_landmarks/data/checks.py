"""Reading a whole data set as training would, and listing everything in it that is wrong or odd."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import Annotation, Source, ThermalImage
from thermal_landmarks.data.check_report import DataReport, Finding, Severity
from thermal_landmarks.data.left_right import count_pairs, swapped_pairs
from thermal_landmarks.data.normalisation import is_constant
from thermal_landmarks.data.preprocessing import Box
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


@dataclass(frozen=True)
class Use:
    """What a data set is to serve, which decides what is wrong with it."""

    scheme: str | None = None  # landmarks that a network is to learn; None: all of the source
    needs_box: bool = False  # whether faces are cropped by their boxes
    whole_images: bool = False  # whether a network sees images whole; each face of one with several then needs a frame
    finder: bool = False  # whether faces are to be found, for which a box is enough


def check_source(source: Source, use: Use = Use(), *, name: str = "", workers: int = 0) -> DataReport:
    """Read every annotation and image of a data set, by `workers` processes (0: one a core).

    Returns:
        The report. An annotation file that can't be read is an error in it, too.

    Raises:
        ConfigError: If the source lacks landmarks that are to be learned.
    """
    own = get_scheme(source.scheme)
    if use.scheme:
        own.index_map(get_scheme(use.scheme))  # refused before images are read
    report = DataReport(name or type(source).__name__, source.scheme)
    try:
        annotations = list(source.annotations())
    except DataError as error:
        report.findings.append(Finding("error", "annotations", "", "", str(error)))
        return report
    facts = list(_load_all(source, annotations, workers))
    report.findings = sorted(find_faults(annotations, facts, own, use), key=lambda finding: finding.severity)
    _count(report, annotations, facts, own)
    bad = {(finding.image, finding.location) for finding in report.bad_items}
    report.good = [a for a in annotations if (str(a.image), a.location) not in bad]
    return report


def find_faults(
    annotations: Sequence[Annotation], facts: Sequence[ImageFacts | str], scheme: Scheme, use: Use
) -> list[Finding]:
    """What is wrong or odd in annotations; `facts` are of each one's image, or the reason why it can't be read."""
    wanted = scheme.index_map(get_scheme(use.scheme)) if use.scheme else np.arange(scheme.num_points)
    found = [
        Finding(severity, kind, str(annotation.image), annotation.location, reason)
        for annotation, fact in zip(annotations, facts, strict=True)
        for severity, kind, reason in _faults(annotation, fact, scheme, wanted, use)
    ]
    readable = [a for a, fact in zip(annotations, facts, strict=True) if not isinstance(fact, str)]
    found += duplicated_images(annotations, [None if isinstance(fact, str) else fact.digest for fact in facts])
    return [*found, *shared_images(readable, scheme if use.whole_images else None)]


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


_Fault = tuple[Severity, str, str]  # severity, kind and reason of a finding


def _faults(
    annotation: Annotation, fact: ImageFacts | str, scheme: Scheme, wanted: np.ndarray, use: Use
) -> Iterator[_Fault]:
    if isinstance(fact, str):
        yield "error", "unreadable", fact
        return
    points, box_px = annotation.points_px, annotation.box_px
    present = np.isfinite(points).all(axis=1)
    if use.finder and box_px is not None and not present.any():
        yield from _of_bare_box(box_px, fact.size)
        yield from _of_values(fact)
        return
    if not present[wanted].any():
        yield "error", "no landmarks", "none of the wanted landmarks is annotated."
        return
    yield from _of_frame(points, present, fact.size, scheme)
    yield from _of_sides(points, scheme)
    yield from _of_values(fact)
    if box_px is not None:
        yield from _of_box(box_px, np.nanmean(points, axis=0))
    elif use.needs_box:
        reason = "no face box, but the crop is set to `box`. Give boxes or set data.crop.mode=none."
        yield "error", "no box", reason


def _of_frame(points: np.ndarray, present: np.ndarray, size: tuple[int, int], scheme: Scheme) -> Iterator[_Fault]:
    outside = _outside(points, size)
    image = f"outside the image of {size[1]} x {size[0]} pixels"
    if outside[present].all():
        yield "error", "outside", f"all landmarks are {image}. Are they for another image size?"
    elif outside.any():
        names = ", ".join(scheme.landmark_names[i] for i in np.flatnonzero(outside)[:5])
        yield "warning", "outside", f"{outside.sum()} landmark(s) {image}: {names}. Training ignores them."
    elif present.sum() > 1 and np.ptp(points[present], axis=0).max() < 2:
        reason = "all landmarks lie within 2 pixels. Are they fractions of the image's size instead of pixels?"
        yield "error", "collapsed", reason


def _of_sides(points: np.ndarray, scheme: Scheme) -> Iterator[_Fault]:
    swapped, total = swapped_pairs(points, scheme), count_pairs(points, scheme)
    if not len(swapped):
        return
    named = ", ".join(f"{scheme.landmark_names[a]}/{scheme.landmark_names[b]}" for a, b in swapped[:4])
    reason = f"{len(swapped)} of {total} pairs of left and right landmarks have changed places: {named}"
    if 2 * len(swapped) >= total:
        reason += ". Left and right are the image's: order the landmarks so, or mirror the image back."
        yield "error", "left and right", reason
    else:
        yield "warning", "left and right", f"{reason}. Look whether the head is turned so far."


def _of_values(fact: ImageFacts) -> Iterator[_Fault]:
    if fact.constant:
        reason = f"all of the image has one value, {fact.median:g}: there is no face to see. Remove it."
        yield "error", "constant", reason
    elif fact.low == fact.high:
        yield "warning", "constant", f"98 % of the image have one value, {fact.median:g}. Is it an image?"
    if fact.missing:
        reason = f"{fact.missing} values are missing (NaN or a mark such as -9999) and filled by the image's median."
        yield "warning", "missing values", reason
    low, high = _PLAUSIBLE_C
    if fact.unit == "celsius" and not (low <= fact.low and fact.high <= high):
        reason = f"{fact.low:.1f} to {fact.high:.1f} degrees Celsius is odd for a person in a room. Is the unit right?"
        yield "warning", "temperature", reason


def _of_box(box_px: Box, centre: np.ndarray) -> Iterator[_Fault]:
    left, top, right, bottom = box_px
    x, y = centre
    if not (left <= x <= right and top <= y <= bottom):
        reason = f"the centre of the landmarks ({x:.0f}, {y:.0f}) is outside the face box {left:g} {top:g} {right:g} "
        yield "warning", "box", f"{reason}{bottom:g}. Does the box belong to this face?"


def _of_bare_box(box_px: Box, size: tuple[int, int]) -> Iterator[_Fault]:
    left, top, right, bottom = box_px
    height, width = size
    if not (0 <= (left + right) / 2 <= width - 1 and 0 <= (top + bottom) / 2 <= height - 1):
        reason = f"the middle of the face box {left:g} {top:g} {right:g} {bottom:g} is outside the image of {width} x "
        yield "error", "outside", f"{reason}{height} pixels. Is it for another image size?"


def _count(
    report: DataReport, annotations: Sequence[Annotation], facts: Sequence[ImageFacts | str], scheme: Scheme
) -> None:
    usable = [(a, f) for a, f in zip(annotations, facts, strict=True) if not isinstance(f, str)]
    read = {annotation.image: fact for annotation, fact in usable}
    report.faces, report.images = len(annotations), len(read)
    report.subjects = dict(Counter(a.subject for a in annotations))
    report.image_sizes = {image: fact.size for image, fact in read.items()}
    report.sizes = dict(Counter(report.image_sizes.values()))
    report.units = dict(Counter(fact.unit for fact in read.values()))
    report.value_range = {unit: _value_range(f for f in read.values() if f.unit == unit) for unit in report.units}
    present = np.array([np.isfinite(a.points_px).all(axis=1) for a, _ in usable], dtype=bool)
    present = present.reshape(-1, scheme.num_points)
    report.missing = dict(zip(scheme.landmark_names, (~present).sum(axis=0).tolist(), strict=True))
    seen = [here if a.visible is None else a.visible for (a, _), here in zip(usable, present, strict=True)]
    report.hidden = sum(int((here & ~visible).sum()) for here, visible in zip(present, seen, strict=True))
    report.outside = sum(int(_outside(a.points_px, f.size).sum()) for a, f in usable)


def _value_range(facts: Iterable[ImageFacts]) -> tuple[float, float, float]:
    low, median, high = np.array([(f.low, f.median, f.high) for f in facts]).T
    return float(low.min()), float(np.median(median)), float(high.max())


def _outside(points_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    # a pixel reaches half a pixel beyond its centre; NaN compares as inside
    beyond = (points_px < -0.5) | (points_px > np.array([width, height]) - 0.5)
    return np.any(beyond, axis=1)
