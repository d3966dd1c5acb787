import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.face_files import predict_faces
from thermal_landmarks.inference.overlay_files import OverlayFiles
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import Detections

MakeCheckpoint = Callable[..., Path]


class Spots:
    """Stands for a finder: a face around each pixel above 50 degrees."""

    def __call__(self, image: ThermalImage, *, turns: Sequence[int] = ()) -> Detections:
        y, x = np.nonzero(image.values > 50)
        boxes = np.stack([x - 8, y - 10, x + 8, y + 10], axis=1).astype(np.float32)
        return Detections(boxes, image.values[y, x] / 100, np.zeros(len(x), dtype=np.float32))

    def verified(self, image: ThermalImage, found: Detections) -> Detections:
        return found


@pytest.fixture
def predictor(make_checkpoint: MakeCheckpoint) -> Predictor:
    predictor = Predictor.from_checkpoint(make_checkpoint(scheme="face16"), device="cpu", batch_size=2)
    predictor.confidence = Confidence.from_settings({})  # the finder's score
    return predictor


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two faces, none, one that is broken, three."""
    draw = np.random.default_rng(0)
    for number, spots in enumerate(
        [((20, 30, 67), (22, 45, 80)), (), None, ((20, 12, 90), (24, 30, 70), (20, 50, 66))]
    ):
        values = draw.uniform(20, 36, (48, 64)).astype(np.float32)
        for y, x, score in spots or ():
            values[y, x] = score
        if spots is None:
            (tmp_path / f"{number}.npy").write_bytes(b"junk")
        else:
            np.save(tmp_path / f"{number}.npy", values)
    return [tmp_path / f"{number}.npy" for number in range(4)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_a_face_the_surest_first_and_one_for_an_image_without(
    predictor: Predictor, pictures: list[Path], tmp_path: Path
) -> None:
    outcome = predict_faces(predictor, pictures, tmp_path / "out", finder=Spots())  # type: ignore[arg-type]
    rows = rows_of(tmp_path / "out" / "points.csv")
    assert str(outcome) == "5 faces in 3 images, 1 without"
    assert [failure.path.name for failure in outcome.failures] == ["2.npy"]
    assert [(Path(r["image"]).name, r["face"], r["confidence"]) for r in rows] == [
        ("0.npy", "0", "0.800"),
        ("0.npy", "1", "0.670"),
        ("1.npy", "", ""),
        ("3.npy", "0", "0.900"),
        ("3.npy", "1", "0.700"),
        ("3.npy", "2", "0.660"),
    ]
    assert rows[2]["x0"] == rows[2]["c15"] == rows[2]["box_x_min"] == ""
    assert float(rows[0]["box_x_min"]) == 45 - 8
    face = predictor.faces(read_image(pictures[0]), finder=Spots())[0]  # type: ignore[arg-type]
    assert_allclose([float(rows[0][f"{axis}3"]) for axis in "xy"], face.points_px[3], atol=1e-3)
    assert_allclose(float(rows[0]["c3"]), face.point_confidence[3], atol=1e-3)
    assert len(list((tmp_path / "out" / "overlays").iterdir())) == 3


def test_one_face_an_image_and_least_confidence(predictor: Predictor, pictures: list[Path], tmp_path: Path) -> None:
    finder = Spots()
    one = predict_faces(predictor, pictures, tmp_path / "one", finder=finder, most=1, overlays=False)  # type: ignore[arg-type]
    assert (one.faces, one.without) == (2, 1)
    sure = predict_faces(predictor, pictures, tmp_path / "sure", finder=finder, min_confidence=0.75, overlays=False)  # type: ignore[arg-type]
    assert (sure.faces, sure.without) == (2, 1)
    assert not (tmp_path / "sure" / "overlays").exists()


def test_given_boxes_are_faces_and_nothing_is_looked_for(
    predictor: Predictor, pictures: list[Path], tmp_path: Path
) -> None:
    boxes = {pictures[0]: [(10.0, 10.0, 30.0, 35.0), (30.0, 5.0, 60.0, 40.0), (1.0, 1.0, 20.0, 20.0)]}
    outcome = predict_faces(predictor, pictures[:2], tmp_path / "out", boxes=boxes, overlays=False)
    assert str(outcome) == "3 faces in 2 images, 1 without"
    found = {row["box_x_min"] for row in rows_of(tmp_path / "out" / "points.csv")}
    assert found == {"10.000", "30.000", "1.000", ""}


def test_what_is_written_is_a_data_set_as_csv_and_as_coco(
    predictor: Predictor, pictures: list[Path], tmp_path: Path
) -> None:
    predict_faces(predictor, pictures, tmp_path / "out", finder=Spots(), form="coco", overlays=False)  # type: ignore[arg-type]
    table = FlatCsv(annotation_file=tmp_path / "out" / "points.csv", scheme="face16").annotations()
    coco = CocoKeypoints(annotation_file=tmp_path / "out" / "faces.json", scheme="face16").annotations()
    assert len(table) == len(coco) == 5
    for one, other in zip(table, coco, strict=True):
        assert one.image == other.image.resolve()
        assert_allclose(one.points_px, other.points_px, atol=1e-3)
        assert one.box_px is not None
        assert other.box_px is not None
        assert_allclose(one.box_px, other.box_px, atol=1e-3)


def test_a_network_for_face_boxes_takes_those_of_the_finder(
    make_checkpoint: MakeCheckpoint, pictures: list[Path], tmp_path: Path
) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(crop={"mode": "box", "margin": 0.2}), device="cpu")
    predictor.confidence = Confidence.from_settings({})
    image = read_image(pictures[0])
    face = predictor.faces(image, finder=Spots())[0]  # type: ignore[arg-type]
    boxes = [(45 - 8 * s, 22 - 10 * s, 45 + 8 * s, 22 + 10 * s) for s in (0.95, 1.05)]
    wanted = np.mean([predictor(image, boxes_px=box) for box in boxes], axis=0)
    assert_allclose(face.points_px, wanted, atol=1e-3)


def test_the_overlay_of_a_small_picture_is_enlarged_with_box_and_points_in_place(tmp_path: Path) -> None:
    black = ThermalImage(np.zeros((60, 80), dtype=np.float32), "gray")
    with OverlayFiles(tmp_path, [Path("a.png")]) as overlays:
        overlays.add(Path("a.png"), black, np.array([[40.0, 45.0]]), boxes_px=[(10, 20, 70, 55)], labels=["0: 0.90"])
    drawn = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert drawn.shape == (420, 560, 3)
    orange, blue = drawn[..., 0] > 200, (drawn[..., 2] > 200) & (drawn[..., 0] < 150)
    assert np.argwhere(orange).mean(axis=0) == pytest.approx([45.5 * 7 - 0.5, 40.5 * 7 - 0.5], abs=1)
    rows, columns = np.nonzero(blue)
    expected = [value * 7 - 0.5 for value in (55.5, 10.5, 70.5)]
    assert [rows.max(), columns.min(), columns.max()] == pytest.approx(expected, abs=1)
