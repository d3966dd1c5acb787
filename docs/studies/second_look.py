"""How the finder's second look was made: a small network that sees each candidate, trained on rendered scenes alone.

    python docs/studies/second_look.py train network.pt                 # 6.5 CPU minutes after rendering 5,800 scenes
    python docs/studies/second_look.py fit network.pt finder.ckpt       # into a finder's checkpoint
    python docs/studies/second_look.py measure finder.ckpt              # with and without it, on scenes of other seeds

`train` collects what the finder sees in scenes at a low threshold, true faces moved a little, and places anywhere;
root and stem begin as the finder's. `fit` finds the weights that join both looks, on scenes that no network was trained
on; docs/studies/face_confidence.py fits the confidence after it. `measure` fits the probability of a face for both ways
on the same scenes, then compares them on others and on rooms without people.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from face_confidence import FIT_SEED, fit_logistic
from jaxtyping import Float
from torch import Tensor

from thermal_faces import SyntheticScenes
from thermal_faces.scenes import RenderedScene
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import face_frame
from thermal_landmarks.data.warping import warp_quickly
from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.inference.confidence import FACE_FEATURES, Agreement
from thermal_landmarks.inference.face import MIN_SCORE
from thermal_landmarks.inference.faces import looks_at
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.second_look import SHARE, SecondLook, middle, normalised
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import Detections, box_overlap, match
from thermal_landmarks.models.network import FinderNetwork

SIDE = 64  # of what the network sees
STORED, FACE = 96, 36 / 96  # side of a stored crop, and height of a face in it: room to move and turn
SCENES: tuple[tuple[int, int, dict[str, float]], ...] = (
    (9102, 2200, {"away": 0.4, "profile": 0.35, "nobody": 0.05}),
    (9101, 2800, {}),
    (9103, 800, {"nobody": 1.0}),
)
"""Seed, number and crowd of the scenes that it learns from."""
HELD_SEED, LEAST_PX, OVERLAP, FALSE = 70707, 16.0, 0.4, 0.05


class Crops(NamedTuple):
    """What the network learns from."""

    values: Float[Tensor, "crop 96 96"]  # around their own mean, 16 bits
    is_face: Float[Tensor, " crop"]
    weight: Float[
        Tensor, " crop"
    ]  # how often each is drawn: faces as often as all others, surely found false ones most


def scenes(seed: int, count: int, crowd: dict[str, float]) -> Iterator[RenderedScene]:
    """Of all sizes."""
    source = SyntheticScenes(images=count, size=((120, 160), (480, 640)), seed=seed, crowd=crowd)
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


def collect() -> Crops:
    """Candidates of all training scenes; places that overlap a face by less than a found one should are left out."""
    finder, values, is_face, score = Finder.from_checkpoint(), [], [], []
    for seed, count, crowd in SCENES:
        draw = np.random.default_rng(seed)
        for scene in scenes(seed, count, crowd):
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
                    is_face.append(right)
                    score.append(float(sure))
    face = np.array(is_face)
    weight = np.where(face, 1.0, np.clip(3 * np.array(score), 0.3, 2.0))
    weight /= np.where(face, weight[face].sum(), weight[~face].sum())
    return Crops(torch.from_numpy(np.array(values)), torch.from_numpy(face).float(), torch.from_numpy(weight))


def changed(stored: Float[Tensor, "b 96 96"], draw: torch.Generator) -> Float[Tensor, "b 1 64 64"]:
    """Moved, turned, mirrored and resized, with other tones, at times coarser, with noise."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(len(stored), 1, 1, 1, generator=draw) * (high - low) + low

    scale, angle = (FACE / SHARE) * uniform(-0.2, 0.2).exp(), uniform(-0.35, 0.35)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [[cos * mirrored, -sin, uniform(-0.09, 0.09)], [sin * mirrored, cos, uniform(-0.09, 0.09)]]
    matrices = torch.stack([torch.stack([part.flatten() for part in row], dim=1) for row in rows], dim=1)
    grid = F.affine_grid(matrices.float(), [len(stored), 1, SIDE, SIDE], align_corners=False)
    crops = normalised(F.grid_sample(stored[:, None], grid, padding_mode="border", align_corners=False))
    low = crops.amin((1, 2, 3), keepdim=True)
    span = (crops.amax((1, 2, 3), keepdim=True) - low).clamp(min=1e-3)
    crops = ((crops - low) / span).clamp(min=1e-4) ** uniform(-0.5, 0.5).exp() * span + low
    crops = torch.where(uniform(0, 1) < 0.15, -crops, crops)
    coarse = uniform(0, 1).flatten() < 0.25
    side = int(SIDE / float(uniform(1.3, 3.0)[0]))
    fewer = F.interpolate(crops[coarse], size=(side, side), mode="area")
    crops[coarse] = F.interpolate(fewer, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return normalised(crops + torch.randn(crops.shape, generator=draw) * uniform(0, 0.08))


def begun() -> FinderNetwork:
    """Three levels of the finder's stem, on the way down, with its weights; the head is new."""
    finder = load_finder().network
    parts = finder.settings | {"image_size": [SIDE, SIDE]}
    parts["stem"] |= {"width": parts["stem"]["width"][:3], "depth": parts["stem"]["depth"][:3], "out_width": None}
    parts["head"] |= {"width": 32, "prior": 0.5}
    network = FinderNetwork(**parts)
    own = network.state_dict()
    known = {k: v for k, v in finder.state_dict().items() if k in own and not k.startswith("head")}
    network.load_state_dict(own | known)
    return network


def train(output: Path, minutes: float) -> None:
    """Collect crops, train for so many CPU minutes, keep the network."""
    torch.manual_seed(0)
    crops, network, draw = collect(), begun().to(memory_format=torch.channels_last), torch.Generator().manual_seed(0)
    head, body = list(network.head.parameters()), [*network.root.parameters(), *network.components.parameters()]
    rates = (1e-3, 3e-3)
    optimizer = torch.optim.AdamW([{"params": part} for part in (body, head)], weight_decay=2e-3)
    started, share, step = time.process_time(), 0.0, 0
    while share < 1:
        warm = min(1, step / 50) * (0.5 * (1 + np.cos(np.pi * share)) + 0.005)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * warm
        rows = torch.multinomial(crops.weight, 96, replacement=True, generator=draw)
        seen = changed(crops.values[rows].float(), draw).contiguous(memory_format=torch.channels_last)
        wanted = 0.98 * crops.is_face[rows] + 0.01
        loss = F.binary_cross_entropy_with_logits(middle(network(seen).score), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        share, step = (time.process_time() - started) / (60 * minutes), step + 1
    torch.save({"settings": network.settings, "net": network.state_dict()}, output)
    print(f"{len(crops.is_face)} crops, {int(crops.is_face.sum())} of faces; {step} steps, last loss {loss.item():.3f}")


def trained(path: Path) -> FinderNetwork:
    """What `train` has kept, as precise as `write` keeps it."""
    content = torch.load(path, weights_only=True)
    network = FinderNetwork(**content["settings"])
    network.load_state_dict({k: v.half() if v.ndim == 4 else v for k, v in content["net"].items()})
    return network.eval()


class Found(NamedTuple):
    """What `predict` finds in one scene by default, before and after the second look."""

    first: Detections
    second: Detections
    looks: list[np.ndarray]  # at the landmarks of each
    shape: tuple[int, ...]  # of the picture
    faces_px: np.ndarray  # boxes of faces
    ignored_px: np.ndarray  # boxes of what may be found or not

    def features(self, *, second: bool) -> np.ndarray:
        """What the probability of a face is made of."""
        score = (self.second if second else self.first).score
        rows = zip(self.looks, self.first.boxes_px, score, strict=True)
        faces = [Agreement.of(looks, box, float(score), self.shape).face for looks, box, score in rows]
        return np.array(faces).reshape(-1, len(FACE_FEATURES))


def found_in(seed: int, count: int, crowd: dict[str, float], second_look: SecondLook) -> list[Found]:
    """Faces of each scene."""
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    network, every = load_finder().network, []
    first, second = Finder(network, first_size=FIRST_SIZE), Finder(network, second_look=second_look)
    for scene in scenes(seed, count, crowd):
        image = ThermalImage(scene.values, scene.unit)
        found = predictor.find(image, first)
        looks = looks_at(predictor, image, found) if found.number else []
        boxes = np.array([face.box_px for face in scene.faces]).reshape(-1, 4)
        large = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1)) >= LEAST_PX
        wanted = np.array([face.is_face for face in scene.faces], dtype=bool) & large
        every.append(
            Found(found, second.verified(image, found), looks, scene.values.shape, boxes[wanted], boxes[~wanted])
        )
    return every


