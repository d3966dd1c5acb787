"""COCO keypoints JSON: the recommended format for data of one's own (https://cocodataset.org/#format-data).

Beyond COCO, an image entry may name its `subject` and the `unit` of its values (`centi_celsius`, ...).
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import parse_json, require_text, shortened
from thermal_landmarks.data.readers.base import Attributes, Box, FileReader, Marks, stated_size, stated_unit
from thermal_landmarks.data.readers.image_folder import MissingImageError, NamedImages
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import DataError

_log = logging.getLogger(__name__)

_MISSING, _HIDDEN, _VISIBLE = 0, 1, 2  # COCO's visibility flags


@dataclass(kw_only=True, eq=False)
class CocoKeypoints(FileReader):
    """Faces of a COCO keypoints file; annotations of other categories are left out.

    Faces are of the categories with as many keypoints as the scheme, else of that called `face`, else of all. Boxes of
    crowds (`iscrowd: 1`) and of faces with `ignore: 1` are regions where nothing is learned and nothing counts.
    """

    annotation_file: Path  # the JSON file
    image_dir: Path | None = None  # of the images; None: where the usual tools keep them (see `NamedImages`)
    subject_key: str = "subject"  # of an image entry, names the subject

    def _parse(self) -> list[Annotation]:
        file = self.annotation_file
        content = parse_json(require_text(file), str(file))
        for key in ("images", "annotations"):
            if not isinstance(content, dict) or not isinstance(content.get(key), list):
                raise DataError(f"{file}: no list '{key}'. Expected a COCO keypoints file (images, annotations).")
        images: dict[str, dict[str, Any]] = {}
        for index, image in enumerate(content["images"]):
            place = self._at(f"{file}, images[{index}]")
            identity = _key(image.get("id")) if isinstance(image, dict) else None
            if identity is None or not isinstance(image.get("file_name"), str):
                raise DataError(f"{place}: expected an object with an 'id' (a number or a text) and a 'file_name'.")
            if identity in images:
                raise DataError(f"{place}: the id {shortened(identity)} is there twice. Make the ids unique.")
            images[identity] = image
        self._check_names(content.get("categories"))
        self._at(file)
        files = self._find_images({image["file_name"] for image in images.values()})
        nameless = sum(self._named_subject(image) is None for image in images.values())
        self._warn_each_image_its_own_subject(nameless, f"Add '{self.subject_key}' to its image entries.")
        others = self._other_categories(content.get("categories"))
        entries = [
            (index, entry)
            for index, entry in enumerate(content["annotations"])
            if not (isinstance(entry, dict) and _key(entry.get("category_id")) in others)
        ]
        if left_out := len(content["annotations"]) - len(entries):
            _log.warning("%s: %d annotation(s) of other things than faces are left out.", file, left_out)
        found = [self._read(index, entry, images, files) for index, entry in entries if not _is_ignored(entry)]
        for entry in (entry for _, entry in entries if _is_ignored(entry)):
            image = images.get(_key(entry.get("image_id")) or "", {})
            if isinstance(path := files.get(image.get("file_name", "")), Path):
                self._ignore(path, _corners(entry.get("bbox")))
        if regions := len(entries) - len(found):
            _log.warning("%s: %d annotation(s) are crowds or to be ignored: nothing is learned there.", file, regions)
        shown = {annotation.image for annotation in found}
        for image in images.values():
            path = files[image["file_name"]]
            if isinstance(path, Path) and path not in shown:
                place = f"{file}, image id {shortened(image['id'])}"
                self._without_face(path, self._subject_of(image), place, _attributes(image))
        return found

    def _find_images(self, names: set[str]) -> dict[str, Path | MissingImageError]:
        """The file of each name, or why there is none."""
        finder = NamedImages(self.annotation_file, self.image_dir)
        found = {name: finder.find(name) for name in sorted(names)}
        missing = [error for error in found.values() if isinstance(error, DataError)]
        if names and len(missing) == len(names):
            raise DataError(f"{self.annotation_file}: {missing[0]} Set data.source.image_dir to the images' folder.")
        return found

    def _read(
        self,
        index: int,
        entry: Any,
        images: Mapping[str, dict[str, Any]],
        files: Mapping[str, Path | MissingImageError],
    ) -> Annotation:
        place = self._at(f"{self.annotation_file}, annotations[{index}]")
        key = _key(entry.get("image_id")) if isinstance(entry, dict) else None
        if key is None or key not in images:
            found = shortened(entry.get("image_id") if isinstance(entry, dict) else entry)
            raise DataError(f"{place}: image_id {found} is not among the images. Add the image or remove the entry.")
        location = f"{self.annotation_file}, annotation id {shortened(entry.get('id', f'[{index}]'))}"
        image = images[key]
        return self._face(
            files[image["file_name"]], self._subject_of(image), location, lambda: self._marks(entry, _attributes(image))
        )

    def _marks(self, entry: dict[str, Any], attributes: Attributes) -> Marks:
        box_px = _corners(entry.get("bbox"))
        if box_px is not None and "keypoints" not in entry:  # of a detector's data set
            return Marks(self._no_points(), box_px, attributes=attributes)
        try:
            triples = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
        except (KeyError, OverflowError, TypeError, ValueError):
            raise DataError("no 'keypoints' list of x, y, visibility triples. Fix or remove the entry.") from None
        points, flags = triples[:, :2], triples[:, 2]
        if not np.isin(flags, (_MISSING, _HIDDEN, _VISIBLE)).all():
            raise DataError("a visibility flag is not 0, 1 or 2. Fix the entry.")
        points = np.where(flags[:, None] == _MISSING, np.nan, points)
        return Marks(points, box_px, flags == _VISIBLE, attributes)

    def _named_subject(self, image: dict[str, Any]) -> str | None:
        subject = image.get(self.subject_key)
        return None if subject is None or subject == "" else str(subject)

    def _subject_of(self, image: dict[str, Any]) -> str:
        return self._subject(image["file_name"], self._named_subject(image) or image["file_name"])

    def _other_categories(self, categories: Any) -> set[str]:
        """Ids of the categories that are no faces, if it is clear which are: by number of keypoints, else by name."""
        listed = [c for c in categories if isinstance(c, dict)] if isinstance(categories, list) else []
        ids = [_key(category.get("id")) for category in listed]
        counts = [len(names) if isinstance(names := c.get("keypoints"), list) else 0 for c in listed]
        faces = {i for i, count in zip(ids, counts, strict=True) if count == self._num_points}
        faces = faces or {i for i, c in zip(ids, listed, strict=True) if str(c.get("name")).lower() == "face"}
        return {i for i in ids if i is not None and i not in faces} if faces else set()

    def _check_names(self, categories: Any) -> None:
        own = list(get_scheme(self.scheme).landmark_names)
        for category in categories if isinstance(categories, list) else []:
            names = category.get("keypoints") if isinstance(category, dict) else None
            names = [str(name) for name in names] if isinstance(names, list) else []
            if names != own and sorted(names) == sorted(own):
                raise DataError(
                    f"{self.annotation_file}: the category's keypoints are those of scheme '{self.scheme}' in another "
                    f"order. Write them as: {', '.join(own)}."
                )


def _is_ignored(entry: Any) -> bool:
    return isinstance(entry, dict) and (entry.get("iscrowd") == 1 or entry.get("ignore") == 1)


def _attributes(image: Mapping[str, Any]) -> Attributes:
    return stated_size(image.get("width"), image.get("height")) | stated_unit(image.get("unit"))


def _key(identity: Any) -> str | None:
    """An id as text, so that the number 7 and the text 7 are one; None for what is no id."""
    if isinstance(identity, float) and identity.is_integer():
        identity = int(identity)
    return str(identity) if isinstance(identity, int | str) and not isinstance(identity, bool) else None


def write_coco(
    path: Path,
    annotations: Sequence[Annotation],
    *,
    scheme: str,
    sizes: Mapping[Path, tuple[int, int]],
    unit: str | None = None,
) -> None:
    """Write annotations as COCO keypoints that `CocoKeypoints` reads; image names are relative to the file's folder.

    All images in `sizes` (height, width) are listed, also those without an annotation; `unit` is that of the images of
    which their annotations don't say it.
    """
    images: dict[tuple[Path, str], dict[str, Any]] = {}

    def listed(image: Path, subject: str = "") -> dict[str, Any]:
        # an image entry has one subject, so that two people in one picture make two entries
        if (image, subject) not in images:
            height, width = sizes[image]
            name = Path(os.path.relpath(image, path.parent)).as_posix()
            images[image, subject] = {"id": len(images) + 1, "file_name": name, "width": width, "height": height}
        return images[image, subject]

    entries: list[dict[str, Any]] = []
    for annotation in annotations:
        image = listed(annotation.image, annotation.subject)
        stated = annotation.attributes.get("unit", unit)
        image |= {"subject": annotation.subject} | ({"unit": stated} if stated else {})
        entries.append(_entry(len(entries) + 1, image["id"], annotation))
    for faceless in set(sizes) - {image for image, _ in images}:
        listed(faceless)
    category = {"id": 1, "name": "face", "keypoints": list(get_scheme(scheme).landmark_names), "skeleton": []}
    content = {"images": list(images.values()), "annotations": entries, "categories": [category]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _entry(number: int, image_id: int, annotation: Annotation) -> dict[str, Any]:
    present = np.isfinite(annotation.points_px).all(axis=1)
    visible = np.ones_like(present) if annotation.visible is None else annotation.visible
    flags = np.where(present, np.where(visible, _VISIBLE, _HIDDEN), _MISSING)
    points = np.where(present[:, None], annotation.points_px, 0)
    triples = [value for (x, y), v in zip(points.tolist(), flags.tolist(), strict=True) for value in (x, y, v)]
    left, top, right, bottom = annotation.box_px or (
        *np.nanmin(annotation.points_px, axis=0).tolist(),
        *np.nanmax(annotation.points_px, axis=0).tolist(),
    )
    box = [left, top, right - left, bottom - top]
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": triples,
        "num_keypoints": int(present.sum()),
        "bbox": box,
        "area": box[2] * box[3],
    } | {name: annotation.attributes[name] for name in ("score",) if name in annotation.attributes}


def _corners(box: Any) -> Box | None:
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(v, int | float) for v in box):
        return None
    try:
        left, top, width, height = (float(v) for v in box)
    except OverflowError:
        return None
    return (left, top, left + width, top + height) if width > 0 and height > 0 else None
