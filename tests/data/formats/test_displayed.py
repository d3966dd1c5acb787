"""What is read from pictures in a palette, with a camera's marks on them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from overlaid import coloured, jpeg, levels_of, with_marks

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.colour_bar import find_colour_bar
from thermal_landmarks.data.formats.displayed import as_heat, recognised_palette
from thermal_landmarks.data.formats.flir import stated_palette
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.formats.marks import constant_marks, filled
from thermal_landmarks.errors import ConfigError


@pytest.fixture(scope="module")
def portraits() -> list[np.ndarray]:
    """Levels of rendered portraits, 0 to 255."""
    source = SyntheticFaces(subjects=4, images_per_subject=1, size=(240, 320), seed=99, sensor={"eight_bit": 0.0})
    return [levels_of(source.load(annotation).values) for annotation in source.annotations()]


def error(image: ThermalImage, levels: np.ndarray) -> float:
    return float(np.abs(image.values - levels).mean())


@pytest.mark.parametrize("palette", ["iron", "rainbow", "lava", "jet", "white_hot"])
def test_marks_are_filled_and_a_clean_picture_stays(palette: str, portraits: list[np.ndarray]) -> None:
    for levels in portraits[:2]:
        clean = ThermalImage.from_rgb(jpeg(coloured(levels, palette)))
        marked = ThermalImage.from_rgb(jpeg(with_marks(coloured(levels, palette), palette)))
        masked, kept = as_heat(marked), as_heat(marked, marks="kept")
        untouched, read = as_heat(clean), as_heat(clean, marks="kept")
        assert masked.masked > 1000
        assert kept.masked == 0
        beyond = error(read, levels)  # what the palette and JPEG cost
        assert error(masked, levels) - beyond < 0.25 * (error(kept, levels) - beyond)
        assert untouched.masked < 0.01 * levels.size
        assert error(untouched, levels) < 1.03 * beyond + 0.05


def test_a_colour_bar_gives_a_palette_that_nobody_knows(portraits: list[np.ndarray]) -> None:
    own = np.stack([np.interp(np.linspace(0, 1, 256), [0, 0.3, 0.6, 1], channel) for channel in (
        [0, 200, 60, 200], [60, 20, 120, 255], [40, 160, 60, 60],
    )], axis=1)  # fmt: skip
    levels = portraits[0]
    picture = coloured(levels, own)
    assert recognised_palette(ThermalImage.from_rgb(picture)) is None
    barred = jpeg(with_marks(picture, own))
    seen = as_heat(ThermalImage.from_rgb(barred))
    assert seen.palette == "colour bar"
    assert np.corrcoef(seen.values.ravel(), levels.ravel())[0, 1] > 0.98
    turned = ThermalImage.from_rgb(np.ascontiguousarray(np.rot90(barred, -1)))  # the bar lies below, warm at the right
    assert np.corrcoef(as_heat(turned).values.ravel(), np.rot90(levels, -1).ravel())[0, 1] > 0.98


def test_a_gray_picture_whose_bar_is_black_where_it_is_warm_is_turned(portraits: list[np.ndarray]) -> None:
    levels = portraits[1]
    black_hot = with_marks(coloured(levels, "black_hot"), "black_hot")
    seen = as_heat(ThermalImage.from_rgb(jpeg(black_hot)))
    assert (seen.palette, error(seen, levels) < 4) == ("black_hot", True)
    one_channel = as_heat(ThermalImage(black_hot[:, :, 0].astype(np.float32), "gray"))
    assert one_channel.palette == "black_hot"
    white_hot = as_heat(ThermalImage.from_rgb(jpeg(with_marks(coloured(levels, "white_hot"), "white_hot"))))
    assert white_hot.palette is None


@pytest.mark.parametrize("palette", ["iron", "white_hot"])
def test_pictures_without_a_bar_have_none(palette: str, portraits: list[np.ndarray]) -> None:
    noise = np.random.default_rng(0)
    for levels in portraits:
        noisy = (levels + noise.normal(0, 4, levels.shape)).clip(0, 255)
        for picture in (coloured(levels, palette), jpeg(coloured(noisy, palette))):
            assert find_colour_bar(picture) is None
    slope = np.linspace(255, 0, 240)[:, None].repeat(320, axis=1)
    assert find_colour_bar(coloured(slope, palette)) is None


@pytest.mark.parametrize(("dark", "bright", "texture"), [(40, 215, 0.0), (0, 255, 12.0)])
def test_cloth_that_gets_darker_along_an_edge_is_no_bar(dark: int, bright: int, texture: float) -> None:
    """As of a driver's shoulder at the lower edge; taken for a bar, it would turn the picture to black-hot."""
    picture = np.full((240, 320), 20.0)
    picture[212:, 25:290] = np.linspace(bright, dark, 265)
    picture += np.random.default_rng(0).normal(0, texture, picture.shape)
    image = ThermalImage(np.rint(picture.clip(0, 255)).astype(np.float32), "gray")
    assert recognised_palette(image) is None
    assert find_colour_bar(coloured(image.values, "white_hot")) is None


