import numpy as np

from thermal_landmarks.data.shapes import mean_shape

FACE = np.array([(-3.0, -2.0), (3.0, -2.0), (0.0, 0.5), (-2.0, 3.0), (2.0, 3.0), (0.0, 6.0)])


def similar(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return FACE @ turn.T * scale + shift


def test_mean_of_similar_shapes_is_that_shape_at_their_mean_tilt() -> None:
    faces = np.array([similar(0.3, 2, (5, 6)), similar(-0.3, 7, (0, 100)), similar(0.0, 1, (9, 9))])
    expected = FACE - FACE.mean(axis=0)
    expected = expected / np.sqrt((expected**2).sum(axis=1).mean())
    np.testing.assert_allclose(mean_shape(faces), expected, atol=0.01)


def test_incomplete_faces_are_left_out_while_there_are_complete_ones() -> None:
    broken = similar(0.8, 1, (0, 0))
    broken[2] = np.nan
    np.testing.assert_array_equal(mean_shape(np.array([FACE, broken])), mean_shape(FACE[None]))
    assert not np.isnan(mean_shape(np.array([broken, broken]))).any()
