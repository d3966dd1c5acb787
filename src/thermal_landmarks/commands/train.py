"""Train, test and measure one model: `python src/train.py stem=alt_conv_resnext branch=luong`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from thermal_landmarks.commands.entry import CONFIG_DIR, command
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.from_study import expand_study


def from_study(arguments: list[str]) -> list[str]:
    """What `experiment=from_study study=NAME` stands for."""
    return expand_study(arguments, CONFIG_DIR / "experiment" / "from_study.yaml")


@command("train", expand=from_study)
def main(cfg: DictConfig) -> float:
    """Train one model, test it and leave checkpoints, metrics and figures in the run folder.

    The return value is what a search minimises.
    """
    return train_model(cfg)


def train_model(cfg: DictConfig) -> float:
    """What the command does, inside of Hydra's job; `reproduce` does it for each of its steps."""
    import thermal_landmarks.commands.entry  # noqa: F401  (its resolvers, where a launcher has started this in another process)

    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    if cfg.trial is not None:
        from thermal_landmarks.search.trial import run_trial

        return run_trial(cfg, folder)
    if (
        cfg.study is not None
        and cfg.resume is None
        and "from_study" not in (cfg.group_choices.experiment or "").split(",")
    ):
        raise ConfigError(f"study={cfg.study} takes effect with experiment=from_study only. Add this, or leave it out.")
    from thermal_landmarks.training.run import train

    metrics = train(cfg, folder, overrides=list(hydra.overrides.task))
    if cfg.objective not in metrics:
        raise ConfigError(f"objective={cfg.objective} was not measured. Measured: {', '.join(sorted(metrics))}.")
    return metrics[cfg.objective]


if __name__ == "__main__":
    main()
