"""What pictures without labels teach: `python docs/studies/unlabelled_pictures.py ../shared/data OUTPUT`.

`experiment=recipes/fine_tune_unlabelled` with frames of one driver, labels unused, against the same number of steps on
the rendered faces alone; both begin with the shipped weights. Measured on both drivers, whose labels a network made
(agreement with it, not truth), and on the portraits. What is trained or measured already in OUTPUT stays. Prints the
table of docs/unlabelled.md. The terms of the drivers' pictures allow research alone: these weights are not shipped.
"""

import json
from pathlib import Path

import torch
import typer
from calibration_on_real_faces import Frames, percent
from peers.pictures import thermal54, thermal_real

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.inference.calibration.annotated import predict_annotated
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runs import write_json
from thermal_landmarks.training.run import train

FRAMES = 30  # of each driver that are measured
HEAD = ("learned from", "the man, median", "the woman, median", "thermal-real", "thermal54", "rendered faces")


def trained(output: Path, name: str, *settings: str) -> Path:
    """The folder of a run, trained if it isn't there."""
    run = output / name
    if not (run / "metrics.json").is_file():
        small = ["experiment=recipes/fine_tune_unlabelled", "logger=none", "data.workers=1", "callbacks.figures=null"]
        train(compose_config("train", [*small, f"data.cache_dir={output / 'cache'}", *settings]), run)
    return run


def errors(checkpoint: Path | str, data: Path) -> list[str]:
    """NME in percent of the distance of the outer eye corners: medians of the drivers, means of the portraits."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    drives = [Frames(folder, FRAMES) for folder in sorted((data / "drivers").glob("1_*"))]
    faces = [predict_annotated(predictor, source).faces for source in [*drives, thermal_real(data), thermal54(data)]]
    hows = ("median", "median", "mean", "mean")
    return [percent(each, each.predicted_px, how) for each, how in zip(faces, hows, strict=True)]


def main(data: Path, output: Path, people: int = 560, epochs: int = 8, most: int = 1000) -> None:
    """Trains, measures and prints the table.

    Args:
        data: The sample data.
        output: Where the runs go.
        people: Rendered, of two pictures each.
        epochs: On frames and rendered faces; on rendered faces alone twice as many.
        most: Frames of the driver.
    """
    torch.set_num_threads(1)
    output = output.absolute()
    ways = {"rendered faces alone": ["data.unlabelled=null", f"trainer.max_epochs={2 * epochs}"]}
    for who, folder in zip(("man", "woman"), sorted((data / "drivers").glob("1_*")), strict=True):
        frames = [f"data.unlabelled.source={folder / 'Jpg'}", f"data.unlabelled.most={most}"]
        ways[f"and frames of the {who}"] = [*frames, f"trainer.max_epochs={epochs}"]
    measured = output / "measured.json"
    rows = json.loads(measured.read_text(encoding="utf-8")) if measured.is_file() else {}
    names = ("thermal_real, as shipped", *ways, "thermal_real_large, the teacher")
    for name in names:
        if name in rows:
            continue
        if name in ways:
            run = trained(output, name.replace(" ", "_"), f"data.source.subjects={people}", *ways[name])
            tested = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
            rows[name] = [*errors(run, data), f"{100 * tested['test/nme']:.2f}"]
        else:
            rows[name] = [*errors(name.partition(",")[0], data), ""]
        write_json(measured, rows)
    for cells in (HEAD, ["---"] * len(HEAD), *([name, *rows[name]] for name in names)):
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    typer.run(main)
