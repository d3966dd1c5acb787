"""Rendered video with points and true signals: `python src/render_sequence.py seconds=20 subjects=2`."""

from pathlib import Path

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("render_sequence")
def main(cfg: DictConfig, folder: Path) -> None:
    """Render each subject's sequence into a folder of its own in the output folder."""
    import os
    from contextlib import nullcontext

    from omegaconf import OmegaConf
    from rich.console import Console

    from thermal_faces import SyntheticSequence
    from thermal_faces.video.files import write_sequence
    from thermal_landmarks import __version__
    from thermal_landmarks.errors import ConfigError
    from thermal_landmarks.long_work import counting, processes
    from thermal_landmarks.runs import git_commit

    if cfg.subjects < 1:
        raise ConfigError(f"subjects={cfg.subjects} should be at least 1.")
    groups = OmegaConf.to_container(cfg.data.source, resolve=True)
    assert isinstance(groups, dict)
    for name in ("_target_", "subjects", "images_per_subject", "size", "seed"):
        groups.pop(name, None)
    sequences = [
        SyntheticSequence(
            seed=cfg.seed,
            subject=subject,
            seconds=cfg.seconds,
            rate_hz=cfg.rate_hz,
            size=tuple(cfg.size),
            motion=cfg.motion,
            physiology=cfg.physiology,
            **{str(name): settings for name, settings in groups.items()},
        )
        for subject in range(cfg.first_subject, cfg.first_subject + cfg.subjects)
    ]
    console = Console()
    workers = cfg.workers or os.cpu_count() or 1
    with (
        processes(workers) if workers > 1 else nullcontext() as pool,
        counting("Rendering frames", sum(map(len, sequences)), console=console) as done,
    ):
        for sequence in sequences:
            target = folder / f"subject_{sequence.subject:05d}"
            rendered = write_sequence(
                sequence,
                target,
                pool=pool,
                ahead=2 * workers,
                preview_s=cfg.preview_s,
                provenance={"thermal_landmarks": __version__, "commit": git_commit()},
                advance=lambda: done(1),
            )
            if not rendered:
                done(len(sequence))
            console.print(f"{target}: {len(sequence)} frames{'' if rendered else ' were there'}", soft_wrap=True)


if __name__ == "__main__":
    main()
