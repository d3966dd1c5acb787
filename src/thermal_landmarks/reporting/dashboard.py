"""A Weights & Biases workspace with the panels of the report, for those who follow runs while they train."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.loggers import wandb_mode

if TYPE_CHECKING:
    import wandb_workspaces.workspaces as ws

_TESTED = ("wing", "nme", "mae", "mse", "accuracy", "failure_rate", "auc", "pixel_error")
_TEST_PICTURES = ("overlays_best", "overlays_median", "overlays_worst", "ced")
_SHOWN = ("activation", "features", "attention")  # of `visualize.py`


def build_workspace(
    *, entity: str, project: str, name: str, hyperparameters: Sequence[str], scheme: str
) -> "ws.Workspace":
    """The workspace, not saved: curves, test results, error over size, searches and pictures. Needs no network."""
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    def curve(metric: str, *, log: bool = False) -> wr.LinePlot:
        return wr.LinePlot(title=metric, x="trainer/global_step", y=[metric], log_y=log, max_runs_to_show=30)

    def tested(metric: str) -> wr.BarPlot:
        return wr.BarPlot(title=f"test/{metric}", metrics=[f"test/{metric}"], orientation="h", max_bars_to_show=20)

    def over(size: str, metric: str) -> wr.ScatterPlot:
        return wr.ScatterPlot(
            title=f"{metric} over {size}", x=wr.Config(size), y=wr.SummaryMetric(metric), log_x=True, running_ymin=True
        )

    def pictures(names: Iterable[str]) -> list[wr.MediaBrowser]:
        return [wr.MediaBrowser(title=name, media_keys=[name]) for name in names]

    landmarks = [f"test/pixel_error/{landmark}" for landmark in get_scheme(scheme).landmark_names]
    objective = wr.SummaryMetric("val/wing.min")
    columns = [wr.ParallelCoordinatesPlotColumn(wr.Config(setting)) for setting in hyperparameters]
    sections = [
        ws.Section(
            name="Training",
            panels=[curve("train/loss", log=True), *map(curve, ("val/wing", "val/nme", "val/prediction_spread"))],
            is_open=True,
        ),
        ws.Section(name="Test", panels=[tested(metric) for metric in _TESTED], is_open=True),
        ws.Section(
            name="Error of each landmark",
            panels=[wr.BarPlot(title="pixels", metrics=[*landmarks], orientation="h", max_runs_to_show=5)],
        ),
        ws.Section(
            name="Error over size",
            panels=[over(size, metric) for size in ("parameters", "gflops") for metric in ("test/nme", "test/wing")],
            is_open=True,
        ),
        ws.Section(
            name="Search",
            panels=[
                wr.ScatterPlot(title="Optimisation history", x=wr.Metric("CreatedTimestamp"), y=objective),
                wr.ParallelCoordinatesPlot(columns=[*columns, wr.ParallelCoordinatesPlotColumn(objective)]),
                wr.ParameterImportancePlot(with_respect_to="val/wing.min"),
            ],
            is_open=True,
        ),
        ws.Section(name="Pictures", panels=[*pictures(f"test/{name}" for name in _TEST_PICTURES)]),
        ws.Section(name="What a network has learned", panels=[*pictures(f"visualize/{what}" for what in _SHOWN)]),
    ]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=sections,
        runset_settings=ws.RunsetSettings(order=[ws.Ordering(ws.Summary("test/wing"), ascending=True)]),
    )


def save_workspace(*, entity: str | None, project: str, name: str, hyperparameters: Sequence[str], scheme: str) -> str:
    """Lay the workspace out in W&B; gives its address.

    The hyperparameters are those in the panel of parallel coordinates, the scheme is that whose landmarks are compared.

    Raises:
        ConfigError: If nobody is logged in, or W&B can't be reached or refuses.
    """
    if wandb_mode() != "online":
        raise ConfigError(
            "Not logged in to W&B, or WANDB_MODE is offline. Log in with `wandb login` (or set WANDB_API_KEY), then "
            "run this again. `python src/report.py` needs no account."
        )
    import wandb

    try:
        owner = entity or wandb.Api().default_entity
        if not owner:
            raise ConfigError("W&B names no default entity. Give the user or team: entity=NAME.")
        workspace = build_workspace(
            entity=owner, project=project, name=name, hyperparameters=hyperparameters, scheme=scheme
        )
        return str(workspace.save_as_new_view().url)
    except (wandb.Error, OSError) as error:
        raise ConfigError(f"W&B refused, or can't be reached: {' '.join(str(error).split())}") from error
