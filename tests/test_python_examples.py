"""What stands in README and docs as Python runs, and the names at the top of the package are there."""

import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import thermal_landmarks
from thermal_faces import SyntheticFaces

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/index.md", "docs/tracking.md"]


@pytest.fixture(scope="module")
def temperatures_c() -> np.ndarray:
    pose = {"face_height": (0.5, 0.55), "position_x": (0.45, 0.5), "yaw_deg": (-5, 5)}
    return SyntheticFaces(subjects=1, images_per_subject=1, size=(120, 160), seed=11, pose=pose).render(0, 0)


@pytest.mark.parametrize("page", PAGES)
def test_the_example_finds_the_face(
    page: str,
    temperatures_c: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    low, high = temperatures_c.min(), temperatures_c.max()
    gray = ((temperatures_c - low) / (high - low) * 255).astype(np.uint8)
    (tmp_path / "faces").mkdir()
    Image.fromarray(gray).save(tmp_path / "faces" / "face.jpg", quality=95)
    with av.open(str(tmp_path / "recording.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.height, stream.width = gray.shape
        for _ in range(5):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="gray")))
        film.mux(stream.encode(None))
    monkeypatch.chdir(tmp_path)
    example, *live = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    exec(example, {"temperatures_c": temperatures_c})
    for each in live:  # a film in the place of the camera
        told: dict[str, object] = {}
        exec(each.replace("rtsp://camera.local/stream", "recording.mp4"), told)
        assert "faces" in told
    assert len(re.findall(r"\[\s*\d+\.\d+\s+\d+\.\d+\s*\]", capsys.readouterr().out)) >= 16  # points


def test_every_name_at_the_top_is_there() -> None:
    assert all(getattr(thermal_landmarks, name) is not None for name in thermal_landmarks.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = thermal_landmarks.nothing
