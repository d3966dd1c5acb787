"""What the finder's second look learns from: places that the finder suspects in rendered scenes, as upright crops.

Half of the scenes stand before real pictures without people, so that real texture is seen beside faces and without
them; everything passes through the renderer's cameras, so that nothing but what is shown tells the two apart.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from thermal_faces import SyntheticScenes
from thermal_faces.scenes import RenderedScene
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import face_frame
from thermal_landmarks.data.warping import warp_quickly
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.models.face_decoding import Detections, box_overlap, match

STORED, FACE = 96, 36 / 96  # side of a stored crop, and height of a face in it: room to move and turn
OVERLAP = 0.4  # of a box that counts as found
NOBODY = {"nobody": 1.0}
SMALL = {"nobody": 0.0, "face_px": (7.0, 28.0), "most": 6.0}
HARD = {"pitch_deg": (-50.0, 30.0), "profile": 0.4, "outside": 0.25, "close_together": 0.5, "nobody": 0.0}


class Part(NamedTuple):
    """Some of the scenes."""

    seed: int
    number: int
    settings: dict[str, Any]  # of `SyntheticScenes`
    real: float = 0.0  # share of them that stands before real pictures


PARTS = (
    Part(9101, 900, {}, 0.4),
    Part(9102, 1000, {"crowd": {"away": 0.4, "profile": 0.35, "nobody": 0.05}}, 0.3),
    Part(9103, 500, {"crowd": NOBODY}),
    Part(9104, 2200, {"crowd": NOBODY, "clutter": {"things": (0.0, 1.5), "animals": (-2.0, 1.0)}}, 1.0),
    Part(9105, 800, {"crowd": SMALL}, 0.5),
    Part(9106, 800, {"crowd": HARD, "clutter": {"in_front": 0.6}, "appearance": {"occluder": 0.3, "mask": 0.15}}, 0.3),
)


class Crops(NamedTuple):
    """What the network learns from."""

    values: Float[Tensor, "crop 96 96"]  # around their own mean, 16 bits
    is_face: Float[Tensor, " crop"]
    score: Float[Tensor, " crop"]  # of the finder; of places that it did not find a stated one

    @property
    def weight(self) -> Float[Tensor, " crop"]:
        """How often each is drawn: faces as often as all others, surely found false ones most."""
        face = self.is_face > 0
        weight = torch.where(face, torch.ones_like(self.score), (3 * self.score).clamp(0.3, 2.0))
        return weight / torch.where(face, weight[face].sum(), weight[~face].sum())


def scenes(seed: int, count: int, **settings: Any) -> Iterator[RenderedScene]:
    """Of all sizes."""
    source = SyntheticScenes(images=count, size=((120, 160), (480, 640)), seed=seed, **settings)
    return (source.render(index) for index in range(count))


def candidates(scene: RenderedScene, found: Detections, draw: np.random.Generator) -> list[tuple[np.ndarray, ...]]:
    """Box, angle and score of found places, of faces moved and resized a little, and of a place anywhere."""
    rows: list[tuple[np.ndarray, ...]] = [
        (box.astype(float), angle, sure) for box, sure, angle in zip(*found, strict=True)
    ]
    for face in scene.faces:
        if face.is_face:
            low, high = np.array(face.box_px).reshape(2, 2)
            middle_px = (low + high) / 2 + (high - low) * draw.normal(0, 0.05, 2)
            half = (high - low) / 2 * np.exp(draw.normal(0, 0.1, 2))
            angle = np.deg2rad(face.angle_deg) + draw.normal(0, 0.15)
            rows.append((np.concatenate([middle_px - half, middle_px + half]), angle, np.array(1 / 3)))
    if draw.random() < 0.3:
        height = scene.values.shape[0] * np.exp(draw.uniform(np.log(0.05), np.log(0.6)))
        middle_px, half = draw.random(2) * scene.values.shape[::-1], np.array([0.375, 0.5]) * height
        rows.append((np.concatenate([middle_px - half, middle_px + half]), np.array(0.0), np.array(0.1)))
    return rows


def collect(folder: Path, backdrops: Path) -> Crops:
    """Candidates of all training scenes; a part that the folder has already is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if not (file := _file(folder, part)).is_file():
            partial = file.with_suffix(".partial.npz")
            np.savez(partial, *_crops(part, backdrops))
            partial.rename(file)
    parts = [_sifted(_file(folder, part), np.random.default_rng(part.seed)) for part in PARTS]
    values, is_face, score = (torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True))
    return Crops(values, is_face.float(), score)


def _sifted(file: Path, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops of one part, a fifth of those that the finder hardly suspects: real texture has dozens a picture."""
    with np.load(file) as kept:
        values, is_face, score = (kept[name] for name in kept.files)
    used = is_face | (score >= 0.1) | (draw.random(len(score)) < 0.2)
    return values[used], is_face[used], score[used]


def _file(folder: Path, part: Part) -> Path:
    return folder / f"crops-{part.seed}-{part.number}.npz"


def _crops(part: Part, backdrops: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one part's scenes; places that overlap a face by less than a found one should are left out."""
    finder, draw = Finder.from_checkpoint(), np.random.default_rng(part.seed)
    values: list[np.ndarray] = []
    is_face: list[bool] = []
    score: list[float] = []
    settings = part.settings | ({"backdrops": backdrops, "backdrop_share": part.real} if part.real else {})
    for scene in scenes(part.seed, part.number, **settings):
        image = ThermalImage(scene.values, scene.unit)
        boxes = np.array([face.box_px for face in scene.faces]).reshape(-1, 4)
        wanted = np.array([face.is_face for face in scene.faces], dtype=bool)
        for box, angle, sure in candidates(scene, finder(image, threshold=0.04), draw):
            one = Detections(box[None], np.array([1.0]), np.array([0.0]))
            (right,), (counts,) = match(one, boxes[wanted], boxes[~wanted], overlap=OVERLAP)
            beside = box_overlap(box[None], boxes).max(initial=0)
            if right or (counts and beside <= 0.25):
                matrix = face_frame(box, float(angle), (STORED, STORED), FACE)
                crop = warp_quickly(scene.values, matrix, (STORED, STORED))
                values.append((crop - crop.mean()).astype(np.float16))
                is_face.append(bool(right))
                score.append(float(sure))
    return np.array(values), np.array(is_face), np.array(score, dtype=np.float32)
