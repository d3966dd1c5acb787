"""What `predict` finds by default in scenes with known faces, kept so that any second look can be tried on it."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from face_confidence import fit_logistic
from second_look_crops import OVERLAP, scenes

from thermal_faces.scene.backdrop import Backdrops
from thermal_faces.scenes import RenderedScene
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import face_frames
from thermal_landmarks.data.image_pyramid import ImagePyramid
from thermal_landmarks.evaluation.finding import FindingCurve, FindingScores
from thermal_landmarks.inference.confidence import FACE_FEATURES, Agreement
from thermal_landmarks.inference.faces import looks_at
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.second_look import SHARE, SecondLook, normalised
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import Detections, match

SIDE = 64  # of what the second look sees
LEAST_PX, FALSE = 16.0, 0.05
NOBODY = {"crowd": {"nobody": 1.0}}
REAL_VIEWS = 8  # of each real picture


class Case(NamedTuple):
    """What the finder alone finds in one scene."""

    found: Detections
    crops: np.ndarray  # as a second look sees them
    agreement: np.ndarray  # features of the probability of a face, at a score of a half
    faces_px: np.ndarray  # boxes of faces
    ignored_px: np.ndarray  # boxes of what may be found or not

    def seen(self, second_look: SecondLook) -> np.ndarray:
        """The log odds of a second look, by itself."""
        if not self.found.number:
            return np.empty(0)
        with torch.inference_mode():
            crops = normalised(torch.from_numpy(self.crops).float())
            return second_look.log_odds(crops).clamp(-8, 8).numpy().astype(float)

    def score(self, second_look: SecondLook | None) -> np.ndarray:
        """Of the finder, changed by a second look."""
        if second_look is None:
            return self.found.score
        one, first, second = second_look.weights.numpy()
        odds = one + first * log_odds(self.found.score) + second * self.seen(second_look)
        changed: np.ndarray = 1 / (1 + np.exp(-odds))
        return changed

    def features(self, score: np.ndarray) -> np.ndarray:
        """What the probability of a face is made of."""
        sure = np.asarray(score, dtype=float).clip(0.01, 0.99)  # as `Agreement` does
        features = self.agreement.copy()
        features[:, FACE_FEATURES.index("score")] = np.log(sure / (1 - sure))
        return features


def log_odds(score: np.ndarray) -> np.ndarray:
    """As `SecondLook` takes them of the finder."""
    score = score.astype(float).clip(1e-3, 1 - 1e-3)
    odds: np.ndarray = np.log(score / (1 - score))
    return odds


def rendered_cases(folder: Path, seed: int, count: int, **settings: object) -> list[Case]:
    """Of rendered scenes."""
    name = "-".join(str(part) for part in (seed, count, *settings))
    return _kept(folder / f"cases-{name}.pickle", scenes(seed, count, **settings))


def real_cases(folder: Path, pictures: Path) -> list[Case]:
    """Of real pictures without people, each shown through several cameras."""
    return _kept(folder / f"cases-{pictures.name}.pickle", _real_scenes(pictures))


def _real_scenes(pictures: Path) -> Iterator[RenderedScene]:
    bare = {"things": (0, 0), "animals": (-1, -1), "in_front": 0.0, "glass": 0.0}
    for number, file in enumerate(Backdrops(pictures).files):
        yield from scenes(90_000 + number, REAL_VIEWS, backdrops=file, backdrop_share=1.0, clutter=bare, **NOBODY)


def _kept(file: Path, shown: Iterable[RenderedScene]) -> list[Case]:
    if not file.is_file():
        cases = list(_cases(shown))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(cases))
    found: list[Case] = pickle.loads(file.read_bytes())
    return found


def _cases(shown: Iterable[RenderedScene]) -> Iterator[Case]:
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    finder = Finder(load_finder().network, first_size=FIRST_SIZE)
    for scene in shown:
        image = ThermalImage(scene.values, scene.unit)
        found = predictor.find(image, finder)
        looks = looks_at(predictor, image, found) if found.number else []
        boxes = np.array([face.box_px for face in scene.faces]).reshape(-1, 4)
        large = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1)) >= LEAST_PX
        wanted = np.array([face.is_face for face in scene.faces], dtype=bool) & large
        rows = zip(looks, found.boxes_px, strict=True)
        agreement = np.array([Agreement.of(some, box, 0.5, scene.values.shape).face for some, box in rows])
        agreement = agreement.reshape(-1, len(FACE_FEATURES))
        yield Case(found, _crops(scene.values, found), agreement, boxes[wanted], boxes[~wanted])


def _crops(values: np.ndarray, found: Detections) -> np.ndarray:
    if not found.number:
        return np.empty((0, 1, SIDE, SIDE), np.float16)
    frames = face_frames(torch.from_numpy(found.boxes_px), torch.from_numpy(found.angle), (SIDE, SIDE), SHARE)
    crops = ImagePyramid(torch.from_numpy(values)[None, None]).crops(frames, (SIDE, SIDE))
    return (crops - crops.mean(dim=(1, 2, 3), keepdim=True)).numpy().astype(np.float16)


def logistic(cases: Sequence[Case], features: Sequence[np.ndarray]) -> np.ndarray:
    """Weights that say of what was found whether it is a face."""
    judged = [match(case.found, case.faces_px, case.ignored_px, overlap=OVERLAP) for case in cases]
    right, counts = (np.concatenate(part) for part in zip(*judged, strict=True))
    return fit_logistic(np.concatenate(features)[counts], right[counts].astype(float))


def curve_of(cases: Sequence[Case], features: Sequence[np.ndarray], weights: np.ndarray) -> FindingCurve:
    """Recall over false faces, by a probability."""
    scores = FindingScores(overlap=OVERLAP)
    for case, each in zip(cases, features, strict=True):
        probability = 1 / (1 + np.exp(-each @ weights))
        order = np.argsort(-probability)
        scores.add(case.found._replace(score=probability).take(order), case.faces_px, case.ignored_px)
    return scores.curve()
