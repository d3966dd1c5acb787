"""Annotated pictures as a finder's scenes: several faces a picture, boxes alone, and pictures without a face."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thermal_landmarks.data.face_frames import expected_points
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.data.scenes.annotated import AnnotatedScenes
from thermal_landmarks.data.scenes.batch import Faces
from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.data.scenes.store import load_or_render
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.models.face_decoding import Detections
from thermal_landmarks.training.face_loss import face_targets

SIZE = (96, 128)


def landmarks(x: float, y: float, height: float) -> np.ndarray:
    """An upright face whose box has its middle at x, y and this height."""
    points, _ = expected_points(get_scheme("face16"), None, (1, 1), share=height)
    return points + np.array([x, y])


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Two faces by landmarks in `a`, one by its box in `b`, none in `c`; each of another subject."""
    images, faces = [], []
    for number, name in enumerate("abc"):
        values = np.random.default_rng(number).integers(0, 255, SIZE, dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{name}.png")
        images.append({"id": name, "file_name": f"{name}.png", "subject": f"person {name}"})
    for x in (30.0, 90.0):
        triples = [value for px, py in landmarks(x, 50, 40).tolist() for value in (px, py, 2)]
        faces.append({"image_id": "a", "keypoints": triples})
    faces.append({"image_id": "b", "bbox": [20, 10, 30, 40]})
    path = tmp_path / "faces.json"
    path.write_text(json.dumps({"images": images, "annotations": faces, "categories": []}))
    return path


def test_a_scene_has_every_face_of_its_picture_and_a_picture_may_have_none(coco: Path, tmp_path: Path) -> None:
    scenes = AnnotatedScenes(CocoKeypoints(annotation_file=coco, scheme="face16"))
    assert scenes.subjects == ["person a", "person b", "person c"]
    stored = load_or_render(scenes, SIZE, tmp_path, workers=1)
    assert stored.is_face.sum(axis=1).tolist() == [2, 1, 0]
    x0, y0, x1, y1 = stored.boxes_px[0, :2].T
    np.testing.assert_allclose(np.sort((x0 + x1) / 2), [30, 90], atol=0.1)
    np.testing.assert_allclose(y1 - y0, 40, atol=0.1)
    np.testing.assert_allclose(stored.angle_deg[0, :2], 0, atol=0.1)
    np.testing.assert_allclose(stored.boxes_px[1, 0], [20, 10, 50, 50])
    assert stored.images[2].std() > 10


def test_what_is_to_be_ignored_is_neither_face_nor_background(coco: Path, tmp_path: Path) -> None:
    content = json.loads(coco.read_text())
    content["annotations"] += [
        {"image_id": "b", "bbox": [60, 20, 60, 20], "ignore": 1},
        {"image_id": "c", "bbox": [0, 0, 64, 96], "iscrowd": 1},
    ]
    coco.write_text(json.dumps(content))
    stored = load_or_render(
        AnnotatedScenes(CocoKeypoints(annotation_file=coco, scheme="face16")), SIZE, tmp_path, workers=1
    )
    boxes = torch.from_numpy(stored.boxes_px[1:])
    there, is_face = ~boxes.isnan().any(dim=2), torch.from_numpy(stored.is_face[1:])
    assert there.sum(dim=1).tolist() == [2, 1]
    faces = Faces(boxes, torch.zeros(boxes.shape[:2]), is_face, there & ~is_face)
    counts = face_targets(faces, 4, (24, 32)).counts
    assert not counts[0, 5:10, 15:30].any()  # the region is not taught
    assert counts[0, 3, 8]  # the face beside it is
    assert counts[0, 12:].all()
    assert not counts[1, :, :16].any()
    assert counts[1, :, 17:].all()
    scores = FindingScores()
    found = Detections(
        np.array([[20, 10, 50, 50], [70, 20, 90, 40], [20, 60, 40, 90]], np.float32),
        np.array([0.9, 0.8, 0.7], np.float32),
        np.zeros(3, np.float32),
    )
    scores.add(found, stored.boxes_px[1, is_face[0].numpy()], stored.boxes_px[1, (there & ~is_face)[0].numpy()])
    assert scores.curve().precision.tolist() == [1.0, 0.5]  # what lies in the region doesn't count


def test_boxes_of_yolo_labels_and_empty_label_files_are_scenes(tmp_path: Path) -> None:
    for name, label in (("a", "0 0.5 0.5 0.25 0.5\n0 0.25 0.5 0.125 0.25\n"), ("b", "")):
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "labels" / f"{name}.txt").write_text(label)
    scenes = AnnotatedScenes(YoloPose(folder=tmp_path, scheme="face16"))
    faces = scenes.render(0).faces
    assert [face.box_px for face in faces] == [(47.5, 23.5, 79.5, 71.5), (23.5, 35.5, 39.5, 59.5)]
    assert scenes.render(1).faces == ()
    assert len(scenes) == 2


def test_a_face_whose_place_is_not_known_is_refused_or_its_picture_left_out(coco: Path) -> None:
    content = json.loads(coco.read_text())
    nowhere = [0, 0, 0] * 15 + [5, 5, 2]
    content["annotations"].append({"id": 7, "image_id": "a", "keypoints": nowhere})
    coco.write_text(json.dumps(content))
    source = CocoKeypoints(annotation_file=coco, scheme="face16")
    with pytest.raises(DataError, match=r"1 face\(s\) with neither a box nor two landmarks:\n.*annotation id 7"):
        AnnotatedScenes(source)
    with pytest.warns(UserWarning, match="neither a box nor two landmarks"):
        left = AnnotatedScenes(source, on_bad_item="skip")
    assert left.subjects == ["person b", "person c"]


def test_pictures_are_divided_by_subject(coco: Path, tmp_path: Path) -> None:
    data = SceneDataModule(
        source=CocoKeypoints(annotation_file=coco, scheme="face16"),
        test_source=None,
        stored_size=SIZE,
        image_size=SIZE,
        batch_size=2,
        steps_per_epoch=1,
        validation=400,
        augmentation={},
        split={"val": 0.3, "test": 0.3},
        cache_dir=tmp_path,
        workers=1,
    )
    data.setup()
    assert sorted(name for names in data.split.values() for name in names) == ["person a", "person b", "person c"]
    faces = {
        stage: data.finish(batch)["faces"].wanted.sum() for stage in ("val", "test") for batch in loader(data, stage)
    }
    counts = {"person a": 2, "person b": 1, "person c": 0}
    assert faces == {stage: counts[data.split[stage][0]] for stage in ("val", "test")}


def loader(data: SceneDataModule, stage: str):
    return data.val_dataloader() if stage == "val" else data.test_dataloader()
