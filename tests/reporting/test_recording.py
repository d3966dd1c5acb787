"""The page of a recording."""

import pytest

from thermal_landmarks.reporting.recording import Clock


@pytest.mark.parametrize(
    ("seconds", "shown"), [(20, (1, "seconds")), (900, (60, "minutes")), (8 * 3600, (3600, "hours"))]
)
def test_a_night_is_shown_in_hours_and_a_minute_in_seconds(seconds: float, shown: tuple[int, str]) -> None:
    assert Clock.of(seconds) == shown
