"""A recording in one row a person: what goes into statistics over many recordings."""

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

_TEMPERATURES = "_mean"  # of regions, by their median over time
_EVENTS = ("apnoea", "yawn", "perspiration", "head_motion")
_FIRST = ("seconds", "seen", "breathing_rate", "breathing_ok", "perspiration", "perspiration_ok", "perspiration_energy")


def summarise(tables: Iterable[pd.DataFrame], events: pd.DataFrame) -> pd.DataFrame:
    """One row a track; a value is empty where nothing was measured, or nothing that is flagged `ok`.

    Columns: `track`, `seconds` from its first to its last frame, `seen` (share of frames with values), `breathing_rate`
    (median of the windows that are `ok`, breaths a minute) and `breathing_ok` (their share), `perspiration` and
    `perspiration_energy` (mean of the seconds that are `ok`) and `perspiration_ok`, the number of each kind of event,
    and the median over time of each region's mean temperature.

    Each of the tables is one signal of one track, as `Recording.tables` gives them.
    """
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for table in tables:
        found[int(table["track"].iloc[0])] |= _told_by(str(table["signal"].iloc[0]), table)
    rows = []
    for track, values in sorted(found.items()):
        happened = events[events["track"] == track]["event"].value_counts()
        first = {name: values.pop(name) for name in _FIRST if name in values}
        counts = {f"{kind}_events": int(happened.get(kind, 0)) for kind in _EVENTS}
        rows.append({"track": track, **first, **counts, **dict(sorted(values.items()))})
    return pd.DataFrame(rows)


def _told_by(signal: str, table: pd.DataFrame) -> dict[str, float]:
    values, sure = table["value"], table["flag"] == "ok"
    if signal == "head_motion":
        seen = ~table["flag"].isin(["hidden", "lost"])
        return {"seconds": float(table["time_s"].iloc[-1] - table["time_s"].iloc[0]), "seen": float(seen.mean())}
    if signal == "breathing_rate":
        return {signal: float(values[sure].median()), "breathing_ok": float(sure.mean())}
    if signal == "perspiration":
        return {signal: float(values[sure].mean()), "perspiration_ok": float(sure.mean())}
    if signal == "perspiration_energy":
        return {signal: float(values[sure].mean())}
    return {signal: float(values.median())} if signal.endswith(_TEMPERATURES) and values.notna().any() else {}
