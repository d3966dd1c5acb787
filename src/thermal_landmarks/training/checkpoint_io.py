"""Checkpoint files that are whole or absent, and that load without running code from them."""

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from thermal_landmarks.errors import DataError
from thermal_landmarks.runs import replacing, unwritable


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes beside the file and renames, so that a kill while writing leaves the previous checkpoint.

    Lightning writes to the system's temporary folder first and moves, which copies (and can be torn) where that folder
    lies on another file system.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write a checkpoint; the file at `path` is replaced in one step.

        Raises:
            OutputError: If it can't be written; the checkpoint that was there before is intact.
        """
        del storage_options
        path = Path(path)
        try:
            with replacing(path, binary=True) as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
        except RuntimeError as error:  # torch covers the file's own error
            if not isinstance(error.__context__, OSError):
                raise
            raise unwritable(path, error.__context__) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        """The content of a checkpoint, plain data and tensors only.

        Raises:
            DataError: If the file is missing or isn't such a checkpoint.
        """
        del weights_only  # never trust a file with more than data
        try:
            checkpoint: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
        except FileNotFoundError as error:
            raise DataError(f"There is no checkpoint at {path}.") from error
        except Exception as error:  # torch.load raises whatever the broken file provokes
            raise DataError(f"{path} can't be read as a checkpoint of this program: {error}") from error
        return checkpoint
