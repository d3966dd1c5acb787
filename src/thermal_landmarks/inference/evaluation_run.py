"""One evaluation from config to `metrics.json`: the data as the checkpoint wants them, the subjects, the report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.data.split import STAGES, Split, split_subjects
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.checkpoint import LoadedCheckpoint, load_checkpoint
from thermal_landmarks.inference.evaluation import Evaluation, evaluate, nan_mean
from thermal_landmarks.inference.evaluation_files import landmark_table, metric_table, write_figures, write_per_image
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runs import RunFolder, git_commit, write_json

_FROM_CHECKPOINT = ("scheme", "image_size", "in_channels", "crop", "normalisation")
_DEFAULT_METRICS = {"normaliser": "inter_ocular", "failure_threshold": 0.1, "auc_threshold": 0.1}
_LANDMARKS_SHOWN = 20


def evaluate_config(cfg: DictConfig, folder: Path, *, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Measure a checkpoint on a data set.

    Args:
        cfg: The composed `conf/evaluate.yaml`.
        folder: Gets `metrics.json`, `per_image.csv` and `figures/`.
        overrides: What was typed on the command line.

    Returns:
        What `metrics.json` holds.

    Raises:
        ConfigError: If a setting doesn't fit the checkpoint or the data.
        DataError: If the data can't be used.
    """
    loaded = load_checkpoint(cfg.checkpoint)
    cfg = with_checkpoint_settings(cfg, loaded, overrides)
    predictor = Predictor(
        loaded.network,
        scheme=loaded.scheme,
        preprocessing=loaded.preprocessing,
        device=cfg.device,
        precision=cfg.precision,
        mirror=cfg.mirror,
    )
    data: LandmarkDataModule = instantiate(cfg.data)
    what = select_subjects(data, cfg.split, run_split(loaded.path, cfg.data))
    console = Console()
    console.print(f"{loaded.path} ({loaded.network.model_id}, {loaded.scheme.name}) on {what}", soft_wrap=True)

    chosen = {k: v for k, v in OmegaConf.to_container(cfg.metrics).items() if v is not None}  # type: ignore[union-attr]
    settings = {**_DEFAULT_METRICS, **loaded.hyper_parameters.get("metrics", {}), **chosen}
    evaluation = evaluate(predictor, data, metrics=settings)
    _warn_without_normaliser(console, evaluation, settings["normaliser"])

    folder.mkdir(parents=True, exist_ok=True)
    by_landmark = [None if np.isnan(e) else round(float(e), 4) for e in nan_mean(evaluation.error_px, axis=0)]
    metrics = {
        **evaluation.metrics,
        "by_landmark_px": dict(zip(loaded.scheme.landmark_names, by_landmark, strict=True)),
        "images": len(evaluation.rows),
        "subjects": len({evaluation.samples.subjects[row] for row in evaluation.rows}),
        "evaluated": what,
        "data": cfg.data_name,
        "checkpoint": str(loaded.path),
        "model_id": loaded.network.model_id,
        "scheme": loaded.scheme.name,
        "metric_settings": settings,
        "mirror": cfg.mirror,
        "commit": git_commit(),
    }
    write_json(folder / "metrics.json", metrics)
    write_per_image(evaluation, loaded.scheme, folder / "per_image.csv")
    curve = f"{loaded.network.model_id} on {cfg.data_name}"
    threshold = settings["auc_threshold"]
    write_figures(evaluation, folder / "figures", name=curve, threshold=threshold, overlays=cfg.overlays)

    failure = settings["failure_threshold"]
    console.print(metric_table(evaluation.metrics, normaliser=settings["normaliser"], failure=failure, auc=threshold))
    if loaded.scheme.num_points <= _LANDMARKS_SHOWN:
        console.print(landmark_table(evaluation, loaded.scheme.landmark_names))
    console.print(f"Results: [bold]{folder}[/bold]", soft_wrap=True)
    return metrics


def with_checkpoint_settings(cfg: DictConfig, loaded: LoadedCheckpoint, overrides: Sequence[str] = ()) -> DictConfig:
    """The config with its interpolations resolved and the checkpoint's scheme and preprocessing in `data`.

    Raises:
        ConfigError: If the command line sets what the checkpoint determines.
    """
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        for name in _FROM_CHECKPOINT:
            if key == f"data.{name}" or key.startswith(f"data.{name}."):
                raise ConfigError(f"{key} comes from the checkpoint here; images must be as in training. Leave it out.")
    wanted = {**loaded.preprocessing.settings, "scheme": loaded.scheme.name}
    cfg = cfg.copy()
    with open_dict(cfg):
        for name in _FROM_CHECKPOINT:
            cfg.data[name] = wanted[name]
    OmegaConf.resolve(cfg)
    return cfg


def run_split(checkpoint: Path, data: DictConfig) -> Split | None:
    """The subjects of the run that wrote a checkpoint, if its folder is still around it and `data` was its data."""
    run = RunFolder(checkpoint.parent.parent)
    if checkpoint.parent != run.checkpoints or not (run.split.is_file() and run.config.is_file()):
        return None
    trained_on = OmegaConf.load(run.config)
    for name in ("source", "test_source"):
        if OmegaConf.select(trained_on, f"data.{name}") != data.get(name):
            return None
    split: Split = json.loads(run.split.read_text())
    return split


def select_subjects(data: LandmarkDataModule, which: str, trained: Split | None) -> str:
    """Make the wanted images the data module's test set.

    Args:
        data: Without a test set yet.
        which: `all`, `train`, `val`, `test`, or `auto`: the test subjects if the data are those of the run, else all.
        trained: The run's own split if the data are its data; then `train`, `val` and `test` mean its subjects.
            Otherwise `data.split` divides them.

    Returns:
        What is evaluated, in words.

    Raises:
        ConfigError: If there is no such choice, or it leaves no image.
    """
    if which not in ("auto", "all", *STAGES):
        raise ConfigError(f"split={which} is unknown. Choose auto, all, train, val or test.")
    test_source = data.test_source if which in ("auto", "test") else None
    data.use_for_test(data.source if test_source is None else test_source)
    dataset = data.datasets["test"]
    subjects = np.array(dataset.samples.subjects)
    if test_source is not None:
        names, what = sorted(set(subjects)), "the test data set"
    elif which == "all" or (which == "auto" and trained is None):
        names, what = sorted(set(subjects)), "all images"
    elif trained is not None:
        stage = "test" if which == "auto" else which
        names, what = trained[stage], f"the run's {stage} subjects"
    else:
        split = split_subjects(dataset.samples.subjects, data.split_settings, with_test=data.test_source is None)
        names, what = split[which], f"the {which} subjects of data.split"
    rows = np.flatnonzero(np.isin(subjects, names))
    if not len(rows):
        raise ConfigError(f"split={which}: no image of {what} is in this data set. Choose split=all.")
    data.datasets["test"] = LandmarkDataset(dataset.samples, rows, dataset.landmarks)
    shown = set(subjects[rows])
    seen = shown & set(trained["train"]) if trained is not None and test_source is None else set()
    warning = f"; {len(seen)} of them seen in training" if seen else ""
    return f"{what}: {_count(len(rows), 'image')} of {_count(len(shown), 'subject')}{warning}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _warn_without_normaliser(console: Console, evaluation: Evaluation, normaliser: str) -> None:
    missing = int(np.isnan(evaluation.nme).sum())
    if missing:
        console.print(
            f"[yellow]{missing} of {len(evaluation.nme)} images have no NME by {normaliser}: the normaliser's points "
            "are not annotated. metrics.normaliser=box works for every annotated image.[/yellow]",
            soft_wrap=True,
        )
