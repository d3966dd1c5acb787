"""What a face's score and confidence are worth: fitted to rendered scenes, shown on others and on real pictures.

    python docs/studies/face_confidence.py fit finder.ckpt              # into a finder's checkpoint, for every speed
    python docs/studies/face_confidence.py show ../shared/data figure.webp

`fit` renders scenes that no network was trained on, finds their faces with a low threshold, and fits the three
logistic regressions of `thermal_landmarks.inference.confidence`. `show` draws reliability diagrams and risk-coverage
curves on scenes of another seed and on real pictures with points, and prints the tables. A face is right where its mean
error is below a tenth of the distance of the outer eye corners.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit

from thermal_faces import SyntheticScenes
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.confidence import Agreement, Confidence
from thermal_landmarks.inference.faces import looks_at
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import Speed
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import box_overlap

FIT_SEED, SHOW_SEED = 777, 888
RIGHT, POINT_RIGHT = 0.1, 0.15  # of the distance of the outer eye corners
OVERLAP = 0.4  # of the box of a true face
LEAST_SCORE = 0.1
FEWEST = 5  # faces of a dot in the figure
EDGES = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0001])


@dataclass
class Truth:
    """One face that is there.

    Attributes:
        box_px: Where.
        counts: False for one that may be found or not (see `thermal_faces.SceneFace.is_face`).
        points_px: (16, 2) landmarks of `face16`, NaN where unknown.
        visible: Which of them can be seen.
    """

    box_px: np.ndarray
    counts: bool
    points_px: np.ndarray
    visible: np.ndarray


@dataclass
class Cases:
    """Found faces: what agreed, and what was right."""

    pictures: int = 0
    agreement: list[Agreement] = field(default_factory=list)
    is_face: list[bool] = field(default_factory=list)
    error: list[float] = field(default_factory=list)  # mean, NaN where no face is
    points_right: list[np.ndarray] = field(default_factory=list)

    def add(self, predictor: Predictor, finder: Finder, image: ThermalImage, truths: list[Truth]) -> None:
        """The faces found in one picture."""
        self.pictures += 1
        found = finder.verified(image, finder(image, threshold=LEAST_SCORE))
        if not found.number:
            return
        overlap = box_overlap(found.boxes_px, np.array([truth.box_px for truth in truths]).reshape(-1, 4))
        for row, looks in enumerate(looks_at(predictor, image, found)):
            box = found.boxes_px[row]
            best = int(overlap[row].argmax()) if truths else -1
            if best >= 0 and overlap[row, best] >= OVERLAP and not truths[best].counts:
                continue
            self.agreement.append(Agreement.of(looks, box, float(found.score[row]), image.values.shape))
            if best < 0 or overlap[row, best] < OVERLAP:
                self.is_face.append(False)
                self.error.append(np.nan)
                self.points_right.append(np.zeros(16, dtype=bool))
                continue
            truth = truths[best]
            eyes = np.linalg.norm(truth.points_px[2] - truth.points_px[5])
            error = np.linalg.norm(looks.mean(axis=0) - truth.points_px, axis=1) / eyes
            self.is_face.append(True)
            self.error.append(float(np.nanmean(error)))
            self.points_right.append((error < POINT_RIGHT) & truth.visible)

    @property
    def right(self) -> np.ndarray:
        """Which faces have landmarks that are right."""
        return np.array(self.error) < RIGHT

    def fitted(self) -> Confidence:
        """Probabilities that fit these cases."""
        inside = [~a.outside for a in self.agreement]
        features = np.array([a.face for a in self.agreement])
        points = np.concatenate([a.points[keep] for a, keep in zip(self.agreement, inside, strict=True)])
        points_right = np.concatenate([p[keep] for p, keep in zip(self.points_right, inside, strict=True)])
        return Confidence(
            fit_logistic(features, np.array(self.is_face, dtype=float)),
            fit_logistic(features, self.right.astype(float)),
            fit_logistic(points, points_right.astype(float)),
        )


def rendered(count: int, seed: int, **settings: object) -> Iterator[tuple[ThermalImage, list[Truth]]]:
    """Scenes and all their faces, also those that nobody need find."""
    scenes = SyntheticScenes(images=count, size=((120, 160), (480, 640)), seed=seed, **settings)  # type: ignore[arg-type]
    for index in range(count):
        scene = scenes.render(index)
        truths = [Truth(np.array(face.box_px), face.is_face, face.points_px, face.visible) for face in scene.faces]
        yield ThermalImage(scene.values, scene.unit), truths


def annotated(reader: CocoKeypoints | YoloPose, every: int = 1) -> Iterator[tuple[ThermalImage, list[Truth]]]:
    """Real pictures with one annotated face; where no box is annotated, the points' own, grown to a face's."""
    scheme = get_scheme(reader.scheme)
    known = scheme.index_map(get_scheme("face16"))
    for annotation in list(reader.annotations())[::every]:
        points = annotation.points_px[known]
        low, high = points.min(axis=0), points.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2 * np.array([1.25, 1.1])
        box = np.concatenate([middle - half, middle + half])
        yield reader.load(annotation), [Truth(box, True, points, np.ones(16, dtype=bool))]


def collect(pictures: Iterable[tuple[ThermalImage, list[Truth]]], speeds: Sequence[Speed] = ("exact",)) -> list[Cases]:
    """The faces of all pictures, looked at with each speed."""
    # As `predict` does by default, and without a quick look at speed=exact.
    finders = [Finder.from_checkpoint(first_size=None if speed == "exact" else FIRST_SIZE) for speed in speeds]
    predictors = [Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed) for speed in speeds]
    cases = [Cases() for _ in speeds]
    for image, truths in pictures:
        for predictor, finder, some in zip(predictors, finders, cases, strict=True):
            some.add(predictor, finder, image, truths)
    return cases


def fit(checkpoint: Path, scenes: int, speeds: Sequence[Speed]) -> None:
    """Fit to rendered scenes and write the weights into a finder's checkpoint."""
    content = torch.load(checkpoint, weights_only=True)
    weights = content["hyper_parameters"].get("confidence", {})
    for speed, cases in zip(speeds, collect(rendered(scenes, FIT_SEED), speeds), strict=True):
        settings = cases.fitted().settings
        weights |= settings if speed == "exact" else {speed: settings}
        print(f"{speed}: {len(cases.agreement)} found in {cases.pictures} scenes; {checkpoint} has {settings}")
    content["hyper_parameters"]["confidence"] = weights
    torch.save(content, checkpoint)


