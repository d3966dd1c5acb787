"""One evaluation from config to `metrics.json`: the data as the checkpoint wants them, the subjects, the report."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from lightning.fabric.utilities import move_data_to_device
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from thermal_landmarks.building import build
from thermal_landmarks.csv_table import write_rows
from thermal_landmarks.data.batch import to_unit
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import LandmarkDataset, RawBatch
from thermal_landmarks.data.paths import with_absolute_paths
from thermal_landmarks.data.split import STAGES, Split, split_subjects
from thermal_landmarks.errors import ConfigError, DataError, require_choice, said_by
from thermal_landmarks.evaluation.files import draw_figures, write_per_image
from thermal_landmarks.evaluation.measures import Measures, measure, pixel_error_by_point
from thermal_landmarks.evaluation.nme_bins import nme_bins_figure
from thermal_landmarks.evaluation.subsets import as_records, benchmark_errors, score_subsets, score_table, subset_masks
from thermal_landmarks.evaluation.table import ImagePass, ImageTable, Normaliser
from thermal_landmarks.evaluation.terminal import landmark_table, metric_table
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.long_work import counting
from thermal_landmarks.models.checkpoint import LoadedCheckpoint, load_checkpoint
from thermal_landmarks.runs import RunFolder, git_commit, read_config, write_json

_FROM_CHECKPOINT = ("scheme", "image_size", "in_channels", "colour", "crop", "normalisation", "cascade")
_LANDMARKS_SHOWN = 20


class TrainedOn(NamedTuple):
    """What a checkpoint's run folder tells of its data."""

    split: Split  # the run's subjects
    same_config: bool  # whether the run's config names the very data that are evaluated


