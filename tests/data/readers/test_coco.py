import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.base import WHOLE_PICTURE
from thermal_landmarks.data.readers.coco import CocoKeypoints, write_coco
from thermal_landmarks.errors import DataError

NAMES = ["ala_left", "subnasale", "ala_right", "mouth_left", "upper_lip", "mouth_right"]
POINTS = [(3.0 + i, 5.25 + i) for i in range(6)]


def coco(folder: Path, change: Any = None) -> CocoKeypoints:
    Image.fromarray(np.full((20, 30), 3450, dtype=np.uint16)).save(folder / "a.png")
    content: dict[str, Any] = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 30, "height": 20, "subject": "anna", "unit": "centi_celsius"}
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "keypoints": [v for i, (x, y) in enumerate(POINTS) for v in (x, y, (2, 1, 0, 2, 2, 2)[i])],
                "bbox": [2, 4, 10, 12],
            }
        ],
    }
    if change:
        change(content)
    (folder / "labels.json").write_text(json.dumps(content))
    return CocoKeypoints(annotation_file=folder / "labels.json", scheme="perinasal6")


def test_flags_boxes_subjects_and_units_are_read(tmp_path: Path) -> None:
    source = coco(tmp_path)
    (annotation,) = source.annotations()
    assert annotation.subject == "anna"
    assert annotation.box_px == (2, 4, 12, 16)
    assert annotation.visible is not None
    assert annotation.visible.tolist() == [True, False, False, True, True, True]
    assert np.isnan(annotation.points_px[2]).all()
    np.testing.assert_array_equal(np.delete(annotation.points_px, 2, 0), np.delete(np.array(POINTS), 2, 0))
    image = source.load(annotation)
    assert image.unit == "celsius"
    assert image.values == pytest.approx(34.5)


def test_writing_and_reading_gives_the_same_annotations(tmp_path: Path) -> None:
    (before,) = coco(tmp_path).annotations()
    write_coco(tmp_path / "out" / "copy.json", [before], scheme="perinasal6", sizes={before.image: (20, 30)})
    source = CocoKeypoints(annotation_file=tmp_path / "out" / "copy.json", scheme="perinasal6")
    (after,) = source.annotations()
    np.testing.assert_array_equal(after.points_px, before.points_px)
    np.testing.assert_array_equal(after.visible, before.visible)
    assert (after.subject, after.box_px) == (before.subject, before.box_px)
    assert source.load(after).unit == "celsius"


def test_two_people_in_one_picture_stay_two_people(tmp_path: Path) -> None:
    coco(tmp_path)
    points = np.array(POINTS, dtype=np.float32)
    people = [Annotation(tmp_path / "a.png", points, name) for name in ("anna", "bo")]
    write_coco(tmp_path / "two.json", people, scheme="perinasal6", sizes={tmp_path / "a.png": (20, 30)})
    source = CocoKeypoints(annotation_file=tmp_path / "two.json", scheme="perinasal6")
    assert [a.subject for a in source.annotations()] == ["anna", "bo"]


@pytest.mark.parametrize("subject", [{}, {"subject": None}, {"subject": ""}])
def test_an_image_without_a_subject_is_a_person_of_its_own_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, subject: dict[str, str | None]
) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["images"][0]["subject"]
        content["images"][0].update(subject)

    (annotation,) = coco(tmp_path, change).annotations()
    assert annotation.subject == "a.png"
    assert caplog.text.count("no subject is given for 1 image") == 1


def test_the_fingerprint_follows_the_temperature_table_of_fluke_images(tmp_path: Path) -> None:
    def fingerprint() -> str:
        return coco(tmp_path, lambda c: c["images"][0].update(file_name="a.IS2")).fingerprint()

    (tmp_path / "a.IS2").write_bytes(b"zip")
    seen = [fingerprint()]
    for table in ("4000 20\n4100 22\n", "4000 20\n4100 22.5\n"):
        (tmp_path / "counts_to_celsius.dat").write_text(table)
        seen += [fingerprint(), fingerprint()]
    assert seen[1] == seen[2]
    assert seen[3] == seen[4]
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"].__setitem__(0, {"id": 1, "image_id": 7}), "annotation id 1: no 'keypoints'"),
        (lambda c: c["annotations"][0]["keypoints"].pop(), "annotation id 1: no 'keypoints'"),
        (lambda c: c["annotations"][0]["keypoints"].__setitem__(2, 5), "annotation id 1: a visibility flag"),
        (lambda c: c["annotations"][0]["keypoints"].extend([1, 1, 2]), "id 1: 7 landmarks, but .*'perinasal6' has 6"),
        (lambda c: c["images"][0].update(unit="celcius"), "labels.json, annotation id 1: Unknown unit 'celcius'"),
        (lambda c: c["images"][0].update(width=60, height=40), "30 x 20 pixels, but .* is for 60 x 40"),
        (
            lambda c: c["annotations"][0].update(keypoints=[0] * 18, bbox=None),
            "annotation id 1: no landmark is annotated",
        ),
    ],
)
def test_a_bad_record_is_an_error_of_that_item(tmp_path: Path, change: Any, message: str) -> None:
    source = coco(tmp_path, change)
    with pytest.raises(DataError, match=message):
        source.load(source.annotations()[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("images"), "no list 'images'"),
        (lambda c: c["images"][0].pop("id"), r"images\[0\]"),
        (lambda c: c["images"].append(c["images"][0]), r"images\[1\]: the id 7 is there twice"),
        (lambda c: c["annotations"][0].update(image_id=8), r"annotations\[0\]: image_id 8"),
        (lambda c: c.update(categories=[{"id": 1, "keypoints": NAMES[::-1]}]), "another order"),
        *((lambda c, i=i: c["images"][0].update(id=i), "expected an object with an 'id'") for i in (None, [7], 0.5)),
    ],
)
def test_a_file_in_bad_shape_names_the_place(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        coco(tmp_path, change).annotations()


def test_text_that_is_not_json_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"images": [\n  oops\n]}')
    with pytest.raises(DataError, match=r"labels.json, line 2"):
        CocoKeypoints(annotation_file=tmp_path / "labels.json", scheme="face16").annotations()


