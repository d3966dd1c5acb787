import numpy as np
import torch

from thermal_landmarks.data.scenes.batch import Faces, move_faces, sort_out


def ellipse(box: np.ndarray, angle: float, count: int = 720) -> np.ndarray:
    """Points on the ellipse of axes a and b = 1.35 a that leans by `angle` within the box's middle."""
    t = np.linspace(0, 2 * np.pi, count)
    a, b = 10.0, 13.5
    across, up = np.array([np.cos(angle), np.sin(angle)]), np.array([np.sin(angle), -np.cos(angle)])
    return (box[:2] + box[2:]) / 2 + np.outer(a * np.cos(t), across) + np.outer(b * np.sin(t), up)


def test_boxes_and_angles_follow_turned_scaled_and_mirrored_pictures() -> None:
    draw = np.random.default_rng(0)
    for mirrored in (False, True):
        for _ in range(20):
            angle, turn, scale = draw.uniform(-0.6, 0.6), draw.uniform(-0.5, 0.5), draw.uniform(0.5, 2)
            outline = ellipse(np.array([40.0, 50, 60, 70]), angle)
            box = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
            linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            linear = linear @ np.diag([-1.0 if mirrored else 1.0, 1.0])
            matrix = np.column_stack([linear, draw.uniform(-20, 20, 2)])
            moved = outline @ matrix[:, :2].T + matrix[:, 2]
            faces = Faces(
                torch.tensor(box)[None, None],
                torch.tensor([[angle]], dtype=torch.float64),
                torch.ones(1, 1, dtype=torch.bool),
                torch.zeros(1, 1, dtype=torch.bool),
            )
            changed = move_faces(faces, torch.tensor(matrix)[None])
            wanted = np.concatenate([moved.min(axis=0), moved.max(axis=0)])
            np.testing.assert_allclose(changed.boxes_px[0, 0], wanted, atol=0.3 * scale)
            assert abs(float(changed.angle) - ((-angle if mirrored else angle) + turn)) < 1e-6


def test_small_huge_and_cut_faces_are_ignored_and_empty_rows_stay_empty() -> None:
    boxes = torch.tensor(
        [[[10.0, 10, 20, 20], [10, 10, 13, 13], [-20, 10, -5, 20], [-90, -90, 200, 200], [0, 0, 0, 0]]]
    )
    boxes[0, 4] = torch.nan
    wanted = torch.tensor([[True, True, True, True, False]])
    faces = sort_out(Faces(boxes, torch.zeros(1, 5), wanted, torch.zeros_like(wanted)), (60, 80), 7.0)
    assert faces.wanted.tolist() == [[True, False, False, False, False]]
    assert faces.ignored.tolist() == [[False, True, True, True, False]]


def test_a_long_region_that_is_ignored_keeps_its_shape_and_a_face_that_of_faces() -> None:
    boxes = torch.tensor([[[10.0, 10, 90, 20], [10, 10, 90, 20]]])
    wanted = torch.tensor([[False, True]])
    moved = move_faces(Faces(boxes, torch.zeros(1, 2), wanted, ~wanted), torch.tensor([[[2.0, 0, 1], [0, 2, 3]]]))
    np.testing.assert_allclose(moved.boxes_px[0, 0], [21, 23, 181, 43], atol=1e-3)
    assert moved.boxes_px[0, 1, 2] < 170
