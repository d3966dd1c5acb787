"""A parametric head: one surface from crown to throat, as a grid of vertices in millimetres.

Head frame: x to the image's right, y down, z out of the face; the origin lies between the ear canals at eye
level. Columns of the grid are longitudes, rows run from the crown over the face to the underside of the jaw.
The mean follows common anthropometric tables (outer canthi 88 mm apart, eye line to chin 116 mm). Where the
conventions of annotators differ (inner eye corners, nose tip, upper lip, mouth corners), the landmarks lie at their
mean, which docs/cues.md lists. A face is the mean plus a weighted sum of displacement fields (`shape_modes`),
and every landmark is a vertex.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import PchipInterpolator

from thermal_faces.landmarks import LANDMARKS
from thermal_faces.portable_math import exp

# Closer around the nose and mouth than at the ears.
_ACROSS = np.arange(-40, 41) / 40
_LONGITUDES_DEG = 90 * _ACROSS + 30 * _ACROSS**3
_DOME_ROWS = 24
# Closer where the nose is steep, and where an opening mouth stretches the surface.
_FACE_ROWS_MM = np.concatenate(
    [
        np.arange(-60.0, 20.0, 4.0),
        np.arange(20.0, 30.0, 3.0),
        np.arange(31.0, 48.0, 2.0),
        np.arange(50.0, 67.0, 3.0),
        np.arange(67.5, 75.0, 0.625),
        [75.5, 77.5, 80.5],
        np.arange(84.0, 117.0, 4.0),
    ]
)
_UNDERSIDE_ROWS = 8

# Rings of the face by the height of their front: half-width, half-depth, how far their sides rise (the jaw line), and
# the exponent of their outline (2: ellipse; less: more pointed).
_RINGS_MM = np.array(
    [
        # front y, half-width, half-depth, rise, exponent
        (-60, 75.0, 91.0, 0.0, 2.1),
        (-28, 76.0, 91.0, 0.0, 2.0),
        (0, 74.0, 86.5, 2.0, 2.2),
        (20, 73.5, 86.0, 6.0, 2.0),
        (48, 72.0, 88.0, 13.0, 1.9),
        (68, 70.5, 88.0, 20.0, 1.75),
        (82, 68.0, 86.0, 26.0, 1.65),
        (100, 65.0, 84.0, 35.0, 1.6),
        (116, 62.0, 82.0, 45.0, 1.6),
    ]
)

# Where the landmarks of the mean face lie. Right-hand side and middle of the image, in mm.
_LANDMARK_PLACES_MM = {
    "brow": (37.7, -26.0),
    "eye_outer": (44.2, 0.0),
    "eye_inner": (18.4, 0.3),
    "nasion": (0.0, -2.8),
    "nose_tip": (0.0, 31.6),
    "ala": (13.8, 42.0),
    "subnasale": (0.0, 44.3),
    "mouth": (23.4, 68.7),
    "upper_lip": (0.0, 56.2),
    "lower_lip": (0.0, 80.3),
    "chin": (0.0, 115.2),
}


@dataclass(frozen=True)
class HeadSurface:
    """The mean head."""

    vertices_mm: Float[np.ndarray, "rows columns 3"]
    # X and y that a vertex has in the mean, the coordinates for painting
    frontal_mm: Float[np.ndarray, "rows columns 2"]
    row_places_mm: Float[np.ndarray, " rows"]  # distance of each row from the crown, about
    landmark_vertices: Int[np.ndarray, "16 2"]  # row and column of each `face16` landmark

    @property
    def landmarks_frontal_mm(self) -> dict[str, tuple[float, float]]:
        """Frontal coordinates of each landmark of the mean, by name."""
        places = self.frontal_mm[self.landmark_vertices[:, 0], self.landmark_vertices[:, 1]]
        return {name: (float(x), float(y)) for name, (x, y) in zip(LANDMARKS, places, strict=True)}


def bump(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], width: float, height: float) -> np.ndarray:
    """A Gaussian hill of height 1; `width` and `height` are its standard deviations."""
    return exp(-0.5 * (((x - centre[0]) / width) ** 2 + ((y - centre[1]) / height) ** 2))


def smooth_step(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 before `start`, 1 after `end`, with flat ends (cubic)."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def longitudes_deg() -> Float[np.ndarray, " columns"]:
    """Longitude of each column: 0 in the middle of the face, positive on the image's right."""
    return _LONGITUDES_DEG.astype(np.float32)


@lru_cache(maxsize=1)
def mean_head() -> HeadSurface:
    """The mean head surface with its landmarks; the same object on every call."""
    longitude = np.radians(_LONGITUDES_DEG)[None, :]
    dome, face, underside = (_dome(longitude), _face(longitude, _FACE_ROWS_MM), _underside(longitude))
    landmark_vertices = np.array([_nearest_vertex(face, _place(name)) for name in LANDMARKS])
    face[..., :2] += _to_landmarks(face, landmark_vertices, np.array([_place(name) for name in LANDMARKS]))
    landmark_vertices[:, 0] += _DOME_ROWS
    vertices = np.concatenate([dome, face, underside])
    frontal = vertices[..., :2].copy()
    # The underside folds back below the jaw: keep the painting coordinates unfolded.
    rows = np.arange(1, _UNDERSIDE_ROWS + 1)[:, None]
    frontal[-_UNDERSIDE_ROWS:] = face[-1, :, :2] + np.stack([0 * rows, 4.0 * rows], axis=-1)
    vertices[..., 2] += _relief(frontal[..., 0], frontal[..., 1]) * np.cos(longitude).clip(0)
    steps = np.concatenate(
        [np.full(_DOME_ROWS, 126 / _DOME_ROWS), np.diff(_FACE_ROWS_MM), np.full(_UNDERSIDE_ROWS, 4.0)]
    )
    return HeadSurface(
        vertices_mm=vertices.astype(np.float32),
        frontal_mm=frontal.astype(np.float32),
        row_places_mm=np.concatenate([[0], np.cumsum(steps)]).astype(np.float32),
        landmark_vertices=landmark_vertices,
    )


