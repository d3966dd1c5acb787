import math

import pytest
import torch

from thermal_landmarks.data.scenes.batch import Faces
from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.models.face_decoding import decode
from thermal_landmarks.training.face_loss import FaceLoss, FaceTargets, face_targets, focal_loss, giou


def faces_of(*rows: tuple[tuple[float, float, float, float], float, bool]) -> Faces:
    """One picture with faces of (box, angle, whether wanted rather than ignored), and a row without one."""
    boxes = torch.tensor([[*(box for box, _, _ in rows), (math.nan,) * 4]])
    angle = torch.tensor([[*(angle for _, angle, _ in rows), 0.0]])
    wanted = torch.tensor([[*(wanted for _, _, wanted in rows), False]])
    ignored = torch.tensor([[*(not wanted for _, _, wanted in rows), False]])
    return Faces(boxes, angle, wanted, ignored)


TWO = faces_of(((3.0, 5.0, 23.0, 33.0), 0.3, True), ((40.0, 8.0, 47.0, 17.0), -0.2, True))


def maps_that_say(targets: FaceTargets, sure: float = 8.0) -> FaceMaps:
    score = torch.where(targets.heat == 1, sure, -sure)
    return FaceMaps(score, targets.box.clone(), targets.angle.clone())


def test_maps_that_say_what_the_targets_want_decode_to_the_faces() -> None:
    targets = face_targets(TWO, 4, (10, 14))
    assert int((targets.heat == 1).sum()) == 2
    assert targets.weight.sum().item() == pytest.approx(2)
    (found,) = decode(maps_that_say(targets), 4, threshold=0.5)
    order = found.boxes_px[:, 0].argsort()
    torch.testing.assert_close(torch.from_numpy(found.boxes_px[order]), TWO.boxes_px[0, :2])
    torch.testing.assert_close(torch.from_numpy(found.angle[order]), TWO.angle[0, :2])
    loss, parts = FaceLoss()(maps_that_say(targets), targets)
    assert float(loss) < 1e-3
    assert max(float(part) for part in parts) < 1e-3


def test_scores_inside_ignored_faces_do_not_count() -> None:
    targets = face_targets(faces_of(((3.0, 5.0, 23.0, 33.0), 0.0, False)), 4, (10, 14))
    assert not targets.heat.any()
    assert not targets.counts[0, 2:8, 1:5].any()
    assert targets.counts[0, :, 7:].all()
    inside = torch.full((1, 10, 14), -20.0)
    inside[0, 4, 3] = 5.0
    assert float(focal_loss(inside, targets)) < 1e-6
    outside = inside.roll(7, dims=2)
    assert float(focal_loss(outside, targets)) > 1


def test_giou_is_that_of_a_hand_computed_pair() -> None:
    first = torch.tensor([2.0, 2.0, 4.0, 4.0]).view(1, 4, 1, 1)
    second = torch.tensor([4.0, 2.0, 4.0, 2.0]).view(1, 4, 1, 1)
    # shared 2 x 2, union 16 + 8 - 4, hull 6 x 4
    assert giou(first, second).item() == pytest.approx(4 / 20 - (24 - 20) / 24)
    assert giou(first, first).item() == pytest.approx(1)


def test_gradients_are_finite_for_pictures_with_and_without_faces() -> None:
    for faces in (TWO, faces_of()):
        targets = face_targets(faces, 4, (10, 14))
        values = torch.randn(1, 7, 10, 14, generator=torch.Generator().manual_seed(0)).requires_grad_()
        size = values[:, 3:5].exp()
        maps = FaceMaps(values[:, 0], torch.cat([values[:, 1:3], size], dim=1), values[:, 5:7])
        loss, _ = FaceLoss()(maps, targets)
        loss.backward()
        assert values.grad is not None
        assert values.grad.isfinite().all()
