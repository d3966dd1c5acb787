"""Graphs made of the shipped exported file: half precision, 8 bits, OpenVINO; and a calibration in pairs of numbers."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.exporting.calibration_graph import CalibrationGraph
from thermal_landmarks.exporting.choice_graph import choice_model
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks, percentile_of
from thermal_landmarks.exporting.export import TOLERANCE_PX
from thermal_landmarks.exporting.face_graphs import Candidates, shows_one_face
from thermal_landmarks.exporting.onnx_file import OPSET, half_precision, image_inputs, write
from thermal_landmarks.exporting.openvino_file import convert, runner
from thermal_landmarks.exporting.parity import Parity, compare_faces
from thermal_landmarks.exporting.quantisation import quantise
from thermal_landmarks.exporting.seen_graph import seen_model
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.face import Face
from thermal_landmarks.inference.finder import LEAST_SCORE, OVERLAP, Finder, is_enough
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import Detections, suppress
from thermal_landmarks.runtime.exported import ExportedFaces, as_faces, shipped_exports


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")


@pytest.fixture(scope="module")
def frames() -> list[ThermalImage]:
    source = SyntheticFaces(subjects=4, images_per_subject=1, size=(120, 160), seed=5)
    return [source.load(annotation) for annotation in source.annotations()]


@pytest.fixture
def shipped() -> onnx.ModelProto:
    return onnx.load(shipped_exports()["thermal_real"])


def all_faces(path: Path) -> Callable[[ThermalImage], list[Face]]:
    return functools.partial(ExportedFaces(path, threads=1).faces, min_score=0.0)


def test_half_precision_halves_the_weights_and_moves_no_landmark_far(
    shipped: onnx.ModelProto, predictor: Predictor, frames: list[ThermalImage], tmp_path: Path
) -> None:
    write(half_precision(shipped), tmp_path / "half.onnx", ExportedFaces().settings)
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * shipped_exports()["thermal_real"].stat().st_size
    parity = compare_faces(all_faces(tmp_path / "half.onnx"), predictor, frames)
    parity.require(TOLERANCE_PX["16"], tmp_path)
    assert parity.largest_px > 1e-3  # it does differ


@pytest.mark.slow
def test_8_bits_are_smaller_and_close(
    shipped: onnx.ModelProto, predictor: Predictor, frames: list[ThermalImage], tmp_path: Path
) -> None:
    write(
        quantise(shipped, [frame for frame in frames if predictor.finder(frame).number][:2]),
        tmp_path / "int8.onnx",
        ExportedFaces().settings,
    )
    model = onnx.load(tmp_path / "int8.onnx")
    assert sum(node.op_type == "QuantizeLinear" for node in model.graph.node) > 20
    # the finder's quick look stays in 32 bits
    assert (tmp_path / "int8.onnx").stat().st_size < 0.95 * shipped_exports()["thermal_real"].stat().st_size
    parity = compare_faces(all_faces(tmp_path / "int8.onnx"), predictor, frames)
    parity.require(TOLERANCE_PX["int8"], tmp_path)


@pytest.mark.slow
def test_openvino_finds_the_same_faces(
    shipped: onnx.ModelProto, predictor: Predictor, frames: list[ThermalImage], tmp_path: Path
) -> None:
    convert(shipped, tmp_path / "faces.xml")
    run = runner(tmp_path / "faces.xml", 1)
    parity = compare_faces(lambda image: as_faces(run(image_inputs(image)), min_score=0.0), predictor, frames)
    assert parity.faces >= 3
    parity.require(0.2, tmp_path)


def test_openvino_shrinks_images_as_onnx_runtime_does(tmp_path: Path) -> None:
    model = seen_model(96, OPSET)
    convert(model, tmp_path / "seen.xml")
    given = {
        "images": np.random.default_rng(0).normal(30, 3, (1, 300, 400)).astype(np.float32),
        "celsius": np.array(True),
    }
    gray = runner(tmp_path / "seen.xml", 1)(given)["gray"]
    expected, _ = run(model, **given)
    assert gray.shape == expected.shape
    assert np.abs(gray - expected).max() < 1.01 / 127.5  # one of 256 levels, where a value is rounded


def test_a_file_that_says_something_else_is_refused_and_deleted(tmp_path: Path) -> None:
    same = Parity(frames=4, faces=4, unmatched=0, median_px=0.1, largest_px=0.2, largest_confidence=0.0)
    same.require(0.3, Path("a.onnx"))
    with pytest.raises(DataError, match=r"a\.onnx differs from the network: landmarks of a face by 0\.2 pixels"):
        same.require(0.1, Path("a.onnx"))
    with pytest.raises(DataError, match="not one face"):
        Parity(4, 0, 0, 0.0, 0.0, 0.0).require(1.0, Path("a.onnx"))
    with pytest.raises(DataError, match="found by one alone"):
        Parity(4, 4, 2, 0.0, 0.0, 0.0).require(1.0, Path("a.onnx"))
    files = [tmp_path / name for name in ("a.xml", "a.bin")]
    for file in files:
        file.touch()
    same.require_or_delete(0.3, files)
    assert all(file.exists() for file in files)
    with pytest.raises(DataError, match=r"a\.xml differs"):
        same.require_or_delete(0.1, files)
    assert not any(file.exists() for file in files)


def run(model: onnx.ModelProto, **given: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    results: list[np.ndarray] = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, given)
    return results


def candidates(images: np.ndarray) -> tuple[np.ndarray, ...]:
    """Boxes, scores and directions of all cells: the graph of images' gray levels, then the network in PyTorch."""
    parts = Candidates(Finder.from_checkpoint())
    gray, longest = run(seen_model(parts.longest_side, OPSET), images=images, celsius=np.array(True))
    with torch.inference_mode():
        return tuple(part.numpy() for part in parts.cells(torch.from_numpy(gray), torch.from_numpy(longest)))


