"""One training job from config to `metrics.json`: data, network, fit, test, record."""

import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from thermal_landmarks.allocator import keep_freed_memory
from thermal_landmarks.building import build
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.paths import with_absolute_paths
from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.data.split import write_split
from thermal_landmarks.data.task import settings_of_task
from thermal_landmarks.errors import ConfigError, DivergedError, Interrupted
from thermal_landmarks.evaluation.terminal import metric_table
from thermal_landmarks.models.starting_weights import start_from
from thermal_landmarks.runs import RunFolder, remove_partial_files, replacing, write_json
from thermal_landmarks.training.callbacks.divergence import StopDiverged
from thermal_landmarks.training.callbacks.history import History
from thermal_landmarks.training.callbacks.interruption import Interruption
from thermal_landmarks.training.finder_module import build_finder
from thermal_landmarks.training.loggers import build_logger, log_outcome
from thermal_landmarks.training.module import build_module
from thermal_landmarks.training.precision import TEST_PRECISION
from thermal_landmarks.training.record import RunMetadata, run_metadata, training_record
from thermal_landmarks.training.resuming import resumed_config
from thermal_landmarks.training.stopping import stop_requests

Metrics = dict[str, Any]


def train(
    cfg: DictConfig,
    folder: Path,
    *,
    names: Mapping[str, str | None] | None = None,
    overrides: Sequence[str] = (),
    report: Callable[[float, int], bool] | None = None,
) -> Metrics:
    """Train, test and record one model.

    Args:
        cfg: The composed `conf/train.yaml`.
        folder: The run folder; made if missing.
        names: What the run is called after: its `data`, `experiment` and `ablation`. A resumed run keeps its own.
        overrides: What was typed on the command line; on resuming these change the settings of the resumed run.
        report: Takes the objective of each epoch and the number of epochs, and says whether to stop; of a search.

    Returns:
        What `metrics.json` holds.

    Raises:
        Interrupted: On Ctrl-C or SIGTERM, with a checkpoint from which the run goes on.
        DivergedError: If the loss or the predictions are no longer finite numbers.
        ConfigError: If a setting doesn't fit.
        OutputError: If a checkpoint or a file can't be written.
    """
    run, resumed = RunFolder(folder), cfg.resume is not None
    cfg = _settings(cfg, run, names or {}, overrides)
    main_process = getattr(rank_zero_only, "rank", 0) == 0
    if main_process:
        with replacing(run.config) as file:
            file.write(OmegaConf.to_yaml(cfg))
    keep_freed_memory()
    with stop_requests(lambda: _going_on(cfg, run)) as request:
        L.seed_everything(cfg.seed, workers=True, verbose=False)
        data: LandmarkDataModule | SceneDataModule = build("data", settings_of_task(cfg.data))
        data.setup()
        if resumed and json.loads(run.split.read_text(encoding="utf-8")) != data.split:
            raise ConfigError(f"{run.split}: the data's subjects have changed since this run began. Start a new run.")
        if main_process:
            write_split(run.split, data.split)
        module = build_finder(cfg, data) if isinstance(data, SceneDataModule) else build_module(cfg, data)
        if cfg.objective not in module.objectives:
            raise ConfigError(
                f"objective={cfg.objective} isn't measured in training. Choose one of {', '.join(module.objectives)}."
            )
        metadata = run_metadata(cfg, module.network)
        console = Console(quiet=not main_process or metadata.trial is not None)  # a search has its own lines
        console.print(_headline(metadata, data))
        if cfg.weights is not None and not resumed:
            console.print(start_from(module.network, cfg.weights))
        history = History(cfg.objective, report)
        trainer: L.Trainer = build(
            "trainer",
            cfg.trainer,
            callbacks=[*_callbacks(cfg), StopDiverged(objective=cfg.objective), history, Interruption(request)],
            logger=build_logger(cfg.logger, metadata, run.path),
            default_root_dir=str(run.path),
        )
        started, tested = time.perf_counter(), False

        def record() -> Metrics:
            """What `metrics.json` holds without a test."""
            best = history.best_epoch(_monitor(cfg) if report is None else cfg.objective)
            seconds = time.perf_counter() - started
            return {**best, **metadata.record(), **training_record(trainer, seconds=seconds, pruned=history.pruned)}

        try:
            # this project's own checkpoints hold plain data and tensors only
            last = str(run.last_checkpoint) if resumed else None
            trainer.fit(module, data, ckpt_path=last, weights_only=True)
            metrics = record()
            if not history.pruned and len(data.datasets["test"]) and trainer.limit_test_batches:
                best = str(run.best_checkpoint) if run.best_checkpoint.exists() else None
                (measured,) = trainer.test(module, data, ckpt_path=best, verbose=False, weights_only=True)
                metrics |= {**measured, "test_precision": TEST_PRECISION}
                tested = True
        except BaseException as error:
            if not main_process and isinstance(error, Interrupted | DivergedError):
                raise SystemExit(0) from error  # the first process tells; an error here would kill it while it does
            if main_process and trainer.global_step > 0:
                reached = record()
                write_json(run.metrics, {**reached, "incomplete": _reason(error)})
                log_outcome("failed" if isinstance(error, Exception) else "interrupted", cfg.objective, reached)
            raise
    if main_process:
        write_json(run.metrics, metrics)
        log_outcome("pruned" if history.pruned else "complete", cfg.objective, metrics)
    if not tested and metadata.trial is None:
        console.print("There is no test: data.split.test or trainer.limit_test_batches leaves no image for it.")
    console.print(metric_table(metrics, cfg.metrics.normaliser, stage="test" if tested else "val"))
    console.print(f"Run folder: [bold]{run.path}[/bold]", soft_wrap=True)
    return metrics


