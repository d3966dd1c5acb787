"""What a data set's settings are for: the landmarks of each face, or (`data.task=faces`) where all faces are.

A data set has the settings of both tasks, since any data can serve either; a data module gets those of its own.
"""

import dataclasses
import inspect
from typing import Any

from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.data.scenes.augmentation import SceneChanges
from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.errors import require_choice

TASKS = ("landmarks", "faces")


def task_of(settings: DictConfig) -> str:
    """`landmarks` or `faces`; a `ConfigError` if `data.task` is neither."""
    task = str(settings.get("task", "landmarks"))
    require_choice("data.task", task, TASKS)
    return task


def settings_of_task(settings: DictConfig) -> dict[str, Any]:
    """The settings of a data set that its data module takes."""
    plain = OmegaConf.to_container(settings, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    kept = {str(key): value for key, value in plain.items() if key != "task"}
    if task_of(settings) == "landmarks":
        return kept
    taken = {"_target_", "_convert_", *inspect.signature(SceneDataModule).parameters}
    changes = {field.name for field in dataclasses.fields(SceneChanges)}
    augmentation = {key: value for key, value in kept["augmentation"].items() if key in changes}
    return {key: value for key, value in kept.items() if key in taken} | {"augmentation": augmentation}