def evaluate_config(cfg: DictConfig, folder: Path, *, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Measure a checkpoint on a data set: `metrics.json`, `per_image.csv`, `benchmark.csv` and `figures/` in a folder.

    Returns:
        What `metrics.json` holds.

    Raises:
        ConfigError: If a setting doesn't fit the checkpoint or the data.
        DataError: If the data can't be used.
    """
    loaded = load_checkpoint(cfg.checkpoint)
    cfg = with_checkpoint_settings(cfg, loaded, overrides)
    predictor = Predictor.from_checkpoint(loaded, device=cfg.device, precision=cfg.precision, flip_tta=cfg.flip_tta)
    data: LandmarkDataModule = build("data", cfg.data)
    what = select_subjects(data, cfg.split, trained_on(loaded.path, cfg.data))
    console = Console()
    console.print(f"{loaded.path} ({loaded.network.model_id}, {loaded.scheme.name}) on {what}", soft_wrap=True)

    chosen = {k: v for k, v in OmegaConf.to_container(cfg.metrics).items() if v is not None}  # type: ignore[union-attr]
    measures = Measures(**{**loaded.hyper_parameters.get("metrics", {}), **chosen})
    table, dataset = evaluate(predictor, data), data.datasets["test"]
    measured = measure(table, measures)
    nme, subsets = benchmark_errors(table, dataset, measures.normaliser), subset_masks(table, dataset)
    scores = score_subsets(nme, subsets, tuple(cfg.benchmark.thresholds), cfg.benchmark.auc_rule)
    _warn_without_normaliser(console, table, measures.normaliser)

    folder.mkdir(parents=True, exist_ok=True)
    by_landmark = [None if np.isnan(e) else round(float(e), 4) for e in pixel_error_by_point(table)]
    metrics = {
        **{f"test/{name}": value for name, value in measured.items()},
        "by_landmark_px": dict(zip(loaded.scheme.landmark_names, by_landmark, strict=True)),
        "images": len(table),
        "subjects": len({dataset.samples.subjects[row] for row in table.index}),
        "evaluated": what,
        "data": cfg.data_name,
        "checkpoint": str(loaded.path),
        "model_id": loaded.network.model_id,
        "scheme": loaded.scheme.name,
        "metric_settings": asdict(measures),
        "benchmark": {"auc_rule": cfg.benchmark.auc_rule, "subsets": as_records(scores)},
        "flip_tta": predictor.flip_tta,
        "test_precision": predictor.precision,
        "commit": git_commit(),
    }
    write_json(folder / "metrics.json", metrics)
    write_per_image(table, dataset, loaded.scheme, measures, folder)
    write_rows(folder / "benchmark.csv", metrics["benchmark"]["subsets"])
    curve = f"{loaded.network.model_id} on {cfg.data_name}"
    figures = draw_figures(table, dataset, measures, measured, name=curve, faces=cfg.overlays)
    if cfg.overlays > 0 and not np.isnan(nme).all():
        figures["by_nme"] = nme_bins_figure(table, dataset, nme, subsets, list(cfg.benchmark.nme_bins))
    (folder / "figures").mkdir(exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / "figures" / f"{name}.png")

    console.print(metric_table(metrics, measures.normaliser))
    console.print(score_table(scores, measures.normaliser))
    if loaded.scheme.num_points <= _LANDMARKS_SHOWN:
        console.print(landmark_table(table, loaded.scheme.landmark_names))
    console.print(f"Results: [bold]{folder}[/bold]", soft_wrap=True)
    return metrics


@torch.inference_mode()
def evaluate(predictor: Predictor, data: LandmarkDataModule) -> ImageTable:
    """Predict the data module's test set; the predictor is of the same scheme and preprocessing."""
    images = ImagePass(predictor.scheme.num_points)
    with counting("Evaluating", len(data.datasets["test"])) as done:
        for raw in data.test_dataloader():
            batch = data.finish(cast(RawBatch, move_data_to_device(raw, predictor.device)), augment=False)
            images.add(to_unit(predictor.predict_normalised(batch["image"]), data.image_size), batch)
            done(len(batch["index"]))
    return images.finish()


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
    if "scheme" not in cfg.data:
        raise ConfigError(
            f"data={cfg.data_name}: these data have no landmarks. Choose data that have, such as data=coco."
        )
    wanted = {**loaded.preprocessing.settings, "scheme": loaded.scheme.name}
    cfg = cfg.copy()
    with open_dict(cfg):
        for name in _FROM_CHECKPOINT:
            cfg.data[name] = wanted[name]
    OmegaConf.resolve(cfg)
    return cfg


def trained_on(checkpoint: Path, data: DictConfig) -> TrainedOn | None:
    """The subjects of the run that wrote a checkpoint, if its folder is still around it."""
    checkpoint = checkpoint.resolve()
    run = RunFolder(checkpoint.parent.parent)
    if checkpoint.parent != run.checkpoints or not run.split.is_file():
        return None
    config = read_config(run.config) if run.config.is_file() else OmegaConf.create({})
    assert isinstance(config, DictConfig)
    then, now = (with_absolute_paths(settings) for settings in (config.get("data") or OmegaConf.create({}), data))
    same_config = all(then.get(name) == now.get(name) for name in ("source", "test_source"))
    try:
        split = json.loads(run.split.read_text(encoding="utf-8"))
        if not all(isinstance(name, str) for stage in STAGES for name in split.get(stage, ())):
            raise ValueError("a subject is no text")
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        raise DataError(
            f"{run.split}: expected the subjects of {', '.join(STAGES)} as JSON ({said_by(error)}). Remove it to "
            "evaluate without knowing the run's subjects."
        ) from error
    return TrainedOn(split, same_config)


def select_subjects(data: LandmarkDataModule, which: str, trained: TrainedOn | None) -> str:
    """Make the wanted images the data module's test set.

    Args:
        data: Without a test set yet.
        which: `all`, `train`, `val`, `test`, or `auto`: the test subjects if the data are those of the run, else all.
        trained: What is known of the run. The data are its own if the config says so or if they hold just the run's
            subjects (a path can be written in many ways); then `train`, `val` and `test` mean the run's subjects.
            Otherwise `data.split` divides them.

    Returns:
        What is evaluated, in words; it tells how many subjects the network may know from training.

    Raises:
        ConfigError: If there is no such choice, or it leaves no image.
    """
    require_choice("split", which, ("auto", "all", *STAGES))
    test_source = data.test_source if which in ("auto", "test") else None
    data.use_for_test(data.source if test_source is None else test_source)
    dataset = data.datasets["test"]
    subjects = np.array(dataset.samples.subjects)
    known = set() if trained is None else {name for names in trained.split.values() for name in names}
    own = trained is not None and test_source is None and (trained.same_config or known == set(subjects))
    if test_source is not None:
        names, what = sorted(set(subjects)), "the test data set"
    elif which == "all" or (which == "auto" and not own):
        names, what = sorted(set(subjects)), "all images"
    elif trained is not None and own:
        stage = "test" if which == "auto" else which
        names, what = trained.split.get(stage, []), f"the run's {stage} subjects"
    else:
        split = split_subjects(dataset.samples.subjects, data.split_settings, with_test=data.test_source is None)
        names, what = split[which], f"the {which} subjects of data.split"
    rows = np.flatnonzero(np.isin(subjects, names))
    if not len(rows):
        raise ConfigError(f"split={which}: no image of {what} is in this data set. Choose split=all.")
    data.datasets["test"] = LandmarkDataset(dataset.samples, rows, dataset.landmarks)
    shown = set(subjects[rows])
    seen = shown & set(trained.split["train"]) if trained is not None else set()
    where = "seen in training" if own else "named like subjects of the training"
    warning = f"; {len(seen)} of them {where}" if seen else ""
    return f"{what}: {_count(len(rows), 'image')} of {_count(len(shown), 'subject')}{warning}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _warn_without_normaliser(console: Console, table: ImageTable, normaliser: Normaliser) -> None:
    nme = table.nme(normaliser)
    if broken := int(np.isinf(nme).sum()):
        console.print(
            f"[yellow]{broken} of {len(nme)} images have predicted points that are not finite numbers: they "
            "are failures, and the mean NME is that of the others.[/yellow]",
            soft_wrap=True,
        )
    missing = int(np.isnan(nme).sum())
    if missing:
        console.print(
            f"[yellow]{missing} of {len(nme)} images have no NME by {normaliser}: the normaliser's points "
            "are not annotated. metrics.normaliser=box works for every annotated image.[/yellow]",
            soft_wrap=True,
        )
