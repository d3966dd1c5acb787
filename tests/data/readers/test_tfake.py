from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.readers.tfake import TFake
from thermal_landmarks.errors import DataError


def write(folder: Path, number: str, lines: list[str], image: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{number}_ldmks.txt").write_text("\n".join(lines) + "\n")
    Image.fromarray(np.full((32, 32), 3500, dtype=np.uint16)).save(folder / (image or f"{number}.png"))


def points(count: int) -> list[str]:
    return [f"{i * 0.25} {i * 0.5}" for i in range(count)]


def test_every_picture_is_a_person_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "000000", points(70))
    write(tmp_path, "000001", points(70))
    source = TFake(folder=tmp_path, unit="centi_celsius")
    faces = source.annotations()
    assert [face.subject for face in faces] == ["000000", "000001"]
    np.testing.assert_array_equal(faces[1].points_px, [(i * 0.25, i * 0.5) for i in range(70)])
    image = source.load(faces[1])
    assert image.unit == "celsius"
    assert image.values == pytest.approx(35.0)


def test_thermal_pictures_win_over_colour_ones_and_may_lie_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, "000003", points(70))
    write(tmp_path, "000003", points(70), "000003_thermal.png")
    assert TFake(folder=tmp_path).annotations()[0].image.name == "000003_thermal.png"
    (tmp_path / "warm").mkdir()
    (tmp_path / "000003.png").rename(tmp_path / "warm" / "000003.png")
    assert (
        TFake(folder=tmp_path, image_dir=tmp_path / "warm").annotations()[0].image == tmp_path / "warm" / "000003.png"
    )


def test_files_of_68_points_serve_ibug68_and_the_first_68_of_70_do_too(tmp_path: Path) -> None:
    write(tmp_path, "1", points(68))
    write(tmp_path, "2", points(70))
    first, second = TFake(folder=tmp_path, scheme="ibug68").annotations()
    np.testing.assert_array_equal(first.points_px, second.points_px)


@pytest.mark.parametrize(
    ("lines", "message"),
    [(points(68), "68 landmarks, but scheme 'tfake70' has 70"), (["1 2", "3"], "line 2: found '3', expected x and y")],
)
def test_bad_landmarks_are_an_error_of_that_image(tmp_path: Path, lines: list[str], message: str) -> None:
    write(tmp_path, "000009", lines)
    source = TFake(folder=tmp_path)
    with pytest.raises(DataError, match=rf"000009_ldmks\.txt: {message}"):
        source.load(source.annotations()[0])


def test_a_missing_picture_is_an_error_of_that_image(tmp_path: Path) -> None:
    write(tmp_path, "000009", points(70))
    (tmp_path / "000009.png").unlink()
    source = TFake(folder=tmp_path)
    with pytest.raises(DataError, match=r"000009\.png: no such file"):
        source.load(source.annotations()[0])
