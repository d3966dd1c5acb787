"""Some 450 broken pictures: each is read or refused by name, and the good ones beside them get their points."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from robustness.bounds import held_to_bounds
from robustness.broken_pictures import Picture, broken_pictures, good_pictures

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.images import read_image, read_image_size
from thermal_landmarks.inference.image_files import find_images, predict_files
from thermal_landmarks.inference.picture_reader import Reading
from thermal_landmarks.inference.predictor import Predictor

GOOD = good_pictures()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Picture]]:
    """The folder of all broken pictures, without their content in memory."""
    folder = tmp_path_factory.mktemp("broken")
    written = []
    for picture in broken_pictures():
        assert not (folder / picture.name).exists(), f"two are called {picture.name}"
        (folder / picture.name).write_bytes(picture.content)
        written.append(picture._replace(content=b""))
    return folder, written


def test_every_broken_picture_is_read_or_refused_by_name(broken: tuple[Path, list[Picture]]) -> None:
    folder, pictures = broken
    assert len(pictures) > 400
    wrong = []
    for picture in pictures:
        path = folder / picture.name
        image, message = held_to_bounds(lambda path=path: read_image(path), picture.name)
        if picture.readable not in (None, image is not None):
            wrong.append(f"{picture.name}: {'read' if image else message}")
        if image is not None:
            _require_usable(image)
            size, _ = held_to_bounds(lambda path=path: read_image_size(path), picture.name)
            assert size == image.values.shape, picture.name
    assert not wrong, "\n".join(wrong)


def _require_usable(image: ThermalImage) -> None:
    assert image.values.ndim == 2
    assert image.values.dtype == np.float32
    assert np.isfinite(image.values).all()
    if image.unit == "celsius":
        assert -60 <= np.median(image.values) <= 200


@pytest.mark.filterwarnings("error:(invalid|divide).*:RuntimeWarning")
def test_good_pictures_among_broken_ones_get_the_points_that_they_get_alone(
    broken: tuple[Path, list[Picture]], make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    """With `debug=True`, so that an error of the program would end the test."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for picture in broken[1]:
        (folder / picture.name).hardlink_to(broken[0] / picture.name)
    for name, content in GOOD.items():
        (folder / name).write_bytes(content)
    predictor = Predictor.from_checkpoint(make_checkpoint(), device="cpu", batch_size=16)
    alone = predict_files(
        predictor, [folder / name for name in GOOD], tmp_path / "alone", overlays=False, reading=Reading(debug=True)
    )
    assert alone.predicted == len(GOOD)
    files = [folder / name for name in sorted([*GOOD, *(picture.name for picture in broken[1])])]
    outcome = predict_files(predictor, files, tmp_path / "out", overlays=False, reading=Reading(debug=True))

    assert outcome.predicted + len(outcome.failures) == len(files)
    rows, expected = _points(tmp_path / "out"), _points(tmp_path / "alone")
    np.testing.assert_allclose([rows[name] for name in GOOD], [expected[name] for name in GOOD], atol=0.02)
    assert len(rows) == outcome.predicted
    assert np.isfinite(list(rows.values())).all()
    assert {failure.path.name for failure in outcome.failures} == {file.name for file in files} - set(rows)
    assert all(failure.path.name in failure.reason for failure in outcome.failures)


def _points(folder: Path) -> dict[str, list[float]]:
    with (folder / "points.csv").open(newline="", encoding="utf-8") as file:
        rows = {Path(row["image"]).name: row for row in csv.DictReader(file)}
    return {name: [float(row[f"x{i}"]) for i in range(6)] for name, row in rows.items() if row["x0"]}


def test_the_command_ends_with_a_list_of_what_it_skipped(
    broken: tuple[Path, list[Picture]],
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    run_script: Callable[..., "CompletedProcess[str]"],
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for picture in broken[1][::9]:
        if not picture.name.endswith(".csv"):  # those that hold words are no pictures to `find_images`
            shutil.copy(broken[0] / picture.name, folder)
    for name, content in GOOD.items():
        (folder / name).write_bytes(content)
    files = find_images(str(folder))
    done = run_script(
        [
            "src/predict.py",
            f"checkpoint={make_checkpoint()}",
            "faces=frame",
            f"source={folder}",
            f"output={tmp_path / 'out'}",
        ],
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"of {len(files)} images have no prediction" in done.stderr
    assert set(GOOD) <= set(_points(tmp_path / "out"))


def test_a_check_of_data_lists_each_broken_picture_with_its_reason(
    broken: tuple[Path, list[Picture]], tmp_path: Path, run_script: Callable[..., "CompletedProcess[str]"]
) -> None:
    refused = [picture.name for picture in broken[1] if picture.readable is False][::20]
    for name in refused:
        (tmp_path / name).hardlink_to(broken[0] / name)
    (tmp_path / "gray.png").write_bytes(GOOD["gray.png"])
    names = [*refused, "gray.png"]
    keypoints = [value for i in range(6) for value in (4 + 3 * i, 5 + i % 3, 2)]
    faces = [{"id": i, "image_id": i, "keypoints": keypoints, "bbox": [1, 1, 50, 40]} for i in range(len(names))]
    images = [{"id": i, "file_name": name, "subject": f"s{i}"} for i, name in enumerate(names)]
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"images": images, "annotations": faces, "categories": [{"id": 1}]}))
    settings = [
        f"data.source.annotation_file={labels}",
        "data.source.scheme=perinasal6",
        "data.scheme=perinasal6",
        "data.workers=1",
        "output=out",
    ]
    done = run_script(["src/check_data.py", "data=coco", *settings], cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    with (tmp_path / "out" / "findings.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "unreadable"]
    assert {Path(row["image"]).name for row in rows} == set(refused)
