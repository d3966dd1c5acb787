"""Report on a data set before training: `python src/check_data.py data=coco data.source.annotation_file=faces.json`."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("check_data")
def main(cfg: DictConfig, folder: Path) -> None:
    """Check, print the report and leave it in the output folder; exit with status 1 where training would refuse."""
    from thermal_landmarks.reporting.data_check import check_data

    if not check_data(cfg, folder):
        sys.exit(1)


if __name__ == "__main__":
    main()
