"""What describes a run: on a dashboard, in its `metrics.json` and in reports."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.data.task import task_of
from thermal_landmarks.models.complexity import count_flops, count_parameters
from thermal_landmarks.models.network import Network
from thermal_landmarks.runs import git_commit


@dataclass(frozen=True, kw_only=True)
class RunMetadata:
    """What a dashboard should show of a run."""

    model_id: str  # the paper's name of the stem/branch pair
    stem: str  # name of the stem
    branch: str  # name of the branch
    data: str  # name of the data set
    scheme: str  # name of the landmark scheme
    settings: Any = field(default_factory=dict)  # the whole configuration, plain data
    parameters: int = 0  # trainable parameters
    gflops: float = 0.0  # of one image's forward pass
    study: str | None = None  # name of the study that the run is a trial of or has its settings from, or None
    trial: int | None = None  # its number in the study, or None
    ensemble: int = 1  # components side by side
    ablation: str | None = None  # name of the ablation that the run is of, or None
    experiment: str | None = None  # the files chosen from `conf/experiment`, joined by commas, or None
    seed: int = 0  # of the run
    tags: Sequence[str] = ()  # more tags

    def record(self) -> dict[str, Any]:
        """The metadata that `metrics.json` holds."""
        metadata = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "settings"}
        return {**metadata, "tags": list(self.tags)}

    @property
    def model(self) -> str:
        """Model id, ensemble and ablation: `A-2 x3 no_rotation`."""
        ensemble = f" x{self.ensemble}" if self.ensemble > 1 else ""
        return f"{self.model_id}{ensemble}{f' {self.ablation}' if self.ablation else ''}"

    @property
    def name(self) -> str:
        """Of the run on a dashboard: `A-2 alt_conv_resnext/luong synthetic seed 0`, or `... trial 7`."""
        which = f"seed {self.seed}" if self.trial is None else f"trial {self.trial}"
        return f"{self.model} {self.stem}/{self.branch} {self.data} {which}"

    @property
    def group(self) -> str:
        """Runs that belong together: a study's trials, else one model on one data set."""
        return self.study or f"{self.model} {self.data}"

    @property
    def all_tags(self) -> list[str]:
        """Model id, stem, branch, data, scheme, study, ensemble, ablation, experiments and the user's own."""
        tags = [
            self.model_id,
            f"stem:{self.stem}",
            f"branch:{self.branch}",
            f"data:{self.data}",
            f"scheme:{self.scheme}",
            *([f"study:{self.study}"] if self.study else []),
            *([f"ensemble:{self.ensemble}"] if self.ensemble > 1 else []),
            *([f"ablation:{self.ablation}"] if self.ablation else []),
            *([f"experiment:{name}" for name in self.experiment.split(",")] if self.experiment else []),
            *self.tags,
        ]
        return [tag[:64] for tag in dict.fromkeys(tags)]  # W&B refuses longer ones


def run_metadata(cfg: DictConfig, network: Network) -> RunMetadata:
    """The metadata of a run with this config."""
    return RunMetadata(
        model_id=network.model_id,
        stem=cfg.stem.name,
        branch=cfg.branch.name,
        ensemble=cfg.ensemble,
        **cfg.names,
        scheme="faces" if task_of(cfg.data) == "faces" else cfg.data.get("scheme", "faces"),
        seed=cfg.seed,
        parameters=count_parameters(network),
        gflops=count_flops(network) / 1e9,
        settings=OmegaConf.to_container(cfg, resolve=True),
        tags=list(cfg.tags),
        study=cfg.get("study"),
        trial=cfg.get("trial"),
    )


def training_record(trainer: L.Trainer, *, seconds: float, pruned: bool) -> dict[str, Any]:
    """What `metrics.json` says of a training beside its metadata and metrics."""
    on_gpu = trainer.strategy.root_device.type == "cuda"
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    return {
        "pruned": pruned,
        "epochs": trainer.current_epoch,
        "seconds": round(seconds, 1),
        "train_precision": str(trainer.precision),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {device}",
        "versions": {name: version(name) for name in ("torch", "lightning", "hydra-core", "thermal-landmarks")},
        "commit": git_commit(),
    }
