"""What pictures without labels teach: `python docs/studies/unlabelled_pictures.py ../shared/data OUTPUT`.

`experiment=recipes/fine_tune_unlabelled` with frames of one driver, labels unused, against the same number of steps on
the rendered faces alone; both begin with the shipped weights. Measured on that driver, on the other one, whose labels a
network made (agreement with it, not truth), and on the portraits. What is trained already in OUTPUT is only measured.
Prints a table for docs/unlabelled.md. The terms of the drivers' pictures allow research alone: these weights are not
shipped.
"""

import json
from pathlib import Path

import torch
import typer
from calibration_on_real_faces import Frames, percent
from peers.pictures import thermal54, thermal_real

from thermal_landmarks.commands.entry import compose_config
from thermal_landmarks.inference.calibration.annotated import predict_annotated
from thermal_landmarks.inference.predictor import Predictor
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
    man = sorted((data / "drivers").glob("1_*"))[0] / "Jpg"
    ways = {
        "rendered faces alone": ["data.unlabelled=null", f"trainer.max_epochs={2 * epochs}"],
        "and frames of the man": [
            f"data.unlabelled.source={man}",
            f"data.unlabelled.most={most}",
            f"trainer.max_epochs={epochs}",
        ],
    }
    rows = []
    for name, settings in ways.items():
        run = trained(output, name.replace(" ", "_"), f"data.source.subjects={people}", *settings)
        tested = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        rows.append((name, *errors(run, data), f"{100 * tested['test/nme']:.2f}"))
        print(rows[-1], flush=True)
    rows.insert(0, ("as shipped", *errors("thermal_real", data), ""))
    for row in (HEAD, ["---"] * len(HEAD), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    typer.run(main)
