import numpy as np
import pytest
import torch

from thermal_landmarks.data.crops import reference_px
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import EpochSampler, Shard
from thermal_landmarks.errors import DataError


def build(source, tmp_path, **settings):
    settings = {"scheme": "perinasal6", "image_size": [48, 64], "batch_size": 4, "cache_dir": tmp_path, **settings}
    data = LandmarkDataModule(source=source, **settings)
    data.setup()
    return data


def test_batches_hold_the_asked_landmarks_in_range(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path, in_channels=3)
    batch = data.finish(next(iter(data.val_dataloader())), augment=False)
    assert batch["image"].shape == (2, 3, 48, 64)
    assert batch["points_px"].shape == (2, 6, 2)
    assert batch["image"].min() >= -1
    assert batch["image"].max() <= 1
    names = [data.datasets["val"].samples.names[i] for i in batch["index"]]
    truth = {str(a.image): a.points_px[8:14] for a in blob_faces.annotations()}
    np.testing.assert_allclose(batch["points_px"], np.stack([truth[n] for n in names]), atol=1e-5)


def test_paper_rotation_triples_the_training_images_and_keeps_their_angles(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path)
    train = data.datasets["train"]
    assert len(train) == 3 * len(train.rows)
    angles = train.__getitems__(list(range(len(train))))["rotation_deg"].view(-1, 3)
    later = train.__getitems__([i + 5 * len(train) for i in range(len(train))])["rotation_deg"].view(-1, 3)
    torch.testing.assert_close(angles, later)
    assert (angles[:, 0] == 0).all()
    assert ((angles[:, 1] >= 20) & (angles[:, 1] <= 30)).all()
    assert ((-angles[:, 2] >= 20) & (-angles[:, 2] <= 30)).all()
    assert len(data.datasets["val"]) == len(data.datasets["val"].rows)


