"""What anatomy, expressions and poses are drawn from.

A pair is the lowest and the highest value of a uniform draw; `deviations` are standard deviations of a normal draw
that is cut off at 2.5 deviations; a probability is the share of subjects or images that have the thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_landmarks.data.synthetic.randomness import Range


def _identity_deviations() -> dict[str, float]:
    return {
        "head_width": 3.0, "head_depth": 4.0, "forehead_height": 6.0, "forehead_slope": 4.0, "face_length": 5.0,
        "jaw_width": 3.5, "chin_length": 3.0, "chin_projection": 2.5, "chin_width": 2.5, "cheek_fullness": 3.0,
        "cheekbone": 2.0, "temple_width": 2.0, "eye_spacing": 1.7, "eye_width": 1.1, "eye_height": 1.0,
        "eye_tilt": 1.0, "eye_depth": 1.2, "brow_height": 2.2, "brow_tilt": 1.2, "brow_ridge": 1.5,
        "nasion_height": 2.0, "nasion_depth": 1.2, "nose_length": 2.6, "nose_width": 1.4, "nose_projection": 2.6,
        "nose_tip_lift": 1.8, "mouth_width": 2.0, "mouth_height": 1.8, "upper_lip_fullness": 1.3,
        "lower_lip_fullness": 1.4, "lip_protrusion": 1.8, "nose_sideways": 0.7, "mouth_sideways": 0.7,
        "chin_sideways": 0.9, "eyes_uneven": 0.5, "brows_uneven": 0.6,
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AnatomyRanges:
    """A person's shape.

    Attributes:
        scale: Size of the whole head, relative to the mean adult.
        deviations_mm: Standard deviation of each field of `shape_modes.identity_modes`.
    """

    scale: Range = (0.92, 1.07)
    deviations_mm: Mapping[str, float] = field(default_factory=_identity_deviations)


@dataclass(frozen=True, kw_only=True)
class ExpressionRanges:
    """What a face does in one image.

    Attributes:
        neutral: Probability of a face at rest.
        active: Probability of each field of `weights_mm` in a face that isn't at rest.
        weights_mm: Range of each field of `shape_modes.expression_modes`.
        eyes_closed: Probability of closed eyes.
        eye_opening: Lid opening of open eyes (1: wide open).
    """

    neutral: float = 0.4
    active: float = 0.35
    weights_mm: Mapping[str, Range] = field(
        default_factory=lambda: {
            "mouth_open": (1.0, 20.0), "smile": (1.0, 7.0), "frown": (1.0, 4.0), "pucker": (1.0, 5.0),
            "mouth_aside": (-4.0, 4.0), "brow_raise": (-2.0, 6.0), "brow_knit": (1.0, 4.0), "lip_raise": (0.5, 3.0),
        }
    )  # fmt: skip
    eyes_closed: float = 0.12
    eye_opening: Range = (0.45, 1.0)


@dataclass(frozen=True, kw_only=True)
class PoseRanges:
    """Where the head is and how it is turned.

    Attributes:
        yaw_deg: Turn to the side.
        pitch_deg: Positive: the face is lifted.
        roll_deg: Tilt in the image plane.
        distance_m: From the camera (sets the perspective).
        face_height: Hairline to chin as a fraction of the frame's height.
        position_x: 0: landmarks touch the left margin, 1: the right one.
        position_y: 0: landmarks touch the upper margin, 1: the lower one.
        margin: Kept free around the landmarks, as a fraction of the frame's height.
        body_follows_head: Share of the head's turn that the shoulders make too.
    """

    yaw_deg: Range = (-30.0, 30.0)
    pitch_deg: Range = (-15.0, 15.0)
    roll_deg: Range = (-15.0, 15.0)
    distance_m: Range = (0.6, 2.0)
    face_height: Range = (0.35, 0.75)
    position_x: Range = (0.1, 0.9)
    position_y: Range = (0.1, 0.9)
    margin: float = 0.03
    body_follows_head: Range = (0.0, 0.6)
