"""A recording in one row a person: what goes into statistics over many recordings."""

import numpy as np
import pandas as pd

_TEMPERATURES = "_mean"  # of regions, by their median over time


def summarise(signals: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """One row a track; a value is empty where nothing was measured, or nothing that is flagged `ok`.

    Columns: `track`, `seconds` from its first to its last frame, `seen` (share of frames with values), `breathing_rate`
    (median of the windows that are `ok`, breaths a minute) and `breathing_ok` (their share), `perspiration` and
    `perspiration_energy` (mean of the seconds that are `ok`) and `perspiration_ok`, the number of each kind of event,
    and the median over time of each region's mean temperature.

    Args:
        signals: As `measure` gives them.
        events: As `measure` gives them.
    """
    return pd.DataFrame([_row(int(str(track)), rows, events) for track, rows in signals.groupby("track")])


def _row(track: int, rows: pd.DataFrame, events: pd.DataFrame) -> dict[str, float]:
    of = {str(name): values for name, values in rows.groupby("signal")}
    frames = of["head_motion"]
    row: dict[str, float] = {
        "track": track,
        "seconds": float(frames["time_s"].iloc[-1] - frames["time_s"].iloc[0]),
        "seen": float((~frames["flag"].isin(["hidden", "lost"])).mean()),
    }
    for name, said in (("breathing_rate", "breathing"), *[(n, n) for n in ("perspiration", "perspiration_energy")]):
        if name in of:
            sure = of[name]["flag"] == "ok"
            values = of[name]["value"][sure]
            row[name] = float(values.median() if name == "breathing_rate" else values.mean())
            row[f"{said}_ok"] = float(sure.mean())
    row.pop("perspiration_energy_ok", None)  # the same as perspiration_ok
    happened = events[events["track"] == track]["event"].value_counts()
    kinds = ("apnoea", "yawn", "perspiration", "head_motion")
    row |= {f"{kind}_events": int(happened.get(kind, 0)) for kind in kinds}
    regions = sorted(name for name in of if name.endswith(_TEMPERATURES))
    return row | {name: float(np.nanmedian(of[name]["value"])) for name in regions if of[name]["value"].notna().any()}