@pytest.mark.parametrize("size", [(120, 160), (96, 70), (300, 500)])
def test_candidates_are_what_the_finder_finds(frames: list[ThermalImage], size: tuple[int, int]) -> None:
    finder = Finder.from_checkpoint()
    values = torch.nn.functional.interpolate(torch.from_numpy(frames[0].values)[None, None], size, mode="bilinear")
    image = ThermalImage(values[0, 0].numpy(), "celsius")
    boxes, score, directions = candidates(image.values[None])
    found = finder(image, threshold=0.3)
    assert found.number
    best = int(score.argmax())
    cosine, sine = directions[0, best]
    np.testing.assert_allclose(boxes[0, best], found.boxes_px[0], atol=0.05)
    assert float(score.flatten()[best]) == pytest.approx(float(found.score[0]), abs=1e-3)
    assert np.arctan2(sine, cosine) == pytest.approx(float(found.angle[0]), abs=1e-3)


def test_a_batch_of_images_is_seen_as_each_alone(frames: list[ThermalImage]) -> None:
    images = np.stack([frame.values for frame in frames[:2]])
    together, alone = candidates(images), [candidates(image[None]) for image in images]
    for part, ours in enumerate(together):
        np.testing.assert_allclose(ours, np.concatenate([each[part] for each in alone]), atol=1e-3)


