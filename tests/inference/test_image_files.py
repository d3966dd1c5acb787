import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.preprocessing import Box
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.face_places import read_boxes
from thermal_landmarks.inference.image_files import Failure, find_images, predict_files
from thermal_landmarks.inference.picture_reader import Reading
from thermal_landmarks.inference.predictor import Predictor

MakeCheckpoint = Callable[..., Path]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_file_gets_its_points_in_its_own_pixels(predictor: Predictor, pictures: Path, tmp_path: Path) -> None:
    files = find_images(str(pictures))
    reported: list[Failure] = []
    outcome = predict_files(predictor, files, tmp_path / "out", reading=Reading(report=reported.append))
    rows = rows_of(tmp_path / "out" / "points.csv")
    assert outcome.predicted == len(rows) == 4
    assert [f.path.name for f in outcome.failures] == ["0_broken.png"]
    assert outcome.failures == reported
    assert [(row["subject"], Path(row["image"]).name) for row in rows] == [
        ("anna", "1.png"),
        ("ben", "1.png"),
        ("ben", "1.tif"),
        ("ben", "2.npy"),
    ]
    for row in rows:
        expected = predictor(read_image(Path(row["image"])))
        found = np.array([[float(row[f"{axis}{i}"]) for axis in "xy"] for i in range(6)])
        assert_allclose(found, expected, atol=1e-3)


def test_the_table_is_a_data_set_that_can_be_read_back(predictor: Predictor, pictures: Path, tmp_path: Path) -> None:
    (pictures / "ben" / "0_broken.png").unlink()
    files = find_images([str(pictures / "ben" / "1.tif"), str(pictures / "ben" / "2.npy")])
    predict_files(predictor, files, tmp_path / "out", overlays=False, reading=Reading(unit="counts"))
    landmarks = json.loads((tmp_path / "out" / "landmarks.json").read_text())
    assert landmarks["landmarks"][:2] == ["ala_left", "subnasale"]
    source = FlatCsv(annotation_file=tmp_path / "out" / "points.csv", scheme=landmarks["scheme"])
    annotations = source.annotations()
    assert {a.subject for a in annotations} == {"ben"}
    for annotation, file in zip(annotations, files, strict=True):
        image = read_image(file, unit="counts")
        assert_allclose(source.load(annotation).values, image.values)
        assert_allclose(annotation.points_px, predictor(image), atol=1e-3)


def test_overlays_have_the_size_of_their_image_and_names_of_their_own(
    predictor: Predictor, pictures: Path, tmp_path: Path
) -> None:
    predict_files(predictor, find_images(str(pictures)), tmp_path / "out")
    overlays = {str(p.relative_to(tmp_path / "out" / "overlays")): p for p in (tmp_path / "out").rglob("*.png")}
    assert sorted(overlays) == ["anna/1.png", "ben/1.png", "ben/1.tif.png", "ben/2.png"]
    assert Image.open(overlays["ben/1.png"]).size == (40, 30)


def test_no_overlay_meets_another(predictor: Predictor, tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    for name in ("a.jpg", "a.png", "a.jpg.png", "b.jpg", "b.tif", "C.tif", "c.png", "d.jpg"):
        Image.fromarray(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)).save(faces / name)
    predict_files(predictor, find_images(str(faces)), tmp_path / "out")
    written = sorted(p.name for p in (tmp_path / "out" / "overlays").iterdir())
    assert written == [
        "C.tif.png",
        "a.jpg.png",
        "a.jpg.png.png",
        "a.png",
        "b.jpg.png",
        "b.tif.png",
        "c.png",
        "d.png",
    ]


def test_rows_written_before_a_crash_stay(predictor: Predictor, pictures: Path, tmp_path: Path) -> None:
    def crash(failure: Failure) -> None:
        raise MemoryError

    files = find_images(str(pictures))
    files.sort(key=lambda file: file.name == "0_broken.png")  # in the last batch
    with pytest.raises(MemoryError):
        predict_files(predictor, files, tmp_path / "out", reading=Reading(report=crash))
    assert len(rows_of(tmp_path / "out" / "points.csv")) == 4


def test_radiometric_files_of_cameras_are_predicted(predictor: Predictor, shared_data: Path, tmp_path: Path) -> None:
    files = find_images([str(shared_data / "flir-radiometric"), str(shared_data / "thermal-real" / "is2")])
    outcome = predict_files(predictor, files, tmp_path / "out")
    assert outcome.failures == []
    assert [Path(row["image"]).name for row in rows_of(tmp_path / "out" / "points.csv")] == [
        "07.jpg",
        "25.jpg",
        "IR_00001.IS2",
        "IR_00002.IS2",
    ]
    for file in files:
        assert read_image(file).unit == "celsius"