def logistic(cases: list[Found], features: list[np.ndarray]) -> np.ndarray:
    """Weights that say of what was found whether it is a face."""
    judged = [match(case.first, case.faces_px, case.ignored_px, overlap=OVERLAP) for case in cases]
    right, counts = (np.concatenate(part) for part in zip(*judged, strict=True))
    return fit_logistic(np.concatenate(features)[counts], right[counts].astype(float))


def log_odds(found: Detections) -> np.ndarray:
    """Of the scores, as `SecondLook` takes them."""
    score = found.score.clip(1e-3, 1 - 1e-3)
    odds: np.ndarray = np.log(score / (1 - score))
    return odds


def joined(cases: list[Found]) -> list[float]:
    """The weights of `SecondLook`, from cases whose second score is that of the second look alone.

    They keep to the scale of the finder's score: what is as probably a face as before gets the same score.
    """
    alone = [np.column_stack([np.ones(case.first.number), log_odds(case.first)]) for case in cases]
    both = [np.column_stack([x, log_odds(case.second)]) for x, case in zip(alone, cases, strict=True)]
    one, two = logistic(cases, alone), logistic(cases, both)
    return [float(weight) for weight in ((two[0] - one[0]) / one[1], two[1] / one[1], two[2] / one[1])]


def write(finder: Path, network: FinderNetwork, joined_by: list[float]) -> None:
    """Put a second look into a finder's checkpoint; the convolutions of both in half precision."""
    content = torch.load(finder, weights_only=True)
    content["hyper_parameters"]["second_look"] = {"network": network.settings, "weights": joined_by}
    weights = {name: value for name, value in content["state_dict"].items() if name.startswith("network.")}
    weights |= {f"second_look.{name}": value for name, value in network.state_dict().items()}
    content["state_dict"] = {name: value.half() if value.ndim == 4 else value for name, value in weights.items()}
    torch.save(content, finder)