def test_a_flir_picture_is_read_by_the_palette_that_its_file_states(shared_data: Path) -> None:
    path = shared_data / "flir-radiometric" / "25.jpg"
    picture, temperatures = read_image(path, unit="counts"), read_image(path)
    assert picture.stated_palette is not None
    assert picture.stated_palette[0] == "iron"
    seen = as_heat(picture)
    assert seen.palette == "iron"
    coarse = seen.values.reshape(120, 2, 160, 2).mean(axis=(1, 3))
    # The camera shows a part of its field of view in the picture; the middle is the same.
    middle = (slice(30, 90), slice(40, 120))
    first, second = (np.argsort(np.argsort(v[middle].ravel())) for v in (coarse, temperatures.values))
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert as_heat(temperatures) is temperatures


def test_a_stated_palette_is_used_only_where_the_picture_has_its_colours() -> None:
    levels = np.tile(np.arange(256.0), (60, 1))
    own = np.stack([np.linspace(0, 255, 64), np.linspace(200, 0, 64), np.full(64, 90)], axis=1).astype(np.uint8)
    image = ThermalImage.from_rgb(own[np.rint(levels / 255 * 63).astype(int)])
    stated = ThermalImage(image.values, "gray", image.rgb, stated_palette=("own", own))
    assert as_heat(stated, marks="kept").palette == "own"
    assert np.abs(as_heat(stated, marks="kept").values - levels).max() < 12
    other = ThermalImage.from_rgb(coloured(levels, "rainbow"))
    other = ThermalImage(other.values, "gray", other.rgb, stated_palette=("own", own))
    assert as_heat(other).palette == "rainbow"
    gray = ThermalImage.from_rgb(coloured(levels, "black_hot"))
    falling = coloured(np.arange(256.0)[None], "black_hot")[0]
    turned = as_heat(ThermalImage(gray.values, "gray", gray.rgb, stated_palette=("bh", falling)), marks="kept")
    assert turned.palette == "black_hot"
    assert np.abs(turned.values - levels).max() <= 1


def test_a_palette_record_without_colours_states_none() -> None:
    colours = bytes(range(16, 80)) * 3  # 64 times Y, Cr, Cb
    record = bytes([64]) + bytes(79) + b"Iron".ljust(32, b"\0") + colours
    name, rgb = stated_palette({34: record}) or ("", np.empty((0, 3)))
    assert (name, rgb.shape) == ("iron", (64, 3))
    assert stated_palette({34: bytes([0]) + record[1:]}) is None
    assert stated_palette({34: record[:-1]}) is None
    assert stated_palette({34: b""}) is None
    assert stated_palette({}) is None


def test_what_stays_while_the_picture_around_it_changes_is_a_mark() -> None:
    noise = np.random.default_rng(0)
    pictures = [
        np.full((60, 80), level, np.uint8) + noise.integers(0, 20, (60, 80), np.uint8) for level in range(20, 200, 20)
    ]
    for picture in pictures:
        picture[10:16, 10:30] = 120  # a gray label: neither thin nor at an end of the range
        picture[12:14, 12:28] = 70
    marks = constant_marks(pictures)
    assert marks[12:14, 13:27].all()
    assert not marks[30:].any()
    assert not constant_marks(pictures[:4]).any()
    still = [pictures[0]] * 9
    assert not constant_marks(still).any()


def test_edges_that_never_move_before_a_fixed_camera_are_no_marks() -> None:
    """A car's window and a cable hang still while a head moves before them; only the drawn line is a mark."""
    pictures = []
    for step in range(9):
        picture = np.full((60, 80), 60, np.uint8)
        picture[:, 50:] = 130  # a window
        picture[20:26, 40:] = 180  # its frame
        picture[30:33, 20:70] = 90  # a cable, soft by the optics
        picture[31, 20:70] = 110
        picture[10:50, 20 + 3 * step : 45 + 3 * step] = np.maximum(picture[10:50, 20 + 3 * step : 45 + 3 * step], 200)
        pictures.append(picture)
    assert not constant_marks(pictures).any()
    for picture in pictures:
        picture[40, 25:65] = 20
    marks = constant_marks(pictures)
    assert marks[40, 28:62].all()
    assert marks.sum() == marks[40].sum()


def test_marks_are_filled_from_both_sides() -> None:
    slope = np.add.outer(np.arange(20.0), 2 * np.arange(30.0)).astype(np.float32)
    marks = np.zeros(slope.shape, bool)
    marks[8:11, 5:25] = True
    broken = np.where(marks, np.float32(999), slope)
    assert np.abs(filled(broken, marks) - slope).max() < 12
    assert_array_equal(filled(broken, marks)[~marks], slope[~marks])
    all_marks = np.ones((4, 5), bool)
    assert np.isfinite(filled(np.ones((4, 5), np.float32), all_marks)).all()


def test_an_unknown_way_with_marks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"marks=gone is unknown\. Choose masked, kept"):
        as_heat(ThermalImage(np.zeros((4, 4), np.float32), "gray"), marks="gone")
