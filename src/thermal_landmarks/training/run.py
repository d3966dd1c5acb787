"""One training job from config to `metrics.json`: data, network, fit, test, record."""

import json
import platform
import signal
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from thermal_landmarks.allocator import keep_freed_memory
from thermal_landmarks.building import build
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.paths import with_absolute_paths
from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.data.split import write_split
from thermal_landmarks.data.task import settings_of_task, task_of
from thermal_landmarks.errors import ConfigError, DivergedError, Interrupted
from thermal_landmarks.evaluation.measures import best_is
from thermal_landmarks.evaluation.terminal import metric_table
from thermal_landmarks.models.checkpoint import load_checkpoint, load_finder
from thermal_landmarks.models.complexity import count_flops, count_parameters
from thermal_landmarks.models.starting_weights import load_matching_weights
from thermal_landmarks.runs import RunFolder, git_commit, remove_partial_files, replacing, write_json
from thermal_landmarks.training.callbacks.divergence import StopDiverged
from thermal_landmarks.training.callbacks.history import History
from thermal_landmarks.training.callbacks.interruption import Interruption
from thermal_landmarks.training.callbacks.pruning import Pruning
from thermal_landmarks.training.finder_module import FinderModule
from thermal_landmarks.training.loggers import RunMetadata, build_logger, log_outcome
from thermal_landmarks.training.module import LandmarkModule
from thermal_landmarks.training.precision import TEST_PRECISION
from thermal_landmarks.training.resuming import resumed_config
from thermal_landmarks.training.stopping import StopRequest, stop_requests

Metrics = dict[str, Any]


def train(
    cfg: DictConfig, folder: Path, *, overrides: list[str] | None = None, callbacks: Sequence[Callback] = ()
) -> Metrics:
    """Train, test and record one model.

    Args:
        cfg: The composed `conf/train.yaml`.
        folder: The run folder; made if missing.
        overrides: What was typed on the command line; on resuming these change the settings of the resumed run.
        callbacks: Beside those of the config.

    Returns:
        What `metrics.json` holds.

    Raises:
        Interrupted: On Ctrl-C or SIGTERM, with a checkpoint from which the run goes on.
        DivergedError: If the loss or the predictions are no longer finite numbers.
        ConfigError: If a setting doesn't fit.
        OutputError: If a checkpoint or a file can't be written.
    """
    run = RunFolder(folder)
    resume_from = str(run.last_checkpoint) if cfg.resume is not None else None
    if resume_from is not None:
        remove_partial_files(run.path)
        cfg = resumed_config(run, overrides or [], cfg)
    OmegaConf.resolve(cfg)
    cfg.data = with_absolute_paths(cfg.data)
    with stop_requests() as request:
        try:
            return _train(cfg, run, resume_from, request, callbacks)
        except Interrupted as stop:
            if cfg.trial is not None:
                kept = "The trial is handed back; the same command goes on with the search."
            elif run.last_checkpoint.exists():
                kept = f"To go on: resume={run.path}"
            else:
                kept = "There is no checkpoint yet: begin again with the same command."
            where = f" {stop}" if str(stop) else ""
            name = signal.Signals(stop.signal_number).name
            raise Interrupted(f"Stopped by {name}{where}. {kept}", stop.signal_number) from stop


