"""All small features of a face, painted into the texture."""

from thermal_faces.person import FrameState, Person
from thermal_faces.skin.eyes import paint_brow, paint_eye
from thermal_faces.skin.mouth import paint_chin, paint_mouth
from thermal_faces.skin.nose import paint_nasolabial_fold, paint_nose
from thermal_faces.skin.pores import paint_pores
from thermal_faces.skin.temperature_map import Canvas


def paint_features(canvas: Canvas, person: Person, frame_state: FrameState) -> None:
    """Brows, eyes, nose, folds, chin, mouth and pores."""
    forehead_c = person.forehead_c + frame_state.drift_k
    for side in (-1, 1):
        paint_brow(canvas, side, person)
        paint_eye(canvas, side, person, frame_state.eye_opening, forehead_c)
    paint_nose(canvas, person, forehead_c, frame_state)
    paint_nasolabial_fold(canvas, person)
    paint_chin(canvas, person)
    paint_mouth(canvas, person, frame_state.expression_mm.get("mouth_open", 0.0), forehead_c)
    paint_pores(canvas, person.pores, frame_state.perspiration)
