"""A checkpoint as one file that needs no PyTorch: `python src/export.py checkpoint=thermal_real format=onnx`."""

from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("export", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Convert, compare with the network on rendered and given frames, and print sizes and times."""
    from rich.console import Console
    from rich.table import Table

    from thermal_landmarks.data.formats.images import read_image
    from thermal_landmarks.exporting.export import export
    from thermal_landmarks.inference.image_files import find_images
    from thermal_landmarks.models.checkpoint import find_checkpoint

    checkpoint = find_checkpoint(cfg.checkpoint)
    frames = [] if cfg.frames is None else [read_image(file, unit=cfg.unit) for file in find_images(cfg.frames)]
    kind = cfg.speed if cfg.what == "faces" else cfg.what
    name = cfg.name or f"{checkpoint.stem}_{kind}{'' if str(cfg.precision) == '32' else f'_{cfg.precision}'}"
    path = folder / name
    exported = export(
        checkpoint,
        path,
        what=cfg.what,
        finder=None if cfg.finder is None else find_checkpoint(cfg.finder),
        form=cfg.format,
        speed=cfg.speed,
        precision=str(cfg.precision),  # type: ignore[arg-type]
        frames=frames,
        rendered=cfg.rendered_frames,
        tolerance_px=cfg.tolerance_px,
        finder_first_size=cfg.finder_first_size,
    )
    table = Table("", "MB", "ms, 1 thread (CPU time)", "ms, 2 threads")
    for row in exported.rows:
        size = "" if row.size_bytes is None else f"{row.size_bytes / 1e6:.2f}"
        table.add_row(row.name, size, f"{row.one_thread_ms:.1f}", f"{row.two_threads_ms:.1f}")
    console = Console()
    console.print(table)
    parity = exported.parity
    console.print(
        f"{parity.faces} faces of {parity.frames} frames: landmarks {parity.median_px:.3g} pixels from the network's "
        f"(median; {parity.largest_px:.3g} at most), confidence within {parity.largest_confidence:.2g}; "
        f"{parity.unmatched} found by one alone",
        soft_wrap=True,
    )
    console.print(str(exported.path), soft_wrap=True)


if __name__ == "__main__":
    main()
