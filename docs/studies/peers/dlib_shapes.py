"""What dlib makes of the true boxes: its 68 points of photographs, and trees of its kind trained on rendered faces.

`face_recognition_models` on PyPI brings the 68-point weights (iBUG 300-W, research only).
"""

import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import dlib
import numpy as np
from pictures import FACE16, Method, Portrait

from thermal_landmarks.data.schemes import get_scheme

_MARGINS = (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)

BoxOf = Callable[[np.ndarray], dlib.rectangle]


def dlib68(people: list[Portrait]) -> dict[str, Method]:
    """On pictures and on negatives; each with the margin around the true box that suits the real portraits best."""
    package = find_spec("face_recognition_models")
    if package is None or package.origin is None:
        raise SystemExit("dlib-68 needs its weights: uv run --with dlib-bin --with face_recognition_models ...")
    file = Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    predictor = dlib.shape_predictor(str(file))
    index = get_scheme("ibug68").index_map(FACE16)
    methods = {}
    for name, negative in (("dlib-68", False), ("dlib-68, negative", True)):
        tried = []
        for margin in _MARGINS:
            points, ms = _placed(predictor, people, partial(_square, margin=margin), negative=negative)
            tried.append((_error_percent(points[:, index], people), margin, points[:, index], ms))
        _, margin, points, ms = min(tried, key=lambda each: each[0])
        methods[name] = Method(points, ms, f"true box, margin {margin:.2f}", None, file.stat().st_size)
    return methods


def _error_percent(points: np.ndarray, people: list[Portrait], real: int = 6) -> float:
    truth = np.stack([each.points_px for each in people[:real]])
    length = np.linalg.norm(truth[:, 5] - truth[:, 2], axis=1)
    return float((100 * np.linalg.norm(points[:real] - truth, axis=2).mean(axis=1) / length).mean())


def _placed(
    predictor: dlib.shape_predictor, people: list[Portrait], box_of: BoxOf, *, negative: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """All points (face, point, 2) and CPU milliseconds (face,) of a dlib predictor that gets the true box."""
    points, ms = [], np.zeros(len(people))
    for row, each in enumerate(people):
        gray, box = 255 - each.gray if negative else each.gray, box_of(each.points_px)
        started = time.process_time()
        shape = predictor(gray, box)
        ms[row] = 1000 * (time.process_time() - started)
        points.append([(part.x, part.y) for part in shape.parts()])
    return np.array(points, dtype=float), ms


def train_trees(faces: list[Portrait], file: Path) -> None:
    """Regression trees of dlib (Kazemi and Sullivan 2014), trained on rendered faces, into a file."""
    pictures, annotated = [], []
    for each in faces:
        parts = [dlib.point(*map(int, np.rint(xy))) for xy in each.points_px]
        pictures.append(each.gray)
        annotated.append([dlib.full_object_detection(_box(each.points_px), parts)])
    options = dlib.shape_predictor_training_options()
    options.oversampling_amount, options.tree_depth, options.nu, options.cascade_depth = 8, 4, 0.1, 12
    options.num_threads, options.be_verbose = 1, False
    dlib.train_shape_predictor(pictures, annotated, options).save(str(file))


def trees(people: list[Portrait], file: Path) -> Method:
    """What these trees see, given the true box."""
    points, ms = _placed(dlib.shape_predictor(str(file)), people, _box)
    return Method(points, ms, "true box", None, file.stat().st_size)


def _box(points: np.ndarray) -> dlib.rectangle:
    """The rectangle around the points."""
    return dlib.rectangle(*map(int, np.rint(np.concatenate([points.min(axis=0), points.max(axis=0)]))))


def _square(points: np.ndarray, margin: float) -> dlib.rectangle:
    """The square around them as dlib's own finder of faces gives it, and a margin as a share of its side."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (0.5 + margin) * (high - low).max()
    return dlib.rectangle(*map(int, np.rint(np.concatenate([middle - half, middle + half]))))
