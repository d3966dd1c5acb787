"""Where metrics go beside `history.csv`: Weights & Biases, TensorBoard, or nowhere.

W&B is online where the user is logged in, else offline with one line on how to sync.
"""

import netrc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from thermal_landmarks.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RunMetadata:
    """What a dashboard should show of a run.

    Attributes:
        model_id: The paper's name of the stem/branch pair.
        stem: Name of the stem.
        branch: Name of the branch.
        data: Name of the data set.
        scheme: Name of the landmark scheme.
        settings: The whole configuration, plain data.
        parameters: Trainable parameters.
        gflops: Of one image's forward pass.
        study: Name of the study that the run is a trial of or has its settings from, or None.
        trial: Its number in the study, or None.
        ensemble: Components side by side.
        ablation: Name of the ablation that the run is of, or None.
        experiment: The files chosen from `conf/experiment`, joined by commas, or None.
        seed: Of the run.
        tags: More tags.
    """

    model_id: str
    stem: str
    branch: str
    data: str
    scheme: str
    settings: Any = field(default_factory=dict)
    parameters: int = 0
    gflops: float = 0.0
    study: str | None = None
    trial: int | None = None
    ensemble: int = 1
    ablation: str | None = None
    experiment: str | None = None
    seed: int = 0
    tags: Sequence[str] = ()

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


def build_logger(settings: Mapping[str, Any], run: RunMetadata, folder: Path) -> Logger | None:
    """The logger of a run, or None where `history.csv` is enough.

    Args:
        settings: `kind` (`wandb`, `tensorboard` or `none`; `csv` of older runs is the same, since `history.csv` is
            always written) and for W&B `project`, `entity` (None: the default one) and `mode` (`online`, `offline`,
            `disabled`; `auto` follows WANDB_MODE, else is online if the user is logged in, else offline).
        run: What is shown of the run.
        folder: The run folder.

    Raises:
        ConfigError: If the kind or the mode is unknown.
    """
    kind, mode = settings["kind"], settings.get("mode", "auto")
    if kind in ("csv", "none"):
        return None
    if kind == "tensorboard":
        return _tensorboard(run, folder)
    if kind != "wandb":
        raise ConfigError(f"Logger '{kind}' is unknown. Choose wandb, tensorboard or none.")
    if mode not in ("auto", "online", "offline", "disabled"):
        raise ConfigError(f"logger.mode is '{mode}'. Choose auto, online, offline or disabled.")
    chosen = wandb_mode() if mode == "auto" else mode
    if chosen == "disabled" or getattr(rank_zero_only, "rank", 0) != 0:
        return None
    from thermal_landmarks.training.wandb_run import start_run  # needs RunMetadata

    return start_run(run, folder, settings, chosen)


def wandb_mode() -> str:
    """WANDB_MODE if set, else `online` where W&B would find a key without asking, else `offline`; no network needed."""
    if os.environ.get("WANDB_DISABLED", "").lower() in ("true", "1"):
        return "disabled"
    if chosen := os.environ.get("WANDB_MODE"):
        return "disabled" if chosen == "dryrun" else chosen
    if os.environ.get("WANDB_API_KEY"):
        return "online"
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    candidates = (
        [Path(os.environ["NETRC"])] if "NETRC" in os.environ else [Path.home() / ".netrc", Path.home() / "_netrc"]
    )
    for path in candidates:
        try:
            if netrc.netrc(path).authenticators(host):
                return "online"
        except (OSError, netrc.NetrcParseError):
            continue
    return "offline"


def log_picture(logger: Logger, name: str, path: Path) -> None:
    """Show a PNG file under a name, where the logger can."""
    from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

    if isinstance(logger, WandbLogger):
        logger.log_image(key=name, images=[str(path)])
    elif isinstance(logger, TensorBoardLogger):
        import numpy as np
        from PIL import Image

        logger.experiment.add_image(name, np.asarray(Image.open(path).convert("RGB")), dataformats="HWC")


def log_checkpoint(logger: Logger, path: Path, metadata: dict[str, Any]) -> None:
    """Keep a checkpoint as a model artifact with the alias `best`, where the logger can."""
    from lightning.pytorch.loggers import WandbLogger

    if not isinstance(logger, WandbLogger):
        return
    import wandb

    artifact = wandb.Artifact(f"model-{logger.experiment.id}", type="model", metadata=metadata)
    artifact.add_file(str(path), name="best.ckpt", policy="immutable")  # no second copy on this disk
    logger.experiment.log_artifact(artifact, aliases=["best"])


def finish_run(*, failed: bool) -> None:
    """End the W&B run of this process, if there is one; a command does so by ending."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=int(failed))


def log_outcome(state: str, objective: str, metrics: Mapping[str, Any]) -> None:
    """Tell the W&B run of this process how its training ended, so that a table of runs can be filtered by it.

    Args:
        state: `complete`, `pruned`, `failed` or `interrupted`.
        objective: A metric.
        metrics: Those of the best epoch, as far as there are any.
    """
    wandb = sys.modules.get("wandb")
    if wandb is None or wandb.run is None:
        return
    found = {"state": state, "best_objective": metrics.get(objective), "best_epoch": metrics.get("best_epoch")}
    outcome = {name: value for name, value in found.items() if value is not None}
    wandb.run.summary.update(outcome)
    wandb.run.config.update(outcome, allow_val_change=True)  # what a dashboard filters and groups by


def _tensorboard(run: RunMetadata, folder: Path) -> Logger:
    from lightning.pytorch.loggers import TensorBoardLogger

    logger = TensorBoardLogger(save_dir=str(folder), name="", version="tensorboard")
    logger.log_hyperparams({**_flat(run.settings), "parameters": run.parameters, "gflops": run.gflops})
    return logger


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": str(value)}
    return flat
