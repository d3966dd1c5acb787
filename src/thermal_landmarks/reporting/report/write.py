"""Writes a report: `report.html` (one file, no network), `report.md` with `figures/`, and `tables/*.csv`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from thermal_landmarks import __version__
from thermal_landmarks.errors import ConfigError, said_by
from thermal_landmarks.reporting.pages import render
from thermal_landmarks.reporting.published import SOURCE
from thermal_landmarks.reporting.report.pictures import activation_pictures, augmentation_picture, sample_pictures
from thermal_landmarks.reporting.report.rows import Protocol, group, newest_of_each_seed
from thermal_landmarks.reporting.report.runs import Found, collect
from thermal_landmarks.reporting.report.sections import TEXTS, sections
from thermal_landmarks.reporting.report.studies import load_searches, storage_url
from thermal_landmarks.reporting.report.study_charts import packed_plots
from thermal_landmarks.reporting.report.table import markdown_text
from thermal_landmarks.runs import git_commit

_UNWRITABLE = "backslashreplace"  # for names of files that are no text


def write_report(
    runs: Sequence[Path],
    folder: Path,
    *,
    studies: str | None = "auto",
    title: str = "Thermal landmarks",
    picture_width: int = 1000,
    activations: int = 8,
    augmentation_samples: int = 3,
    console: Console | None = None,
) -> Path:
    """Read all runs below some folders and the studies of a storage, write the report on them, and give its page.

    `studies=auto` means outputs/studies.db if it is there. Pictures are at most `picture_width` pixels wide, and
    `activations` of them show activation; `augmentation_samples` images (0: none) are drawn with their augmentation
    where no picture of `check_data` is found.

    Returns:
        The HTML page.

    Raises:
        ConfigError: If there is neither a run nor a study to report on.
    """
    console = console or Console()
    url = storage_url(studies)
    searches = load_searches(url) if url else []
    found = collect(runs)
    if not (found.runs or found.evaluations or searches):
        where = ", ".join(map(str, runs)) or "no folder"
        raise ConfigError(
            f"There is nothing to report on: no metrics.json below runs={where}, and no study in studies={studies}. "
            "Train first (python src/train.py), or give other folders."
        )
    current, older = newest_of_each_seed(found.runs)
    protocols = group(current)
    folder.mkdir(parents=True, exist_ok=True)
    drawn, problem = None, ""
    try:
        drawn = augmentation_picture(
            found.montages, protocols, folder, samples=augmentation_samples, width=picture_width
        )
    except Exception as error:  # a run's stored settings may be of any type
        problem = f"it couldn't be drawn from the runs' data: {said_by(error)}"
    pictures = {
        "samples": sample_pictures(protocols, found.left_out, width=picture_width),
        "augmentation": [drawn] if drawn else [],
        "activations": activation_pictures(found.activations, found.left_out, width=picture_width, most=activations),
    }
    parts = sections(found, protocols, older, searches, pictures, problem)

    for name in ("figures", "tables"):
        (folder / name).mkdir(exist_ok=True)
    charts = {name: chart for section in parts for block in section.blocks for name, chart in block.charts.items()}
    for name, chart in charts.items():
        (folder / "figures" / f"{name}.svg").write_text(chart.svg, encoding="utf-8", errors=_UNWRITABLE)
    for section in parts:
        for table in (*section.tables, *section.files):
            table.write_csv(folder / "tables")
        for image in section.pictures:
            (folder / "figures" / f"{image.name}.webp").write_bytes(image.webp)

    commit = git_commit()
    version = f"thermal-landmarks {__version__}{f', commit {commit}' if commit else ''}"
    facts = {
        "title": title,
        "summary": _summary(found, protocols, len(searches)),
        "made": f"{datetime.now():%Y-%m-%d %H:%M} by {version}",
        "source": SOURCE,
        "notes": TEXTS["notes"],
        "sections": parts,
        "plots": packed_plots(charts.values()),
    }
    page, in_markdown = folder / "report.html", folder / "report.md"
    page.write_text(render("report.html.j2", **facts), encoding="utf-8", errors=_UNWRITABLE)
    text = render("report.md.j2", finalize=lambda value: markdown_text(value) if type(value) is str else value, **facts)
    in_markdown.write_text(text, encoding="utf-8", errors=_UNWRITABLE)
    size = page.stat().st_size / 1e6
    console.print(f"{facts['summary']}\nReport: [bold]{page}[/bold] ({size:.1f} MB)", soft_wrap=True)
    return page


def _summary(found: Found, protocols: Sequence[Protocol], studies: int) -> str:
    trained = [run for run in found.runs if run.kind != "trial"]
    models = len({(row.first.model_id, row.first.ensemble, row.kind) for p in protocols for row in p.rows})
    counts = [
        _count(len(trained), "run"),
        _count(models, "model"),
        _count(len(protocols), "protocol"),
        _count(len(found.runs) - len(trained), "trial run"),
        _count(studies, "study", "studies"),
        _count(len(found.evaluations), "evaluation"),
    ]
    return ", ".join(count for count in counts if not count.startswith("0 "))


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
