"""A predictor with random weights, and pictures for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.inference.predictor import Predictor


@pytest.fixture
def predictor(make_checkpoint: Callable[..., Path]) -> Predictor:
    return Predictor.from_checkpoint(make_checkpoint(), device="cpu", batch_size=2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five pictures in two folders: 8-bit, 16-bit, temperatures and one that is broken."""
    rng = np.random.default_rng(0)
    first, second = tmp_path / "pictures" / "anna", tmp_path / "pictures" / "ben"
    first.mkdir(parents=True)
    second.mkdir()
    Image.fromarray(rng.integers(0, 256, (48, 64), dtype=np.uint8)).save(first / "1.png")
    Image.fromarray(rng.integers(0, 256, (30, 40), dtype=np.uint8)).save(second / "1.png")
    Image.fromarray(rng.integers(29000, 31000, (48, 64)).astype(np.uint16)).save(second / "1.tif")
    np.save(second / "2.npy", rng.uniform(20, 36, (48, 64)).astype(np.float32))
    (second / "0_broken.png").write_bytes(b"no picture")
    return tmp_path / "pictures"