def test_sources_are_folders_files_patterns_and_lists(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(find_images(str(pictures))) == 5
    assert find_images(str(pictures / "ben" / "2.npy")) == [pictures / "ben" / "2.npy"]
    assert [f.name for f in find_images(str(pictures / "*" / "1.*"))] == ["1.png", "1.png", "1.tif"]
    assert len(find_images(str(pictures / "**" / "*.png"))) == 3
    monkeypatch.chdir(pictures)
    assert find_images(["anna", "anna/1.png", "ben/2.npy"]) == [pictures / "anna/1.png", pictures / "ben/2.npy"]


@pytest.mark.parametrize("source", [None, "", [], [""]])
def test_a_source_that_is_not_set_is_named(source: str | list[str] | None) -> None:
    with pytest.raises(ConfigError, match="source is not set"):
        find_images(source)


def test_a_source_that_is_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"source=.*nowhere: there is no such file"):
        find_images(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no image in this folder"):
        find_images(str(tmp_path))


def test_boxes_are_used_and_missing_ones_reported(
    make_checkpoint: MakeCheckpoint, pictures: Path, tmp_path: Path
) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(crop={"mode": "box"}), device="cpu")
    table = pictures / "boxes.txt"
    table.write_text("image,box_x_min,box_y_min,box_x_max,box_y_max\nanna/1.png,10,10,40,30\n")
    files = [pictures / "anna" / "1.png", pictures / "ben" / "2.npy"]
    outcome = predict_files(predictor, files, tmp_path / "out", boxes=read_boxes(table))
    assert [(f.path, "boxes" in f.reason) for f in outcome.failures] == [(files[1], True)]
    (row,) = rows_of(tmp_path / "out" / "points.csv")
    expected = predictor(read_image(files[0]), boxes_px=(10, 10, 40, 30))
    assert float(row["x0"]) == pytest.approx(expected[0, 0], abs=1e-3)

    predict_files(predictor, files[:1], tmp_path / "crops")
    (row,) = rows_of(tmp_path / "crops" / "points.csv")
    whole = predictor(read_image(files[0]), boxes_px=(-0.5, -0.5, 63.5, 47.5))
    assert float(row["x0"]) == pytest.approx(whole[0, 0], abs=1e-3)


def test_aligned_faces_are_found_by_five_points_and_the_others_by_their_boxes(
    make_checkpoint: MakeCheckpoint, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(crop={"mode": "align"}), device="cpu")
    first, second, third = (pictures / name for name in ("anna/1.png", "ben/1.png", "ben/2.npy"))
    five = np.array([[20, 15], [35, 18], [26, 24], [20, 30], [32, 33]])
    five_points = {first: [five - 18, five], second: []}
    outcome = predict_files(predictor, [first, second, third], tmp_path / "a", five_points=five_points, boxes={})
    assert [failure.path for failure in outcome.failures] == [second, third]
    assert "the file of five points has none for this image" in outcome.failures[0].reason
    (row,) = rows_of(tmp_path / "a" / "points.csv")
    expected = predictor(read_image(first), five_points_px=five)
    assert float(row["x0"]) == pytest.approx(expected[0, 0], abs=1e-3)
    assert not [record for record in caplog.records if "assumed" not in record.getMessage()]

    boxes: dict[Path, Box] = {first: (0, 0, 30, 25), third: (10, 10, 40, 30)}
    outcome = predict_files(predictor, [first, third], tmp_path / "b", five_points=five_points, boxes=boxes)
    assert "No five points for 1 of 2 images" in caplog.text
    rows = rows_of(tmp_path / "b" / "points.csv")
    other = predictor(read_image(first), five_points_px=five - 18)
    by_box = predictor(read_image(third), boxes_px=boxes[third])
    assert [float(row["x0"]) for row in rows] == pytest.approx([other[0, 0], by_box[0, 0]], abs=1e-3)
    assert abs(other[0, 0] - expected[0, 0]) > 1


def test_a_table_tells_the_image_size_of_its_points(predictor: Predictor, shared_data: Path, tmp_path: Path) -> None:
    files = find_images(str(shared_data / "flir-radiometric"))
    predict_files(predictor, files, tmp_path / "out", overlays=False)
    rows = rows_of(tmp_path / "out" / "points.csv")
    sizes = [(int(row["image_height"]), int(row["image_width"])) for row in rows]
    assert sizes == [read_image(file).values.shape for file in files]
    assert any(Image.open(file).size != size[::-1] for file, size in zip(files, sizes, strict=True))
