from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.data.formats.palettes import KNOTS, named_palette, recognise_palette
from thermal_landmarks.errors import ConfigError


def scene(noise: float = 3.0) -> np.ndarray:
    """Levels 0-255: a gradient with warm spots, as smooth as thermal pictures are."""
    y, x = np.mgrid[:90, :120]
    levels = 60 + x + 120 * np.exp(-((x - 40) ** 2 + (y - 45) ** 2) / 400) - 60 * (y > 70)
    return (levels + np.random.default_rng(0).normal(0, noise, levels.shape)).clip(0, 255)


def coloured(name: str, levels: np.ndarray) -> np.ndarray:
    return named_palette(name).colours[np.rint(levels).astype(int)].astype(np.uint8)


@pytest.mark.parametrize("name", KNOTS)
def test_every_palette_is_recognised_in_a_jpeg_and_turned_back(name: str, tmp_path: Path) -> None:
    levels = scene()
    Image.fromarray(coloured(name, levels)).save(tmp_path / "a.jpg", quality=92)
    rgb = np.array(Image.open(tmp_path / "a.jpg"))
    fit = recognise_palette(rgb)
    assert fit is not None
    assert fit.palette.name == name
    restored = fit.palette.read(rgb)[0]
    assert np.median(np.abs(restored - levels)) < 8
    assert np.corrcoef(restored.ravel(), levels.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("name", ["spectrum", "spectrum_hc", "jet"])
def test_a_small_picture_whose_colours_blend_is_recognised(name: str, tmp_path: Path) -> None:
    y, x = np.mgrid[:60, :80]
    levels = (60 + x + 80 * ((x // 17 + y // 15) % 2)).clip(0, 255)  # many edges
    Image.fromarray(coloured(name, levels)).save(tmp_path / "a.jpg", quality=80)
    fit = recognise_palette(np.array(Image.open(tmp_path / "a.jpg")))
    assert fit is not None
    assert (fit.palette.name, fit.near < 0.9) == (name, True)


def test_a_rainbow_of_falling_luminance_becomes_rising_intensity() -> None:
    levels = np.tile(np.arange(256.0), (20, 1))
    rgb = coloured("jet", levels)
    luminance = ThermalImage.from_rgb(rgb)
    assert (np.diff(luminance.values[0]) < 0).any()
    seen = as_heat(luminance)
    assert seen.palette == "jet"
    assert_allclose(seen.values, levels, atol=6)
    assert seen.rgb is rgb


def test_gray_pictures_and_photographs_stay_as_they_are(shared_data: Path) -> None:
    gray = np.repeat(scene().astype(np.uint8)[..., None], 3, axis=2)
    assert recognise_palette(gray) is None
    photographs = [
        path
        for folder in ("dlib-faces", "mmpose-samples")
        for path in sorted((shared_data / folder).rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    ]
    assert len(photographs) > 20
    for path in photographs:
        assert recognise_palette(np.array(Image.open(path).convert("RGB"))) is None, path


def test_a_palette_can_be_named_or_left_alone() -> None:
    image = ThermalImage.from_rgb(coloured("iron", scene()))
    assert as_heat(image, "none") is image
    assert as_heat(image, "inferno").palette == "inferno"
    plain = ThermalImage(scene().astype(np.float32), "celsius")
    assert as_heat(plain, "iron") is plain
    with pytest.raises(ConfigError, match=r"palette=irn is unknown. Choose auto, none, black_hot, iron"):
        as_heat(image, "irn")


def test_the_nearest_colour_is_that_of_all_distances() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (700, 3)).astype(float)
    iron = named_palette("iron")
    distances = np.sqrt(((colours[:, None] - iron.colours[None]) ** 2).sum(axis=2))
    level, distance = iron.nearest(colours)
    assert_allclose(distance, distances.min(axis=1), atol=1e-3)
    assert (
        np.take_along_axis(distances, level.astype(int)[:, None], axis=1)[:, 0] <= distances.min(axis=1) + 1e-3
    ).all()
