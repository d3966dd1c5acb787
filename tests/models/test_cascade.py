"""From coarse to fine: a network that reads marks exactly gives back exact points; stages as batches change nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from thermal_landmarks.data.batch import to_unit
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.crops import cut_crops, face_crops, whole_crops
from thermal_landmarks.models.cascade import last_stage, locate, locate_both_ways

FACE = ((-3.0, -2.0), (3.0, -2.0), (0.0, 0.5), (-2.0, 3.0), (2.0, 3.0), (0.0, 6.0))


def spots(points: np.ndarray, size: tuple[int, int], sigma: float = 1.5) -> torch.Tensor:
    y, x = np.mgrid[: size[0], : size[1]]
    image = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2)) for px, py in points)
    return torch.from_numpy(np.asarray(image, np.float32))[None, None]


def brightest(views: torch.Tensor) -> torch.Tensor:
    """A "network" for six equal spots that guesses the whole face from their centroid and spread."""
    weight = (views[:, 0] - 0.2).clamp(min=0)
    height, width = weight.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    total = weight.sum(dim=(1, 2))
    centre = torch.stack([(weight * x).sum(dim=(1, 2)) / total, (weight * y).sum(dim=(1, 2)) / total], dim=1)
    spread = ((weight * (x - centre[:, :1, None]) ** 2).sum(dim=(1, 2)) / total).sqrt()
    face = torch.tensor(FACE)
    face = face - face.mean(dim=0)
    points = centre[:, None] + face * (spread / face[:, 0].std(correction=0))[:, None, None]
    return to_unit(points, (height, width))


def test_more_looks_come_closer_to_the_truth() -> None:
    truth = np.array(FACE) * 4 + [150, 60]
    frames = spots(truth, (180, 240), sigma=1.5)
    errors = []
    for stages in (1, 3):
        cascade = Cascade(crop_size=(48, 48), stages=stages, reference=FACE, percentiles=None)
        points = locate(brightest, frames, cascade)[0] * torch.tensor([240, 180]) - 0.5
        errors.append(float((points - torch.from_numpy(truth)).norm(dim=1).mean()))
    assert errors[1] < 0.7
    assert errors[1] < errors[0] / 2


def test_the_last_look_averages_views_of_several_sizes() -> None:
    frames = spots(np.array(FACE) * 4 + [150, 60], (180, 240))
    calls = []

    def biased(views: torch.Tensor) -> torch.Tensor:
        """Exact, but for an error that changes sign from view to view of a stage."""
        points = brightest(views)
        calls.append((points.amax(dim=(1, 2)) - points.amin(dim=(1, 2))).tolist())
        return points + 0.02 * (-1.0) ** torch.arange(len(views))[:, None, None]

    single, double = (
        locate(
            biased, frames, Cascade(crop_size=(48, 48), stages=2, reference=FACE, percentiles=None, last_sizes=sizes)
        )
        for sizes in ((1.0,), (0.8, 1.2))
    )
    assert [len(stage) for stage in calls] == [1, 1, 1, 2]
    assert calls[3][1] == pytest.approx(1.5 * calls[3][0], rel=0.1)
    exact = locate(brightest, frames, Cascade(crop_size=(48, 48), stages=2, reference=FACE, percentiles=None))
    assert (double - exact).abs().max() < (single - exact).abs().max() / 2


def one_by_one(network: torch.nn.Module, frame: torch.Tensor, cascade: Cascade) -> torch.Tensor:
    """Reference: one frame, one view after the other."""

    def look(matrix: torch.Tensor) -> torch.Tensor:
        view = network(cut_crops(frame, matrix[None], cascade))[0] * torch.tensor(cascade.crop_size[::-1]) - 0.5
        return torch.linalg.solve(matrix[:, :2], (view - matrix[:, 2]).T).T

    size, valid = torch.tensor(frame.shape[:1:-1]), torch.ones(1, 6, dtype=torch.bool)
    points = look(whole_crops(frame, cascade)[0])
    for stage in range(2, cascade.stages + 1):
        sizes = cascade.last_sizes if stage == cascade.stages else (1.0,)
        closer = [replace(cascade, face_size=cascade.face_size * share) for share in sizes]
        matrices = [face_crops(points[None], valid, each, frame.shape[-2])[0] for each in closer]
        points = torch.stack([look(matrix) for matrix in matrices]).mean(dim=0)
    return (points + 0.5) / size


def test_stages_as_batches_give_what_views_one_by_one_give() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 5, stride=4), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.LazyLinear(12)
    )
    network = torch.nn.Sequential(network, torch.nn.Sigmoid(), torch.nn.Unflatten(1, (6, 2)))
    cascade = Cascade(crop_size=(32, 32), stages=3, reference=FACE, last_sizes=(0.9, 1.0, 1.2))
    frames = torch.rand(3, 1, 61, 90)
    order = torch.tensor([1, 0, 2, 4, 3, 5])
    with torch.no_grad():
        batched = locate_both_ways(lambda images: locate(network, images, cascade), frames, order)
        for row, frame in enumerate(frames[:, None]):
            mirrored = one_by_one(network, frame.flip(-1), cascade)[order] * torch.tensor([-1, 1]) + torch.tensor(
                [1, 0]
            )
            expected = (one_by_one(network, frame, cascade) + mirrored) / 2
            assert float(((batched[row] - expected) * torch.tensor([90, 61])).norm(dim=1).max()) < 0.01


def test_several_faces_of_a_frame_are_those_of_a_frame_each() -> None:
    faces = [np.array(FACE) * 4 + [60, 60], np.array(FACE) * 5 + [160, 80]]
    frames = spots(np.concatenate(faces), (180, 240))
    frames = torch.cat([frames, frames.flip(-1)])
    cascade = Cascade(crop_size=(48, 48), stages=3, reference=FACE, percentiles=None, last_sizes=(0.9, 1.1))
    start = torch.stack([torch.from_numpy(face).float() for face in faces])
    start = torch.stack([start, start * torch.tensor([-1, 1]) + torch.tensor([239, 0])], dim=1).flatten(0, 1)
    together = last_stage(brightest, frames, cascade, start)
    for row in range(4):
        alone = last_stage(brightest, frames[row % 2][None], cascade, start[row][None])
        torch.testing.assert_close(together[:, row], alone[:, 0])