@pytest.mark.parametrize(("size", "side"), [((60, 80), 448), ((333, 500), 224), ((64, 900), 224)])
@pytest.mark.parametrize("celsius", [True, False])
def test_gray_levels_span_the_percentiles_of_an_image(size: tuple[int, int], side: int, celsius: bool) -> None:
    values = np.random.default_rng(0).normal(20, 15, (1, *size)).astype(np.float32)
    gray, longest = run(seen_model(side, OPSET), images=values, celsius=np.array(celsius))
    small = [max(1, round(each * side / max(size))) for each in size]
    limited = torch.from_numpy(values.clip(0, 45) if celsius else values)[:, None]
    seen = torch.nn.functional.interpolate(limited, small, mode="bilinear", antialias=True)[0, 0].numpy()
    step = {224: 1, 448: 2}[side]
    low, high = np.percentile(seen[::step, ::step], [0.5, 99.5])
    levels = ((seen - low) * (255 / (high - low))).clip(0, 255)
    assert longest == max(size)
    assert gray.shape == (1, 1, *(-(-each // 32) * 32 for each in small))
    np.testing.assert_allclose((gray[0, 0, : small[0], : small[1]] + 1) * 127.5, levels, atol=0.51)
    assert (gray[0, 0, small[0] :] == -1).all()
    assert (gray[0, 0, :, small[1] :] == -1).all()


def test_one_candidate_is_chosen_for_each_face_of_each_image() -> None:
    draw, cells = np.random.default_rng(0), 30
    low = draw.uniform(0, 60, (2, cells, 2))
    boxes = np.concatenate([low, low + draw.uniform(5, 60, (2, cells, 2))], axis=2).astype(np.float32)
    score = draw.uniform(0, 1, (2, 1, cells)).astype(np.float32)
    directions = draw.normal(size=(2, cells, 2)).astype(np.float32)
    image, *chosen = run(choice_model(OPSET), cells=boxes, scores=score, directions=directions)
    for number in range(2):
        angle = np.arctan2(directions[number, :, 1], directions[number, :, 0])
        seen = Detections(boxes[number], score[number, 0], angle)
        expected = suppress(seen.take(np.flatnonzero(seen.score > LEAST_SCORE)), OVERLAP)
        ours = Detections(*(part[image == number] for part in chosen)).take(np.argsort(-chosen[1][image == number]))
        assert expected.number > 3
        for part, wanted in zip(ours, expected, strict=True):
            np.testing.assert_allclose(part, wanted, rtol=1e-5)


def test_a_direction_without_length_has_no_angle() -> None:
    given = {"cells": np.array([[[0, 0, 9, 9]]]), "scores": np.array([[[0.9]]]), "directions": np.zeros((1, 1, 2))}
    *_, angle = run(choice_model(OPSET), **{name: value.astype(np.float32) for name, value in given.items()})
    assert angle.tolist() == [0]


def test_crops_of_a_network_without_cascade_are_predicted_as_images(make_checkpoint: Any) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(scheme="face16"), device="cpu", flip_tta=False)
    landmarks = CropLandmarks(predictor)
    crops = np.random.default_rng(0).uniform(20, 36, (2, *landmarks.size)).astype(np.float32)
    with torch.inference_mode():
        points = landmarks(torch.from_numpy(crops), torch.tensor(True)).numpy()
    whole = (-0.5, -0.5, landmarks.size[1] - 0.5, landmarks.size[0] - 0.5)
    np.testing.assert_allclose(points, predictor(crops, boxes_px=[whole, whole]), atol=0.05)


def test_a_quick_look_is_enough_in_the_graph_where_it_is_for_the_finder() -> None:
    draw, told = np.random.default_rng(0), []
    for _ in range(60):
        low = draw.uniform(0, 60, (4, 2))
        boxes = np.concatenate([low, low + draw.uniform(5, 60, (4, 2))], axis=1).astype(np.float32)
        boxes[1] = boxes[0] + draw.uniform(0, 8)
        score = np.where(draw.random(4) < [1, 0.7, 0.1, 0.1], draw.uniform(0.1, 1, 4), 0.0).astype(np.float32)
        found = suppress(Detections(boxes, score, np.zeros(4)).take(np.flatnonzero(score > LEAST_SCORE)), OVERLAP)
        best = torch.tensor([int(score.argmax())])
        enough = shows_one_face(torch.from_numpy(boxes.T), torch.from_numpy(score), best, torch.tensor([160.0]))
        told.append(is_enough(found, 160))
        assert bool(enough) == told[-1]
    assert 10 < sum(told) < 50


def test_a_quick_look_runs_the_finer_one_only_where_it_must(shipped: onnx.ModelProto) -> None:
    (decided,) = (node for node in shipped.graph.node if node.op_type == "If")
    branches = {attribute.name: attribute.g for attribute in decided.attribute}
    assert not any(node.op_type == "Conv" for node in branches["then_branch"].node)
    assert sum(node.op_type == "Conv" for node in branches["else_branch"].node) > 20


def test_the_contrast_of_crops_is_that_of_numpy_percentile() -> None:
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 777)).astype(np.float32))
    for percentile in (0.0, 1.0, 37.3, 50.0, 99.0, 100.0):
        np.testing.assert_allclose(
            percentile_of(values, percentile), np.percentile(values.numpy(), percentile, axis=1), atol=1e-6
        )


def test_a_calibration_in_the_graph_moves_points_as_numpy_does() -> None:
    rng, scheme = np.random.default_rng(0), get_scheme("face16")
    reference = rng.normal(0, 0.5, (16, 2))
    offsets, by_yaw, by_pitch = rng.normal(0, 0.05, (3, 16, 2))
    calibration = Calibration(reference - reference.mean(axis=0), offsets, by_yaw, by_pitch, (0.3, 0.2), faces=12)
    points = rng.uniform(0, 300, (2, 5, 16, 2)).astype(np.float32)
    moved = CalibrationGraph(calibration, scheme)(torch.from_numpy(points))
    expected = calibration.apply(points, scheme)
    assert np.abs(expected - points).max() > 1
    np.testing.assert_allclose(moved.numpy(), expected, atol=1e-2)
