"""Draws textured grids of vertices into an image: every cell is cut into samples, which are spread bilinearly.

A sample weighs as many pixels as it covers, so the sum of weights is the coverage of a pixel: edges come out smooth,
and texture finer than a pixel is averaged. Cells that face away, or lie behind nearer ones, are left out.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation

from thermal_faces.portable_math import compiled

_DEPTH_BIN_PX = 4.0


def samples_per_cell(points_px: Float[np.ndarray, "rows columns 2"], spacing_px: float, most: int = 16) -> int:
    """Into how many samples a side of a cell must be cut, for samples about `spacing_px` apart."""
    steps = (np.diff(points_px, axis=axis) for axis in (0, 1))
    # The root of squares: hypot comes from the C library.
    longest = max(_percentile_90(np.sqrt(step[..., 0] ** 2 + step[..., 1] ** 2)) for step in steps)
    return int(np.clip(np.ceil(longest / spacing_px), 1, most))


def _percentile_90(values: Float[np.ndarray, "rows columns"]) -> float:
    """As np.percentile, which takes four times as long."""
    place = 0.9 * (values.size - 1)
    below = min(int(place), values.size - 2)
    low, high = np.partition(values, (below, below + 1), axis=None)[below : below + 2]
    return float(low + (high - low) * (place - below))


def upsample(grid: Float[np.ndarray, "rows columns"], samples: int) -> Float[np.ndarray, "down across"]:
    """Values at the samples of all cells, from values at the vertices (bilinear)."""
    return _upsample(np.ascontiguousarray(grid, np.float32), _sample_places(samples))


def _sample_places(samples: int) -> Float[np.ndarray, " samples"]:
    """Where samples lie along the side of a cell of length 1."""
    return (np.arange(samples, dtype=np.float32) + np.float32(0.5)) / np.float32(samples)


@compiled("f4[:,::1](f4[:,::1], f4[::1])")
def _upsample(grid: np.ndarray, places: np.ndarray) -> np.ndarray:
    rows, columns, samples = grid.shape[0], grid.shape[1], places.size
    fine = np.empty(((rows - 1) * samples, (columns - 1) * samples), np.float32)
    upper, lower = np.empty(fine.shape[1], np.float32), np.empty(fine.shape[1], np.float32)
    for row in range(rows):
        upper, lower = lower, upper
        for column in range(columns - 1):
            left, right = grid[row, column], grid[row, column + 1]
            for j in range(samples):
                lower[column * samples + j] = left + (right - left) * places[j]
        if row > 0:
            for i in range(samples):
                target = fine[(row - 1) * samples + i]
                for j in range(target.size):
                    target[j] = upper[j] + (lower[j] - upper[j]) * places[i]
    return fine


def cell_areas_px(points_px: Float[np.ndarray, "rows columns 2"]) -> Float[np.ndarray, "rows-1 columns-1"]:
    """Signed area of every cell in the image; positive where its front is seen."""
    x, y = points_px[..., 0], points_px[..., 1]
    dx1, dy1 = x[1:, 1:] - x[:-1, :-1], y[1:, 1:] - y[:-1, :-1]
    dx2, dy2 = x[1:, :-1] - x[:-1, 1:], y[1:, :-1] - y[:-1, 1:]
    return 0.5 * (dx1 * dy2 - dy1 * dx2)


def visible_cells(
    points_px: Float[np.ndarray, "rows columns 2"],
    nearness_mm: Float[np.ndarray, "rows columns"],
    tolerance_mm: float = 6.0,
) -> Bool[np.ndarray, "rows-1 columns-1"]:
    """Cells that face the camera and have no nearer cell of the same surface in front of them.

    A cell that lies deeper than the tolerance behind a nearer one, beyond its own slope, is hidden.
    """
    areas = cell_areas_px(points_px)
    facing = areas > 0
    bin_px = np.float32(max(_DEPTH_BIN_PX, 1.5 * _percentile_90(np.abs(areas)) ** 0.5))
    x, y, near = (
        0.25 * (grid[:-1, :-1] + grid[1:, 1:] + grid[:-1, 1:] + grid[1:, :-1])
        for grid in (points_px[..., 0], points_px[..., 1], nearness_mm)
    )
    column, row = (((place - place.min()) / bin_px).astype(np.intp) for place in (x, y))
    flat = row * (int(column.max()) + 1) + column
    nearest = np.full(int(flat.max()) + 1, -np.inf, np.float32)
    np.maximum.at(nearest, flat[facing], near[facing])
    slope = _depth_slope(points_px, nearness_mm, areas)
    return facing & (near > nearest[flat] - np.float32(tolerance_mm) - np.minimum(slope * bin_px, 60))


def _depth_slope(points_px: np.ndarray, nearness_mm: np.ndarray, areas_px: np.ndarray) -> np.ndarray:
    """Change of nearness per pixel inside each cell."""
    diagonal, other = points_px[1:, 1:] - points_px[:-1, :-1], points_px[1:, :-1] - points_px[:-1, 1:]
    rise, other_rise = nearness_mm[1:, 1:] - nearness_mm[:-1, :-1], nearness_mm[1:, :-1] - nearness_mm[:-1, 1:]
    x = rise * other[..., 1] - other_rise * diagonal[..., 1]
    y = other_rise * diagonal[..., 0] - rise * other[..., 0]
    return 0.5 * np.sqrt(x * x + y * y) / np.maximum(areas_px, np.float32(1e-3))


def draw_surface(
    image: Float[np.ndarray, "height width"],
    points_px: Float[np.ndarray, "rows columns 2"],
    nearness_mm: Float[np.ndarray, "rows columns"],
    texture: Float[np.ndarray, "down across"],
) -> None:
    """Paints a closed surface over the image, in place: hidden parts first, so that no cracks open at their edges."""
    facing = cell_areas_px(points_px) > 0
    seen = visible_cells(points_px, nearness_mm)
    behind = facing & ~seen
    if behind.any():
        draw(image, points_px, texture, facing & binary_dilation(behind, np.ones((3, 3), bool)))
    draw(image, points_px, texture, seen)


def draw(
    image: Float[np.ndarray, "height width"],
    points_px: Float[np.ndarray, "rows columns 2"],
    texture: Float[np.ndarray, "down across"],
    cells: Bool[np.ndarray, "rows-1 columns-1"],
) -> None:
    """Paints the chosen cells over the image, in place, with a texture of `samples` by `samples` values a cell."""
    samples = texture.shape[0] // cells.shape[0]
    _draw(
        image,
        np.ascontiguousarray(points_px, np.float32),
        np.ascontiguousarray(texture, np.float32),
        np.ascontiguousarray(cells),
        _sample_places(samples),
    )


@compiled("void(f4[:,:,::1], f4[:,:,::1], f4[:,::1], b1[:,::1], f4[::1], f4, f4)")
def _add_samples(
    sums: np.ndarray,
    points: np.ndarray,
    texture: np.ndarray,
    cells: np.ndarray,
    places: np.ndarray,
    first_x: np.float32,
    first_y: np.float32,
) -> None:
    """Adds weight and weighted value of every sample to its four pixels, in a fixed order: the same sums everywhere."""
    samples = places.size
    most_x, most_y = np.float32(sums.shape[1] - 1), np.float32(sums.shape[0] - 1)
    one, half = np.float32(1), np.float32(0.5)
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            if not cells[row, column]:
                continue
            x00, y00 = points[row, column]
            x01, y01 = points[row, column + 1]
            x10, y10 = points[row + 1, column]
            x11, y11 = points[row + 1, column + 1]
            area = abs(half * ((x11 - x00) * (y10 - y01) - (y11 - y00) * (x10 - x01)))
            weight = area / np.float32(samples * samples)
            for i in range(samples):
                left_x, right_x = x00 + (x10 - x00) * places[i], x01 + (x11 - x01) * places[i]
                left_y, right_y = y00 + (y10 - y00) * places[i], y01 + (y11 - y01) * places[i]
                for j in range(samples):
                    x = left_x + (right_x - left_x) * places[j] - first_x
                    y = left_y + (right_y - left_y) * places[j] - first_y
                    if x >= 0 and y >= 0 and x < most_x and y < most_y:
                        value = texture[row * samples + i, column * samples + j]
                        pixel_x, pixel_y = int(x), int(y)
                        part_x, part_y = x - np.float32(pixel_x), y - np.float32(pixel_y)
                        for down, share_y in ((0, one - part_y), (1, part_y)):
                            pair = sums[pixel_y + down]
                            share = weight * share_y
                            right_share = share * part_x
                            left_share = share - right_share
                            pair[pixel_x, 0] += left_share
                            pair[pixel_x, 1] += left_share * value
                            pair[pixel_x + 1, 0] += right_share
                            pair[pixel_x + 1, 1] += right_share * value


@compiled("void(f4[:,::1], f4[:,:,::1], f4[:,::1], b1[:,::1], f4[::1])")
def _draw(image: np.ndarray, points: np.ndarray, texture: np.ndarray, cells: np.ndarray, places: np.ndarray) -> None:
    height, width = image.shape
    # The region that the chosen cells can reach.
    left, right, top, bottom = width, -1, height, -1
    chosen = np.zeros(cells.shape, np.bool_)
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            if cells[row, column]:
                corners = points[row : row + 2, column : column + 2]
                low_x, high_x = corners[..., 0].min(), corners[..., 0].max()
                low_y, high_y = corners[..., 1].min(), corners[..., 1].max()
                if high_x > -1 and low_x < width and high_y > -1 and low_y < height:
                    chosen[row, column] = True
                    left, right = min(left, int(max(low_x, 0))), max(right, int(min(high_x + 1, width - 1)))
                    top, bottom = min(top, int(max(low_y, 0))), max(bottom, int(min(high_y + 1, height - 1)))
    if left > right or top > bottom:
        return
    # Coverage and sum of each pixel, with one pixel around the region for what falls outside.
    sums = np.zeros((bottom - top + 3, right - left + 3, 2), np.float32)
    _add_samples(sums, points, texture, chosen, places, np.float32(left - 1), np.float32(top - 1))
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            coverage, total = sums[y - top + 1, x - left + 1]
            if coverage > 0:
                # Samples lie a little unevenly: whatever is covered to four fifths counts as covered.
                opacity = min(coverage * np.float32(1.25), np.float32(1))
                image[y, x] += opacity * (total / max(coverage, np.float32(1e-6)) - image[y, x])