def _place(name: str) -> tuple[float, float]:
    side = -1.0 if "_left" in name else 1.0
    x, y = _LANDMARK_PLACES_MM[name.replace("_left", "").replace("_right", "")]
    return side * x, y


def _nearest_vertex(face: np.ndarray, place: tuple[float, float]) -> tuple[int, int]:
    front = np.abs(_LONGITUDES_DEG) < 90
    distance = np.where(front, np.hypot(face[..., 0] - place[0], face[..., 1] - place[1]), np.inf)
    row, column = np.unravel_index(int(distance.argmin()), distance.shape)
    return int(row), int(column)


def _to_landmarks(face: np.ndarray, vertices: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How the grid bends in x and y (rows, columns, 2), so that a vertex lies exactly at each landmark."""
    x, y = face[..., 0], face[..., 1]
    at = face[vertices[:, 0], vertices[:, 1], :2]
    bend = np.zeros_like(face[..., :2])
    # Neighbouring bends overlap a little: what is left over after one pass is bent in the next.
    for _ in range(6):
        missing = places - at - bend[vertices[:, 0], vertices[:, 1]]
        for (x0, y0), step in zip(at, missing, strict=True):
            bend += bump(x, y, (x0, y0), 5, 5)[..., None] * step
    return bend


def _face(longitude: np.ndarray, front_y: np.ndarray) -> np.ndarray:
    table = PchipInterpolator(_RINGS_MM[:, 0], _RINGS_MM[:, 1:])(front_y)
    half_width, half_depth, rise, exponent = (table[:, i : i + 1] for i in range(4))
    # Behind the ears the head is round again.
    exponent = np.where(np.abs(longitude) < np.pi / 2, exponent, 2.0)
    sine, cosine = np.sin(longitude), np.cos(longitude)
    radius = (np.abs(sine) ** exponent + np.abs(cosine) ** exponent) ** (-1 / exponent)
    y = front_y[:, None] - rise * (1 - cosine)
    return np.stack([half_width * radius * sine, y, half_depth * radius * cosine], axis=-1)


def _dome(longitude: np.ndarray) -> np.ndarray:
    """The skull above the forehead's first ring, a quarter ellipsoid that leans back."""
    _, width, depth, _, exponent = _RINGS_MM[0]
    latitude = np.radians(np.linspace(89, 0, _DOME_ROWS, endpoint=False))[:, None]
    y = -60 - 68 * np.sin(latitude) + 0 * longitude
    sine, cosine = np.sin(longitude), np.cos(longitude)
    exponent = np.where(np.abs(longitude) < np.pi / 2, exponent, 2.0)
    radius = (np.abs(sine) ** exponent + np.abs(cosine) ** exponent) ** (-1 / exponent) * np.cos(latitude) ** 0.85
    x = width * radius * sine
    z = depth * radius * cosine - 12 * np.sin(latitude)
    return np.stack([x, y, z], axis=-1)


def _underside(longitude: np.ndarray) -> np.ndarray:
    """From the jaw line back to the throat."""
    jaw = _face(longitude, _FACE_ROWS_MM[-1:])[0]
    inward = np.linspace(0, 1, _UNDERSIDE_ROWS + 1)[1:, None]
    x = jaw[:, 0] * (1 - 0.3 * inward)
    y = jaw[:, 1] + 5 * np.sin(inward * np.pi / 2) + 8 * inward
    z = jaw[:, 2] * (1 - 0.5 * inward)
    return np.stack([x, y, z], axis=-1)


def _relief(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What nose, brows, eyes, lips and chin add to the depth of the rings, in mm."""
    side = np.abs(x)
    ridge_y = [-24, -12, -3, 5, 14, 22, 28, 32, 36, 40, 44.5, 50, 56]
    ridge_height = PchipInterpolator(ridge_y, [0, 2.5, 5, 8.5, 15.5, 23, 26.5, 26, 21, 12.5, 4, 1, 0])(
        np.clip(y, -24, 56)
    )
    ridge_width = np.interp(y, ridge_y, [9, 8, 7, 7, 7.5, 8.5, 9, 9, 8.5, 8, 8, 9, 10])
    nose = ridge_height * np.exp(-0.5 * (x / ridge_width) ** 2) + 4.5 * bump(side, y, (12, 35), 4, 4.5)
    brows = 3 * bump(side, y, (22, -24), 12, 9) + 2 * bump(x, y, (0, -22), 12, 12)
    eyes = 3 * bump(side, y, (35, 1), 9, 7) - 7 * bump(side, y, (27, -3), 14, 10)
    mouth = 16 * bump(x, y, (0, 66), 17.5, 20) + 3 * bump(x, y, (0, 75), 15, 5) + 3 * bump(x, y, (0, 63), 17, 4.5)
    chin = 11 * bump(x, y, (0, 108), 18, 12) - 4 * bump(x, y, (0, 90), 16, 5)
    return nose + brows + eyes + mouth + chin + 6 * bump(side, y, (46, 22), 17, 14)
