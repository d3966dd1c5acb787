"""What lies below the folders of a report: runs, evaluations, activation pictures, and what can't be shown."""

import csv
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from jaxtyping import Float

from thermal_landmarks.errors import ConfigError, said_by
from thermal_landmarks.old_names import todays_settings
from thermal_landmarks.reporting.report.stored import require_usual_config, require_usual_metrics
from thermal_landmarks.runs import RunFolder, require_shallow
from thermal_landmarks.settings import Flat, flat, reported

_LARGEST_NME = 1e6
Kind = Literal["singular", "ensemble", "no_rotation", "layers_removed", "trial"]


@dataclass(frozen=True)
class Run:
    """A finished training job."""

    number: int  # of the run in this report
    folder: Path  # its run folder
    metrics: dict[str, Any]  # its `metrics.json`
    config: dict[str, Any]  # its `config.yaml`; empty where there is none
    command: str  # what was typed, or why that isn't known
    finished: float  # time of `metrics.json` in seconds
    image_nme: Float[np.ndarray, " image"] | None = field(repr=False, compare=False)
    """NME of each test image as a fraction, without those that have none; None without `per_image.csv`."""

    @property
    def model_id(self) -> str:
        return str(self.metrics.get("model_id", "–"))

    @property
    def ensemble(self) -> int:
        return int(self.metrics.get("ensemble") or 1)

    @property
    def ablation(self) -> str | None:
        """`no_rotation`, `layers_removed` or None; files from before this existed leave it to the config."""
        return self.metrics.get("ablation", self.config.get("names", self.config).get("ablation"))

    @property
    def kind(self) -> Kind | str:
        """The table that the run belongs to."""
        if self.metrics.get("trial") is not None:
            return "trial"
        return self.ablation or ("ensemble" if self.ensemble > 1 else "singular")

    @cached_property
    def protocol(self) -> Flat:
        """Settings that runs of one table share."""
        if not self.config:
            return {key: self.metrics.get(key) for key in ("data", "scheme", "epochs")}
        return reported(flat(self.config), "protocol") | {"data": self.metrics.get("data")}

    @cached_property
    def model(self) -> Flat:
        """Settings that runs of one row share."""
        return reported(flat(self.config), "model")

    @property
    def protocol_label(self) -> str:
        return protocol_label(self.config, self.metrics)

    def value(self, name: str) -> float | None:
        """A number of `metrics.json`; None where it is missing or wasn't measured."""
        value = self.metrics.get(name)
        return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


@dataclass
class Found:
    """Everything below the folders of a report."""

    runs: list[Run] = field(default_factory=list)  # training jobs with `metrics.json`
    # Folder and `metrics.json` of each `evaluate.py`
    evaluations: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    # Folder and `visualize.json` of each `visualize.py`
    activations: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    montages: list[Path] = field(default_factory=list)  # pictures of `check_data.py`
    left_out: list[tuple[Path, str]] = field(default_factory=list)  # file or folder, and why it isn't shown


def collect(folders: Sequence[Path]) -> Found:
    """Read what commands have left below some folders.

    Raises:
        ConfigError: If a folder doesn't exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"runs={folder}: there is no such folder. Give one that holds run folders.")
    found = Found()
    names = ("metrics.json", "visualize.json", "montage.png", "config.yaml")
    for path in _files(folders, names):
        if path.name == "montage.png":
            found.montages.append(path)
        elif path.name == "config.yaml":
            if path.parent.name != ".hydra" and not RunFolder(path.parent).metrics.exists():
                found.left_out.append((path.parent, "no metrics.json: the run failed, was stopped or isn't finished"))
        else:
            _read(path, found)
    found.runs.sort(key=lambda run: run.number)
    return found


def _files(folders: Sequence[Path], names: Sequence[str]) -> Iterator[Path]:
    seen = set()
    for folder in folders:
        for where, below, files in os.walk(folder):
            below[:] = sorted({*below}.difference(("checkpoints", "wandb", "figures", "cache")), key=_numbers_as_such)
            for name in sorted(set(files).intersection(names)):
                path = Path(where) / name
                if path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield path


def _numbers_as_such(name: str) -> list[tuple[int, str]]:
    """To sort run 10 of a multirun behind run 9."""
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d*)(\D*)", name)]


def _read(path: Path, found: Found) -> None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no JSON object")
        if path.name == "visualize.json":
            found.activations.append((path.parent, content))
        elif "incomplete" in content:
            found.left_out.append((path.parent, f"incomplete: {str(content['incomplete'])[:300]}"))
        elif "stem" in content:
            found.runs.append(_run(path.parent, content, number=len(found.runs) + 1))
        elif "evaluated" in content:
            require_usual_metrics(content)
            found.evaluations.append((path.parent, content))
        else:
            found.left_out.append((path, "neither of a training run nor of an evaluation"))
    except (OSError, ValueError, RecursionError) as error:
        found.left_out.append((path, f"can't be read: {said_by(error)}"))


def _run(folder: Path, metrics: dict[str, Any], *, number: int) -> Run:
    run = RunFolder(folder)
    config = (_yaml(run.config) if run.config.is_file() else None) or {}
    require_usual_metrics(metrics)
    require_usual_config(config)
    metrics, config = todays_settings(metrics), todays_settings(config)
    overrides = folder / ".hydra" / "overrides.yaml"
    command = "not recorded (no .hydra/overrides.yaml)"
    if overrides.is_file():
        typed = _yaml(overrides)
        typed = typed if isinstance(typed, list) else []
        command = " ".join(["python src/train.py", *(shlex.quote(str(word)) for word in typed)])
    return Run(number, folder, metrics, config, command, run.metrics.stat().st_mtime, _image_nme(folder))


def _image_nme(folder: Path) -> Float[np.ndarray, " image"] | None:
    path = RunFolder(folder).per_image
    if not path.is_file():
        path = folder / "test_images.csv"  # as runs of version 0.1 have it
    if not path.is_file():
        return None
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            column = next(rows).index("nme")
            errors = np.array([float(row[column]) for row in rows if row and row[column]])
        return errors[np.abs(errors) < _LARGEST_NME]
    except (csv.Error, IndexError, StopIteration, ValueError) as error:
        raise ValueError(
            f"{path.name}: expected a table with a number or nothing in the column nme ({type(error).__name__}: "
            f"{error}). Test the run again, or leave its folder out."
        ) from error


def _yaml(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast
    try:
        return yaml.load(require_shallow(path).read_text(encoding="utf-8"), Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: {error}") from error


def protocol_label(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """A protocol in words: data, landmarks, image size, epochs, batch, loss, rotation."""
    data, trainer = config.get("data"), config.get("trainer")
    what = f"{metrics.get('data', 'unnamed data')}, {metrics.get('scheme', 'unknown landmarks')}"
    if not data or not trainer:
        return f"{what}; no config.yaml, so image size and length aren't known"
    height, width = data["image_size"]
    epochs = trainer["max_epochs"] * trainer.get("epochs_factor", 1)
    return (
        f"{what}, {height} × {width} × {data.get('in_channels', 1)} pixels, {epochs} epoch{'s' * (epochs != 1)}, "
        f"batch {data['batch_size']}, {_loss(config)} loss, "
        f"rotation {data.get('augmentation', {}).get('rotation', 'unknown')}"
    )


def _loss(config: Mapping[str, Any]) -> str:
    choices, loss = config.get("group_choices", {}), config.get("loss", {})  # the former: of runs of earlier versions
    return str(choices.get("loss") or loss.get("penalty", "unnamed"))