@pytest.mark.parametrize("face", [{"name": "head", "keypoints": NAMES}, {"name": "Face"}])
def test_boxes_of_crowds_and_other_things_are_no_faces(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, face: dict
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["categories"] = [{"id": 2, "name": "kettle"}, {"id": 1, **face}]
        content["annotations"][0]["category_id"] = 1
        content["annotations"] += [{"id": 2, "image_id": 7, "bbox": [1, 1, 5, 5], "category_id": n} for n in (2, None)]
        content["images"] += [{"id": n, "file_name": f"{n}.png"} for n in ("crowd", "kettle")]
        content["annotations"].append({"id": 3, "image_id": "crowd", "bbox": [1, 1, 9, 9], "iscrowd": 1})
        content["annotations"].append({"id": 4, "image_id": "kettle", "bbox": [1, 1, 9, 9], "category_id": 2})

    for name in ("crowd.png", "kettle.png"):
        Image.fromarray(np.zeros((20, 30), dtype=np.uint8)).save(tmp_path / name)
    source = coco(tmp_path, change)
    faces = source.annotations()
    assert [picture.image.name for picture in source.faceless] == ["crowd.png", "kettle.png"]
    assert [annotation.box_px for annotation in faces] == [(2, 4, 12, 16), (1, 1, 6, 6)]  # one says nothing
    assert {image.name: boxes for image, boxes in source.ignored.items()} == {"crowd.png": [(1, 1, 10, 10)]}
    assert "2 annotation(s) of other things than faces" in caplog.text
    assert "1 annotation(s) are crowds or to be ignored" in caplog.text


def test_faces_to_be_ignored_are_regions_and_no_faces(tmp_path: Path) -> None:
    plain = coco(tmp_path).fingerprint()

    def change(content: dict[str, Any]) -> None:
        content["annotations"].append({"id": 2, "image_id": 7, "bbox": [3, 4, 5, 6], "ignore": 1})
        content["annotations"].append({"id": 3, "image_id": 7, "ignore": 1})  # it may be anywhere
        content["annotations"].append({"id": 4, "image_id": 7, "bbox": [1, 1, 5, 5], "ignore": 0})

    source = coco(tmp_path, change)
    assert [face.box_px for face in source.annotations()] == [(2, 4, 12, 16), (1, 1, 6, 6)]
    ((image, regions),) = source.ignored.items()
    assert image == source.annotations()[0].image
    assert regions == [(3, 4, 8, 10), WHOLE_PICTURE]
    assert not source.faceless
    assert source.fingerprint() != plain


def test_the_fingerprint_follows_images_points_and_settings(tmp_path: Path) -> None:
    first = coco(tmp_path).fingerprint()
    stamp = (tmp_path / "a.png").stat()
    assert CocoKeypoints(annotation_file=tmp_path / "labels.json", scheme="perinasal6").fingerprint() == first
    moved = coco(tmp_path, lambda c: c["annotations"][0]["keypoints"].__setitem__(0, 3.5))
    seen = {first, moved.fingerprint()}
    seen.add(CocoKeypoints(annotation_file=tmp_path / "labels.json", scheme="perinasal6", unit="kelvin").fingerprint())
    Image.fromarray(np.zeros((21, 30), dtype=np.uint16)).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat() != stamp
    seen.add(CocoKeypoints(annotation_file=tmp_path / "labels.json", scheme="perinasal6").fingerprint())
    assert len(seen) == 4


def test_a_pickled_reader_loads_images_and_carries_no_annotations(tmp_path: Path) -> None:
    source = coco(tmp_path)
    (annotation,) = source.annotations()
    before = len(pickle.dumps(coco(tmp_path)))
    copy = pickle.loads(pickle.dumps(source))
    assert copy.load(annotation).values.shape == (20, 30)
    assert len(pickle.dumps(source)) == before


@pytest.mark.parametrize(
    ("image_id", "other"), [(7, "7"), ("7", 7), ("p1/a.png", "p1/a.png"), (7.0, 7), (10**400, str(10**400))]
)
def test_ids_may_be_numbers_or_text(tmp_path: Path, image_id: Any, other: Any) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][0]["id"] = image_id
        content["annotations"][0]["image_id"] = other

    assert coco(tmp_path, change).annotations()[0].image.name == "a.png"


