import os
from pathlib import Path

import numpy as np
import pytest
import torch
from painted_scenes import PaintedScenes

from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.data.scenes.gray import to_bytes
from thermal_landmarks.data.scenes.store import load_or_render
from thermal_landmarks.errors import ConfigError, DataError


def test_stored_scenes_are_those_of_the_source_and_are_rendered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = PaintedScenes(images=5, size=(60, 80))
    stored = load_or_render(source, (30, 40), tmp_path, workers=1)
    assert stored.images.shape == (5, 30, 40)
    for row in range(5):
        faces = source.render(row).faces
        boxes = stored.boxes_px[row][stored.is_face[row]]
        assert len(boxes) == len(faces)
        wanted = sorted(((np.array(face.box_px) - 0.5) / 2 for face in faces), key=lambda box: box[1] - box[3])
        np.testing.assert_allclose(boxes, np.reshape(wanted, (-1, 4)), atol=1e-4)
        for x0, y0, x1, y1 in boxes:
            assert stored.images[row][round((y0 + y1) / 2), round((x0 + x1) / 2)] > 150
    monkeypatch.setattr(PaintedScenes, "render", lambda *_: pytest.fail("rendered again"))
    again = load_or_render(source, (30, 40), tmp_path, workers=1)
    np.testing.assert_array_equal(again.images, stored.images)


def test_damaged_scenes_are_rendered_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = PaintedScenes(images=3, size=(60, 80))
    expected = np.array(load_or_render(source, (30, 40), tmp_path, workers=1).images)
    (file,) = tmp_path.glob("scenes-*/images.npy")
    os.truncate(file, file.stat().st_size // 2)
    again = load_or_render(source, (30, 40), tmp_path, workers=1)
    np.testing.assert_array_equal(again.images, expected)
    assert "is damaged" in caplog.text


def test_rendering_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No scene was ready"):
        load_or_render(PaintedScenes(images=40, size=(60, 80)), (30, 40), tmp_path, workers=1, minutes=0)
    few = load_or_render(PaintedScenes(images=20_000, size=(60, 80)), (30, 40), tmp_path, workers=1, minutes=0.001)
    assert 0 < len(few) < 10_000
    assert few.images.shape == (len(few), 30, 40)


def test_a_kettle_does_not_take_the_contrast_from_faces() -> None:
    room = np.full((60, 80), 20.0)
    room[10:30, 10:25] = 34
    bare = to_bytes(room, "celsius")
    room[40:60, 40:80] = 300
    beside_a_kettle = to_bytes(room, "celsius")
    assert int(bare[20, 20]) - int(bare[5, 5]) > 200
    assert int(beside_a_kettle[20, 20]) - int(beside_a_kettle[5, 5]) > 120


def module(tmp_path: Path, **changes: object) -> SceneDataModule:
    settings = {
        "source": PaintedScenes(images=12, size=(60, 80)),
        "test_source": PaintedScenes(images=3, size=(60, 80), seed=1),
        "stored_size": (60, 80),
        "image_size": (48, 64),
        "batch_size": 4,
        "steps_per_epoch": 3,
        "validation": 5,
        "augmentation": {"noise": 0.0, "smallest_px": 2.0},
        "cache_dir": tmp_path,
        "workers": 1,
    }
    data = SceneDataModule(**(settings | changes))
    data.setup()
    return data


def test_validation_scenes_are_kept_aside_whole_and_unchanged(tmp_path: Path) -> None:
    data = module(tmp_path)
    trained = {int(row) for batch in data.train_dataloader() for row in batch["rows"]}
    validated = [int(row) for batch in data.val_dataloader() for row in batch["rows"]]
    assert validated == [7, 8, 9, 10, 11]
    assert trained <= set(range(7))
    batch = data.finish(next(iter(data.val_dataloader())))
    assert tuple(batch["image"].shape) == (4, 1, 48, 64)
    for row, boxes in enumerate(batch["faces"].boxes_px):
        for x0, y0, x1, y1 in boxes[batch["faces"].wanted[row]].tolist():
            assert float(batch["image"][row, 0, round((y0 + y1) / 2), round((x0 + x1) / 2)]) > 0
    assert sum(len(batch["rows"]) for batch in data.test_dataloader()) == 3


def test_training_batches_differ_from_step_to_step_and_are_repeatable(tmp_path: Path) -> None:
    data = module(tmp_path)
    batches = [data.finish(batch)["image"] for batch in data.train_dataloader()]
    again = [data.finish(batch)["image"] for batch in data.train_dataloader()]
    assert len(batches) == 3
    assert all(torch.equal(one, two) for one, two in zip(batches, again, strict=True))
    assert not torch.equal(batches[0], batches[1])


def test_too_few_scenes_for_the_validation_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data.validation=12.*there are 12"):
        module(tmp_path, validation=12)
