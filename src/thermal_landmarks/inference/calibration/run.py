"""One calibration from config to checkpoint: predict the annotated faces, learn, leave out, write, tell."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from thermal_landmarks.building import build
from thermal_landmarks.csv_table import CsvTable, write_table
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.errors import DataError, require_choice
from thermal_landmarks.evaluation.table import nan_mean
from thermal_landmarks.inference.calibration.annotated import predict_annotated
from thermal_landmarks.inference.calibration.figure import offsets_figure
from thermal_landmarks.inference.calibration.learning import Pose
from thermal_landmarks.inference.calibration.leave_one_out import Faces, Outcome, calibrate, mean_error
from thermal_landmarks.inference.evaluation_run import with_checkpoint_settings
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import LoadedCheckpoint, load_checkpoint, write_weights
from thermal_landmarks.runs import RunFolder, git_commit, write_json

FEWEST_FACES = 3


def calibrate_config(cfg: DictConfig, folder: Path, *, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Learn an annotator's offsets and write them with the network to a new checkpoint.

    The folder gets `checkpoints/best.ckpt`, `calibration.json`, `calibration.csv`, `per_face.csv` and
    `figures/offsets.png`.

    Returns:
        What `calibration.json` holds.

    Raises:
        ConfigError: If a setting doesn't fit the checkpoint or the data.
        DataError: If the data can't be used, or hold fewer than `FEWEST_FACES` faces.
    """
    require_choice("pose", cfg.pose, get_args(Pose))
    console, loaded = Console(), load_checkpoint(cfg.checkpoint)
    faces = _annotated_faces(with_checkpoint_settings(cfg, loaded, overrides), loaded, console)
    outcome = calibrate(faces, loaded.scheme, pose=cfg.pose)
    target = RunFolder(folder).best_checkpoint
    write_weights(loaded.path, target, calibration=outcome.calibration.settings)
    names = loaded.scheme.landmark_names
    rows = landmark_rows(outcome, names)
    write_table(folder / "calibration.csv", LANDMARK_COLUMNS, rows)
    with CsvTable(folder / "per_face.csv") as table:
        table.add(("image", "subject", "before", "after"))
        for i, (name, subject) in enumerate(zip(faces.names, faces.subjects, strict=True)):
            table.add([name, subject, *(f"{nan_mean(e[i], axis=0):.5f}" for e in (outcome.before, outcome.after))])
    result = {
        "nme_before": mean_error(outcome.before),
        "nme_left_out": mean_error(outcome.after),
        "faces": len(faces.subjects),
        "faces_used": outcome.calibration.faces,
        "subjects": len(set(faces.subjects)),
        "left_out": "person" if outcome.by_person else "face",
        "moves_points": not outcome.calibration.is_nothing,
        "depends_on_pose": bool(outcome.calibration.by_yaw.any() or outcome.calibration.by_pitch.any()),
        "data": cfg.data_name,
        "checkpoint": str(loaded.path),
        "scheme": loaded.scheme.name,
        "commit": git_commit(),
    }
    write_json(folder / "calibration.json", result)
    folder_of_figures = RunFolder(folder).figures
    folder_of_figures.mkdir(exist_ok=True)
    counts = np.isfinite(faces.annotated_px).all(axis=2).sum(axis=0)
    offsets_figure(outcome.calibration, loaded.scheme, counts).savefig(folder_of_figures / "offsets.png", dpi=110)
    _tell(console, faces, outcome, rows)
    console.print(f"Calibrated checkpoint: [bold]checkpoint={folder}[/bold]", soft_wrap=True)
    return result


def _annotated_faces(cfg: DictConfig, loaded: LoadedCheckpoint, console: Console) -> Faces:
    if loaded.calibration:
        console.print(
            "[yellow]The checkpoint was calibrated before; what is learned now takes the place of that.[/yellow]"
        )
    uncalibrated = replace(loaded, hyper_parameters=loaded.hyper_parameters | {"calibration": None})
    predictor = Predictor.from_checkpoint(uncalibrated, device=cfg.device, precision=cfg.precision)
    data: LandmarkDataModule = build("data", cfg.data)
    faces, skipped = predict_annotated(predictor, data.source, skip_bad_items=data.on_bad_item == "skip")
    for reason in skipped:
        console.print(f"skipped: {reason}", markup=False, highlight=False, soft_wrap=True)
    if (count := len(faces.subjects)) < FEWEST_FACES:
        raise DataError(
            f"data={cfg.data_name}: {count} annotated faces, expected {FEWEST_FACES} or more. Annotate more; ten "
            "faces of different people are a good start."
        )
    return faces


LANDMARK_COLUMNS = ("landmark", "faces", "before", "left_out", "right", "down")


def landmark_rows(outcome: Outcome, names: Sequence[str]) -> list[tuple[str, int, float, float, float, float]]:
    """Of each landmark: faces that have it, mean error before and calibrated on others, offset in the face's frame."""
    before, after = nan_mean(outcome.before, axis=0), nan_mean(outcome.after, axis=0)
    counts = (~np.isnan(outcome.before)).sum(axis=0)
    offsets = outcome.calibration.offsets
    columns = zip(names, counts, before, after, offsets, strict=True)
    return [
        (name, int(n), round(float(b), 5), round(float(a), 5), round(float(right), 5), round(float(down), 5))
        for name, n, b, a, (right, down) in columns
    ]


def _tell(
    console: Console, faces: Faces, outcome: Outcome, rows: Sequence[tuple[str, int, float, float, float, float]]
) -> None:
    people, count = len(set(faces.subjects)), len(faces.subjects)
    who = "each person in turn left out" if outcome.by_person else "each face in turn left out"
    title = f"Error in % of the distance of the outer eye corners, {who}"
    table = Table(title=title)
    table.add_column("landmark")
    for heading in ("faces", "before", "after", "moved right", "moved down"):
        table.add_column(heading, justify="right")
    for name, number, before, after, right, down in rows:
        if number:
            table.add_row(
                name,
                str(number),
                *(f"{100 * v:.2f}" for v in (before, after)),
                *(f"{100 * v:+.1f}" for v in (right, down)),
            )
    table.add_section()
    table.add_row(
        "mean of faces",
        str(count),
        f"{100 * mean_error(outcome.before):.2f}",
        f"{100 * mean_error(outcome.after):.2f}",
        "",
        "",
    )
    console.print(table)
    if not outcome.by_person and count > 1:
        console.print(
            f"[yellow]All {count} faces are of one person: what is learned may be this person's instead of the "
            "annotator's, and the error after it is too hopeful for others.[/yellow]"
        )
    if (left := count - outcome.calibration.faces) > 0:
        console.print(
            f"[yellow]Nothing is learned from {left} of {count} faces, where the prediction is far off; per_face.csv "
            "names them. Are they annotated rightly?[/yellow]"
        )
    if outcome.rejected:
        console.print("Offsets learned from some did not help the faces left out: the points stay where they are.")
    elif outcome.calibration.is_nothing:
        console.print(f"{count} faces of {people} people support no offset: the points stay where they are.")
