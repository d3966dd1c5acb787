"""Broken and hostile videos: within bounds, each gives a named error or frames that the whole one gives too."""

from pathlib import Path

import pytest
from data.video.test_open_video import encode
from robustness.bounds import held_to_bounds
from robustness.damage import damaged_bytes
from robustness.flir_files import flir_jpeg
from robustness.videos import FRAMES, HOSTILE, good_videos, read_video

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.formats.limits import MAX_MEGAPIXELS
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.coded import Coded
from thermal_landmarks.errors import DataError


def test_every_broken_video_is_read_or_refused_by_name(tmp_path: Path) -> None:
    """Also when its damage comes late: what was given before stays given."""
    cases = 0
    for number, path in enumerate(good_videos(tmp_path)):
        for what, content in damaged_bytes(path.read_bytes(), seed=number):
            broken = tmp_path / f"{what}_{path.name}"
            broken.write_bytes(content)
            held_to_bounds(lambda broken=broken: read_video(broken), broken.name)
            cases += 1
    assert cases > 120


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_video_made_to_cost_much_is_refused(kind: str, tmp_path: Path) -> None:
    path = HOSTILE[kind](tmp_path)
    read = (lambda: read_image(path)) if path.suffix == ".jpg" else (lambda: read_video(path))
    result, message = held_to_bounds(read, path.name)
    assert message or kind == "a thousand records over each other", result


def test_a_film_of_too_many_pixels_is_refused_before_a_frame_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = encode(tmp_path / "film.mkv", FRAMES, "ffv1", "gray")
    monkeypatch.setenv(MAX_MEGAPIXELS, "0.001")
    monkeypatch.setattr(Coded, "_decoded", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"film\.mkv: 48 x 32 pixels are more than 0\.001 megapixels"):
        open_video(film)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "[Reference]\nRef1={}\n",
    ],
)
def test_a_file_that_names_other_files_opens_none(playlist: str, tmp_path: Path) -> None:
    film = encode(tmp_path / "film.ts", FRAMES, "mpeg2video", "yuv420p")
    path = tmp_path / "list.mp4"
    path.write_text(playlist.format(film.name))
    _, message = held_to_bounds(lambda: read_video(path), path.name)
    assert message


def test_a_picture_with_records_behind_its_own_isread_video(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(flir_jpeg(filling=200_000))
    assert read_image(tmp_path / "a.jpg").unit == "celsius"
