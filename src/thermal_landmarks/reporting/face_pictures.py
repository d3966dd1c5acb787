"""Whole pictures of a data set with the box and the landmarks of every annotated face in each."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from thermal_landmarks.data.annotation import Annotation, Source
from thermal_landmarks.data.face_frames import annotated_box
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.evaluation.drawing import draw_boxes, draw_points, to_rgb

_TILE = (360, 480)
_COLUMNS = 2


def has_several_faces(annotations: Sequence[Annotation]) -> bool:
    """Whether any picture shows more than one face."""
    return len({annotation.image for annotation in annotations}) < len(annotations)


def draw_faces(source: Source, annotations: Sequence[Annotation], *, most: int) -> UInt8[np.ndarray, "height width 3"]:
    """Pictures side by side, those with the most faces first; each face has the number of its annotation.

    Args:
        source: Loads the pictures.
        annotations: Usable faces, at least one.
        most: Number of pictures.
    """
    scheme = get_scheme(source.scheme)
    by_image: dict[Path, list[tuple[int, Annotation]]] = defaultdict(list)
    for number, annotation in enumerate(annotations):
        by_image[annotation.image].append((number, annotation))
    shown = sorted(by_image.values(), key=len, reverse=True)[:most]
    height, width = _TILE
    sheet = Image.new("RGB", (min(len(shown), _COLUMNS) * width, -(-len(shown) // _COLUMNS) * height))
    for place, faces in enumerate(shown):
        picture = Image.fromarray(to_rgb(source.load(faces[0][1]).values))
        scale = min(height / picture.height, width / picture.width)
        drawn = np.asarray(picture.resize((round(picture.width * scale), round(picture.height * scale))))
        for number, annotation in faces:
            box = annotated_box(annotation, scheme)
            if box is not None:
                left, top, right, bottom = (box[0] + 0.5) * scale - 0.5
                drawn = draw_boxes(drawn, [(left, top, right, bottom)], [str(number)])
            drawn = draw_points(drawn, (annotation.points_px + 0.5) * scale - 0.5)
        sheet.paste(Image.fromarray(drawn), (place % _COLUMNS * width, place // _COLUMNS * height))
    return np.asarray(sheet)
