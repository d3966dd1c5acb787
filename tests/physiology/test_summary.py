"""A recording's row against values counted by hand."""

import numpy as np
import pandas as pd
import pytest

from thermal_landmarks.physiology.signals import EVENT_COLUMNS, SIGNAL_COLUMNS
from thermal_landmarks.physiology.summary import summarise


def test_only_what_is_ok_counts_and_shares_say_how_much_that_is() -> None:
    signals = [
        *((t, 0, "head_motion", 0.1, 1.0, "lost" if t == 3 else "ok") for t in (0.0, 1.0, 2.0, 3.0)),
        (1.0, 0, "breathing_rate", 12.0, 0.9, "ok"),
        (2.0, 0, "breathing_rate", 16.0, 0.9, "ok"),
        (3.0, 0, "breathing_rate", 50.0, 0.1, "weak"),
        (1.5, 0, "perspiration", 0.2, 0.8, "ok"),
        (2.5, 0, "perspiration", np.nan, 0.0, "missing"),
        *((t, 0, "nose_tip_mean", value, 1.0, "ok") for t, value in ((0.0, 30.0), (1.0, np.nan), (2.0, 32.0))),
        (0.0, 1, "head_motion", 0.1, 1.0, "ok"),
    ]
    events = [(0, "yawn", 1.0, 3.0, 1.0), (0, "yawn", 5.0, 8.0, 1.0), (1, "apnoea", 1.0, 20.0, 19.0)]
    of_signals = pd.DataFrame(signals, columns=SIGNAL_COLUMNS).groupby(["track", "signal"])
    table = summarise([rows for _, rows in of_signals], pd.DataFrame(events, columns=EVENT_COLUMNS))
    first, second = table.to_dict("records")
    assert (first["track"], first["seconds"], first["seen"]) == (0, 3.0, 0.75)
    assert (first["breathing_rate"], first["breathing_ok"]) == (14.0, pytest.approx(2 / 3))
    assert (first["perspiration"], first["perspiration_ok"]) == (0.2, 0.5)
    assert (first["yawn_events"], first["apnoea_events"], second["apnoea_events"]) == (2, 0, 1)
    assert first["nose_tip_mean"] == 31.0
    assert np.isnan(second["breathing_rate"])
