"""Decoded and resized samples in one memory-mapped file, written once for a data set and its settings, then reused."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from thermal_landmarks.data.annotation import Annotation, Source
from thermal_landmarks.data.cache_files import reserve, see_to
from thermal_landmarks.data.checks import ImageFacts, Use, find_faults, image_facts
from thermal_landmarks.data.face_frames import frames_of_faces
from thermal_landmarks.data.geometry import pixel_size, transform_points
from thermal_landmarks.data.normalisation import Encoding, encode, encoding_of
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.rows_on_disk import RowsOnDisk
from thermal_landmarks.data.schemes import Scheme, get_scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.long_work import in_chunks

_VERSION = 7  # raise when the layout or the meaning of a cached array changes
_CHUNK = 16


class _Stored(NamedTuple):
    encoding: Encoding
    limits: tuple[float, float]
    matrix: np.ndarray
    facts: ImageFacts


_Prepared = tuple[Annotation, _Stored | str]
"""An annotation and what is stored of its image, or why it can't be used."""


@dataclass(frozen=True)
class CachedSamples:
    """All samples of one source; row i of every array is one sample. Points and boxes are in network input pixels."""

    images: RowsOnDisk  # uint16 (n, height, width) or in colour (n, 3, height, width), on the disk
    encoding: np.ndarray  # float32 (n, 2), scale and offset of each image's values
    limits: np.ndarray  # float32 (n, 2), the values that become -1 and +1
    matrix: np.ndarray  # float32 (n, 2, 3), original pixels -> input pixels
    points_px: np.ndarray  # float32 (n, N, 2), in the source's scheme; NaN where missing
    inter_ocular_px: np.ndarray  # float32 (n,), NaN where the source has no eye corners
    # float32 (n, 2), width and height of the upright rectangle around all points in the original image
    box_px: np.ndarray
    pixel_size: np.ndarray  # float32 (n,), original pixels per input pixel
    scheme: str  # landmark scheme of the points
    names: list[str]  # image name of each sample
    subjects: list[str]  # subject of each sample
    bad_items: list[dict[str, str]]  # samples that could not be used: name, location, reason
    attributes: list[dict[str, str | float | bool]]  # what the data set says of each sample (pose, occlusion, ...)

    def __len__(self) -> int:
        return len(self.names)

    def values(self, row: int) -> np.ndarray:
        """The image of one sample in degrees Celsius or gray levels, float32 (height, width) or (3, height, width)."""
        scale, offset = self.encoding[row]
        return self.images[row].astype(np.float32) * scale + offset


def load_or_build(source: Source, preprocessing: Preprocessing, cache_dir: Path, *, workers: int = 0) -> CachedSamples:
    """The cached samples of a source, built on the first call, and again where they are damaged.

    A cache lies in `cache_dir`, in a folder named by a hash of content and settings; `workers` processes (0: one a
    core) decode its images.

    Raises:
        DataError: If the source has no usable sample, or its files change while they are read.
        OutputError: If the cache can't be written; says how much space is missing.
    """
    fingerprint = source.fingerprint()
    key = json.dumps([_VERSION, source.scheme, fingerprint, preprocessing.frame_settings], sort_keys=True)
    digest = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    folder = cache_dir / f"{type(source).__name__.lower()}-{digest}"

    def fill(partial: Path) -> None:
        _fill(partial, source, preprocessing, workers)
        if source.fingerprint() != fingerprint:
            raise DataError(f"{_name(source)}: its files have changed while they were read. Run again.")

    see_to(folder, fill)
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    with np.load(folder / "table.npz") as table:
        arrays = dict(table)
    images = RowsOnDisk(folder / "images.npy", arrays.pop("row"))
    return CachedSamples(images=images, **arrays, **samples)


def _fill(folder: Path, source: Source, preprocessing: Preprocessing, workers: int) -> None:
    with Console().status("Reading annotations"):
        listed = source.annotations()
    reserve(folder / "images.npy", (len(listed), *preprocessing.frame_shape))
    prepared = list(_prepare_all(source, preprocessing, listed, folder / "images.npy", workers))
    annotations, results = [annotation for annotation, _ in prepared], [result for _, result in prepared]
    facts = [result if isinstance(result, str) else result.facts for result in results]
    whole = preprocessing.crop.mode == "none"
    found = find_faults(annotations, facts, get_scheme(source.scheme), Use(whole_images=whole))
    faults = [finding for finding in found if finding.severity == "error"]
    bad = {(fault.image, fault.location) for fault in faults}
    stored = {
        i: result
        for i, (annotation, result) in enumerate(zip(annotations, results, strict=True))
        if not isinstance(result, str) and (str(annotation.image), annotation.location) not in bad
    }
    if not stored:
        reasons = "\n  ".join(fault.reason for fault in faults[:5]) or "it has no annotations"
        raise DataError(f"No usable sample in this {_name(source)}:\n  {reasons}")
    kept = [annotations[i] for i in stored]
    table: dict[str, Any] = _table(source.scheme, kept, list(stored.values()))
    np.savez(folder / "table.npz", row=list(stored), **table)
    samples = {
        "scheme": source.scheme,
        "names": [str(annotation.image) for annotation in kept],
        "subjects": [annotation.subject for annotation in kept],
        "bad_items": [{"image": f.image, "location": f.location, "reason": f.reason} for f in faults],
        "attributes": [annotation.attributes for annotation in kept],
    }
    (folder / "samples.json").write_text(json.dumps(samples), encoding="utf-8")


