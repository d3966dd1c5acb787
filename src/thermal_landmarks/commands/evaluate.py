"""Measure a checkpoint on any data set: `python src/evaluate.py checkpoint=outputs/train/... data=portraits`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("evaluate")
def main(cfg: DictConfig) -> float:
    """Evaluate, and leave metrics.json, per_image.csv and figures in the output folder."""
    from thermal_landmarks.inference.evaluation_run import evaluate_config

    hydra = HydraConfig.get()
    metrics = evaluate_config(cfg, Path(hydra.runtime.output_dir), overrides=list(hydra.overrides.task))
    return float(metrics["test/nme"])


if __name__ == "__main__":
    main()
