"""Which settings of a data set are paths, their absolute form, which holds in any folder, and files by a pattern."""

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

PATHS = (
    "annotation_file",
    "annotations",
    "backdrops",
    "cache_dir",
    "corrections",
    "dataset_yaml",
    "file",
    "finder",
    "folder",
    "image_dir",
    "list_file",
    "source",
    "teacher",
)
"""Names of the settings below `data` that are paths; a test holds them against the readers."""


def path_settings(data: DictConfig, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Key and value of each path that is set."""
    for name in list(data):
        value = data[name]
        if isinstance(value, DictConfig):
            yield from path_settings(value, f"{prefix}{name}.")
        elif name in PATHS and isinstance(value, str):
            yield f"{prefix}{name}", value


def with_absolute_paths(data: DictConfig) -> DictConfig:
    """Settings of a data set with absolute paths; what names no file that exists stays as it is."""
    data = data.copy()
    for key, value in path_settings(data):
        if Path(value).expanduser().exists() or key == "cache_dir":
            OmegaConf.update(data, key, absolute(value))
    return data


def absolute(path: Any) -> Any:
    """A path from the root; anything but text as it is."""
    return str(Path(path).expanduser().absolute()) if isinstance(path, str) else path


def matching(entry: str) -> list[Path]:
    """The file or folder of that name, else those that match it as a pattern with `*`, `?` or `[...]`, in order."""
    path = Path(entry).expanduser()
    if path.exists():
        return [path]
    return [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 (absolute patterns)
