"""Runs put together: one group a protocol, one row a model, its seeds averaged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from thermal_landmarks.reporting.published import order
from thermal_landmarks.reporting.report.runs import Run
from thermal_landmarks.reporting.report.settings import differences, identity, without_length_and_rotation

KINDS = ("singular", "ensemble", "no_rotation", "layers_removed")


@dataclass(frozen=True)
class Row:
    """Runs of one model with the same settings and different seeds."""

    kind: str  # which table it belongs to
    runs: tuple[Run, ...]  # one a seed, the newest of each, in order of seeds
    note: str = ""  # what sets it apart from other rows of the same model

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def name(self) -> str:
        """`A-2`, `A-2 ×3`."""
        return self.first.model_id + (f" ×{self.first.ensemble}" if self.first.ensemble > 1 else "")

    @property
    def label(self) -> str:
        """The name, and the ablation where it is one."""
        return self.name + {"no_rotation": " no rotation", "layers_removed": " layers removed"}.get(self.kind, "")

    def mean(self, metric: str) -> float | None:
        """Over the seeds; None where one has no value."""
        values = [run.value(metric) for run in self.runs]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known and len(known) == len(values) else None


@dataclass(frozen=True)
class Protocol:
    """Rows that were trained and tested alike."""

    label: str  # in words
    note: str  # what sets it apart from other protocols of the same label
    rows: list[Row] = field(default_factory=list)  # in order of model

    def of(self, kind: str) -> list[Row]:
        """Rows of one table."""
        return [row for row in self.rows if row.kind == kind]


def newest_of_each_seed(runs: Iterable[Run]) -> tuple[list[Run], list[Run]]:
    """One run for each protocol, model and seed, and the older ones that it stands for."""
    newest: dict[str, Run] = {}
    older = []
    for run in sorted(runs, key=lambda run: run.finished):
        key = identity(
            {"p": run.protocol, "m": run.model, "k": run.kind, "i": run.model_id, "s": run.metrics.get("seed")}
        )
        if key in newest:
            older.append(newest[key])
        newest[key] = run
    return sorted(newest.values(), key=lambda run: run.number), older


def group(runs: Iterable[Run]) -> list[Protocol]:
    """Protocols of the runs that aren't trials, the one with the most runs first."""
    by_protocol: dict[str, list[Run]] = {}
    for run in runs:
        if run.kind in KINDS:
            by_protocol.setdefault(identity(run.protocol), []).append(run)
    members = sorted(by_protocol.values(), key=lambda runs: (-len(runs), runs[0].number))
    labels = [runs[0].protocol_label for runs in members]
    notes = [""] * len(members)
    for label in set(labels):
        alike = [i for i, other in enumerate(labels) if other == label]
        for i, note in zip(alike, differences([members[i][0].protocol for i in alike]), strict=True):
            notes[i] = note
    return [Protocol(*parts) for parts in zip(labels, notes, map(_rows, members), strict=True)]


def singular_row(row: Row, protocols: Sequence[Protocol]) -> Row | None:
    """The singular, unchanged model that an ensemble or ablation is to be compared with, if just one fits.

    Its protocol is the same, but for the length and rotation that "no rotation" changes.
    """
    wanted = identity(without_length_and_rotation(row.first.protocol))
    found = [
        other
        for protocol in protocols
        for other in protocol.of("singular")
        if other.first.model_id == row.first.model_id
        and identity(without_length_and_rotation(other.first.protocol)) == wanted
        and (row.kind == "no_rotation" or identity(other.first.protocol) == identity(row.first.protocol))
    ]
    same = [other for other in found if identity(_without_size(other)) == identity(_without_size(row))]
    chosen = same or found
    return chosen[0] if len(chosen) == 1 else None


def _without_size(row: Row) -> dict[str, object]:
    return {key: value for key, value in row.first.model.items() if key != "ensemble"}


def _rows(runs: Sequence[Run]) -> list[Row]:
    by_model: dict[str, list[Run]] = {}
    for run in runs:
        by_model.setdefault(identity({"k": run.kind, "i": run.model_id, "m": run.model}), []).append(run)
    rows = [
        Row(runs[0].kind, tuple(sorted(runs, key=lambda run: run.metrics.get("seed") or 0)))
        for runs in by_model.values()
    ]
    rows.sort(key=lambda row: (order(row.first.model_id), row.first.ensemble, row.first.number))
    for name in {(row.kind, row.name) for row in rows}:
        alike = [i for i, row in enumerate(rows) if (row.kind, row.name) == name]
        for i, note in zip(alike, differences([rows[i].first.model for i in alike]), strict=True):
            rows[i] = replace(rows[i], note=note)
    return rows
