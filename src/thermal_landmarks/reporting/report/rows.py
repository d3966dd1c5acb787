"""Runs put together: one group a protocol, one row a model, its seeds averaged."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thermal_landmarks.reporting.published import order
from thermal_landmarks.reporting.report.runs import Run
from thermal_landmarks.settings import LENGTH, Flat

KINDS = ("singular", "ensemble", "no_rotation", "layers_removed")
_SHOWN = 5  # settings in a note


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
    by_age = sorted(runs, key=lambda run: run.finished)
    alike = _grouped(by_age, lambda run: [run.protocol, run.model, run.kind, run.model_id, run.metrics.get("seed")])
    newest = sorted((same[-1] for same in alike), key=lambda run: run.number)
    return newest, [run for same in alike for run in same[:-1]]


def group(runs: Iterable[Run]) -> list[Protocol]:
    """Protocols of the runs that aren't trials, the one with the most runs first."""
    members = _grouped((run for run in runs if run.kind in KINDS), lambda run: run.protocol)
    members.sort(key=lambda runs: (-len(runs), runs[0].number))
    labels = [runs[0].protocol_label for runs in members]
    notes = _notes(labels, [runs[0].protocol for runs in members])
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
    rows = [
        Row(same[0].kind, tuple(sorted(same, key=lambda run: run.metrics.get("seed") or 0)))
        for same in _grouped(runs, lambda run: [run.kind, run.model_id, run.model])
    ]
    rows.sort(key=lambda row: (order(row.first.model_id), row.first.ensemble, row.first.number))
    notes = _notes([(row.kind, row.name) for row in rows], [row.first.model for row in rows])
    return [replace(row, note=note) for row, note in zip(rows, notes, strict=True)]


def _grouped(runs: Iterable[Run], key: Callable[[Run], Any]) -> list[list[Run]]:
    """Runs of which the key is the same, in the order of the first of each."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        groups[identity(key(run))].append(run)
    return list(groups.values())


def _notes(labels: Sequence[Any], settings: Sequence[Flat]) -> list[str]:
    """What sets each apart from the others of the same label."""
    notes = [""] * len(labels)
    for label in set(labels):
        alike = [i for i, other in enumerate(labels) if other == label]
        for i, note in zip(alike, differences([settings[i] for i in alike]), strict=True):
            notes[i] = note
    return notes


def without_length_and_rotation(protocol: Flat) -> Flat:
    """A protocol without what the ablation "no rotation" changes by definition."""
    changed = (*LENGTH, "data.augmentation.rotation")  # with the ranges of its angles
    return {key: value for key, value in protocol.items() if not key.startswith(changed)}


def identity(settings: Any) -> str:
    """The same text for the same settings."""
    return json.dumps(settings, sort_keys=True, default=str)


def differences(settings: Sequence[Flat]) -> list[str]:
    """For each of several settings what sets it apart from the others: `stem.depth=3, head.dropout=0.1`.

    A setting that is absent shows as `no stem.depth`.
    """
    keys = sorted({key for flat in settings for key in flat})
    differing = [key for key in keys if len({identity(flat.get(key, "absent")) for flat in settings}) > 1]
    return [_words(flat, differing) for flat in settings]


def _words(flat: Flat, keys: Sequence[str]) -> str:
    shown = [f"{key}={_value(flat[key])}" if key in flat else f"no {key}" for key in keys[:_SHOWN]]
    more = [f"{len(keys) - _SHOWN} more (see config.yaml)"] if len(keys) > _SHOWN else []
    return ", ".join(shown + more)


def _value(value: Any) -> str:
    return json.dumps(value, default=str).replace('"', "").replace(" ", "")