def measure(finder: Path, count: int) -> None:
    """Recall and false faces with and without the second look, each with a probability fitted to the same scenes."""
    loaded = load_finder(finder)
    assert loaded.second_look is not None, f"{finder} has no second look: fit it first."
    second_look = SecondLook(*loaded.second_look)
    fitted = found_in(FIT_SEED, count // 2, {}, second_look)
    sets = {
        "scenes": found_in(HELD_SEED, count, {}, second_look),
        "rooms without people": found_in(HELD_SEED + 1, 3 * count // 10, {"nobody": 1.0}, second_look),
    }
    for name, second in (("first look", False), ("second look", True)):
        weights = logistic(fitted, [case.features(second=second) for case in fitted])
        for where, cases in sets.items():
            scores = FindingScores(overlap=OVERLAP)
            for case in cases:
                probability = 1 / (1 + np.exp(-case.features(second=second) @ weights))
                order = np.argsort(-probability)
                scores.add(case.first._replace(score=probability).take(order), case.faces_px, case.ignored_px)
            curve = scores.curve()
            recall, false = curve.at_threshold(MIN_SCORE)
            print(
                f"{name}, {scores.pictures} {where} with {scores.faces} faces: average precision "
                f"{curve.average_precision:.3f}, recall at {FALSE} false {curve.at_false_rate(FALSE)[0]:.3f}; "
                f"by default {recall:.3f} and {false:.3f} false a picture"
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["train", "fit", "measure"])
    parser.add_argument("files", type=Path, nargs="+")
    chosen, started = parser.parse_args(), time.process_time()
    torch.set_num_threads(1)
    if chosen.command == "train":
        train(chosen.files[0], minutes=6.5)
    elif chosen.command == "fit":
        network = trained(chosen.files[0])
        weights = joined(found_in(FIT_SEED, 500, {}, SecondLook(network, (0, 0, 1))))
        write(chosen.files[1], network, weights)
        print(f"weights {np.round(weights, 3)}")
    else:
        measure(chosen.files[0], 1000)
    print(f"{time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
