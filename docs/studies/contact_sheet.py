"""Contact sheets: faces side by side at one temperature window, to judge rendered ones beside real ones."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import typer
from jaxtyping import Float
from matplotlib.figure import Figure

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.readers.coco import CocoKeypoints

_CLOSE = 1.45  # half side of a close picture, in distances of the outer eye corners
_OUTER_EYE_CORNERS = (2, 5)


class Face(NamedTuple):
    """A picture in degrees Celsius and its `face16` landmarks in pixels."""

    image_c: Float[np.ndarray, "height width"]
    points_px: Float[np.ndarray, "16 2"]


def read_faces(source: Source, count: int) -> list[Face]:
    """The first images of a `face16` source that hold temperatures."""
    loaded = ((source.load(annotation), annotation.points_px) for annotation in source.annotations())
    return list(islice((Face(image.values, points) for image, points in loaded if image.unit == "celsius"), count))


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[Face]]], *, window_c: tuple[float, float], close: bool = False
) -> Figure:
    """Rows of faces, each with its name in front, all at one temperature window.

    Args:
        rows: Name and faces of each row.
        window_c: Temperatures that are black and white.
        close: Show the square around each face instead of the whole picture.
    """
    columns = max(len(faces) for _, faces in rows)
    figure = Figure(figsize=(2.1 * columns, (2.15 if close else 1.75) * len(rows)), dpi=110, layout="constrained")
    axes = np.atleast_2d(figure.subplots(len(rows), columns, squeeze=False))
    for (name, faces), line in zip(rows, axes, strict=True):
        for axis in line:
            axis.set_axis_off()
        for axis, face in zip(line, faces, strict=False):
            axis.imshow(face.image_c, cmap="gray", vmin=window_c[0], vmax=window_c[1])
            if close:
                left, right = face.points_px[list(_OUTER_EYE_CORNERS)]
                half = _CLOSE * np.linalg.norm(right - left)
                x, y = (face.points_px.min(axis=0) + face.points_px.max(axis=0)) / 2
                axis.set(xlim=(x - half, x + half), ylim=(y + half, y - half), facecolor="black")
                axis.set_aspect("equal")
        line[0].set_title(name, loc="left", fontsize=9)
    return figure


def main(annotations: Path, folder: Path) -> None:
    """Draw faces_close.png and faces_whole.png into FOLDER, with the real faces of a COCO file of ANNOTATIONS."""
    real = read_faces(
        CocoKeypoints(annotation_file=annotations, image_dir=annotations.parent / "images", scheme="face16"), 4
    )
    frontal = {"yaw_deg": [-12, 12], "pitch_deg": [-8, 8], "roll_deg": [-6, 6], "face_height": [0.5, 0.75]}
    rendered = read_faces(SyntheticFaces(subjects=40, images_per_subject=1, pose=frontal, seed=11), 12)
    sheets = {False: (22.0, 37.0), True: (29.0, 37.0)}
    for near, window in sheets.items():
        parts = [(f"real, {window[0]:g} to {window[1]:g} °C", real)]
        parts += [("rendered" if i == 0 else "", rendered[i : i + 4]) for i in range(0, 12, 4)]
        name = "faces_close.png" if near else "faces_whole.png"
        contact_sheet(parts, window_c=window, close=near).savefig(folder / name)


if __name__ == "__main__":
    typer.run(main)
