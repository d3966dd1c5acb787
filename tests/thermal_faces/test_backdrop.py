"""Real pictures behind a scene's people."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_faces import SyntheticScenes
from thermal_faces.errors import ConfigError
from thermal_faces.randomness import rng
from thermal_faces.scene.backdrop import Backdrops


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stripes = np.zeros((60, 90), np.uint8)
    stripes[:, ::6] = stripes[:, 1::6] = stripes[:, 2::6] = 250
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    return tmp_path


def test_people_stand_before_a_picture_where_they_stood_before_a_room(folder: Path) -> None:
    settings = {"images": 3, "size": (60, 80), "sensor": {"eight_bit": 0.0}, "crowd": {"nobody": 0.0, "alone": 1.0}}
    rooms = SyntheticScenes(**settings)  # type: ignore[arg-type]
    pictures = SyntheticScenes(**settings, backdrops=folder, backdrop_share=1.0)  # type: ignore[arg-type]
    unused = SyntheticScenes(**settings, backdrops=folder, backdrop_share=0.0)  # type: ignore[arg-type]
    for index in range(3):
        room, picture = rooms.render(index), pickle.loads(pickle.dumps(pictures)).render(index)
        assert [face.box_px for face in picture.faces] == [face.box_px for face in room.faces]
        assert np.abs(picture.values - room.values).mean() > 1
        np.testing.assert_array_equal(unused.render(index).values, room.values)


def test_what_is_painted_is_a_part_of_the_picture_around_the_temperature_of_the_air(folder: Path) -> None:
    backdrops, warm = Backdrops(folder), 0
    for seed in range(12):
        painted = backdrops.paint(rng(seed), 20.0, (90, 120))
        assert painted.shape == (90, 120)
        assert painted.min() <= 20.001
        assert painted.max() >= 19.999
        halves = painted > (painted.min() + painted.max()) / 2
        assert 0.3 < halves.mean() < 0.7  # half of each stripe is bright
        across, along = (np.abs(np.diff(halves.astype(int), axis=axis)).sum() for axis in (1, 0))
        assert max(across, along) > 8 * min(across, along)
        warm += bool(halves[0, 0])
    assert 0 < warm < 12


@pytest.mark.parametrize("stored", ["centi_kelvin.png", "centi_kelvin.tif", "celsius.tif"])
def test_temperatures_are_shown_from_cold_to_warm(tmp_path: Path, stored: str) -> None:
    celsius = np.tile(np.linspace(15, 35, 90), (60, 1))
    counts = np.rint(100 * (celsius + 273.15)).astype(np.uint16)
    Image.fromarray(celsius.astype(np.float32) if "celsius" in stored else counts).save(tmp_path / stored)
    (tmp_path / f"._{stored}").write_bytes(b"of macOS")
    (picture,) = Backdrops(tmp_path)._pictures
    assert (picture.min(), picture.max()) == (0, 255)
    assert (np.diff(picture[0].astype(int)) >= 0).all()


def test_a_fingerprint_follows_the_pictures(folder: Path) -> None:
    def fingerprint(**settings: object) -> str:
        return SyntheticScenes(images=2, **settings).fingerprint()  # type: ignore[arg-type]

    first = fingerprint(backdrops=folder)
    assert first == fingerprint(backdrops=str(folder))
    assert len({first, fingerprint(), fingerprint(backdrops=folder, backdrop_share=0.1)}) == 3
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "dark.png")
    assert fingerprint(backdrops=folder) != first


def test_folders_without_usable_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: no picture there"):
        SyntheticScenes(backdrops=tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"a\.png: can't be read as a backdrop"):
        SyntheticScenes(backdrops=tmp_path, backdrop_share=1.0).render(0)
    with pytest.raises(ConfigError, match=r"backdrop_share=1\.5"):
        SyntheticScenes(backdrops=tmp_path, backdrop_share=1.5)
