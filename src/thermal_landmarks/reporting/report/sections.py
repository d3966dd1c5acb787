"""What stands in a report: its sections with tables, charts and pictures, or the command that would fill them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thermal_landmarks.reporting.report import charts, published
from thermal_landmarks.reporting.report.chart import Chart
from thermal_landmarks.reporting.report.pictures import Picture
from thermal_landmarks.reporting.report.rows import Protocol
from thermal_landmarks.reporting.report.runs import Found, Run
from thermal_landmarks.reporting.report.studies import Search
from thermal_landmarks.reporting.report.study_charts import study_charts
from thermal_landmarks.reporting.report.table import Table
from thermal_landmarks.reporting.report.tables import (
    best_settings,
    evaluation_table,
    result_tables,
    run_table,
    search_tables,
    shown_path,
)

_TRAIN = "python src/train.py --multirun"


@dataclass(frozen=True)
class Block:
    """Charts under a heading; `folded` ones open on a click."""

    title: str  # what they are of
    charts: dict[str, Chart]  # by the name of their file
    text: str = ""  # below the title
    folded: bool = False  # whether the charts hide at first


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    key: str  # anchor
    title: str  # heading
    text: str = ""  # what is to be seen
    command: str = ""  # what would fill the section, where it is empty
    tables: Sequence[Table] = ()
    blocks: Sequence[Block] = ()  # charts
    pictures: Sequence[Picture] = ()  # images
    lines: Sequence[str] = ()  # plain lines at the end
    files: Sequence[Table] = ()  # tables too long for a page; CSV only

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.tables or self.blocks or self.pictures or self.lines)


@dataclass(frozen=True)
class Pictures:
    """Pictures by section; `problem` says why the augmentation isn't shown."""

    samples: Sequence[Picture] = ()
    augmentation: Sequence[Picture] = ()
    activations: Sequence[Picture] = ()
    problem: str = ""


def sections(
    found: Found, protocols: Sequence[Protocol], older: Sequence[Run], searches: Sequence[Search], pictures: Pictures
) -> list[Section]:
    """All sections, the empty ones too."""
    trained = [run for run in found.runs if run.kind != "trial"]
    trials = [run for run in found.runs if run.kind == "trial"]
    return [
        Section(
            "search",
            "Table 1: search",
            "The best trial of each study: its size and the value that was searched for (on validation images).",
            f"{_TRAIN} search=paper",
            search_tables(searches),
            [_study_block(search) for search in searches],
        ),
        Section(
            "singular",
            "Table 2: singular models",
            "Test images. Several seeds: mean ± standard deviation.",
            f"{_TRAIN} experiment=studies/comparison stem=conv,resnext branch=none,luong seed=0,1,2",
            result_tables("singular", protocols),
        ),
        Section(
            "ensembles",
            "Table 3: ensembles",
            "Three components side by side on one root. “wing − singular”: above zero the ensemble is worse.",
            f"{_TRAIN} ensemble=3 stem=alt_conv_resnext branch=none,luong,bahdanau,vit",
            result_tables("ensemble", protocols),
        ),
        Section(
            "no_rotation",
            "Table 4: no rotation",
            "Trained three times as long on the images as they are. “wing − singular”: above zero, rotation helped.",
            f"{_TRAIN} experiment=ablation/no_rotation stem=alt_conv_resnext branch=none,luong,bahdanau,vit",
            result_tables("no_rotation", protocols),
        ),
        Section(
            "layers_removed",
            "Table 5: layers removed",
            "Without the last convolution and the last ResNeXt layer. “wing − singular”: above zero, they helped.",
            f"{_TRAIN} experiment=ablation/layers_removed stem=alt_conv_resnext branch=none,luong,bahdanau,vit",
            result_tables("layers_removed", protocols),
        ),
        Section(
            "errors",
            "Errors",
            "Point at a mark for its numbers. Seeds: curves hold the images of all, the other charts show means.",
            f"{_TRAIN} stem=conv,alt_conv_resnext branch=none,luong",
            blocks=[block for i, protocol in enumerate(protocols) if (block := _error_block(protocol, i)).charts],
        ),
        Section(
            "samples",
            "Samples (the paper's Figure 1)",
            "Circles: annotated points. Crosses: predicted ones.",
            "python src/train.py callbacks=default",
            pictures=pictures.samples,
        ),
        Section(
            "augmentation",
            "Augmentation (the paper's Figure 2)",
            "Images as they are, and as training sees them.",
            "python src/check_data.py" + (f" ({pictures.problem})" if pictures.problem else ""),
            pictures=pictures.augmentation,
        ),
        Section(
            "activations",
            "Activation maximisation (the paper's Figures 3 and 4)",
            "Images that excite single channels the most, found by gradient ascent from noise.",
            "python src/visualize.py checkpoint=RUN layer=last",
            pictures=pictures.activations,
        ),
        Section(
            "evaluations",
            "Other data",
            "Each line is a checkpoint on a data set; lines of different data aren't comparable.",
            "python src/evaluate.py checkpoint=RUN data=portraits",
            [evaluation_table(found.evaluations)] if found.evaluations else [],
        ),
        Section(
            "runs",
            "All runs",
            "Where every number comes from. The whole configuration is in config.yaml of each folder.",
            _TRAIN,
            [run_table("runs", trained, older)] if trained else [],
            lines=[
                *([f"{len(trials)} runs of searches are listed in tables/trials.csv."] if trials else []),
                *(f"Not shown: {shown_path(path)}: {why}" for path, why in found.left_out),
            ],
            files=[run_table("trials", trials)] if trials else [],
        ),
    ]


def paper_notes() -> Sequence[str]:
    """How the published figures are to be read."""
    return published.NOTES


def _error_block(protocol: Protocol, number: int) -> Block:
    suffix = f"_{number + 1}" if number else ""
    metric = "test/nme" if any(row.mean("test/nme") is not None for row in protocol.rows) else "test/wing"
    size = {f"error_over_{what}{suffix}": what for what in ("parameters", "gflops")}
    made = {
        (name := f"cumulative_error{suffix}"): charts.ced_chart(protocol, name),
        **{name: charts.size_chart(protocol, what, metric, name) for name, what in size.items()},
        (name := f"error_by_landmark{suffix}"): charts.landmark_chart(protocol, name),
    }
    shown = {name: chart for name, chart in made.items() if chart is not None}
    return Block(protocol.label, shown, protocol.note, folded=number > 0)


def _study_block(search: Search) -> Block:
    best = search.best
    result = "no complete trial" if best is None else f"best {best.value:.4g} in trial {best.number}"
    counts = f"{len(search.trials)} trials, {search.count('PRUNED')} pruned, {search.count('FAIL')} failed"
    settings = f"Best: {best_settings(search)}" if best is not None else ""
    shown = study_charts(search, "_" + search.name.replace("/", "_"))
    return Block(f"{search.model_id} {search.name}: {result}; {counts}", shown, settings, folded=True)


def all_tables(parts: Iterable[Section]) -> list[Table]:
    """Tables of all sections."""
    return [table for section in parts for table in (*section.tables, *section.files)]
