import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.readers.pts import PtsFolder
from thermal_landmarks.errors import DataError

LINES = [f"{i + 1}.5 {2 * i + 1}" for i in range(6)]


def write(folder: Path, text: str | None = None, image: str = "a.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.pts").write_text(text or "version: 1\nn_points: 6\n{\n" + "\n".join(LINES) + "\n}\n")
    (folder / image).parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((20, 30), dtype=np.uint8)).save(folder / image)
    return folder


def test_coordinates_count_from_one_in_the_file_and_from_zero_here(tmp_path: Path) -> None:
    source = PtsFolder(folder=write(tmp_path), scheme="perinasal6")
    (face,) = source.annotations()
    np.testing.assert_array_equal(face.points_px, [(i + 0.5, 2 * i) for i in range(6)])
    assert source.load(face).values.shape == (20, 30)


def test_images_are_found_beside_or_next_door_or_where_told(tmp_path: Path) -> None:
    write(tmp_path / "x" / "annot", image="../imgs/a.png")
    (near,) = PtsFolder(folder=tmp_path / "x", scheme="perinasal6", subject_pattern="(annot)").annotations()
    assert near.image.resolve() == (tmp_path / "x" / "imgs" / "a.png").resolve()
    assert near.subject == "annot"
    (tmp_path / "far" / "annot").mkdir(parents=True)
    np.save(tmp_path / "far" / "annot" / "a.npy", np.zeros((20, 30)))
    (far,) = PtsFolder(folder=tmp_path / "x", image_dir=tmp_path / "far", scheme="perinasal6").annotations()
    assert far.image == tmp_path / "far" / "annot" / "a.npy"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_points: 6\n{\n1 2\n}", "a.pts: states 6 points and holds 1"),
        ("version: 1\nn_points: 2\n{\n1 2\n3 x\n}", "a.pts: line 5: found '3 x'"),
        ("1 2\n3 4\n", "a.pts: expected 'n_points: N'"),
        ("n_points: 1\n{\n1 2\n}", "a.pts: 1 landmarks, but scheme 'perinasal6' has 6"),
    ],
)
def test_a_bad_file_is_an_error_of_that_face_alone(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "bad", text)
    write(tmp_path / "good")
    source = PtsFolder(folder=tmp_path, scheme="perinasal6")
    bad, good = source.annotations()
    source.load(good)
    with pytest.raises(DataError, match=message.replace("a.pts", r"a\.pts")):
        source.load(bad)


def test_points_without_an_image_are_an_error_of_that_face(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "b.pts").write_text((tmp_path / "a.pts").read_text())
    source = PtsFolder(folder=tmp_path, scheme="perinasal6")
    with pytest.raises(DataError, match=r"b\.pts: no image named b"):
        source.load(source.annotations()[1])


def test_folders_missing_or_empty_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        PtsFolder(folder=tmp_path / "gone").annotations()
    with pytest.raises(DataError, match="no annotation found"):
        PtsFolder(folder=tmp_path).annotations()


def test_real_video_frames_agree_with_their_json(shared_data: Path) -> None:
    folder = shared_data / "mmpose-samples" / "tests" / "data" / "300vw"
    source = PtsFolder(folder=folder, subject_pattern=r"^(\d+)/")
    faces = source.annotations()
    assert [face.subject for face in faces] == ["001", "001", "401", "401"]
    content = json.loads((folder / "anno_300vw.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    listed = {names[a["image_id"]]: np.reshape(a["keypoints"], (-1, 3))[:, :2] for a in content["annotations"]}
    compared = 0
    for face in faces:
        source.load(face)
        name = f"{face.subject}/imgs/{face.image.name}"
        if name in listed:
            # that file keeps the coordinates that count from one
            np.testing.assert_allclose(face.points_px + 1, listed[name], atol=1e-3)
            compared += 1
    assert compared >= 2
