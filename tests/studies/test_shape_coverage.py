"""Shape coverage: ratios, alignment and the shares of real shapes that rendered ones cover."""

from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from shape_coverage import (
    RATIOS,
    aligned,
    components,
    face16_shapes,
    is_frontal,
    main,
    measure_coverage,
    report_coverage,
    upright,
)
from typer.testing import CliRunner

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.schemes import get_scheme

NAMES = get_scheme("face16").landmark_names
SFTL54 = Path(__file__).parents[2].parent / "shared" / "data" / "sftl54-annotations" / "labels.jsonl"

CONVENTIONS_PERCENT = {"eye width": 29.0, "nose tip height": 14.0, "philtrum": 14.2, "mouth width": 52.7}
"""Means over annotators who disagree; docs/cues.md lists them."""


@pytest.fixture(scope="module")
def resting() -> np.ndarray:
    level = {"pitch_deg": [1.0, 5.0]}  # where SF-TL54's resting heads agree best
    return face16_shapes(SyntheticFaces(subjects=500, images_per_subject=1, expression={"neutral": 1.0}, pose=level))


@pytest.fixture(scope="module")
def shapes() -> np.ndarray:
    return face16_shapes(SyntheticFaces(subjects=150, images_per_subject=2, size=(240, 320)))


def moved(shapes: np.ndarray, seed: int) -> np.ndarray:
    """Every shape turned, resized and shifted at random."""
    generator = np.random.default_rng(seed)
    angle, scale = generator.uniform(-1, 1, len(shapes)), generator.uniform(0.3, 3, len(shapes))
    turn = (scale * np.exp(1j * angle))[:, None]
    points = (shapes[..., 0] + 1j * shapes[..., 1]) * turn + generator.uniform(-90, 90, (len(shapes), 1))
    return np.stack([points.real, points.imag], axis=-1)


def test_alignment_takes_out_place_size_and_tilt(shapes: np.ndarray) -> None:
    # Up to one common turn, size and place: the mean is brought upright.
    np.testing.assert_allclose(upright(moved(shapes, 1)), upright(shapes), atol=1e-6)
    mean = aligned(shapes).mean(axis=0)
    np.testing.assert_allclose(mean[5] - mean[2], [100, 0], atol=1e-6)
    np.testing.assert_allclose(aligned(moved(shapes, 2), rounds=40), aligned(shapes, rounds=40), atol=0.01)


def test_ratios_are_those_of_a_face_drawn_by_hand() -> None:
    face = {
        "brow_left": (-43, -30), "brow_right": (43, -30), "eye_left_outer": (-50, 0), "eye_left_inner": (-22, 0),
        "eye_right_inner": (22, 0), "eye_right_outer": (50, 0), "nasion": (0, -4), "nose_tip": (0, 33),
        "ala_left": (-16, 47), "subnasale": (0, 50), "ala_right": (16, 47), "mouth_left": (-27, 78),
        "upper_lip": (0, 63), "mouth_right": (27, 78), "lower_lip": (0, 94), "chin": (0, 133),
    }  # fmt: skip
    shape = moved(np.array([[face[name] for name in NAMES]], dtype=float), 3)
    places = dict(zip(NAMES, np.moveaxis(upright(shape), 1, 0), strict=True))
    expected = {
        "eye width": 28,
        "nose length": 54,
        "ala width": 32,
        "philtrum": 13,
        "chin height": 39,
        "mouth width": 54,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(RATIOS[name](places), value, atol=1e-6)


def test_scores_of_a_set_on_its_own_components_are_independent_and_of_unit_spread(shapes: np.ndarray) -> None:
    flat = aligned(shapes).reshape(len(shapes), -1)
    scores = components(flat, flat)
    np.testing.assert_allclose(np.cov(scores.T), np.eye(scores.shape[1]), atol=1e-6)


def test_people_of_the_same_kind_are_covered_and_others_are_not(shapes: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    alike = face16_shapes(SyntheticFaces(subjects=80, images_per_subject=2, size=(240, 320), seed=7))
    alike = upright(alike) + 0.9 * rng.standard_normal(alike.shape)
    other = alike.copy()
    other[:, NAMES.index("mouth_left"), 0] -= 25
    same, different = measure_coverage(alike, shapes), measure_coverage(other, shapes)
    assert same.inside > 0.8
    assert same.near > 0.8
    assert different.inside < 0.2
    real, rendered = different.ratios["mouth width"]
    assert real[1] > rendered[1] + 20
    assert "| mouth width |" in different.table()


def test_turned_faces_are_not_frontal() -> None:
    turned = SyntheticFaces(subjects=20, images_per_subject=1, pose={"yaw_deg": [25, 30]})
    straight = SyntheticFaces(subjects=20, images_per_subject=1, pose={"yaw_deg": [-1, 1]})
    assert not is_frontal(upright(face16_shapes(turned))).any()
    assert is_frontal(upright(face16_shapes(straight))).mean() > 0.9


def test_the_report_saves_a_figure(tmp_path: Path) -> None:
    first, second = (SyntheticFaces(subjects=40, images_per_subject=2, seed=seed) for seed in (0, 1))
    report_coverage(first, second, tmp_path / "figures" / "coverage.png")
    with Image.open(tmp_path / "figures" / "coverage.png") as picture:
        assert picture.width > 800


@pytest.mark.skipif(not SFTL54.exists(), reason="the annotations are not on this machine")
def test_rendered_faces_cover_real_ones(resting: np.ndarray) -> None:
    from thermal_landmarks.data.readers.sftl54 import Sftl54

    real = face16_shapes(Sftl54(annotations=SFTL54))
    coverage = measure_coverage(real, face16_shapes(SyntheticFaces(subjects=1000, images_per_subject=1)))
    assert coverage.inside_frontal > 0.93
    assert coverage.near > 0.8
    for name, (truth, rendered) in measure_coverage(real, resting).ratios.items():
        if name not in CONVENTIONS_PERCENT:
            assert abs(truth[1] - rendered[1]) < 2.2, name


def test_where_conventions_differ_the_rendered_points_lie_at_their_mean(resting: np.ndarray) -> None:
    shapes = upright(resting)
    places = dict(zip(NAMES, np.moveaxis(shapes[is_frontal(shapes)], 1, 0), strict=True))
    for name, percent in CONVENTIONS_PERCENT.items():
        assert abs(np.median(RATIOS[name](places)) - percent) < 1.0, name


def test_the_command_needs_nothing_but_two_paths() -> None:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "annotations" in result.output.lower()