def _settings(cfg: DictConfig, run: RunFolder, names: Mapping[str, str | None], overrides: Sequence[str]) -> DictConfig:
    """The run's settings in full: plain values, absolute paths and the names that it is known by."""
    if cfg.resume is not None:
        remove_partial_files(run.path)
        cfg = resumed_config(run, overrides, cfg)
    else:
        cfg = cfg.copy()
        with open_dict(cfg):
            cfg.names = {"data": "unnamed", "experiment": None, "ablation": None, **names}
    OmegaConf.resolve(cfg)
    cfg.data = with_absolute_paths(cfg.data)
    return cfg


def _callbacks(cfg: DictConfig) -> list[Callback]:
    # A run of an earlier version has its history among the callbacks of its config.
    chosen = [settings for name, settings in (cfg.callbacks or {}).items() if settings and name != "history"]
    return [build("callback", settings) for settings in chosen]


def _monitor(cfg: DictConfig) -> str | None:
    """The metric by which the kept weights are chosen; None where the last ones are kept."""
    best = (cfg.callbacks or {}).get("best")
    return best.monitor if best and cfg.trainer.enable_checkpointing else None


def _going_on(cfg: DictConfig, run: RunFolder) -> str:
    if cfg.trial is not None:
        return "The trial is handed back; the same command goes on with the search."
    if run.last_checkpoint.exists():
        return f"To go on: resume={run.path}"
    return "There is no checkpoint yet: begin again with the same command."


def _reason(error: BaseException) -> str:
    """Why a run is incomplete, in one line."""
    if isinstance(error, Interrupted):
        return f"stopped by {signal.Signals(error.signal_number).name} {error}".strip()
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def _headline(metadata: RunMetadata, data: LandmarkDataModule | SceneDataModule) -> str:
    counts = ", ".join(f"{len(dataset)} {stage}" for stage, dataset in data.datasets.items())
    taught = getattr(data, "taught", None)
    besides = "" if taught is None else "\nWithout labels: {faces} faces of {pictures} pictures, by {teacher}"
    return (
        f"[bold]{metadata.model}[/bold] ({metadata.stem} + {metadata.branch}): {metadata.parameters:,} parameters, "
        f"{metadata.gflops:.2f} GFLOPs\n{metadata.data}, {metadata.scheme}: {counts} images"
        f"{besides.format(**taught or {})}"
    )
