"""Parameters, operations and memory of every model, or of presets: `python src/models.py "experiments=[lotr/m]"`."""

from typing import Any

from omegaconf import DictConfig

from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config
from thermal_landmarks.commands.entry import command


@command("models")
def main(cfg: DictConfig) -> None:
    """Print one line for each stem with each branch, or for each experiment."""
    from omegaconf import OmegaConf
    from rich.console import Console
    from rich.table import Table

    from thermal_landmarks.errors import ConfigError
    from thermal_landmarks.models.complexity import ModelRow, model_row
    from thermal_landmarks.models.network import LandmarkNetwork

    def settings(group: str, names: list[str]) -> list[Any]:
        files = {path.stem: path for path in sorted((CONFIG_DIR / group).glob("*.yaml"))}
        for name in names:
            if name not in files:
                raise ConfigError(f"There is no {group} '{name}'. Valid: {', '.join(files)}.")
        return [OmegaConf.load(files[name]) for name in names]

    def measured(image_size: Any, in_channels: int, ensemble: int, **parts: Any) -> ModelRow:
        shapes = {"in_channels": in_channels, "image_size": image_size, "num_points": cfg.num_points}
        return model_row(LandmarkNetwork(**parts, **shapes, ensemble=ensemble), timed=cfg.timed)

    def preset(name: str) -> ModelRow:
        chosen = compose_config("train", [f"experiment={name}"])
        parts: dict[str, Any] = {part: dict(chosen[part]) for part in ("root", "stem", "branch", "head")}
        if "pretrained" in parts["root"]:
            parts["root"]["pretrained"] = False  # weights cost a download and change no number here
        size = chosen.data.image_size if chosen.data.cascade is None else chosen.data.cascade.crop_size
        return measured(size, chosen.data.in_channels, chosen.ensemble, **parts)

    def pair(stem: Any, branch: Any) -> ModelRow:
        status.update(f"{stem.name}/{branch.name}")
        return measured(
            cfg.image_size, cfg.in_channels, cfg.ensemble, root=cfg.root, stem=stem, branch=branch, head=cfg.head
        )

    console = Console()
    console.width = max(console.width, 100)  # numbers cut short would be worse than a wrapped line
    with console.status("") as status:
        if cfg.experiments:
            rows = [preset(name) for name in cfg.experiments]
        else:
            stems, branches = settings("stem", cfg.stems), settings("branch", cfg.branches)
            rows = [pair(stem, branch) for stem in stems for branch in branches]
    table = Table(title=f"{cfg.num_points} points" + ("" if cfg.experiments else f", {cfg.ensemble} component(s)"))
    for heading in ("model", "stem", "branch", "input"):
        table.add_column(heading)
    for heading in ("parameters", "GFLOPs", "MB a sample", *(["ms an image"] if cfg.timed else [])):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.model_id,
            row.stem,
            row.branch,
            f"{row.image_shape.height}x{row.image_shape.width}x{row.image_shape.channels}",
            f"{row.parameters:,}",
            f"{row.gflops:.3f}",
            f"{row.memory_per_sample_bytes / 1e6:.1f}",
            *([] if row.latency_ms is None else [f"{row.latency_ms:.2f}"]),
        )
    console.print(table)


if __name__ == "__main__":
    main()
