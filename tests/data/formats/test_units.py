"""Units that nobody set: read from a file beside the image, or assumed aloud where the values leave no doubt."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.formats.images import read_image

ROOM_C = np.linspace(20, 36.5, 40 * 50).reshape(40, 50)


def write(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint16)).save(path)
    return path


@pytest.mark.parametrize(
    ("unit", "stored"), [("centi_kelvin", (ROOM_C + 273.15) * 100), ("centi_celsius", ROOM_C * 100)]
)
def test_body_temperature_in_hundredths_is_assumed_aloud(
    tmp_path: Path, unit: str, stored: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.png", "b.png"):
        image = read_image(write(tmp_path / name, stored.round()))
        assert image.unit == "celsius"
        np.testing.assert_allclose(image.values, ROOM_C, atol=0.006)
    assert len(caplog.records) == 1, "once for the folder"
    assert f"assumed to be {unit}" in caplog.text
    assert "unit=counts" in caplog.text
    assert read_image(tmp_path / "a.png", unit="counts").unit == "gray"


@pytest.mark.parametrize(
    ("unit", "stored"),
    [("celsius", ROOM_C), ("kelvin", ROOM_C + 273.15), ("fahrenheit", ROOM_C * 9 / 5 + 32), (None, ROOM_C * 6)],
)
def test_body_temperature_with_a_decimal_point_is_assumed_aloud(
    tmp_path: Path, unit: str | None, stored: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "a.npy", stored.astype(np.float32))
    image = read_image(tmp_path / "a.npy")
    assert image.unit == ("celsius" if unit else "gray")
    np.testing.assert_allclose(image.values, ROOM_C if unit else stored, atol=1e-3)
    assert ("assumed to be" in caplog.text) == (unit is not None)


@pytest.mark.parametrize("above", [True, False])
def test_rows_of_telemetry_do_not_hide_the_unit(tmp_path: Path, above: bool) -> None:
    words = np.random.default_rng(0).integers(0, 2, (2, 50)) * 65535  # as a Lepton sends
    values = ((ROOM_C + 273.15) * 100).round()
    image = read_image(write(tmp_path / "a.png", np.concatenate([words, values] if above else [values, words])))
    assert image.unit == "celsius"
    np.testing.assert_allclose(image.values[2:] if above else image.values[:-2], ROOM_C, atol=0.006)


@pytest.mark.parametrize(
    "stored",
    [
        np.linspace(0, 4095, 2000),  # a camera's counts of 12 bits
        np.linspace(3800, 6000, 2000),
        np.linspace(0, 65535, 2000),
        np.linspace(30000, 30100, 2000),  # a wall, nobody there
        np.linspace(29000, 36000, 2000),
    ],
)
def test_values_in_doubt_stay_gray(tmp_path: Path, stored: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    assert read_image(write(tmp_path / "a.png", stored.reshape(40, 50))).unit == "gray"
    assert not caplog.records


def test_files_beside_an_image_state_its_unit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cold_c = ROOM_C - 15
    stored = cold_c * 10 + 2731.5
    coco = {"images": [{"id": 1, "file_name": "images/a.png", "unit": "deci_kelvin"}], "annotations": []}
    image = write(tmp_path / "set" / "images" / "a.png", stored)
    (tmp_path / "set" / "annotations.json").write_text(json.dumps(coco), encoding="utf-8")
    np.testing.assert_allclose(read_image(image).values, cold_c, atol=0.11)
    assert "read as deci_kelvin, as annotations.json says" in caplog.text

    own = write(tmp_path / "own" / "a.png", stored)
    (tmp_path / "own" / "a.json").write_text('{"unit": "deci_kelvin"}', encoding="utf-8")
    assert read_image(own).unit == "celsius"

    video = write(tmp_path / "video" / "frame.png", stored)
    (tmp_path / "video" / "sequence.json").write_text('{"unit": "deci_kelvin"}', encoding="utf-8")
    assert read_image(video).unit == "celsius"

    odd = write(tmp_path / "odd" / "a.png", stored)
    (tmp_path / "odd" / "a.json").write_text('{"unit": "furlong"', encoding="utf-8")
    assert read_image(odd).unit == "gray"


def test_the_unit_of_real_portraits_is_found(shared_data: Path) -> None:
    image = read_image(shared_data / "thermal-real" / "images" / "face_01.png")
    assert image.unit == "celsius"
    assert 30 < image.values.max() < 40
