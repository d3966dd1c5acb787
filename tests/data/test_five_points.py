import logging
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.cache import load_or_build
from thermal_landmarks.data.five_points import (
    HEADER,
    WithFivePoints,
    add_five_points,
    read_five_points,
    write_five_points,
)
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.wflw import Wflw
from thermal_landmarks.errors import ConfigError, DataError

FIVE_OF_WFLW = [96, 97, 54, 76, 82]


class CountingDetector:
    """Finds one face in each image, in its middle, and counts the images."""

    def __init__(self) -> None:
        self.images = 0

    def __call__(self, image: np.ndarray) -> np.ndarray:
        assert image.dtype == np.uint8
        self.images += 1
        face = np.array([[-10, -10], [10, -10], [0, 0], [-8, 10], [8, 10]])
        return face[None] + np.array([image.shape[1], image.shape[0]]) / 2


@pytest.fixture
def wflw(wflw_folder: Path) -> Source:
    return Wflw(folder=wflw_folder)


def test_points_of_a_file_go_to_the_face_whose_box_they_are_in(wflw: Source, tmp_path: Path) -> None:
    first, second, third, *_ = wflw.annotations()
    own = first.points_px[FIVE_OF_WFLW].astype(float)
    write_five_points(
        tmp_path / "five.csv",
        {
            first.image.absolute(): [own + 500, own + 3, own],
            second.image.absolute(): [own - 700],
            third.image.absolute(): [],
        },
    )
    assert set(read_five_points(tmp_path / "five.csv")) == {a.image.absolute() for a in (first, second, third)}
    faces = add_five_points(wflw, file=tmp_path / "five.csv").annotations()
    assert faces[0].five_points_px is not None
    middle = (np.array(first.box_px[:2]) + first.box_px[2:]) / 2  # type: ignore[index]
    nearest = min((own, own + 3), key=lambda points: np.linalg.norm(points.mean(axis=0) - middle))
    np.testing.assert_allclose(faces[0].five_points_px, nearest)
    assert all(face.five_points_px is None for face in faces[1:])


def test_faces_without_five_points_are_counted_aloud_and_shown_by_their_boxes(
    wflw: Source, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faces = wflw.annotations()
    known = {a.image.absolute(): [a.points_px[FIVE_OF_WFLW].astype(float)] for a in faces[:5]}
    write_five_points(tmp_path / "five.csv", known)
    aligned = add_five_points(wflw, file=tmp_path / "five.csv")
    settings = {"image_size": (64, 64), "in_channels": 1, "normalisation": {}}
    by_mode = {}
    with caplog.at_level(logging.WARNING):
        for mode in ("box", "align"):
            preprocessing = Preprocessing.from_settings({**settings, "crop": {"mode": mode}})
            by_mode[mode] = load_or_build(aligned, preprocessing, tmp_path / "cache", workers=1)
    assert "no five points for 3 of 8 faces" in caplog.text
    np.testing.assert_allclose(by_mode["align"].matrix[5:], by_mode["box"].matrix[5:])
    eyes = by_mode["align"].points_px[:5, [96, 97]]
    np.testing.assert_allclose(eyes[:, :, 1].mean(), 0.28 * 64 - 0.5, atol=1.5)
    np.testing.assert_allclose(eyes[:, 0, 1], eyes[:, 1, 1], atol=1e-2)  # upright, whatever the roll of the head
    assert np.ptp(by_mode["box"].points_px[:5, [96, 97], 1], axis=1).max() > 1


def test_the_normalising_rectangle_stays_upright_in_the_original_image(wflw: Source, tmp_path: Path) -> None:
    faces = wflw.annotations()
    write_five_points(
        tmp_path / "five.csv", {a.image.absolute(): [a.points_px[FIVE_OF_WFLW].astype(float)] for a in faces}
    )
    preprocessing = Preprocessing.from_settings(
        {"image_size": (64, 64), "in_channels": 1, "normalisation": {}, "crop": {"mode": "align"}}
    )
    samples = load_or_build(add_five_points(wflw, file=tmp_path / "five.csv"), preprocessing, tmp_path / "c", workers=1)
    expected = [np.ptp(face.points_px, axis=0) for face in faces]
    np.testing.assert_allclose(samples.box_px * samples.pixel_size[:, None], expected, rtol=1e-5)


def test_a_detector_runs_once_an_image_and_its_results_are_kept(wflw: Source, tmp_path: Path) -> None:
    detector = CountingDetector()
    source = WithFivePoints(wflw, file=tmp_path / "five.csv", detector=detector)
    before = source.fingerprint()
    faces = source.annotations()
    assert detector.images == 8
    assert any(face.five_points_px is not None for face in faces)
    again = WithFivePoints(wflw, file=tmp_path / "five.csv", detector=detector)
    assert again.fingerprint() == before
    assert detector.images == 8
    lines = (tmp_path / "five.csv").read_text().splitlines()
    (tmp_path / "five.csv").write_text("\n".join(lines[:-2]))
    assert len(WithFivePoints(wflw, file=tmp_path / "five.csv", detector=detector).annotations()) == 8
    assert detector.images == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,x,y\n", "line 1: expected the columns image,x0,y0,x1"),
        (",".join(HEADER) + "\na.jpg,1,2,3\n", "line 2: expected an image and ten numbers"),
        (",".join(HEADER) + "\na.jpg,1,2,3,4,5,6,7,8,9,nan\n", "line 2: expected an image and ten numbers"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "five.csv").write_text(text)
    with pytest.raises(DataError, match=rf"five\.csv, {message}"):
        read_five_points(tmp_path / "five.csv")


def test_a_detector_needs_a_file_and_a_known_name(wflw: Source, tmp_path: Path) -> None:
    assert add_five_points(wflw) is wflw
    with pytest.raises(ConfigError, match=r"needs data\.five_points\.file"):
        add_five_points(wflw, detector="retinaface")
    with pytest.raises(ConfigError, match="Choose retinaface"):
        add_five_points(wflw, file=tmp_path / "five.csv", detector="mtcnn")


def test_retinaface_finds_the_eyes_of_real_faces(shared_data: Path, tmp_path: Path) -> None:
    folder, eyes = shared_data / "mmpose-samples" / "tests" / "data" / "300w", ([36, 39], [42, 45])
    source = CocoKeypoints(annotation_file=folder / "test_300w.json", scheme="ibug68")
    faces = add_five_points(source, file=tmp_path / "five.csv", detector="retinaface").annotations()
    for face in faces:
        assert face.five_points_px is not None
        true = np.stack([face.points_px[corners].mean(axis=0) for corners in eyes])
        distance = np.linalg.norm(true[1] - true[0])
        assert np.linalg.norm(face.five_points_px[:2] - true, axis=1).max() < 0.2 * distance