def _train(
    cfg: DictConfig, run: RunFolder, resume_from: str | None, request: StopRequest, callbacks: Sequence[Callback]
) -> Metrics:
    main_process = getattr(rank_zero_only, "rank", 0) == 0
    if main_process:
        with replacing(run.config) as file:
            file.write(OmegaConf.to_yaml(cfg))
    keep_freed_memory()
    L.seed_everything(cfg.seed, workers=True, verbose=False)

    data: LandmarkDataModule | SceneDataModule = build("data", settings_of_task(cfg.data))
    data.prepare_data()
    data.setup()
    if resume_from is not None and json.loads(run.split.read_text(encoding="utf-8")) != data.split:
        raise ConfigError(f"{run.split}: the data's subjects have changed since this run began. Start a new run.")
    if main_process:
        write_split(run.split, data.split)
    module = build_finder(cfg, data) if isinstance(data, SceneDataModule) else build_module(cfg, data)
    if cfg.objective not in module.objectives:
        raise ConfigError(
            f"objective={cfg.objective} isn't measured in training. Choose one of {', '.join(module.objectives)}."
        )
    metadata = run_metadata(cfg, module)
    console = Console(quiet=not main_process or metadata.trial is not None)  # a search has its own lines
    console.print(_headline(metadata, data))
    if cfg.weights is not None and resume_from is None:
        console.print(start_from(module, cfg.weights))
    safeguards = [StopDiverged(objective=cfg.objective), Interruption(request)]
    trainer = _trainer(cfg, run, metadata, [*callbacks, *safeguards])

    started = time.perf_counter()
    pruned, tested = False, None
    try:
        # this project's own checkpoints hold plain data and tensors only
        trainer.fit(module, data, ckpt_path=resume_from, weights_only=True)
        seconds = time.perf_counter() - started
        pruned = any(isinstance(callback, Pruning) and callback.pruned for callback in callbacks)
        if not pruned and len(data.datasets["test"]) and trainer.limit_test_batches:
            best = str(run.best_checkpoint) if run.best_checkpoint.exists() else None
            (tested,) = trainer.test(module, data, ckpt_path=best, verbose=False, weights_only=True)
    except BaseException as error:
        if not main_process and isinstance(error, Interrupted | DivergedError):
            raise SystemExit(0) from error  # the first process tells; an error here would kill it while it does
        if main_process and trainer.global_step > 0:
            seconds = time.perf_counter() - started
            reached = record(trainer, metadata, seconds=seconds, pruned=False)
            write_json(run.metrics, {**reached, "incomplete": _reason(error)})
            log_outcome("failed" if isinstance(error, Exception) else "interrupted", cfg.objective, reached)
        raise
    metrics = {**record(trainer, metadata, seconds=seconds, pruned=pruned), **(tested or {})}
    if tested:
        metrics["test_precision"] = TEST_PRECISION
    if main_process:
        write_json(run.metrics, metrics)
        log_outcome("pruned" if pruned else "complete", cfg.objective, metrics)
    if not tested and metadata.trial is None:
        console.print("There is no test: data.split.test or trainer.limit_test_batches leaves no image for it.")
    console.print(metric_table(metrics, cfg.metrics.normaliser, stage="test" if tested else "val"))
    console.print(f"Run folder: [bold]{run.path}[/bold]", soft_wrap=True)
    return metrics


def record(trainer: L.Trainer, metadata: RunMetadata, *, seconds: float, pruned: bool) -> Metrics:
    """What `metrics.json` holds of a training, without its test."""
    return {
        **best_epoch(trainer),
        **metadata.record(),
        "pruned": pruned,
        "epochs": trainer.current_epoch,
        "seconds": round(seconds, 1),
        "train_precision": str(trainer.precision),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {_device_name(trainer)}",
        "versions": {name: version(name) for name in ("torch", "lightning", "hydra-core", "thermal-landmarks")},
        "commit": git_commit(),
    }


