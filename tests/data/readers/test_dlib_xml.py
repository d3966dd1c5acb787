from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.readers.dlib_xml import DlibXml
from thermal_landmarks.errors import ConfigError, DataError


def write(folder: Path, boxes: str, name: str = "p1_a.png") -> Path:
    Image.fromarray(np.zeros((40, 50), dtype=np.uint8)).save(folder / name)
    path = folder / "faces.xml"
    path.write_text(f"<dataset><images><image file='{name}' width='50' height='40'>{boxes}</image></images></dataset>")
    return path


def box(parts: int = 6, skip: int | None = None, shift: int = 0) -> str:
    named = [f"<part name='{i:02}' x='{i + shift}' y='{2 * i}'/>" for i in range(parts) if i != skip]
    return f"<box top='3' left='4' width='10' height='12'>{''.join(reversed(named))}</box>"


def test_each_box_is_a_face_with_parts_by_name(tmp_path: Path) -> None:
    source = DlibXml(annotation_file=write(tmp_path, box() + box(shift=5)), scheme="perinasal6")
    first, second = source.annotations()
    np.testing.assert_array_equal(first.points_px, [(i, 2 * i) for i in range(6)])
    np.testing.assert_array_equal(second.points_px[:, 0], np.arange(6) + 5)
    assert first.box_px == (4, 3, 14, 15)
    assert first.subject == second.subject
    assert source.load(first).values.shape == (40, 50)


@pytest.mark.parametrize(("parts", "absent"), [(box(skip=2), [2]), (box(0), range(6))])
def test_an_absent_part_is_a_missing_landmark(tmp_path: Path, parts: str, absent: list[int]) -> None:
    (face,) = DlibXml(annotation_file=write(tmp_path, parts), scheme="perinasal6").annotations()
    assert np.flatnonzero(np.isnan(face.points_px).any(axis=1)).tolist() == list(absent)
    assert face.box_px == (4, 3, 14, 15)  # without a part it is a face that a finder learns from


def test_ignored_boxes_are_regions_and_no_faces(tmp_path: Path) -> None:
    ignored = box().replace("<box", "<box ignore='1'").replace("left='4'", "left='20'")
    source = DlibXml(annotation_file=write(tmp_path, box() + ignored), scheme="perinasal6")
    assert [face.box_px for face in source.annotations()] == [(4, 3, 14, 15)]
    assert dict(source.ignored) == {tmp_path / "p1_a.png": [(20, 3, 30, 15)]}


def test_a_pattern_finds_the_subject(tmp_path: Path) -> None:
    path = write(tmp_path, box())
    assert (
        DlibXml(annotation_file=path, scheme="perinasal6", subject_pattern=r"^(p\d)_").annotations()[0].subject == "p1"
    )
    with pytest.raises(DataError, match="doesn't match"):
        DlibXml(annotation_file=path, scheme="perinasal6", subject_pattern=r"^(x\d)_").annotations()
    for pattern in ("(", "no group"):
        with pytest.raises(ConfigError, match="subject_pattern"):
            DlibXml(annotation_file=path, scheme="perinasal6", subject_pattern=pattern)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (box(7), "box 0: part '06', but scheme 'perinasal6' ends with 5"),
        (box().replace("top='3'", ""), "box 0: the image, box or a part has a missing or wrong attribute .*top"),
        (box().replace("x='1'", "x='one'"), "box 0: the image, box or a part has a missing or wrong attribute"),
        (box().replace("width='10'", "width='0'"), "box 0: the face box has no area"),
        (box().replace("height='12'", "height='-12'"), "box 0: the face box has no area"),
    ],
)
def test_a_bad_box_is_an_error_of_that_face(tmp_path: Path, boxes: str, message: str) -> None:
    source = DlibXml(annotation_file=write(tmp_path, boxes), scheme="perinasal6")
    with pytest.raises(DataError, match=message):
        source.load(source.annotations()[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<dataset><images>", "not valid XML"),
        (None, "no such file"),
        ("<dataset/>", "no annotation found"),
        ("<dataset><image/></dataset>", "image 0: no attribute 'file'"),
    ],
)
def test_files_that_are_no_xml_or_missing_or_empty_are_errors(tmp_path: Path, content: str, message: str) -> None:
    if content is not None:
        (tmp_path / "a.xml").write_text(content)
    with pytest.raises(DataError, match=message):
        DlibXml(annotation_file=tmp_path / "a.xml").annotations()


@pytest.mark.parametrize(("name", "faces", "images"), [("training", 18, 4), ("testing", 25, 5)])
def test_real_faces_lie_in_their_boxes(shared_data: Path, name: str, faces: int, images: int) -> None:
    path = shared_data / "dlib-faces" / "faces" / f"{name}_with_face_landmarks.xml"
    source = DlibXml(annotation_file=path)
    annotations = source.annotations()
    assert len(annotations) == faces
    assert len({a.subject for a in annotations}) == images
    for face in annotations:
        assert face.box_px is not None
        left, top, right, bottom = face.box_px
        x, y = face.points_px[27:36].mean(axis=0)  # the nose
        assert left < x < right
        assert top < y < bottom
        source.load(face)
