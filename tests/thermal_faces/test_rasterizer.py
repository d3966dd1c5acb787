"""The rasteriser: coverage, values and hidden parts of simple surfaces whose picture can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_faces.camera.rasterizer import (
    cell_areas_px,
    draw,
    draw_surface,
    samples_per_cell,
    upsample,
    visible_cells,
)


def sheet(left: float, top: float, width: float, height: float, rows: int = 5, columns: int = 6) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(left, left + width, columns), np.linspace(top, top + height, rows))
    return np.stack([x, y], axis=-1).astype(np.float32)


def test_upsample_is_bilinear() -> None:
    grid = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    fine = upsample(grid, 5)
    assert fine.shape == (15, 10)
    for i in range(15):
        for j in range(10):
            (r, s), (c, t) = divmod((i + 0.5) / 5, 1), divmod((j + 0.5) / 5, 1)
            r, c = int(r), int(c)
            expected = (
                (1 - s) * (1 - t) * grid[r, c]
                + (1 - s) * t * grid[r, c + 1]
                + s * (1 - t) * grid[r + 1, c]
                + s * t * grid[r + 1, c + 1]
            )
            assert fine[i, j] == pytest.approx(expected, abs=1e-5)


@given(left=st.floats(2, 12), top=st.floats(2, 12), width=st.floats(8, 20), height=st.floats(8, 20))
@settings(max_examples=30, deadline=None)
def test_a_flat_sheet_covers_its_area_with_its_value(left: float, top: float, width: float, height: float) -> None:
    image = np.zeros((40, 40), np.float32)
    points = sheet(left, top, width, height)
    samples = samples_per_cell(points, 0.5)
    draw(image, points, np.full((4 * samples, 5 * samples), 7, np.float32), cell_areas_px(points) > 0)
    inside = image[int(top) + 2 : int(top + height) - 1, int(left) + 2 : int(left + width) - 1]
    np.testing.assert_allclose(inside, 7, atol=1e-4)
    assert image.max() <= 7 + 1e-4
    # The border is a little generous, by design.
    assert 0 <= image.sum() / 7 - width * height < 0.5 * (width + height)
    y, x = np.mgrid[:40, :40]
    assert (image * x).sum() / image.sum() == pytest.approx(left + width / 2, abs=0.1)
    assert (image * y).sum() / image.sum() == pytest.approx(top + height / 2, abs=0.1)


def test_texture_lands_where_the_surface_is() -> None:
    image = np.zeros((48, 48), np.float32)
    points = sheet(8.3, 5.7, 30, 34, rows=9, columns=9)
    samples = samples_per_cell(points, 0.6)
    ramp = upsample(points[..., 0], samples) + 2 * upsample(points[..., 1], samples)
    draw(image, points, ramp, cell_areas_px(points) > 0)
    y, x = np.mgrid[10:36, 12:34]
    np.testing.assert_allclose(image[10:36, 12:34], x + 2 * y, atol=0.35)


def test_a_surface_partly_outside_the_frame_is_cut() -> None:
    image = np.zeros((20, 30), np.float32)
    points = sheet(-10, -10, 25, 18, rows=12, columns=14)
    samples = samples_per_cell(points, 0.5)
    texture = np.full((11 * samples, 13 * samples), 3, np.float32)
    draw(image, points, texture, cell_areas_px(points) > 0)
    np.testing.assert_allclose(image[:7, :14], 3, atol=1e-4)
    assert not image[10:].any()
    assert not image[:, 17:].any()
    untouched = image.copy()
    draw(image, points + np.float32(500), texture, cell_areas_px(points) > 0)
    np.testing.assert_array_equal(image, untouched)


def test_what_lies_beside_the_frame_leaves_no_trace_in_it() -> None:
    image = np.zeros((20, 30), np.float32)
    points = np.concatenate([sheet(3, 3, 40, 10), sheet(3, 13, 40, 40)[1:]])
    samples = samples_per_cell(points, 0.5)
    # Hot beyond the right and lower border only.
    x, y = (upsample(np.ascontiguousarray(points[..., axis]), samples) for axis in (0, 1))
    texture = np.where((x > 31) | (y > 21), 1e6, 1).astype(np.float32)
    draw(image, points, texture, cell_areas_px(points) > 0)
    assert image.max() <= 1 + 1e-4


def test_samples_are_as_close_as_asked_for_in_nine_of_ten_cells() -> None:
    points = np.random.default_rng(0).uniform(0, 90, (7, 9, 2)).astype(np.float32)
    longest = max(np.percentile(np.linalg.norm(np.diff(points, axis=axis), axis=-1), 90) for axis in (0, 1))
    assert samples_per_cell(points, 9.0, most=99) == np.ceil(longest / 9)


def test_cells_that_face_away_are_not_drawn() -> None:
    points = sheet(5, 5, 20, 20)[:, ::-1]
    assert (cell_areas_px(points) < 0).all()
    assert not visible_cells(points, np.zeros(points.shape[:2], np.float32)).any()


def test_the_nearer_of_two_layers_hides_the_other() -> None:
    # One grid that runs across the image, jumps back, and runs across it again 50 mm nearer.
    rows, columns = 9, 9
    far, near = sheet(4, 4, 32, 32, rows, columns), sheet(12, 4, 16, 32, rows, columns)
    points = np.concatenate([far, near])
    nearness = np.concatenate([np.zeros((rows, columns)), np.full((rows, columns), 50.0)]).astype(np.float32)
    seen = visible_cells(points, nearness)
    assert seen[rows:].all()
    assert not seen[1 : rows - 2, 3:5].any()
    assert seen[: rows - 1, 0].all()
    image = np.zeros((40, 40), np.float32)
    samples = samples_per_cell(points, 0.5)
    texture = np.repeat(np.where(np.arange(2 * rows - 1) < rows, 1, 2), samples)[:, None]
    draw_surface(
        image, points, nearness, np.broadcast_to(texture, (texture.size, (columns - 1) * samples)).astype("f4")
    )
    assert image[20, 20] == pytest.approx(2, abs=1e-4)
    assert image[20, 8] == pytest.approx(1, abs=1e-4)
