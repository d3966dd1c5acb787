"""Marks that a camera draws into every frame of a film."""

from pathlib import Path

import numpy as np
import pytest
from overlaid import coloured, jpeg, levels_of, with_marks
from PIL import Image

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.palettes import named_palette
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.drawn_marks import DrawnMarks
from thermal_landmarks.errors import ConfigError

LEARNED = 8  # frames


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """Levels of a head that sways before a still room, with a camera's noise."""
    source = SyntheticFaces(subjects=1, images_per_subject=1, size=(240, 320), seed=99, sensor={"eight_bit": 0.0})
    levels = levels_of(source.load(source.annotations()[0]).values)
    noise = np.random.default_rng(0)
    return [
        (np.roll(levels, round(6 * np.sin(step)), axis=1) + noise.normal(0, 1, levels.shape)).clip(0, 255)
        for step in range(LEARNED + 4)
    ]


def frames_of(film: list[np.ndarray], palette: str, *, marked: bool) -> list[ThermalImage]:
    """As a film's reader gives them to what fills marks."""
    frames = []
    for second, levels in enumerate(film):
        rgb = coloured(levels, palette)
        rgb = jpeg(with_marks(rgb, palette, clock=f"12:08:{57 - 3 * second:02}") if marked else rgb)
        image = ThermalImage.from_rgb(rgb)
        values = image.values if palette == "white_hot" else named_palette(palette).read(rgb)[0]
        frames.append(ThermalImage(values, "gray", rgb))
    return frames


@pytest.mark.parametrize("palette", ["white_hot", "iron"])
def test_marks_are_filled_in_every_frame_also_the_digits_of_later_ones(palette: str, film: list[np.ndarray]) -> None:
    known = None if palette == "white_hot" else named_palette(palette)
    frames, clean = frames_of(film, palette, marked=True), frames_of(film, palette, marked=False)
    marks = DrawnMarks(frames[:LEARNED], (240, 320), known)
    for marked, without in list(zip(frames, clean, strict=True))[LEARNED:]:
        seen = marks.filled(marked)
        kept, left = (np.abs(each.values - without.values) for each in (marked, seen))
        assert left.mean() < 0.25 * kept.mean()
        clock = np.s_[222:238, 4:60]
        assert left[clock].mean() < 0.25 * kept[clock].mean()
        assert 500 < seen.masked < 0.15 * marked.values.size


@pytest.mark.parametrize("palette", ["white_hot", "iron"])
def test_a_film_without_marks_stays_as_it_is(palette: str, film: list[np.ndarray]) -> None:
    known = None if palette == "white_hot" else named_palette(palette)
    frames = frames_of(film, palette, marked=False)
    marks = DrawnMarks(frames, (240, 320), known)
    assert marks.pixels == 0
    assert marks.filled(frames[-1]) is frames[-1]
    nothing = DrawnMarks([], (240, 320), known)
    assert nothing.filled(frames[0]) is frames[0]


def test_a_film_is_opened_with_its_marks_filled_unless_they_are_kept(film: list[np.ndarray], tmp_path: Path) -> None:
    for number, frame in enumerate(frames_of(film, "iron", marked=True)):
        assert frame.rgb is not None
        Image.fromarray(frame.rgb).save(tmp_path / f"{number}.png")
    masked, kept = open_video(tmp_path, fps=9), open_video(tmp_path, fps=9, marks="kept")
    assert (masked.palette, masked.marked_pixels > 1000, kept.marked_pixels) == ("iron", True, 0)
    late, again = list(masked)[-1], next(masked.frames(len(film) - 1))
    assert late.image.masked > 500
    np.testing.assert_array_equal(late.image.values, again.image.values)
    logo = np.s_[4:16, 4:50]
    assert np.ptp(late.image.values[logo]) < 0.5 * np.ptp(list(kept)[-1].image.values[logo])
    with pytest.raises(ConfigError, match="marks=gone is unknown"):
        open_video(tmp_path, marks="gone")


def test_films_of_temperatures_are_not_looked_at_for_marks(tmp_path: Path) -> None:
    values = np.full((12, 40, 50), 22.0, np.float32)
    values[:, 20, 5:45] = 40.0
    np.save(tmp_path / "film.npy", values)
    video = open_video(tmp_path / "film.npy", unit="celsius", fps=9)
    assert video.marked_pixels == 0
    np.testing.assert_array_equal(next(iter(video)).image.values, values[0])
