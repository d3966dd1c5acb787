"""Training images of two caches in one, as `data.unlabelled` mixes them."""

import numpy as np
import pytest

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.rows_on_disk import RowsOnDisk
from thermal_landmarks.errors import ConfigError, DataError


def test_joined_rows_are_those_of_both_arrays(tmp_path):
    arrays = [np.random.default_rng(i).integers(0, 9, (3 + i, 2, 4), dtype=np.uint16) for i in range(2)]
    for i, array in enumerate(arrays):
        np.save(tmp_path / f"{i}.npy", array)
    first, second = (RowsOnDisk(tmp_path / f"{i}.npy") for i in range(2))
    rows = first.followed_by(second)
    both = np.concatenate(arrays)
    assert len(rows) == 7
    for wanted in ([6, 0, 3, 3], [0, 1], [5], []):
        np.testing.assert_array_equal(rows[np.array(wanted, dtype=int)], both[wanted])
    np.testing.assert_array_equal(rows[-1], both[-1])


class Taught:
    """The blob faces again, as a teacher would have annotated them: shifted, and without the chin."""

    def __init__(self, blobs, number: int) -> None:
        self.blobs, self.number, self.scheme = blobs, number, blobs.scheme

    def annotations(self):
        def shifted(a: Annotation) -> Annotation:
            points = a.points_px + np.float32(1)
            points[15] = np.nan
            return Annotation(a.image, points, "unlabelled", location=a.location, attributes={"teacher": "blobs"})

        return [shifted(annotation) for annotation in self.blobs.annotations()[: self.number]]

    def load(self, annotation):
        return self.blobs.load(annotation)

    def fingerprint(self) -> str:
        return f"taught {self.number}"


def build(blob_faces, tmp_path, **settings) -> LandmarkDataModule:
    size = {"image_size": [48, 64], "batch_size": 4, "cache_dir": tmp_path, "workers": 1}
    data = LandmarkDataModule(source=blob_faces, **size, **{"scheme": "face16", **settings})
    data.setup()
    return data


@pytest.mark.parametrize(("share", "expected"), [(0.5, 8), (0.2, 2), (0.8, 32)])
def test_a_share_of_the_training_images_is_unlabelled(blob_faces, tmp_path, share, expected):
    still = {"augmentation": {"rotation": "none"}}
    data = build(blob_faces, tmp_path, unlabelled=Taught(blob_faces, 5), unlabelled_share=share, **still)
    labelled = build(blob_faces, tmp_path, **still)
    train = data.datasets["train"]
    taught = [row for row in train.rows if train.samples.subjects[row] == "unlabelled"]
    assert len(taught) == expected
    assert len(set(taught)) == min(expected, 5)
    assert sorted(set(train.rows) - set(taught)) == sorted(labelled.datasets["train"].rows)
    assert data.taught == {"teacher": "blobs", "faces": 5, "pictures": 5}
    assert labelled.taught is None
    for stage in ("val", "test"):
        np.testing.assert_array_equal(data.datasets[stage].rows, labelled.datasets[stage].rows)


def test_a_point_that_the_teacher_left_out_is_masked(blob_faces, tmp_path):
    data = build(blob_faces, tmp_path, unlabelled=Taught(blob_faces, 5), augmentation={"rotation": "none"})
    train = data.datasets["train"]
    batch = data.finish(train.__getitems__(list(range(len(train)))), augment=False)
    unlabelled = np.array(train.samples.subjects)[train.rows] == "unlabelled"
    assert (batch["mask"][:, 15].numpy() == ~unlabelled).all()


def test_a_share_of_all_or_nothing_is_refused(blob_faces):
    for share in (0.0, 1.0):
        with pytest.raises(ConfigError, match="unlabelled_share"):
            LandmarkDataModule(source=blob_faces, scheme="face16", image_size=[48, 64], unlabelled_share=share)


def test_pictures_that_teach_nothing_are_told_before_the_labelled_ones_are_rendered(blob_faces, tmp_path):
    class Nobody(Taught):
        def annotations(self):
            raise DataError("no face is found")

    class Rendered(Taught):
        def annotations(self):
            raise AssertionError("rendered in vain")

    with pytest.raises(DataError, match="no face is found"):
        build(Rendered(blob_faces, 5), tmp_path, unlabelled=Nobody(blob_faces, 5))
