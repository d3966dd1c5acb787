"""The tables of docs/results.md: `python docs/studies/results_tables.py models|parts|losses FOLDER...`.

Of run folders, `models` gives a row for each, in the paper's order; `parts` each stem and branch over the twenty;
`losses` the mean and the standard deviation over the seeds of each loss. Runs of different commits, data, lengths or
machines in one table are refused.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermal_landmarks.runs import read_config

Run = Mapping[str, Any]

_SAME = ("commit", "data", "scheme", "epochs", "machine", "experiment")
_STEMS = "CRLBA"
_PARTS = {
    **dict(
        zip(
            _STEMS,
            ["`conv`", "`resnext`", "`alt_conv_luong`", "`alt_conv_bahdanau`", "`alt_conv_resnext`"],
            strict=True,
        )
    ),
    **dict(zip("1234", ["no branch", "`luong`", "`bahdanau`", "`vit`"], strict=True)),
}
_MODELS = {
    "model": lambda run: run["model_id"] + (f" x{run['ensemble']}" if run["ensemble"] > 1 else ""),
    "parameters": lambda run: f"{run['parameters']:,}",
    "GFLOPs": lambda run: f"{run['gflops']:.3f}",
    "wing": lambda run: f"{run['test/wing']:.3f}",
    "MAE": lambda run: f"{run['test/mae']:.4f}",
    "MSE": lambda run: f"{run['test/mse']:.5f}",
    "accuracy": lambda run: f"{run['test/accuracy']:.3f}",
    "NME (%)": lambda run: f"{100 * run['test/nme']:.1f}",
    "above 10 % (%)": lambda run: f"{100 * run['test/failure_rate']:.1f}",
    "AUC (%)": lambda run: f"{100 * run['test/auc']:.1f}",
    "pixel error": lambda run: f"{run['test/pixel_error']:.1f}",
    "images/s": lambda run: f"{run['train/images_per_second']:.0f}",
    "seconds": lambda run: f"{run['seconds']:.0f}",
}


def read_runs(folders: list[Path]) -> list[Run]:
    """What the finished runs below the folders measured, each with the name of its loss."""
    runs = []
    for path in sorted(path for folder in folders for path in folder.rglob("metrics.json")):
        config = read_config(path.parent / "config.yaml")
        loss = config.loss.get("penalty") or config.group_choices.loss
        runs.append({**json.loads(path.read_text()), "loss": loss, "folder": path.parent})
    if not runs:
        sys.exit(f"No metrics.json below {', '.join(map(str, folders))}.")
    for name in _SAME:
        found = {run[name] for run in runs}
        if len(found) > 1:
            sys.exit(f"The runs differ in {name}: {', '.join(sorted(map(str, found)))}. Give folders of one protocol.")
    return runs


def table(header: list[str], rows: list[list[str]]) -> str:
    """Markdown; all columns but the first are aligned to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def models(runs: list[Run]) -> str:
    """A row for each run, C-1 to A-4."""
    ordered = sorted(runs, key=lambda run: (run["ensemble"], _STEMS.index(run["model_id"][0]), run["model_id"]))
    return table(list(_MODELS), [[show(run) for show in _MODELS.values()] for run in ordered])


def losses(runs: list[Run]) -> str:
    """Mean and standard deviation of each loss over its seeds, the best first."""
    groups = defaultdict(list)
    for run in runs:
        groups[run["loss"]].append(run)
    header = ["loss", "seeds", "NME (%)", "above 10 % (%)", "AUC to 10 % (%)"]
    rows = []
    for name, group in sorted(groups.items(), key=lambda item: statistics.mean(run["test/nme"] for run in item[1])):
        columns = [[100 * run[key] for run in group] for key in ("test/nme", "test/failure_rate", "test/auc")]
        spreads = [statistics.stdev(column) if len(column) > 1 else 0.0 for column in columns]
        values = [
            f"{statistics.mean(column):.2f} ± {spread:.2f}" for column, spread in zip(columns, spreads, strict=True)
        ]
        rows.append([name, str(len(group)), *values])
    return table(header, rows)


def parts(runs: list[Run]) -> str:
    """Each stem over its branches and each branch over its stems, against the first, by resampled test people."""
    tables = {run["model_id"]: pd.read_csv(run["folder"] / "per_image.csv") for run in runs}
    by_person = pd.DataFrame({name: t.groupby("subject")["nme"].mean() * 100 for name, t in tables.items()})
    picked = np.random.default_rng(0).integers(0, len(by_person), (10_000, len(by_person)))
    rows = []
    for at, kinds in ((0, _STEMS), (2, "1234")):
        means = {kind: by_person[[name for name in by_person if name[at] == kind]].mean(axis=1) for kind in kinds}
        for kind, mean in means.items():
            less = (mean - means[kinds[0]]).to_numpy()
            low, high = np.percentile(less[picked].mean(axis=1), [2.5, 97.5])
            gain = f"{less.mean():+.2f} ({low:+.2f} to {high:+.2f})" if kind != kinds[0] else ""
            rows.append([_PARTS[kind], f"{mean.mean():.2f}", gain])
    return table(["part", "NME (%), mean over people", "against the first of its kind (95 %)"], rows)


if __name__ == "__main__":
    kinds = {"models": models, "losses": losses, "parts": parts}
    if len(sys.argv) < 3 or sys.argv[1] not in kinds:
        sys.exit(str(__doc__))
    found = read_runs([Path(folder) for folder in sys.argv[2:]])
    print(f"commit {found[0]['commit']}, {found[0]['epochs']} epochs, {found[0]['machine']}\n")
    print(kinds[sys.argv[1]](found))
