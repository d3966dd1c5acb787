"""Breathing of recordings that are longer than a piece."""

from itertools import pairwise

import numpy as np
import pytest

from thermal_landmarks.physiology.long_breathing import long_breathing, pieces


@pytest.mark.parametrize("seconds", [20.0, 600.0, 601.0, 2000.0, 28_800.0])
def test_pieces_lie_beside_each_other_and_see_a_minute_more_on_both_sides(seconds: float) -> None:
    time_s = 5 + np.arange(0, seconds + 0.1, 0.5)
    found = list(pieces(time_s, 15.0))
    assert (found[0].start_s, found[-1].end_s) == (-np.inf, np.inf)
    assert len(found) == 1 + max(0, int(np.ceil((seconds - 600) / 480)))
    for before, after in pairwise(found):
        assert before.end_s == after.start_s
        assert time_s[after.around][0] == pytest.approx(before.end_s - 60, abs=0.5)
        assert time_s[before.around][-1] == pytest.approx(before.end_s + 60, abs=0.5)
    assert all(np.ptp(time_s[piece.around]) <= 600 for piece in found)


def test_rates_and_pauses_of_a_long_recording_are_those_of_its_pieces() -> None:
    """Breaths that get quicker, and none for 40 s at the border of two pieces."""
    generator, time_s = np.random.default_rng(0), np.arange(0, 700, 0.4)
    per_min = 10 + 8 * time_s / 700
    paused = (time_s > 520) & (time_s < 560)  # the border is at 540 s
    breath = np.where(paused, 0, np.sin(2 * np.pi * np.cumsum(per_min / 60 * 0.4)))
    offsets = np.array([[x, y] for x in (-0.08, 0.08) for y in (-0.02, 0.02)])
    cells = 34 + 0.4 * breath[:, None] + 0.05 * generator.standard_normal((len(time_s), 4))
    misfit, no_jumps = np.full(len(time_s), 0.1), np.zeros(len(time_s), dtype=bool)
    found = long_breathing(time_s, lambda some: cells[some], misfit, offsets, jumps=no_jumps)
    assert len(found.waveform) == len(time_s)
    assert (np.diff(found.time_s) > 0).all()
    assert np.diff(found.time_s).max() <= 2
    ok = (np.array(found.flag) == "ok") & (np.abs(found.time_s - 540) > 30)
    assert ok.mean() > 0.85
    assert found.rate[ok] == pytest.approx(np.interp(found.time_s[ok], time_s, per_min), abs=1.0)
    ((start_s, end_s),) = found.apnoeas_s
    assert (start_s, end_s) == pytest.approx((520, 560), abs=3)
    assert np.corrcoef(found.waveform, breath)[0, 1] > 0.95
