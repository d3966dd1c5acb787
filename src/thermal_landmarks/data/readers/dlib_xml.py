"""dlib's XML of images, face boxes and parts, as its imglab tool and its example data write it."""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import require_bytes, shortened
from thermal_landmarks.data.readers.base import Box, FileReader, Marks, stated_size
from thermal_landmarks.errors import DataError


@dataclass(kw_only=True, eq=False)
class DlibXml(FileReader):
    """Faces of a dlib XML file; an image may show several.

    Parts are named by their index in the scheme (`00` to `67`); a part that isn't there is a missing landmark. dlib's
    format has no subjects: without a pattern, all faces of an image count as one. Boxes with `ignore='1'` are regions
    where nothing is learned and nothing counts.
    """

    annotation_file: Path  # the XML file; image names are relative to its folder
    scheme: str = "ibug68"
    image_dir: Path | None = None  # of the images, if another

    def _parse(self) -> list[Annotation]:
        content = require_bytes(self.annotation_file)
        try:
            root = ElementTree.fromstring(content)
        except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two: an unknown encoding
            raise DataError(f"{self.annotation_file}: not valid XML ({error}).") from error
        images = list(root.iter("image"))
        found = []
        for index, image in enumerate(images):
            place = self._at(f"{self.annotation_file}, image {index}")
            name = image.get("file")
            if not name:
                raise DataError(f"{place}: no attribute 'file'.")
            faces = [box for box in image.iter("box") if box.get("ignore") != "1"]
            found += [self._read(image, name, face, box) for face, box in enumerate(faces)]
            path = (self.image_dir or self.annotation_file.parent) / name
            for box in image.iter("box"):
                if box.get("ignore") == "1":
                    self._ignore(path, _corners(box))
        self._warn_each_image_its_own_subject(len(images), "Set data.source.subject_pattern.")
        return found

    def _read(self, image: ElementTree.Element, name: str, face: int, box: ElementTree.Element) -> Annotation:
        location = f"{self.annotation_file}, image {shortened(name)}, box {face}"
        path = (self.image_dir or self.annotation_file.parent) / name
        return self._face(path, self._subject(name, name), location, lambda: self._marks(image, box))

    def _marks(self, image: ElementTree.Element, box: ElementTree.Element) -> Marks:
        points = self._no_points()
        try:
            for part in box.iter("part"):
                index = int(part.attrib["name"])
                if not 0 <= index < len(points):
                    found = shortened(part.attrib["name"])
                    raise DataError(f"part '{found}', but scheme '{self.scheme}' ends with {len(points) - 1}.")
                points[index] = float(part.attrib["x"]), float(part.attrib["y"])
            corners = _corners(box)
            size = stated_size(*(float(image.get(k) or math.nan) for k in ("width", "height")))
        except DataError:
            raise
        except (KeyError, ValueError) as error:
            raise DataError(
                f"the image, box or a part has a missing or wrong attribute ({shortened(error)}). Fix the record."
            ) from error
        return Marks(points, corners, attributes=size)


def _corners(box: ElementTree.Element) -> Box:
    left, top, width, height = (float(box.attrib[k]) for k in ("left", "top", "width", "height"))
    return left, top, left + width, top + height
