"""Pictures of what a network has learned: `python src/visualize.py checkpoint=thermal_real layer=last`."""

from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("visualize")
def main(cfg: DictConfig, folder: Path) -> None:
    """Make the pictures, and leave them with visualize.json in the output folder."""
    from thermal_landmarks.reporting.layers.visualize import visualize

    visualize(cfg, folder)


if __name__ == "__main__":
    main()
