"""Where metrics go beside `history.csv`: Weights & Biases, TensorBoard, or nowhere.

W&B is online where the user is logged in, else offline with one line on how to sync.
"""

import netrc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import lightning as L
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from thermal_landmarks.errors import require_choice
from thermal_landmarks.settings import flat
from thermal_landmarks.training.record import RunMetadata
from thermal_landmarks.training.wandb_run import start_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build_logger(settings: Mapping[str, Any], run: RunMetadata, folder: Path) -> Logger | None:
    """The logger of a run, or None where `history.csv` is enough.

    Its settings are `kind` (`wandb`, `tensorboard` or `none`; `csv` of older runs is the same, since `history.csv` is
    always written) and for W&B `project`, `entity` (None: the default one) and `mode` (`online`, `offline`, `disabled`;
    `auto` follows WANDB_MODE, else is online if the user is logged in, else offline).

    Raises:
        ConfigError: If the kind or the mode is unknown.
    """
    kind, mode = settings["kind"], settings.get("mode", "auto")
    if kind in ("csv", "none"):
        return None
    if kind == "tensorboard":
        return _tensorboard(run, folder)
    require_choice("logger", kind, ("wandb", "tensorboard", "none"))
    require_choice("logger.mode", mode, ("auto", "online", "offline", "disabled"))
    chosen = wandb_mode() if mode == "auto" else mode
    if chosen == "disabled" or getattr(rank_zero_only, "rank", 0) != 0:
        return None
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


def keep_figure(trainer: L.Trainer, figure: "Figure", file: str, name: str) -> None:
    """Save a figure in `figures/` of the run folder, and show it by the loggers under a name."""
    path = Path(trainer.default_root_dir) / "figures" / f"{file}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    for logger in trainer.loggers:
        log_picture(logger, name, path)


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

    `state` is `complete`, `pruned`, `failed` or `interrupted`; `metrics` are those of the best epoch, as far as there
    are any.
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
    settings = {key: str(value) for key, value in flat(run.settings).items()}
    logger.log_hyperparams({**settings, "parameters": run.parameters, "gflops": run.gflops})
    return logger