def show(data: Path, figure: Path, scenes: int, speed: Speed) -> None:
    """Tables and a figure of what the shipped probabilities are worth."""
    confidence = Confidence.from_settings(load_finder().confidence, speed)
    drivers = data / "drivers"
    pictures = {
        f"{scenes} rendered scenes": rendered(scenes, SHOW_SEED),
        "rendered rooms without people": rendered(scenes // 3, SHOW_SEED + 1, crowd={"nobody": 1.0}),
        "portraits (thermal-real)": annotated(
            CocoKeypoints(
                annotation_file=data / "thermal-real" / "annotations.json",
                image_dir=data / "thermal-real" / "images",
                scheme="face16",
            )
        ),
        "drivers, every 8th frame": (
            picture
            for folder in sorted(path for path in drivers.iterdir() if path.is_dir())
            for picture in annotated(
                YoloPose(folder=folder, scheme="sftl54", images="Jpg", subject_pattern="(labels)"), every=8
            )
        ),
    }
    sets = {name: collect(some, [speed])[0] for name, some in pictures.items()}
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, cases in sets.items():
        sure = np.array([confidence.face(a) for a in cases.agreement])
        score = np.array([confidence.found(a) for a in cases.agreement])
        print(f"\n{name}: {len(sure)} found in {cases.pictures} pictures, {sum(cases.is_face)} are faces")
        for least in (0.5, 0.65, 0.8):
            kept, is_face = score >= least, np.array(cases.is_face)
            share = f"{(kept & is_face).sum()} of {is_face.sum()} found faces"
            print(f"  min_score {least}: {share}, {(kept & ~is_face).sum() / cases.pictures:.3f} false a picture")
        means, shares = [], []
        for low, high in pairwise(EDGES):
            rows = (sure >= low) & (sure < high)
            if rows.any():
                mean, share = sure[rows].mean(), cases.right[rows].mean()
                print(
                    f"  confidence {low:.1f} to {min(high, 1):.1f}: {rows.sum()} found, mean {mean:.2f}, "
                    f"{100 * share:.0f} % right"
                )
            if rows.sum() >= FEWEST:
                means.append(mean)
                shares.append(share)
        order = np.argsort(-sure)
        errors = np.array(cases.error)[order]
        errors = errors[~np.isnan(errors)]
        if len(errors):
            left.plot(means, shares, marker="o", label=name)
            coverage = np.arange(1, len(errors) + 1) / len(errors)
            right.plot(coverage, 100 * np.cumsum(errors) / np.arange(1, len(errors) + 1), label=name)
    left.set(xlabel="confidence", ylabel="share of faces that are right", title="Reliability")
    right.set(
        xlabel="share of faces kept, the surest first", ylabel="their NME in %", title="Risk and coverage", ylim=(0, 20)
    )
    right.legend(fontsize=8)
    plt.tight_layout()
    plt.savefig(figure, dpi=110)


def fit_logistic(
    features: Float[np.ndarray, "n feature"], right: Float[np.ndarray, " n"], *, penalty: float = 1e-3
) -> Float[np.ndarray, " feature"]:
    """Weights of a logistic regression, with a small penalty on their squares.

    Args:
        features: Of each case.
        right: 1 or 0.
        penalty: Of the mean loss.
    """
    sign = 2 * np.asarray(right, dtype=float) - 1

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (features @ weights)
        gradient = -(features * (sign * expit(-margin))[:, None]).mean(axis=0) + 2 * penalty * weights
        return float(np.logaddexp(0, -margin).mean() + penalty * (weights**2).sum()), gradient

    result = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B")
    weights: np.ndarray = result.x
    return weights


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    fitting, showing = commands.add_parser("fit"), commands.add_parser("show")
    fitting.add_argument("checkpoint", type=Path)
    fitting.add_argument("--scenes", type=int, default=900)
    fitting.add_argument("--speeds", nargs="+", default=["exact", "balanced", "fast"])
    showing.add_argument("data", type=Path)
    showing.add_argument("figure", type=Path)
    showing.add_argument("--scenes", type=int, default=300)
    showing.add_argument("--speed", default="balanced")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    if chosen.command == "fit":
        fit(chosen.checkpoint, chosen.scenes, chosen.speeds)
    else:
        show(chosen.data, chosen.figure, chosen.scenes, chosen.speed)
    print(f"{time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
