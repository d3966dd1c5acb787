"""What pictures without labels teach: `python docs/studies/unlabelled_pictures.py ../shared/data OUTPUT`.

`experiment=recipes/fine_tune_unlabelled` with the frames of one driver, labels unused, and the same number of steps on
the rendered faces alone; both begin with the shipped weights. Measured on both drivers, whose labels a network made
(agreement with it, not truth), and on the portraits. Nothing was chosen on these numbers. What is trained already in
OUTPUT is measured again only. Writes docs/results/unlabelled.csv and prints it as a table. The terms of the drivers'
pictures allow research alone, so that these weights are not shipped.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

from calibration_on_real_faces import Frames, percent
from peers.pictures import thermal54, thermal_real

from thermal_landmarks.inference.calibration.annotated import predict_annotated
from thermal_landmarks.inference.predictor import Predictor

DOCS = Path(__file__).parents[1]
PEOPLE, EPOCHS, FRAMES = 560, 4, 50
HEAD = ("pictures without labels", "man, median", "woman, median", "thermal-real", "thermal54", "rendered faces")


def trained(output: Path, name: str, *settings: str) -> Path:
    """The folder of a run, trained if it isn't there."""
    run = output / name
    if not (run / "metrics.json").is_file():
        command = [sys.executable, "-m", "thermal_landmarks", "train", "experiment=recipes/fine_tune_unlabelled"]
        small = [f"data.source.subjects={PEOPLE}", f"data.cache_dir={output / 'cache'}", f"output={run}", "logger=none"]
        subprocess.run([*command, *small, *settings], check=True)
    return run


def errors(checkpoint: Path | str, data: Path) -> list[str]:
    """NME in percent of the distance of the outer eye corners: medians of the drivers, means of the portraits."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    drives = [Frames(folder, FRAMES) for folder in sorted((data / "drivers").glob("1_*"))]
    faces = [predict_annotated(predictor, source).faces for source in [*drives, thermal_real(data), thermal54(data)]]
    hows = ("median", "median", "mean", "mean")
    return [percent(each, each.predicted_px, how) for each, how in zip(faces, hows, strict=True)]


def main(data: Path, output: Path) -> None:
    """Trains, measures and writes the table."""
    rows = [("none: thermal_real as shipped", *errors("thermal_real", data), "")]
    man, woman = sorted((data / "drivers").glob("1_*"))
    alone = ("none: rendered faces alone", ("data.unlabelled=null", f"trainer.max_epochs={2 * EPOCHS}"))
    ways = [alone]
    for name, folder in (("frames of the man", man), ("frames of the woman", woman)):
        ways.append((name, (f"data.unlabelled.source={folder / 'Jpg'}", f"trainer.max_epochs={EPOCHS}")))
    for name, settings in ways:
        run = trained(output, name.split(":")[0].replace(" ", "_"), *settings)
        tested = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        rows.append((name, *errors(run, data), f"{100 * tested['test/nme']:.2f}"))
    with (DOCS / "results" / "unlabelled.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
    for row in (HEAD, ["---"] * len(HEAD), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]), Path(sys.argv[2]).absolute())