def best_epoch(trainer: L.Trainer) -> dict[str, float]:
    """Training and validation metrics of the best epoch, whose weights are kept; of the last if none is chosen.

    A search's trial keeps no weights; its best epoch is the one that counts for the search.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    rows = next((callback.rows for callback in callbacks if isinstance(callback, History)), [])
    chosen = [c for c in callbacks if isinstance(c, ModelCheckpoint | Pruning) and c.monitor]
    monitor = chosen[0].monitor if chosen else None
    validated = [
        row for row in rows if any(name.startswith("val/") if monitor is None else name == monitor for name in row)
    ]
    if not validated:
        return {}
    best = validated[-1]
    if monitor is not None:
        mode = chosen[0].mode if isinstance(chosen[0], ModelCheckpoint) else best_is(monitor)
        best = (max if mode == "max" else min)(validated, key=lambda row: row[monitor])
    metrics = {name: value for name, value in best.items() if name.startswith(("train/", "val/"))}
    return metrics | {"best_epoch": best["epoch"] + 1}


def build_module(cfg: DictConfig, data: LandmarkDataModule) -> LandmarkModule:
    """The LightningModule of a config, fitted to the shape of the data."""
    parts = {part: OmegaConf.to_container(cfg[part], resolve=True) for part in ("root", "stem", "branch", "head")}
    network = {
        **parts,
        "in_channels": data.preprocessing.in_channels,
        "image_size": list(data.preprocessing.input_size),
        "num_points": data.scheme.num_points,
        "ensemble": cfg.ensemble,
    }
    return LandmarkModule(
        network=network,
        scheme=data.scheme.name,
        preprocessing=data.preprocessing.settings,
        loss=build("loss", cfg.loss),
        optimizer=build("optimizer", cfg.optimizer),
        scheduler=build("scheduler", cfg.scheduler),
        metrics=dict(cfg.metrics),
        memory_format=cfg.memory_format,
        flip_tta=cfg.flip_tta,
        start_at_mean_shape=cfg.get("start_at_mean_shape", True),  # runs before this setting
    )


def build_finder(cfg: DictConfig, data: SceneDataModule) -> FinderModule:
    """The LightningModule of a config that finds faces (data.task=faces)."""
    parts = {part: OmegaConf.to_container(cfg[part], resolve=True) for part in ("root", "stem", "branch", "head")}
    network = {**parts, "in_channels": 1, "image_size": list(data.image_size), "ensemble": cfg.ensemble}
    return FinderModule(
        network=network,
        loss=build("loss", cfg.loss),
        optimizer=build("optimizer", cfg.optimizer),
        scheduler=build("scheduler", cfg.scheduler),
    )


def start_from(module: LandmarkModule | FinderModule, weights: str) -> str:
    """Give a module the weights of a checkpoint before training; says what was taken.

    A finder starts from a finder: the shipped one is called face_finder.

    Raises:
        ConfigError: If there is no such checkpoint, or its root is another one.
    """
    try:
        if isinstance(module, FinderModule):
            trained = load_finder(None if weights == "face_finder" else weights).network
            counts = load_matching_weights(module.network, trained)
        else:
            counts = load_matching_weights(module.network, load_checkpoint(weights).network)
    except ConfigError as error:
        raise ConfigError(f"weights={weights}: {error}") from error
    taken = [part if have == all_ else f"{part} in part" for part, (have, all_) in counts.items() if have]
    scratch = [f"; the {part} starts from scratch" for part, (have, all_) in counts.items() if all_ and not have]
    return f"Weights of {weights}: {', '.join(taken)}{''.join(scratch)}"


def _trainer(cfg: DictConfig, run: RunFolder, metadata: RunMetadata, extra: Sequence[Callback] = ()) -> L.Trainer:
    """Lightning's Trainer with this run's callbacks, those of the caller and loggers."""
    callbacks: list[Callback] = [build("callback", settings) for settings in (cfg.callbacks or {}).values() if settings]
    callbacks.extend(extra)
    logger = build_logger(cfg.logger, metadata, run.path)
    trainer: L.Trainer = build(
        "trainer", cfg.trainer, callbacks=callbacks, logger=logger, default_root_dir=str(run.path)
    )
    return trainer


def run_metadata(cfg: DictConfig, module: LandmarkModule | FinderModule) -> RunMetadata:
    """What names and describes a run: on the dashboard, in `metrics.json` and in reports."""
    return RunMetadata(
        model_id=module.network.model_id,
        stem=cfg.stem.name,
        branch=cfg.branch.name,
        ensemble=cfg.ensemble,
        ablation=cfg.ablation,
        experiment=cfg.group_choices.experiment,
        data=cfg.group_choices.data,
        scheme="faces" if task_of(cfg.data) == "faces" else cfg.data.get("scheme", "faces"),
        seed=cfg.seed,
        parameters=count_parameters(module.network),
        gflops=count_flops(module.network) / 1e9,
        settings=OmegaConf.to_container(cfg, resolve=True),
        tags=list(cfg.tags),
        study=cfg.get("study"),
        trial=cfg.get("trial"),
    )


def _reason(error: BaseException) -> str:
    """Why a run is incomplete, in one line."""
    if isinstance(error, Interrupted):
        return f"stopped by {signal.Signals(error.signal_number).name} {error}".strip()
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def _headline(metadata: RunMetadata, data: LandmarkDataModule | SceneDataModule) -> str:
    counts = ", ".join(f"{len(dataset)} {stage}" for stage, dataset in data.datasets.items())
    return (
        f"[bold]{metadata.model}[/bold] ({metadata.stem} + {metadata.branch}): {metadata.parameters:,} parameters, "
        f"{metadata.gflops:.2f} GFLOPs\n{metadata.data}, {metadata.scheme}: {counts} images"
    )


def _device_name(trainer: L.Trainer) -> str:
    return torch.cuda.get_device_name() if trainer.strategy.root_device.type == "cuda" else "cpu"
