"""Train, test and measure one model: `python src/train.py stem=alt_conv_resnext branch=luong`."""

from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.from_study import expand_study


def from_study(arguments: list[str]) -> list[str]:
    """What `experiment=from_study study=NAME` stands for."""
    return expand_study(arguments, CONFIG_DIR / "experiment" / "from_study.yaml")


def train_model(cfg: DictConfig) -> float:
    """Train one model, test it and leave checkpoints, metrics and figures in the run folder.

    The return value is what a search minimises.
    """
    import thermal_landmarks.commands.configs  # noqa: F401  (its resolvers, where a launcher has started this in another process)

    hydra = HydraConfig.get()
    folder, names = Path(hydra.runtime.output_dir), run_names(hydra)
    if cfg.trial is not None:
        from thermal_landmarks.search.trial import run_trial

        return run_trial(cfg, folder, names)
    if cfg.study is not None and cfg.resume is None and "from_study" not in (names["experiment"] or "").split(","):
        raise ConfigError(f"study={cfg.study} takes effect with experiment=from_study only. Add this, or leave it out.")
    from thermal_landmarks.training.run import train

    metrics = train(cfg, folder, names=names, overrides=list(hydra.overrides.task))
    if cfg.objective not in metrics:
        raise ConfigError(f"objective={cfg.objective} was not measured. Measured: {', '.join(sorted(metrics))}.")
    return metrics[cfg.objective]


main = command("train", expand=from_study)(train_model)


def run_names(hydra: HydraConf) -> dict[str, str | None]:
    """What a run is named after: its data, its experiments and its ablations, several joined by commas.

    Raises:
        ConfigError: If an experiment stands behind an ablation, whose settings it would change.
    """
    chosen: dict[str, Any] = dict(hydra.runtime.choices)
    for override in OverridesParser.create().parse_overrides(list(hydra.overrides.task)):
        files = None if override.is_delete() else override.value()
        if isinstance(files, list) and override.key_or_group in ("data", "experiment", "ablation"):
            chosen[override.key_or_group] = ",".join(map(str, files))  # of a list Hydra keeps no record
    experiments = (chosen.get("experiment") or "").split(",")
    if experiments != sorted(experiments, key=lambda name: name.startswith("ablation/")):
        raise ConfigError(
            f"experiment=[{','.join(experiments)}]: what stands later changes what stands before. Put the ablations "
            "last, or choose them by ablation=."
        )
    ablations = [name.removeprefix("ablation/") for name in experiments if name.startswith("ablation/")]
    ablations += [name for name in (chosen.get("ablation") or "none").split(",") if name != "none"]
    return {
        "data": chosen.get("data"),
        "experiment": chosen.get("experiment"),
        "ablation": ",".join(ablations) or None,
    }


if __name__ == "__main__":
    main()
