import json
from dataclasses import replace

import numpy as np
import pytest

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.cache import load_or_build
from thermal_landmarks.data.face_frames import expected_points
from thermal_landmarks.data.geometry import transform_points
from thermal_landmarks.data.normalisation import ValueRange
from thermal_landmarks.data.preprocessing import Crop, Preprocessing
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import DataError


def test_cached_temperatures_are_within_half_a_hundredth_degree(blob_faces, tmp_path):
    samples = load_or_build(blob_faces, Preprocessing((48, 64)), tmp_path)
    for row, annotation in enumerate(blob_faces.annotations()):
        np.testing.assert_allclose(samples.values(row), blob_faces.load(annotation).values, atol=0.0051)
        np.testing.assert_allclose(samples.points_px[row], annotation.points_px, atol=1e-5)


def test_second_call_decodes_nothing(blob_faces, tmp_path, monkeypatch):
    first = load_or_build(blob_faces, Preprocessing((24, 32)), tmp_path)
    monkeypatch.setattr(type(blob_faces), "load", None)
    again = load_or_build(blob_faces, Preprocessing((24, 32)), tmp_path)
    np.testing.assert_array_equal(first.images, again.images)
    assert len(list(tmp_path.glob("[!.]*"))) == 1


def test_other_settings_get_a_cache_of_their_own(blob_faces, tmp_path):
    load_or_build(blob_faces, Preprocessing((24, 32)), tmp_path)
    load_or_build(blob_faces, Preprocessing((24, 32), crop=Crop(margin=0.5)), tmp_path)
    assert len(list(tmp_path.glob("[!.]*"))) == 2


def test_eye_corners_come_from_the_source(blob_faces, tmp_path):
    samples = load_or_build(blob_faces, Preprocessing((24, 32)), tmp_path)
    points = np.stack([a.points_px for a in blob_faces.annotations()])
    expected = np.linalg.norm(points[:, 2] - points[:, 5], axis=1) / 2
    np.testing.assert_allclose(samples.inter_ocular_px, expected, rtol=1e-5)
    np.testing.assert_allclose(samples.pixel_size, 2)


def test_bad_items_are_listed_and_the_rest_is_kept(blob_faces, tmp_path, monkeypatch):
    load = type(blob_faces).load

    def load_some(self, annotation):
        if annotation.image.name == "blob_3.png":
            raise DataError("blob_3.png: truncated")
        return load(self, annotation)

    monkeypatch.setattr(type(blob_faces), "load", load_some)
    samples = load_or_build(blob_faces, Preprocessing((48, 64)), tmp_path)
    assert [item["image"] for item in samples.bad_items] == ["blob_3.png"]
    assert "truncated" in samples.bad_items[0]["reason"]
    assert len(samples) == len(samples.images) == 11
    assert "blob_3.png" not in samples.names
    np.testing.assert_allclose(samples.values(3), load(blob_faces, blob_faces.annotations()[4]).values, atol=0.0051)


def test_of_pictures_with_several_faces_each_face_is_a_sample_in_a_frame_as_predict_shows_it(
    blob_faces, tmp_path, monkeypatch
):
    first, other = blob_faces.annotations()[:2]
    leaning = transform_points(first.points_px - (20, 20), np.array([[0.4, -0.2, 8], [0.2, 0.4, 22]]))
    second = replace(first, points_px=leaning, location="2")
    monkeypatch.setattr(type(blob_faces), "annotations", lambda _: [first, second, other])
    framed = load_or_build(blob_faces, Preprocessing((48, 64)), tmp_path)
    assert framed.bad_items == []
    assert framed.names == [str(first.image), str(first.image), str(other.image)]
    expected, known = expected_points(get_scheme("face16"), None, (48, 64))
    assert known.all()
    for row in range(3):  # upright, in the middle, at one size, though the second leans and is half as large
        assert np.linalg.norm(framed.points_px[row] - expected, axis=1).mean() < 3
    np.testing.assert_allclose(framed.pixel_size[1] / framed.pixel_size[0], np.hypot(0.4, 0.2), rtol=1e-3)
    x, y = np.rint(framed.points_px[0]).astype(int).T
    assert framed.values(0)[y, x].mean() > framed.values(0).mean() + 2  # the blobs are where the points are


def test_each_box_of_a_picture_is_a_sample_of_its_own(blob_faces, tmp_path, monkeypatch):
    annotations = list(blob_faces.annotations())
    x0, y0 = annotations[0].points_px.min(axis=0)
    first = replace(annotations[0], box_px=(x0 - 2, y0 - 2, x0 + 20, y0 + 20), location="1")
    second = replace(first, points_px=first.points_px + 2, location="2")
    monkeypatch.setattr(type(blob_faces), "annotations", lambda _: [first, second])
    cropped = load_or_build(blob_faces, Preprocessing((48, 64), crop=Crop(mode="box")), tmp_path)
    assert cropped.bad_items == []
    assert cropped.names == [str(first.image)] * 2


def test_crop_without_a_box_is_an_error_naming_the_setting(blob_faces, tmp_path):
    with pytest.raises(DataError, match=r"data\.crop\.mode=none"):
        load_or_build(blob_faces, Preprocessing((48, 64), crop=Crop(mode="box")), tmp_path)


@pytest.mark.parametrize(("low", "high", "step"), [(0, 65000, 1), (-2, 3, 0)])
def test_gray_levels_of_any_range_are_kept(blob_faces, tmp_path, monkeypatch, low, high, step):
    levels = np.linspace(low, high, 48 * 64).reshape(48, 64).astype(np.float32)
    levels = levels.round() if step else levels
    monkeypatch.setattr(type(blob_faces), "load", lambda *_: ThermalImage(levels, "gray"))
    samples = load_or_build(blob_faces, Preprocessing((48, 64)), tmp_path)
    np.testing.assert_allclose(samples.values(0), levels, atol=0 if step else 1e-4)


def test_values_beside_the_window_are_an_error_naming_the_unit(blob_faces, tmp_path):
    window = ValueRange(mode="window", temperature_range_c=(2000, 4000))
    with pytest.raises(DataError, match="Set the unit"):
        load_or_build(blob_faces, Preprocessing((48, 64), normalisation=window), tmp_path)


def test_settings_survive_a_round_trip():
    settings = Preprocessing((48, 64), in_channels=3, crop=Crop("box", 0.4))
    assert Preprocessing.from_settings(settings.settings) == settings
    assert json.loads(json.dumps(settings.settings)) == settings.settings
