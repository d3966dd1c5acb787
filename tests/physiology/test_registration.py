"""Shifts of a face beside those that were made, and the cells in which the breath shows."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from thermal_faces.video.sequence import SyntheticSequence
from thermal_landmarks.physiology.face_frame import FaceFrame
from thermal_landmarks.physiology.nostrils import NostrilCells, breath
from thermal_landmarks.physiology.registration import Registration


@pytest.mark.parametrize("part", [Registration.of_nose, Registration.of_lip])
def test_a_face_that_trembles_under_its_landmarks_is_held(part: Callable[[FaceFrame], Registration]) -> None:
    frame = SyntheticSequence(size=(120, 160), seconds=1, rate_hz=1)[0]
    points = np.array(frame.points_px, dtype=float)
    still = gaussian_filter(frame.temperature_c.astype(float), 0.7)
    register = part(FaceFrame(points[None]))
    register(still, points)
    for moved in ((0.6, -0.4), (-0.8, 0.3), (0.1, 0.9)):
        found, misfit = register(shift(still, moved[::-1], order=3, mode="nearest"), points)
        assert found == pytest.approx(moved, abs=0.12)
        assert misfit < 0.1


def test_the_lip_is_held_while_the_nose_above_it_moves_in_the_picture() -> None:
    sequence = SyntheticSequence(size=(120, 160), seconds=1, rate_hz=1)
    points = np.array(sequence[0].points_px, dtype=float)
    values = gaussian_filter(sequence[0].temperature_c.astype(float), 0.7)
    frame = FaceFrame(points[None])
    above = np.arange(values.shape[0])[:, None] < points[frame.names.index("subnasale"), 1]
    turned = np.where(above, shift(values, (0, 1.2), order=3, mode="nearest"), values)
    nose, lip = Registration.of_nose(frame), Registration.of_lip(frame)
    for registration in (nose, lip):
        registration(values, points)
    assert np.linalg.norm(lip(turned, points)[0]) < 0.25
    assert np.linalg.norm(nose(turned, points)[0]) > 0.5


def test_the_breath_is_found_beside_edges_that_tremble() -> None:
    frame = SyntheticSequence(size=(120, 160), seconds=1, rate_hz=1)[0]
    offsets = NostrilCells(FaceFrame(np.array(frame.points_px, dtype=float)[None])).offsets
    generator, time_s = np.random.default_rng(0), np.arange(300) / 5
    wave = np.sin(2 * np.pi * 0.25 * time_s)
    nostrils = np.exp(-((np.abs(offsets[:, 0]) - 0.09) ** 2 + offsets[:, 1] ** 2) / (2 * 0.02**2))
    edges = np.exp(-((np.abs(offsets[:, 0]) - 0.15) ** 2) / (2 * 0.02**2))
    tremble = np.cumsum(generator.standard_normal(300)) / 5
    cells = 34 + 0.3 * wave[:, None] * nostrils + tremble[:, None] * edges
    cells += 0.05 * generator.standard_normal(cells.shape)
    cells[100:110] = np.nan
    found = breath(time_s, cells, np.full(300, 0.1), offsets)
    seen = np.isfinite(found.temperature)
    assert np.flatnonzero(~seen).tolist() == list(range(100, 110))
    assert np.corrcoef(found.temperature[seen], wave[seen])[0, 1] > 0.95
    assert found.cells @ nostrils > 3 * found.cells @ edges
