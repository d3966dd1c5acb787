"""Train, test and measure one model: `python src/train.py stem=alt_conv_resnext branch=luong`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from thermal_landmarks.cli import command
from thermal_landmarks.errors import ConfigError


@command("train")
def main(cfg: DictConfig) -> float:
    """Train one model; the return value is what a search minimises."""
    from thermal_landmarks.training.run import train

    hydra = HydraConfig.get()
    metrics = train(cfg, Path(hydra.runtime.output_dir), overrides=list(hydra.overrides.task))
    if cfg.objective not in metrics:
        raise ConfigError(f"objective={cfg.objective} was not measured. Measured: {', '.join(sorted(metrics))}.")
    return metrics[cfg.objective]


if __name__ == "__main__":
    main()