def test_augmentation_differs_between_epochs_and_repeats_on_demand(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path, augmentation={"rotation": "random", "noise": 0.05})
    train = data.datasets["train"]
    rows = list(range(4))
    first, again = (data.finish(train.__getitems__(rows), augment=True)["image"] for _ in range(2))
    other = data.finish(train.__getitems__([r + len(train) for r in rows]), augment=True)["image"]
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_order_is_a_function_of_seed_and_epoch():
    epoch = 0
    orders = [list(EpochSampler(10, seed=s, epoch=lambda: epoch)) for s in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    epoch = 3
    later = list(EpochSampler(10, seed=1, epoch=lambda: epoch))
    assert sorted(later) == list(range(30, 40))
    assert [i - 30 for i in later] != orders[0]


def test_processes_share_an_epoch_without_overlap():
    whole = list(EpochSampler(11, seed=1, epoch=lambda: 2))
    shares = [list(EpochSampler(11, seed=1, epoch=lambda: 2, rank=r, processes=3)) for r in range(3)]
    assert [len(share) for share in shares] == [3, 3, 3]
    assert len({i for share in shares for i in share}) == 9
    assert {i for share in shares for i in share} <= set(whole)


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_evaluation_measures_every_image_once_whatever_the_number_of_processes(blob_faces, tmp_path, processes):
    data = build(blob_faces, tmp_path, split={"val": 0.5, "test": 0.1})
    dataset = data.datasets["val"]
    shares = [list(Shard(len(dataset), rank=r, processes=processes)) for r in range(processes)]
    assert len({len(share) for share in shares}) == 1
    batches = [dataset.__getitems__(share) for share in shares]
    counted = torch.cat([batch["index"][batch["mask"].any(dim=1)] for batch in batches])
    assert sorted(counted.tolist()) == sorted(dataset.rows.tolist())


def test_points_that_leave_the_frame_are_masked(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path, augmentation={"rotation": "none", "scale": [3.0, 3.0]})
    batch = data.finish(data.datasets["train"].__getitems__([0, 1]), augment=True)
    inside = ((batch["points_px"] > 0) & (batch["points_px"] < torch.tensor([63.0, 47.0]))).all(-1)
    assert (batch["mask"] == inside).all()
    assert not batch["mask"].all()


def test_scaling_keeps_inter_ocular_and_pixel_size_true(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path, scheme="face16", augmentation={"rotation": "none", "scale": [0.5, 0.5]})
    batch = data.finish(data.datasets["train"].__getitems__([0]), augment=True)
    points = batch["points_px"][0]
    torch.testing.assert_close(torch.linalg.norm(points[2] - points[5]), batch["inter_ocular_px"][0])
    assert float(batch["pixel_size"][0]) == pytest.approx(2)


def test_mean_shape_is_in_image_units(blob_faces, tmp_path):
    mean = build(blob_faces, tmp_path).mean_shape
    assert mean.shape == (6, 2)
    assert (mean > 0.2).all()
    assert (mean < 0.8).all()


def test_landmark_that_is_never_annotated_starts_at_the_mean_of_the_others(blob_faces, tmp_path, monkeypatch):
    annotations = blob_faces.annotations()
    for annotation in annotations:
        annotation.points_px[12] = np.nan
    monkeypatch.setattr(type(blob_faces), "annotations", lambda self: annotations)
    mean = build(blob_faces, tmp_path).mean_shape
    torch.testing.assert_close(mean[4], mean[[0, 1, 2, 3, 5]].mean(dim=0))


def test_images_without_any_wanted_landmark_stop_training_unless_skipped(blob_faces, tmp_path, monkeypatch):
    annotations = blob_faces.annotations()
    for annotation in annotations[::2]:
        annotation.points_px[8:14] = np.nan
    monkeypatch.setattr(type(blob_faces), "annotations", lambda self: annotations)
    with pytest.raises(DataError, match="no landmark of scheme 'perinasal6'"):
        build(blob_faces, tmp_path)
    with pytest.warns(UserWarning, match="no landmark of scheme"):
        data = build(blob_faces, tmp_path, on_bad_item="skip")
    assert sum(len(d.rows) for d in data.datasets.values()) == 6


def test_bad_items_stop_training_unless_skipped(blob_faces, tmp_path, monkeypatch):
    load = type(blob_faces).load

    def load_some(self, annotation):
        if annotation.image.name == "blob_0.png":
            raise DataError("blob_0.png: not an image")
        return load(self, annotation)

    monkeypatch.setattr(type(blob_faces), "load", load_some)
    with pytest.raises(DataError, match=r"blob_0.png: not an image(.|\n)*on_bad_item=skip"):
        build(blob_faces, tmp_path)
    with pytest.warns(UserWarning, match="1 unusable"):
        data = build(blob_faces, tmp_path, on_bad_item="skip")
    assert sum(len(d.rows) for d in data.datasets.values()) == 11


CASCADE = {"crop_size": [32, 40], "stages": 2, "face_size": 0.5}


def test_with_zoom_training_sees_looks_and_measuring_sees_frames(blob_faces, tmp_path):
    data = build(
        blob_faces, tmp_path, cascade=CASCADE, augmentation={"rotation": "none", "crop_share": 0.5, "shift": 0.1}
    )
    raw = data.datasets["train"].__getitems__([0, 1, 2, 3])
    looks = data.finish(raw, augment=True)
    assert looks["image"].shape == (4, 1, 32, 40)
    assert looks["image"].abs().max() <= 1
    frames = data.finish(raw, augment=False)
    assert frames["image"].shape == (4, 1, 48, 64)
    assert frames["image"].max() > 1  # the hottest percent is kept for the looks
    # In the looks too every landmark is the middle of its blob.
    for image, points, mask in zip(looks["image"][:, 0], looks["points_px"], looks["mask"], strict=True):
        for x, y in points[mask].round().long().tolist():
            if 1 <= x < 39 and 1 <= y < 31:
                assert image[y - 1 : y + 2, x - 1 : x + 2].max() > image.median() + 0.15


def test_close_looks_are_near_the_reference_and_whole_looks_are_not(blob_faces, tmp_path):
    still = {"rotation": "none", "crop_rotation_max_deg": 0, "crop_scale": [1, 1], "crop_shift": 0.0}
    close, whole = (
        build(blob_faces, tmp_path, cascade=CASCADE, augmentation={**still, "crop_share": c}) for c in (1.0, 0.0)
    )
    cascade = close.preprocessing.cascade
    assert cascade.reference is not None
    raw = close.datasets["train"].__getitems__([0, 1, 2, 3])
    reference = reference_px(cascade, torch.zeros(1))
    batch = close.finish(raw, augment=True)
    torch.testing.assert_close(batch["points_px"], reference.expand(4, 6, 2), atol=0.5, rtol=0)
    size = (whole.finish(raw, augment=True)["points_px"].amax(dim=1)[:, 1] - reference[:, 1].max()).abs()
    assert size.max() > 3


def test_the_reference_does_not_change_the_cache(blob_faces, tmp_path):
    build(blob_faces, tmp_path)
    build(blob_faces, tmp_path, cascade=CASCADE)
    assert len(list(tmp_path.glob("[!.]*"))) == 1
