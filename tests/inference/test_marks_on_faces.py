"""A camera's marks over a face: with them filled, landmarks and boxes are those of the clean picture."""

import numpy as np
import pytest
from overlaid import coloured, jpeg, levels_of, with_marks

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.inference.face import Face
from thermal_landmarks.inference.predictor import Predictor


def moved(face: Face, clean: Face) -> tuple[float, float]:
    """How far landmarks and box are from those of the clean picture, as a share of the face's size."""
    box, there = np.array(face.box_px), np.array(clean.box_px)
    size = np.sqrt((there[2] - there[0]) * (there[3] - there[1]))
    points = np.linalg.norm(face.points_px - clean.points_px, axis=1).mean()
    return float(points / size), float(np.abs(box - there).mean() / size)


@pytest.mark.parametrize("palette", ["iron", "white_hot"])
def test_landmarks_and_boxes_are_nearer_to_those_of_the_clean_picture(palette: str) -> None:
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    source = SyntheticFaces(subjects=4, images_per_subject=1, size=(240, 320), seed=5, sensor={"eight_bit": 0.0})
    filled, left, untouched = [], [], []
    for annotation in source.annotations():
        picture = coloured(levels_of(source.load(annotation).values), palette)
        nose = annotation.points_px.mean(axis=0)
        marked = with_marks(picture, palette, at=(int(nose[0]), int(nose[1])))
        clean, under_marks = (ThermalImage.from_rgb(jpeg(each)) for each in (picture, marked))

        def surest(image: ThermalImage, marks: str) -> Face:
            faces = predictor.faces(as_heat(image, marks=marks), min_score=0.0)
            return max(faces, key=lambda face: face.score)

        reference = surest(clean, "kept")
        filled.append(moved(surest(under_marks, "masked"), reference))
        left.append(moved(surest(under_marks, "kept"), reference))
        untouched.append(moved(surest(clean, "masked"), reference))
    for with_filling, without in zip(np.mean(filled, axis=0), np.mean(left, axis=0), strict=True):
        assert with_filling < without
    assert np.max(untouched) < 0.01
