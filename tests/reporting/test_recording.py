"""The page of a recording."""

import numpy as np
import pandas as pd
import pytest

from thermal_landmarks.reporting.recording import Clock, drawn, drawn_rates


@pytest.mark.parametrize(
    ("seconds", "shown"), [(20, (1, "seconds")), (900, (60, "minutes")), (8 * 3600, (3600, "hours"))]
)
def test_a_night_is_shown_in_hours_and_a_minute_in_seconds(seconds: float, shown: tuple[int, str]) -> None:
    assert Clock.of(seconds) == shown


def test_a_night_is_drawn_with_few_points_and_keeps_its_extremes_and_gaps() -> None:
    time_s = np.arange(864_000) / 30
    values = np.sin(time_s)
    values[500_000] = 9.0
    values[600_000:610_000] = np.nan
    at_s, line = drawn(time_s, values)
    assert len(line) < 4000
    assert (np.nanmax(line), np.nanmin(line)) == (9.0, pytest.approx(-1, abs=1e-3))
    assert at_s[np.nanargmax(line)] == pytest.approx(500_000 / 30, abs=20)
    assert np.isnan(line[(at_s > 20_050) & (at_s < 20_300)]).all()
    short = drawn(time_s[:3000], values[:3000])
    np.testing.assert_array_equal(short[1], values[:3000])


def test_rates_of_a_night_are_drawn_as_medians_of_the_good_ones() -> None:
    time_s = np.arange(28_800.0)
    flag = np.where(time_s % 2 < 1, "ok", "weak")
    flag[:600] = "weak"
    rates = pd.DataFrame({"time_s": time_s, "value": np.where(flag == "ok", 14.0, 40.0), "flag": flag})
    few, seconds = drawn_rates(rates)
    assert seconds == 120
    assert len(few) == 240
    assert few["flag"].tolist() == ["weak"] * 5 + ["ok"] * 235
    assert set(few["value"][few["flag"] == "ok"]) == {14.0}
    assert drawn_rates(rates[:100])[1] == 0
