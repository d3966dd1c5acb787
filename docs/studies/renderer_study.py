"""What the renderer's factors and the number of rendered people bring: a table and a figure from finished runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import typer
from matplotlib.figure import Figure
from omegaconf import OmegaConf

from thermal_landmarks.errors import ConfigError

_COLOURS = {"rendered people of another seed": "#0072B2", "real faces (thermal-real)": "#D55E00"}


class FactorRow(NamedTuple):
    """One line of the ablation; errors are NME in percent, None where not measured.

    Attributes:
        factor: What training went without.
        rendered: On rendered people with all factors.
        kind: On pictures that all have the factor.
        kind_with_all: The same of the network that was trained with all factors.
        real: On real faces.
    """

    factor: str
    rendered: float | None
    kind: float | None
    kind_with_all: float | None
    real: float | None


def factor_rows(folder: Path, factors: Sequence[str]) -> list[FactorRow]:
    """Rows from the runs `FACTOR` and the evaluations `FACTOR_always`, `FACTOR_base` and `FACTOR_real` of a folder."""
    return [
        FactorRow(factor, *(_nme_percent(folder / f"{factor}{end}") for end in ("", "_always", "_base", "_real")))
        for factor in factors
    ]


def factor_table(rows: Sequence[FactorRow]) -> str:
    """The rows as Markdown."""
    header = "| without | all rendered faces | faces that all have it | these, trained with it | real faces |"
    lines = [header, "| --- | ---: | ---: | ---: | ---: |"]
    for row in rows:
        cells = ("" if value is None else f"{value:.1f}" for value in row[1:])
        lines.append(f"| {row.factor} | {' | '.join(cells)} |")
    return "\n".join(lines)


def scaling_figure(runs: Sequence[Path]) -> Figure:
    """Error over the number of rendered people in training.

    Args:
        runs: Folders of runs, each with the evaluation `NAME_real` of its network on real faces beside it.

    Raises:
        ConfigError: If one of them has no `metrics.json`.
    """
    subjects = np.array([OmegaConf.load(run / "config.yaml").data.source.subjects for run in runs])
    series = zip(_COLOURS, ([run.name for run in runs], [f"{run.name}_real" for run in runs]), strict=True)
    figure = Figure(figsize=(5.2, 3.4), dpi=110, layout="constrained")
    axis = figure.subplots()
    order = np.argsort(subjects)
    for (label, names), above in zip(series, (-14, 6), strict=True):
        errors = [_nme_percent(run.parent / name) for run, name in zip(runs, names, strict=True)]
        if None in errors:
            raise ConfigError(f"{runs[0].parent / names[errors.index(None)]}: no metrics.json. Run it first.")
        values = np.array(errors, dtype=float)
        axis.plot(subjects[order], values[order], "o-", color=_COLOURS[label], label=label)
        for x, y in zip(subjects, values, strict=True):
            axis.annotate(f"{y:.1f}", (x, y), textcoords="offset points", xytext=(0, above), ha="center", fontsize=8)
    axis.set(xscale="log", xlabel="rendered people in training (two images each)", ylabel="NME (% of inter-ocular)")
    axis.set_ylim(0, 1.2 * axis.get_ylim()[1])
    axis.set_xticks(subjects, [f"{n:,}" for n in subjects])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, loc="lower left")
    return figure


def _nme_percent(folder: Path) -> float | None:
    path = folder / "metrics.json"
    if not path.is_file():
        return None
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return 100 * float(metrics["test/nme"])


app = typer.Typer(help=__doc__, add_completion=False)


@app.command()
def table(folder: Path, factors: list[str]) -> None:
    """Print what each of some FACTORS brings, from the runs of FOLDER."""
    print(factor_table(factor_rows(folder, factors)))


@app.command()
def figure(picture: Path, runs: list[Path]) -> None:
    """Draw the error of some RUNS over the number of people into a PICTURE."""
    scaling_figure(runs).savefig(picture)


if __name__ == "__main__":
    app()
