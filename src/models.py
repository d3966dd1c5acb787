"""Parameters, operations and memory of every model: `python src/models.py image_size=[240,320]`."""

from typing import Any

from omegaconf import DictConfig

from thermal_landmarks.cli import CONFIG_DIR, command


@command("models")
def main(cfg: DictConfig) -> None:
    """Print one line for each stem with each branch."""
    from omegaconf import OmegaConf
    from rich.console import Console
    from rich.table import Table

    from thermal_landmarks.errors import ConfigError
    from thermal_landmarks.models.complexity import model_table

    def settings(group: str, names: list[str]) -> dict[str, Any]:
        files = {path.stem: path for path in sorted((CONFIG_DIR / group).glob("*.yaml"))}
        for name in names:
            if name not in files:
                raise ConfigError(f"There is no {group} '{name}'. Valid: {', '.join(files)}.")
        return {name: OmegaConf.load(files[name]) for name in names}

    console = Console()
    with console.status("") as status:
        rows = model_table(
            root=cfg.root,
            stems=settings("stem", cfg.stems),
            branches=settings("branch", cfg.branches),
            head=cfg.head,
            in_channels=cfg.in_channels,
            image_size=cfg.image_size,
            num_points=cfg.num_points,
            ensemble=cfg.ensemble,
            progress=status.update,
        )
    height, width = cfg.image_size
    table = Table(title=f"{height}x{width}x{cfg.in_channels}, {cfg.num_points} points, {cfg.ensemble} component(s)")
    for heading in ("model", "stem", "branch"):
        table.add_column(heading)
    for heading in ("parameters", "GFLOPs", "MB a sample"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.model_id,
            row.stem,
            row.branch,
            f"{row.parameters:,}",
            f"{row.gflops:.3f}",
            f"{row.memory_per_sample_bytes / 1e6:.1f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
