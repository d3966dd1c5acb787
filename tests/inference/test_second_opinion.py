"""The landmark network's own look at the whole picture, where the finder is sure of no face."""

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import box_around
from thermal_landmarks.inference.faces import with_whole_image
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import Detections, box_overlap


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_checkpoint("thermal_real", device="cpu", speed="fast")


@pytest.fixture(scope="module")
def portrait(predictor: Predictor) -> tuple[ThermalImage, np.ndarray]:
    faces = SyntheticFaces(subjects=1, images_per_subject=1, size=(120, 160), seed=5, pose={"yaw_deg": (0, 0)})
    annotation = faces.annotations()[0]
    return faces.load(annotation), box_around(
        annotation.points_px, predictor.scheme, predictor.preprocessing.reference
    )[0]


def suspected(*boxes: np.ndarray, score: float) -> Detections:
    count = len(boxes)
    return Detections(
        np.array(boxes, dtype=np.float32).reshape(-1, 4), np.full(count, score, dtype=np.float32), np.zeros(count)
    )


def test_a_misplaced_suspicion_moves_onto_the_face_that_fills_the_picture(
    predictor: Predictor, portrait: tuple[ThermalImage, np.ndarray]
) -> None:
    image, box = portrait
    height = box[3] - box[1]
    misplaced, elsewhere = box + height * np.array([0, 0.35, 0, 0.35]), np.array([0.0, 0.0, 8.0, 10.0])
    found = with_whole_image(predictor, image, suspected(misplaced, elsewhere, score=0.2))
    assert box_overlap(misplaced[None], box[None])[0, 0] < 0.55
    assert box_overlap(found.boxes_px.astype(float), box[None])[0, 0] > 0.8
    np.testing.assert_allclose(found.score, [0.3, 0.2])
    np.testing.assert_array_equal(found.boxes_px[1], elsewhere)


def test_sure_faces_small_ones_and_empty_pictures_are_left_as_the_finder_saw_them(
    predictor: Predictor, portrait: tuple[ThermalImage, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, box = portrait
    small = suspected(np.array([0.0, 0.0, 8.0, 10.0]), score=0.2)
    assert with_whole_image(predictor, image, small) is small

    def no_look(*_: object) -> None:
        raise AssertionError("looked at the whole image without need")

    monkeypatch.setattr(Predictor, "__call__", no_look)
    for found in (suspected(score=0.2), suspected(box, score=0.6)):
        assert with_whole_image(predictor, image, found) is found


def test_a_face_that_the_second_look_is_sure_of_is_left_where_the_finder_saw_it(
    predictor: Predictor, portrait: tuple[ThermalImage, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, box = portrait
    misplaced = suspected(box + (box[3] - box[1]) * np.array([0, 0.35, 0, 0.35]), score=0.2)
    monkeypatch.setattr(Finder, "__call__", lambda *_, **__: misplaced)
    for score, moved in ((0.5, False), (0.3, True)):
        verified = misplaced._replace(score=np.full(1, score, dtype=np.float32))
        monkeypatch.setattr(Finder, "verified", lambda _, __, found, v=verified: v if found is misplaced else found)
        assert (not np.array_equal(predictor.find(image).boxes_px, misplaced.boxes_px)) == moved