def _name(source: Source) -> str:
    return type(source).__name__


def _prepare_all(
    source: Source, preprocessing: Preprocessing, annotations: Sequence[Annotation], path: Path, workers: int
) -> Iterator[_Prepared]:
    frames: list[np.ndarray | None] = [None] * len(annotations)
    if preprocessing.crop.mode == "none" and not getattr(source, "one_face_an_image", False):
        framed = getattr(source, "framed", False)
        frames = frames_of_faces(annotations, get_scheme(source.scheme), preprocessing.image_size, always=framed)
    parts = [slice(i, i + _CHUNK) for i in range(0, len(annotations), _CHUNK)]
    jobs = [(source, preprocessing, annotations[part], frames[part], path, part.start) for part in parts]
    return in_chunks("Preparing images", _prepare_chunk, jobs, total=len(annotations), workers=workers)


def _prepare_chunk(
    job: tuple[Source, Preprocessing, Sequence[Annotation], Sequence[np.ndarray | None], Path, int],
) -> list[_Prepared]:
    """Store some images."""
    source, preprocessing, annotations, frames, path, start = job
    images = np.load(path, mmap_mode="r+")
    results: list[_Prepared] = []
    for row, (annotation, frame) in enumerate(zip(annotations, frames, strict=True), start):
        try:
            image = preprocessing.seen(source.load(annotation))
            prepared = preprocessing(
                image,
                box_px=annotation.box_px,
                five_points_px=annotation.five_points_px,
                matrix=frame,
                location=annotation.location,
            )
            encoding = encoding_of(image, prepared.limits)
            images[row] = encode(prepared.values, encoding)
            stored = _Stored(encoding, prepared.limits, prepared.matrix, image_facts(image))
            results.append((annotation, stored))
        except DataError as error:
            results.append((annotation, str(error)))
    images.flush()
    return results


def _table(scheme_name: str, annotations: Sequence[Annotation], results: Sequence[_Stored]) -> dict[str, np.ndarray]:
    encoding, limits, matrix = (np.array(column) for column in zip(*(result[:3] for result in results), strict=True))
    points = np.stack([transform_points(a.points_px, m) for a, m in zip(annotations, matrix, strict=True)])
    sizes = np.array([pixel_size(m) for m in matrix])
    extents = np.stack([np.nanmax(a.points_px, axis=0) - np.nanmin(a.points_px, axis=0) for a in annotations])
    corners = get_scheme(scheme_name).outer_eye_corners
    if corners is None:
        inter_ocular = np.full(len(points), np.nan)
    else:
        inter_ocular = np.linalg.norm(points[:, corners[0]] - points[:, corners[1]], axis=1)
    return {
        "encoding": encoding.astype(np.float32),
        "limits": limits.astype(np.float32),
        "matrix": matrix.astype(np.float32),
        "points_px": points,
        "inter_ocular_px": inter_ocular.astype(np.float32),
        "box_px": (extents / sizes[:, None]).astype(np.float32),
        "pixel_size": sizes.astype(np.float32),
    }


def joined(first: CachedSamples, second: CachedSamples, scheme: Scheme) -> CachedSamples:
    """The samples of two caches of the same frame size, one after the other, in one scheme.

    Raises:
        ConfigError: If one of them lacks landmarks of the scheme.
    """
    both = (first, second)

    def column(name: str) -> Any:
        parts = [getattr(samples, name) for samples in both]
        return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else [item for part in parts for item in part]

    points = [samples.points_px[:, get_scheme(samples.scheme).index_map(scheme)] for samples in both]
    own: dict[str, Any] = {
        "images": first.images.followed_by(second.images),
        "points_px": np.concatenate(points),
        "scheme": scheme.name,
    }
    others = {field.name: column(field.name) for field in fields(CachedSamples) if field.name not in own}
    return CachedSamples(**own, **others)
