"""What the runs of a report say, in sentences: they stand before the tables that hold the numbers."""

from collections.abc import Iterator, Sequence

from thermal_landmarks.reporting.paper.results import COLLAPSED
from thermal_landmarks.reporting.report.charts import pareto_front
from thermal_landmarks.reporting.report.rows import Protocol, Row, singular_row

_CHANGES = {"ensemble": "ensembles", "no_rotation": "without rotation", "layers_removed": "with layers removed"}


def findings(protocols: Sequence[Protocol]) -> list[str]:
    """Sentences on each protocol that has at least two models.

    Errors are means over the seeds of the NME of the test images in %. Models are compared within their protocol alone.
    """
    told = []
    for protocol in protocols:
        rows = [row for row in protocol.of("singular") if row.mean("test/nme") is not None]
        said = [*_singular(rows), *_changed(protocol, protocols)]
        if said and len(protocols) > 1:
            said[0] = f"{protocol.label}: {said[0]}"
        told += said
    return told


def _singular(rows: Sequence[Row]) -> Iterator[str]:
    if len(rows) < 2:
        return
    best = min(rows, key=_nme)
    yield f"{best.name} has the lowest error of {len(rows)} models: {_shown(best)}."
    front = pareto_front([(_parameters(row), _nme(row)) for row in rows])
    smaller = [rows[i] for i in front if rows[i] is not best]
    if smaller:
        listed = ", ".join(f"{row.name} ({_shown(row)})" for row in reversed(smaller))
        yield f"Smaller ones that no other model beats in both error and size: {listed}."
    for part, other in (("stem", "branch"), ("branch", "stem")):
        means = _means(rows, part, other)
        if len(means) > 1:
            listed = ", ".join(f"{name} {mean:.2f} %" for mean, name in sorted((v, k) for k, v in means.items()))
            yield f"By {part}, mean over the same {'branches' if other == 'branch' else 'stems'}: {listed}."
    spread = [(row.name, row.mean("val/prediction_spread")) for row in rows]
    fallen = [name for name, value in spread if value is not None and value < COLLAPSED]
    if fallen:
        yield f"Collapsed to nearly one answer for every image: {', '.join(fallen)}."
    elif all(value is not None for _, value in spread):
        yield "No model collapsed to nearly one answer for every image."
    if any(len(row.runs) < 2 for row in rows):
        yield "Models with a single seed can change places with another one: small differences may be chance."


def _changed(protocol: Protocol, protocols: Sequence[Protocol]) -> Iterator[str]:
    """Ensembles and ablations against the single, unchanged models."""
    for kind, words in _CHANGES.items():
        pairs = [(row, singular_row(row, protocols)) for row in protocol.of(kind)]
        gains = [
            (row.name, _nme(row) - _nme(other))
            for row, other in pairs
            if other is not None and None not in (row.mean("test/nme"), other.mean("test/nme"))
        ]
        if gains:
            worse = f"{sum(gain > 0 for _, gain in gains)} of {len(gains)}"
            listed = ", ".join(f"{name} {gain:+.2f}" for name, gain in gains)
            yield f"{words.capitalize()}: worse than the single, unchanged model in {worse} ({listed} points)."


def _means(rows: Sequence[Row], part: str, other: str) -> dict[str, float]:
    """Mean error by stem over the branches that all stems have, or the other way round; empty below two such."""
    by_part: dict[str, dict[str, float]] = {}
    for row in rows:
        facts = row.first.metrics
        by_part.setdefault(str(facts.get(part)), {}).setdefault(str(facts.get(other)), _nme(row))
    shared = set.intersection(*(set(found) for found in by_part.values()))
    return {name: sum(found[key] for key in shared) / len(shared) for name, found in by_part.items() if len(shared) > 1}


def _shown(row: Row) -> str:
    parameters = row.first.value("parameters")
    size = "" if parameters is None else f" with {parameters:,.0f} parameters"
    return f"{_nme(row):.2f} %{size}"


def _nme(row: Row) -> float:
    nme = row.mean("test/nme")
    assert nme is not None
    return 100 * nme


def _parameters(row: Row) -> float:
    return row.first.value("parameters") or float("inf")
