"""One page on all runs and studies: `python src/report.py runs=outputs`."""

from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("report")
def main(cfg: DictConfig, folder: Path) -> None:
    """Write report.html, report.md, figures and tables into the output folder."""
    from thermal_landmarks.reporting.report.write import write_report

    settings = {str(key): value for key, value in cfg.items()}
    runs = settings.pop("runs")
    del settings["output"]  # Hydra has made it
    folders = [runs] if isinstance(runs, str) else runs
    write_report([Path(run) for run in folders], folder, **settings)


if __name__ == "__main__":
    main()
