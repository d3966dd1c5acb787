"""The temperature map of the head's surface, painted in the coordinates of the mean face.

Broad regions are set at the vertices; lines and small features (lids, brows, nostrils, lips) are painted at the
samples of the rasteriser inside windows of their own. Regions after the literature on facial thermography: warm inner
eye corners, temples, orbits and neck, cool nose, cheeks and ears.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.rasterizer import upsample
from thermal_faces.head.surface import bump, mean_head, smooth_step
from thermal_faces.noise import smooth_noise
from thermal_faces.person import FrameState, Person
from thermal_faces.portable_math import exp, hypot
from thermal_faces.randomness import rng

_FACE_X_MM, _FACE_Y_MM = (-74.0, 74.0), (-90.0, 125.0)


@lru_cache(maxsize=1)
def _region_shapes() -> dict[str, np.ndarray]:
    """Weight of each region at the vertices."""
    x, y = np.moveaxis(mean_head().frontal_mm.astype(np.float64), -1, 0)
    side = np.abs(x)
    shapes = {
        "nose": bump(x, y, (0, 31), 10, 12) + 0.5 * bump(side, y, (13, 39), 6, 6),
        "nose_bridge": bump(x, y, (0, 10), 7, 14),
        "cheeks": bump(side, y, (44, 34), 19, 19) + 0.4 * bump(side, y, (30, 46), 12, 14),
        "lower_cheeks": bump(side, y, (46, 64), 18, 20),
        "inner_eyes": bump(side, y, (18, 2), 5.5, 5),
        "orbits": bump(side, y, (31, 2), 20, 12),
        "temples": bump(side, y, (64, -30), 9, 26),
        "glabella": bump(x, y, (0, -24), 14, 12),
        "perioral": bump(x, y, (0, 68), 30, 13),
        "chin": bump(x, y, (0, 104), 22, 11),
        "jaw": bump(side, y, (52, 78), 16, 24),
        "nasolabial": bump(side, y, (19, 48), 7, 9),
        "upper_forehead": bump(x, y, (0, -70), 50, 18),
        "under_jaw": smooth_step(y, 112, 132),
    }
    return {name: shape.astype(np.float32) for name, shape in shapes.items()}


def broad_temperature_c(person: Person, frame_state: FrameState) -> Float[np.ndarray, "rows columns"]:
    """Skin temperature at the vertices: regions and the irregular pattern of the person."""
    base = np.float32(person.forehead_c + frame_state.drift_k)
    rows, columns = mean_head().frontal_mm.shape[:2]
    regions = np.zeros((rows, columns), np.float32)
    for name, shape in _region_shapes().items():
        regions += np.float32(person.regions_k[name] + frame_state.regions_k[name]) * shape
    pattern = rng(*person.key, "blotches")
    places = mean_head().row_places_mm
    coarse, fine = (smooth_noise(pattern, places, columns, knots) for knots in ((11, 13), (26, 30)))
    # Uneven regions: no two faces have the same outline of a cool cheek.
    uneven = smooth_noise(pattern, places, columns, (9, 11))
    edge = person.features_k["area_edge"]
    for name, distance in area_distances_mm(person.area_shift_mm, person.features_k["area_width"]).items():
        regions += np.float32(person.features_k[name]) * soft(distance + 4 * uneven, edge)
    regions *= 1 + np.float32(0.3) * uneven
    vessels = exp(-8 * smooth_noise(pattern, places, columns, (13, 15)) ** 2) - np.float32(0.2)
    temperature = base + regions + np.float32(person.blotch_k) * (coarse + np.float32(0.6) * fine)
    return temperature + np.float32(person.features_k["vessel"]) * vessels * _vessel_area()


def area_distances_mm(shift_mm: Mapping[str, float], width: float) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """How far the vertices lie outside (negative: inside) the areas that have a border of their own.

    `shift_mm` is how far each area lies below its mean place, `width` the relative distance of the border between mouth
    and cheek from the middle.
    """
    x, y = np.moveaxis(mean_head().frontal_mm, -1, 0)
    side = np.abs(x)
    cheek_y, socket_y, muzzle_y = (y - np.float32(shift_mm[name]) for name in ("cheek_patch", "socket", "muzzle"))
    fold = np.float32(width) * (17 + 15 * np.clip((y - 42) / 34, 0, 1))  # the nasolabial fold, then straight down
    return {
        "cheek_patch": np.maximum.reduce(
            [fold + 1 - side, 18 + np.float32(0.12) * (side - 30) - cheek_y, side - 64, cheek_y - 92]
        ),
        "socket": 16 * (hypot((side - 30) / 23, (socket_y + 2) / 16) - 1),
        "muzzle": np.maximum.reduce([side - fold, 46 - muzzle_y, muzzle_y - 96]),
    }


@lru_cache(maxsize=1)
def _vessel_area() -> np.ndarray:
    """Where superficial vessels show: forehead and temples, less on the cheeks."""
    x, y = np.moveaxis(mean_head().frontal_mm.astype(np.float64), -1, 0)
    area = smooth_step(-y, 10, 35) + 0.4 * bump(np.abs(x), y, (45, 40), 25, 30)
    return (area * (1 - 0.5 * smooth_step(-y, 90, 120))).astype(np.float32)


def paint_grain(canvas: "Canvas", person: Person) -> None:
    """The fine mottling of the skin of the face."""
    view, _, y = canvas.window(_FACE_X_MM, _FACE_Y_MM)
    grain = smooth_noise(rng(*person.key, "grain"), y[:, y.shape[1] // 2], y.shape[1], (70, 70))
    grain *= np.float32(person.features_k["grain"])
    view += grain


def with_grazing_loss(
    temperature_c: Float[np.ndarray, "*grid"], facing: Float[np.ndarray, "*grid"], ambient_c: float, loss: float
) -> Float[np.ndarray, "*grid"]:
    """Apparent temperature of skin seen at an angle: emissivity falls, the room is mirrored, by `loss` where it grazes.

    `facing` is the cosine of the angle between the surface's normal and the camera.
    """
    slant = 1 - np.clip(facing, 0, 1)
    return temperature_c + np.float32(loss) * slant * slant * slant * (np.float32(ambient_c) - temperature_c)


class Canvas:
    """The texture of the head under the brush, of `samples` by `samples` a cell.

    Attributes:
        texture: Temperature at the samples.
    """

    def __init__(self, vertices_c: Float[np.ndarray, "rows columns"], samples: int) -> None:
        self.samples = samples
        self.texture = upsample(vertices_c, samples)

    def window(self, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A view of the texture inside a rectangle of the mean face, with x and y (mm) of its samples."""
        rows, columns = _cells_inside(x_mm, y_mm)
        frontal = mean_head().frontal_mm[rows.start : rows.stop + 1, columns.start : columns.stop + 1]
        x, y = (upsample(np.ascontiguousarray(frontal[..., axis]), self.samples) for axis in range(2))
        n = self.samples
        view = self.texture[rows.start * n : rows.stop * n, columns.start * n : columns.stop * n]
        return view, x, y


