"""Draws textured grids of vertices into an image: every cell is cut into samples, which are spread bilinearly.

A sample weighs as many pixels as it covers, so the sum of weights is the coverage of a pixel: edges come out smooth,
and texture finer than a pixel is averaged. Cells that face away, or lie behind nearer ones, are left out.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation

_DEPTH_BIN_PX = 4.0


def samples_per_cell(points_px: Float[np.ndarray, "rows columns 2"], spacing_px: float, most: int = 16) -> int:
    """Into how many samples a side of a cell must be cut, for samples about `spacing_px` apart."""
    down = np.hypot(*np.moveaxis(np.diff(points_px, axis=0), -1, 0))
    across = np.hypot(*np.moveaxis(np.diff(points_px, axis=1), -1, 0))
    longest = max(float(np.percentile(down, 90)), float(np.percentile(across, 90)))
    return int(np.clip(np.ceil(longest / spacing_px), 1, most))


def upsample(grid: Float[np.ndarray, "rows columns"], samples: int) -> Float[np.ndarray, "down across"]:
    """Values at the samples of all cells, from values at the vertices (bilinear)."""
    t = ((np.arange(samples, dtype=np.float32) + 0.5) / samples)[None, :]
    across = (grid[:, :-1, None] + (grid[:, 1:] - grid[:, :-1])[..., None] * t).reshape(grid.shape[0], -1)
    down = across[:-1, None, :] + (across[1:] - across[:-1])[:, None, :] * t.reshape(1, -1, 1)
    return down.reshape(-1, across.shape[1])


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

    Args:
        points_px: Vertices in the image.
        nearness_mm: Of the vertices; larger is nearer to the camera.
        tolerance_mm: A cell that lies deeper than this behind a nearer one, beyond its own slope, is hidden.
    """
    areas = cell_areas_px(points_px)
    facing = areas > 0
    bin_px = np.float32(max(_DEPTH_BIN_PX, 1.5 * float(np.sqrt(np.percentile(np.abs(areas), 90)))))
    middle = 0.25 * (points_px[:-1, :-1] + points_px[1:, 1:] + points_px[:-1, 1:] + points_px[1:, :-1])
    near = 0.25 * (nearness_mm[:-1, :-1] + nearness_mm[1:, 1:] + nearness_mm[:-1, 1:] + nearness_mm[1:, :-1])
    bins = np.floor((middle - middle.reshape(-1, 2).min(axis=0)) / bin_px).astype(np.int32)
    flat = bins[..., 1] * (int(bins[..., 0].max()) + 1) + bins[..., 0]
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
    """Paints the chosen cells over the image, in place.

    Args:
        image: What is behind; changed where the surface covers it.
        points_px: Vertices in the image.
        texture: Values at the samples, (rows - 1) * samples by (columns - 1) * samples.
        cells: Which cells to draw.
    """
    height, width = image.shape
    x, y = points_px[..., 0], points_px[..., 1]
    corners_x = np.stack([x[:-1, :-1], x[:-1, 1:], x[1:, :-1], x[1:, 1:]])
    corners_y = np.stack([y[:-1, :-1], y[:-1, 1:], y[1:, :-1], y[1:, 1:]])
    inside = (
        (corners_x.max(0) > -1) & (corners_x.min(0) < width) & (corners_y.max(0) > -1) & (corners_y.min(0) < height)
    )
    chosen = cells & inside
    if not chosen.any():
        return
    samples = texture.shape[0] // cells.shape[0]
    values = texture.reshape(cells.shape[0], samples, cells.shape[1], samples).swapaxes(1, 2)[chosen].ravel()
    area = np.abs(cell_areas_px(points_px)[chosen]) / np.float32(samples * samples)
    left, right = int(max(0, corners_x[:, chosen].min())), int(min(width - 1, corners_x[:, chosen].max() + 1))
    top, bottom = int(max(0, corners_y[:, chosen].min())), int(min(height - 1, corners_y[:, chosen].max() + 1))
    if left > right or top > bottom:
        return
    # One pixel around the region takes what falls outside.
    columns, rows = right - left + 3, bottom - top + 3
    sample_x = np.clip(_inside_cells(corners_x[:, chosen], samples) - np.float32(left - 1), 0, columns - 1.001)
    sample_y = np.clip(_inside_cells(corners_y[:, chosen], samples) - np.float32(top - 1), 0, rows - 1.001)
    # Platform-sized indices: others would be converted on every use.
    column, row = sample_x.astype(np.intp), sample_y.astype(np.intp)
    part_x, part_y = sample_x, sample_y
    part_x -= column
    part_y -= row
    row *= columns
    row += column
    part_y *= np.repeat(area, samples * samples)
    lower, upper = part_y, np.repeat(area, samples * samples) - part_y
    coverage = np.zeros(rows * columns, np.float32)
    total = np.zeros(rows * columns, np.float32)
    # One addition after the other in a fixed order: the same sums everywhere.
    for offset, share in ((0, upper), (columns, lower)):
        right_share = share * part_x
        share -= right_share
        for shift, part in ((offset, share), (offset + 1, right_share)):
            index = row + shift
            np.add.at(coverage, index, part)
            part *= values
            np.add.at(total, index, part)
    coverage, total = (a.reshape(rows, columns)[1:-1, 1:-1] for a in (coverage, total))
    region = image[top : bottom + 1, left : right + 1]
    # Samples lie a little unevenly: whatever is covered to four fifths counts as covered.
    opacity = np.clip(coverage * np.float32(1.25), 0, 1)
    region += opacity * (total / np.maximum(coverage, np.float32(1e-6)) - region)


def _inside_cells(corners: Float[np.ndarray, "4 cells"], samples: int) -> Float[np.ndarray, " all_samples"]:
    t = ((np.arange(samples, dtype=np.float32) + 0.5) / samples)[None, :]
    left = corners[0][:, None] + (corners[2] - corners[0])[:, None] * t
    right = corners[1][:, None] + (corners[3] - corners[1])[:, None] * t
    return (left[:, :, None] + (right - left)[:, :, None] * t[:, None, :]).ravel()
