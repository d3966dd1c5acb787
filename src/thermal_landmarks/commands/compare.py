"""Two or more runs on the same test pictures: `python src/compare.py runs=[RUN_A,RUN_B]`."""

from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import ConfigError


@command("compare", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Print how far runs lie from the first one, with 95 % intervals over the test's people; leave comparison.csv."""
    from rich.console import Console
    from rich.table import Table

    from thermal_landmarks.evaluation.comparison import compare_runs, read_errors

    if cfg.runs is None or isinstance(cfg.runs, str):
        raise ConfigError("runs= wants two folders of train or evaluate or more: runs=[RUN_A,RUN_B].")
    runs = {str(run): read_errors(Path(run).expanduser()) for run in cfg.runs}
    if len(runs) < 2:
        raise ConfigError("runs= names one run. Give two or more different ones: runs=[RUN_A,RUN_B].")
    compared = compare_runs(runs)
    compared.to_csv(folder / "comparison.csv", index=False, float_format="%.6g")
    first = compared.iloc[0]
    table = Table(title=f"{first['images']} test images of {first['people']} people")
    for heading in ("run", "NME (%)", f"against {first['run']} (95 %)", "better on"):
        table.add_column(heading, justify="left" if heading == "run" else "right", overflow="fold")
    for number, row in compared.iterrows():
        interval = f"{row['difference']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})" if number else ""
        table.add_row(str(row["run"]), f"{row['nme']:.2f}", interval, f"{row['better_on']:.0%}" if number else "")
    console = Console()
    console.print(table)
    console.print("An interval without zero: the test's people alone don't explain the difference; other seeds may.")
    console.print(folder / "comparison.csv", soft_wrap=True)


if __name__ == "__main__":
    main()
