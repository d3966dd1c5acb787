"""Files of cameras, written by hand."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def write_is2() -> Callable[[Path, np.ndarray], Path]:
    """Writes counts as a Fluke file."""

    def write(path: Path, counts: np.ndarray) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            header = np.full((1, counts.shape[1]), 101, dtype="<u2")
            archive.writestr("Images/Main/IR.data", np.concatenate([header, counts.astype("<u2")]).tobytes())
        return path

    return write
