"""What an annotator means by each landmark, from a few faces: `python src/calibrate.py data=coco data.source...`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("calibrate")
def main(cfg: DictConfig) -> float:
    """Learn offsets, print the error of faces left out, and leave a calibrated checkpoint in the output folder."""
    from thermal_landmarks.inference.calibration.run import calibrate_config

    hydra = HydraConfig.get()
    result = calibrate_config(cfg, Path(hydra.runtime.output_dir), overrides=list(hydra.overrides.task))
    return float(result["nme_left_out"])


if __name__ == "__main__":
    main()
