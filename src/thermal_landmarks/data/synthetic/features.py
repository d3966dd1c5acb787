"""All small features of a face, painted into the texture."""

from thermal_landmarks.data.synthetic.chin import paint_chin
from thermal_landmarks.data.synthetic.eyes import paint_brow, paint_eye
from thermal_landmarks.data.synthetic.mouth import paint_mouth
from thermal_landmarks.data.synthetic.nose import paint_nasolabial_fold, paint_nose
from thermal_landmarks.data.synthetic.person import Moment, Person
from thermal_landmarks.data.synthetic.pores import paint_pores
from thermal_landmarks.data.synthetic.skin import Canvas


def paint_features(canvas: Canvas, person: Person, moment: Moment) -> None:
    """Brows, eyes, nose, folds, chin, mouth and pores."""
    forehead_c = person.forehead_c + moment.drift_k
    for side in (-1, 1):
        paint_brow(canvas, side, person)
        paint_eye(canvas, side, person, moment.eye_opening, forehead_c)
    paint_nose(canvas, person, forehead_c, moment)
    paint_nasolabial_fold(canvas, person)
    paint_chin(canvas, person)
    paint_mouth(canvas, person, moment.expression_mm.get("mouth_open", 0.0), forehead_c)
    paint_pores(canvas, person.pores, moment.perspiration)