@lru_cache(maxsize=64)
def _cells_inside(x_mm: tuple[float, float], y_mm: tuple[float, float]) -> tuple[slice, slice]:
    head = mean_head()
    x, y = head.frontal_mm[..., 0], head.frontal_mm[..., 1]
    front = head.vertices_mm[..., 2] > 0
    inside = front & (x >= x_mm[0]) & (x <= x_mm[1]) & (y >= y_mm[0]) & (y <= y_mm[1])
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return (
        slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 1, x.shape[0] - 1)),
        slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 1, x.shape[1] - 1)),
    )


def paint_marker(canvas: Canvas, place_mm: tuple[float, float], temperature_c: float, radius_mm: float) -> None:
    """A Gaussian spot at a place of the mean face, for checking where landmarks are rendered."""
    reach = 4 * radius_mm + 4
    x0, y0 = place_mm
    view, x, y = canvas.window((x0 - reach, x0 + reach), (y0 - reach, y0 + reach))
    view += bump(x, y, place_mm, radius_mm, radius_mm).astype(np.float32) * (np.float32(temperature_c) - view)


def soft(distance: Float[np.ndarray, "*shape"], edge: float) -> Float[np.ndarray, "*shape"]:
    """1 inside (negative distance), 0 outside, over a border about `edge` wide (same unit)."""
    return np.clip(np.float32(0.5) - distance / np.float32(edge), 0, 1)


def line(distance: Float[np.ndarray, "*shape"], width: float) -> Float[np.ndarray, "*shape"]:
    """A Gaussian ridge of height 1 along distance 0; `width` is its standard deviation."""
    return exp(np.float32(-0.5 / width**2) * distance * distance)
