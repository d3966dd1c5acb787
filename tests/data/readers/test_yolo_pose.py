from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.errors import ConfigError, DataError

SIZE = (20, 40)  # height, width
POINTS = np.array([[4, 3], [8, 5], [12, 3], [3, 9], [8, 8], [13, 9]])  # perinasal6, pixels


def line(points: np.ndarray, third: Sequence[float] | None = None) -> str:
    """A face as Ultralytics writes it, in fractions; its box goes from pixel edge 2 to 16 and 1 to 13."""
    height, width = SIZE
    fractions = (points + 0.5) / [width, height]
    columns = fractions if third is None else np.column_stack([fractions, third])
    box = (9 / width, 7 / height, 14 / width, 12 / height)
    return " ".join(f"{number:.9g}" for number in (0, *box, *columns.ravel()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two parts, `train` with two faces in one image and an image without a face, `val` with one."""
    for name in ("train/p1_a", "train/p2_b", "val/p3_c"):
        for kind in ("images", "labels"):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / f"images/{name}.png")
    visibility = [2, 2, 2, 1, 0, 2]
    labels = tmp_path / "labels"
    (labels / "train/p1_a.txt").write_text(f"{line(POINTS, visibility)}\n{line(POINTS + 2, visibility)}\n", "utf-8")
    (labels / "train/p2_b.txt").write_text("\n", encoding="utf-8")
    (labels / "val/p3_c.txt").write_text(line(POINTS, visibility), encoding="utf-8")
    description = (
        "path: ../datasets/faces\ntrain: images/train\nval: [images/val]\nkpt_shape: [6, 3]\nnames: {0: face}\n"
    )
    (tmp_path / "data.yaml").write_text(description, encoding="utf-8")
    return tmp_path


def reader(folder: Path, **settings: object) -> YoloPose:
    return YoloPose(**{"folder": folder, "scheme": "perinasal6", **settings})  # type: ignore[arg-type]


def test_faces_of_every_part_come_in_pixels_with_boxes_and_visibility(folder: Path) -> None:
    source = reader(folder, subject_pattern=r"(p\d)_")
    faces = source.annotations()
    assert [(face.image.name, face.subject) for face in faces] == [("p1_a.png", "p1")] * 2 + [("p3_c.png", "p3")]
    seen = np.array([0, 1, 2, 3, 5])
    np.testing.assert_allclose(faces[0].points_px[seen], POINTS[seen], atol=1e-5)
    np.testing.assert_allclose(faces[1].points_px[seen], POINTS[seen] + 2, atol=1e-5)
    assert np.isnan(faces[0].points_px[4]).all()
    assert faces[0].visible is not None
    assert faces[0].visible.tolist() == [True, True, True, False, False, True]
    assert faces[0].box_px is not None
    np.testing.assert_allclose(faces[0].box_px, (1.5, 0.5, 15.5, 12.5), atol=1e-5)
    assert faces[1].location.endswith("p1_a.txt, line 2")
    assert source.load(faces[2]).values.shape == SIZE


def test_a_part_of_the_data_sets_yaml(folder: Path) -> None:
    assert [face.image.name for face in reader(folder, part="val").annotations()] == ["p3_c.png"]
    assert len(reader(folder, part="train").annotations()) == 2
    with pytest.raises(DataError, match="no folder of images under 'test'"):
        reader(folder, part="test").annotations()
    with pytest.raises(ConfigError, match="train, val, test"):
        reader(folder, part="all")


def test_confidences_and_points_without_a_third_number(folder: Path) -> None:
    confident = line(POINTS, [0.9, 1, 0.2, 0.9, 0.9, 0.9])
    (folder / "labels/val/p3_c.txt").write_text(f"{confident}\n{line(POINTS)}", encoding="utf-8")
    first, second = reader(folder, part="val", min_confidence=0.5).annotations()
    assert np.isnan(first.points_px).any(axis=1).tolist() == [False, False, True, False, False, False]
    assert first.visible is second.visible is None
    np.testing.assert_allclose(second.points_px, POINTS, atol=1e-5)
    (folder / "labels/val/p3_c.txt").write_text(line(np.vstack([[[-0.5, -0.5]], POINTS[1:]])), encoding="utf-8")
    (face,) = reader(folder, part="val").annotations()
    assert np.isnan(face.points_px[0]).all()


def test_boxes_of_other_classes_are_no_faces(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train/p1_a", "val/p3_c"):
        label = folder / f"labels/{name}.txt"
        label.write_text(f"1 0.5 0.5 0.1 0.1\n{label.read_text() if 'p1' in name else ''}", encoding="utf-8")
    description = (folder / "data.yaml").read_text().replace("names: {0: face}", "names: [face, kettle]")
    (folder / "data.yaml").write_text(description, encoding="utf-8")
    source = reader(folder)
    assert [face.location.rpartition("/")[2] for face in source.annotations()] == [
        "p1_a.txt, line 2",
        "p1_a.txt, line 3",
    ]
    assert {picture.image.name for picture in source.faceless} == {"p2_b.png", "p3_c.png"}
    assert "2 line(s) of other classes than `face` are left out" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.1", r"line 1: 4 numbers, expected .* 17 or 23"),
        (line(POINTS).replace("0 0.", "0 x.", 1), "line 1: could not convert"),
        (line(POINTS * 40), r"line 1: found [\d.]+, expected fractions"),
        (line(POINTS).replace("0 0.", "0 nan ", 1).rsplit(maxsplit=1)[0], "line 1: found nan"),
        ("0 0.5 0.5 0 0.1 " + " ".join(["0.5"] * 12), "the face box has no area"),
    ],
)
def test_a_bad_line_is_an_error_of_that_face(folder: Path, text: str, message: str) -> None:
    (folder / "labels/val/p3_c.txt").write_text(text, encoding="utf-8")
    source = reader(folder, part="val")
    with pytest.raises(DataError, match=message):
        source.load(source.annotations()[0])


def test_another_number_of_points_than_the_yaml_states_is_refused(folder: Path) -> None:
    said = r"(?s)kpt_shape is \[6, 3\], but scheme 'face16' has 16 points.* Schemes of as many points: perinasal6 \(6\)"
    with pytest.raises(DataError, match=said):
        reader(folder, scheme="face16").annotations()


def test_a_line_of_another_scheme_tells_which_schemes_fit(folder: Path) -> None:
    text = " ".join(["0 0.5 0.5 0.2 0.2", *["0.5 0.5 1"] * 54])
    (folder / "labels/val/p3_c.txt").write_text(text, encoding="utf-8")
    source = reader(folder, part="val")
    with pytest.raises(DataError, match=r"167 numbers.* data.source.scheme.* Schemes of as many points: sftl54 \(54\)"):
        source.load(source.annotations()[0])


def test_labels_without_their_image_and_a_folder_without_labels(folder: Path, tmp_path: Path) -> None:
    (folder / "images/val/p3_c.png").unlink()
    source = reader(folder, part="val")
    with pytest.raises(DataError, match=r"no image named p3_c in .*images/val or .*labels/val. Set data.source.images"):
        source.load(source.annotations()[0])
    with pytest.raises(DataError, match="no text file in a folder 'labels'"):
        reader(folder / "images").annotations()


def test_real_drivers_are_read(shared_data: Path) -> None:
    folder = shared_data / "drivers"
    source = YoloPose(folder=folder, scheme="sftl54", images="Jpg", subject_pattern=r"1_([^_]+)_")
    faces = source.annotations()
    assert {face.subject for face in faces} == {"Man", "Woman"}
    assert len({face.image for face in faces}) > 500
    image = source.load(faces[0])
    assert image.values.shape == (240, 320)
    for face in faces[::50]:
        assert face.box_px is not None
        eyes, chin = face.points_px[36:48], face.points_px[8]
        assert (eyes[:, 1] < chin[1]).all()
        left, top, right, bottom = face.box_px
        assert left < face.points_px[27, 0] < right
        assert top < face.points_px[30, 1] < bottom
