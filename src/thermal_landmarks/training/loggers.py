"""Where metrics go beside `history.csv`: Weights & Biases, TensorBoard, or nowhere.

W&B is online where the user is logged in, else offline with one line on how to sync.
"""

import logging
import netrc
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console

from thermal_landmarks.errors import ConfigError

_SUMMARISED = {
    "train": ("loss",),
    "val": ("loss", "wing", "mae", "mse", "accuracy", "nme", "failure_rate", "auc", "pixel_error", "prediction_spread"),
}
"""Metrics with a smallest and a largest value in W&B's table of runs; those of the test occur once."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
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
        variant: Name of the ablation that the run is of, or None.
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
    variant: str | None = None
    experiment: str | None = None
    seed: int = 0
    tags: Sequence[str] = ()

    def record(self) -> dict[str, Any]:
        """The facts that `metrics.json` holds."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "settings"}
        return {**facts, "tags": list(self.tags)}

    @property
    def model(self) -> str:
        """Model id, ensemble and variant: `A-2 x3 no_rotation`."""
        ensemble = f" x{self.ensemble}" if self.ensemble > 1 else ""
        return f"{self.model_id}{ensemble}{f' {self.variant}' if self.variant else ''}"

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
        """Model id, stem, branch, data, scheme, study, ensemble, variant, experiments and the user's own."""
        tags = [
            self.model_id,
            f"stem:{self.stem}",
            f"branch:{self.branch}",
            f"data:{self.data}",
            f"scheme:{self.scheme}",
            *([f"study:{self.study}"] if self.study else []),
            *([f"ensemble:{self.ensemble}"] if self.ensemble > 1 else []),
            *([f"variant:{self.variant}"] if self.variant else []),
            *([f"experiment:{name}" for name in self.experiment.split(",")] if self.experiment else []),
            *self.tags,
        ]
        return [tag[:64] for tag in dict.fromkeys(tags)]  # W&B refuses longer ones


def build_logger(settings: Mapping[str, Any], run: RunFacts, folder: Path) -> Logger | None:
    """The logger of a run, or None where `history.csv` is enough.

    Args:
        settings: `kind` (`wandb`, `tensorboard`, `csv` or `none`; the last two are the same, since `history.csv` is
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
        raise ConfigError(f"Logger '{kind}' is unknown. Choose wandb, tensorboard, csv or none.")
    if mode not in ("auto", "online", "offline", "disabled"):
        raise ConfigError(f"logger.mode is '{mode}'. Choose auto, online, offline or disabled.")
    chosen = wandb_mode() if mode == "auto" else mode
    if chosen == "disabled" or getattr(rank_zero_only, "rank", 0) != 0:
        return None
    return _wandb(run, folder, settings, chosen)


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


def _tensorboard(run: RunFacts, folder: Path) -> Logger:
    from lightning.pytorch.loggers import TensorBoardLogger

    logger = TensorBoardLogger(save_dir=str(folder), name="", version="tensorboard")
    logger.log_hyperparams({**_flat(run.settings), "parameters": run.parameters, "gflops": run.gflops})
    return logger


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": str(value)}
    return flat


def _wandb(run: RunFacts, folder: Path, settings: Mapping[str, Any], mode: Any) -> Logger:
    import wandb
    from lightning.pytorch.loggers import WandbLogger

    logging.getLogger("wandb").setLevel(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    id_file = folder / "wandb_id.txt"  # a resumed run continues the same curves
    run_id = id_file.read_text(encoding="utf-8").strip() if id_file.exists() else secrets.token_hex(4)
    id_file.write_text(f"{run_id}\n", encoding="utf-8")
    arguments: dict[str, Any] = {
        "project": settings.get("project", "thermal-landmarks"),
        "entity": settings.get("entity"),
        "id": run_id,
        "resume": "allow" if mode == "online" else None,
        "name": run.name,
        "group": run.group,
        "job_type": "train" if run.trial is None else "trial",
        "tags": run.all_tags,
        "dir": str(folder),
        "config": {
            **run.settings,
            "model_id": run.model_id,
            "parameters": run.parameters,
            "gflops": run.gflops,
        },
    }
    quiet: dict[str, Any] = {"silent": True, "console": "off", "disable_git": True, "init_timeout": 30.0}
    quiet["reinit"] = "finish_previous"  # several runs in one process, as in a multirun
    try:
        experiment = wandb.init(mode=mode, settings=wandb.Settings(**quiet), **arguments)
    except wandb.Error as error:
        if mode == "offline":
            raise
        Console(stderr=True).print(f"W&B can't be reached ({str(error).splitlines()[0]}); logging offline.")
        mode = "offline"
        experiment = wandb.init(mode=mode, settings=wandb.Settings(**quiet), **{**arguments, "resume": None})
    # Lightning gives `trainer/global_step` with every record; as the x-axis it also holds for a resumed run.
    experiment.define_metric("trainer/global_step", hidden=True)
    for stage, names in _SUMMARISED.items():
        for name in names:
            experiment.define_metric(f"{stage}/{name}", step_metric="trainer/global_step", summary="min,max,last")
    if mode == "offline" and run.trial is None:  # a search says it once
        Console(stderr=True, soft_wrap=True).print(
            f"W&B is offline; to upload this run: wandb sync {Path(experiment.dir).parent}", highlight=False
        )
    return WandbLogger(experiment=experiment, log_model=False)
