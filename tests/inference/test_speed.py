"""`speed=` buys time with looks: fewer, but at the same face."""

import subprocess
import sys

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import Speed, plan_of
from thermal_landmarks.models.checkpoint import load_finder

SPEEDS: tuple[Speed, ...] = ("exact", "balanced", "fast")


def test_every_speed_finds_the_same_landmarks_with_fewer_looks() -> None:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(240, 320), seed=5)
    annotation = source.annotations()[1]
    image = source.load(annotation)
    eyes = np.linalg.norm(annotation.points_px[2] - annotation.points_px[5])
    views, points = [], {}
    for speed in SPEEDS:
        predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed)
        seen: list[int] = []
        predictor.network.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(len(inputs[0])))
        points[speed] = predictor.faces(image)[0].points_px
        views.append(sum(seen))
        whole = predictor(image)
        assert np.linalg.norm(whole - points[speed], axis=1).mean() < 0.1 * eyes
    assert views == [8, 3, 1]
    for speed in ("balanced", "fast"):
        assert np.linalg.norm(points[speed] - points["exact"], axis=1).mean() < 0.05 * eyes


def test_the_shipped_confidence_is_fitted_to_each_speed() -> None:
    confidence = load_finder().confidence
    assert {"found_weights", "balanced", "fast"} <= set(confidence)


def test_a_network_that_has_no_cascade_only_leaves_out_the_mirror_image() -> None:
    plain = Preprocessing(image_size=(48, 64))
    assert plan_of("fast", plain, flip_tta=True).flip_tta is False
    assert plan_of("balanced", plain, flip_tta=True).flip_tta is True
    assert plan_of("balanced", plain, flip_tta=False).flip_tta is False
    assert not plan_of("fast", plain, flip_tta=True).from_image


def test_an_unknown_speed_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"speed=slow is unknown\. Choose fast, balanced, exact"):
        Predictor.from_checkpoint("thermal_real", device="cpu", speed="slow")  # type: ignore[arg-type]


def test_a_batch_of_images_is_looked_at_as_each_by_itself() -> None:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    images = [source.load(annotation) for annotation in source.annotations()]
    for speed in ("balanced", "fast"):
        predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed)
        together = predictor(images)
        for image, points in zip(images, together, strict=True):
            np.testing.assert_allclose(predictor(image), points, atol=0.01)


def test_several_faces_of_an_image_are_looked_at_as_each_by_itself() -> None:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    annotations = source.annotations()[:2]
    values = np.concatenate([source.load(annotation).values for annotation in annotations], axis=1)
    points = np.stack([annotation.points_px for annotation in annotations]) + np.array([[[0, 0]], [[160, 0]]])
    boxes = [tuple(box) for box in np.concatenate([points.min(axis=1) - 5, points.max(axis=1) + 5], axis=1).tolist()]
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    together = {face.box_px: face.points_px for face in predictor.faces(values, boxes_px=boxes)}
    for box in boxes:
        (alone,) = predictor.faces(values, boxes_px=[box])
        np.testing.assert_allclose(alone.points_px, together[alone.box_px], atol=0.01)


LATER = ("scipy", "omegaconf", "hydra", "numba", "matplotlib", "rich", "lightning", "torch._dynamo")


@pytest.mark.slow
def test_the_first_prediction_imports_nothing_that_it_can_do_without() -> None:
    """Slow for a reason: what a process imports shows in a fresh one alone, and torch takes two seconds."""
    code = (
        "import sys, numpy as np\n"
        "from thermal_landmarks.inference.predictor import Predictor\n"
        "predictor = Predictor.from_checkpoint('thermal_real', device='cpu')\n"
        "predictor.faces(np.random.default_rng(0).uniform(20, 36, (60, 80)))\n"
        f"print(*(name for name in {LATER} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