def moved(tmp_path: Path, annotations: str, picture: str, name: str) -> CocoKeypoints:
    """The file and its picture moved to other places, under another name."""
    coco(tmp_path, lambda c: c["images"][0].update(file_name=name))
    for old, new in (("labels.json", annotations), ("a.png", picture)):
        (tmp_path / new).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / old).rename(tmp_path / new)
    return CocoKeypoints(annotation_file=tmp_path / annotations, scheme="perinasal6")


@pytest.mark.parametrize(
    ("annotations", "picture", "name"),
    [
        ("x/labels.json", "x/images/a.png", "a.png"),
        ("annotations/person_keypoints_default.json", "images/default/a.png", "a.png"),  # CVAT
        ("annotations/person_keypoints_default.json", "images/default/sub/a.png", "sub/a.png"),
        ("annotations/person_keypoints_Train.json", "images/Train/a.png", "a.png"),
        ("annotations/person_keypoints_train2017.json", "train2017/a.png", "a.png"),  # COCO
        ("train/_annotations.coco.json", "train/a_jpg.rf.1b2c.png", "a_jpg.rf.1b2c.png"),  # Roboflow
        ("result.json", "images/1b2c-a.png", "images\\1b2c-a.png"),  # Label Studio under Windows
        ("result.json", "images/1b2c-a.png", "../../label-studio/data/media/upload/3/1b2c-a.png"),
        ("result.json", "images/1b2c-my face.png", "/data/upload/3/1b2c-my%20face.png"),
        ("result.json", "faces/a b.png", "/data/local-files/?d=faces%2Fa%20b.png"),
        ("labels.json", "faces/a.png", "C:\\Users\\me\\faces\\a.png"),
        ("labels.json", "100%25.png", "100%25.png"),
        ("labels.json", "a#b.png", "a#b.png"),
    ],
)
def test_images_are_found_in_the_usual_layouts(tmp_path: Path, annotations: str, picture: str, name: str) -> None:
    source = moved(tmp_path, annotations, picture, name)
    (face,) = source.annotations()
    assert face.image.resolve() == (tmp_path / picture).resolve()
    assert source.load(face).values.shape == (20, 30)


def test_an_image_that_is_nowhere_names_the_setting_and_the_folders(tmp_path: Path) -> None:
    source = moved(tmp_path, "x/labels.json", "elsewhere/a.png", "a.png")
    (tmp_path / "images").mkdir()
    places = rf"no image 'a.png'. Looked in {tmp_path}/x, {tmp_path}, {tmp_path}/images. Set data.source.image_dir"
    with pytest.raises(DataError, match=places):
        source.annotations()


def test_one_of_several_images_that_is_nowhere_is_an_error_of_that_item(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"].append({"id": 8, "file_name": "gone.png"})
        content["annotations"].append(content["annotations"][0] | {"id": 2, "image_id": 8})

    source = coco(tmp_path, change)
    good, bad = source.annotations()
    assert source.load(good).values.shape == (20, 30)
    with pytest.raises(DataError, match=r"annotation id 2: no image 'gone.png'. Looked in"):
        source.load(bad)


def test_two_names_that_lead_to_one_file_are_refused(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"] = [{"id": i, "file_name": f"other/{i}/a.png"} for i in (7, 8)]

    with pytest.raises(DataError, match=r"a.png: is found both for the name 'other/7/a.png' and for 'other/8/a.png'"):
        coco(tmp_path, change).annotations()


def test_real_thermal_faces_are_read(shared_data: Path) -> None:
    folder = shared_data / "thermal-real"
    source = CocoKeypoints(annotation_file=folder / "annotations.json", image_dir=folder / "images", scheme="face16")
    annotations = source.annotations()
    assert [a.subject for a in annotations] == ["s01", "s02", "s02", "s05"]
    for annotation in annotations:
        image = source.load(annotation)
        assert image.values.shape == (480, 640)
        eyes, chin = annotation.points_px[2:6], annotation.points_px[15]
        assert (eyes[:, 1] < chin[1]).all()
        x, y = annotation.points_px.mean(axis=0).round().astype(int)
        assert 30 < image.values[y, x] < 40  # skin
        assert image.values[y, x] > image.values[5, 5] + 5  # warmer than the room
