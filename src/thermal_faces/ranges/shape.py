"""What anatomy, expressions and poses are drawn from.

A pair is the lowest and the highest value of a uniform draw; `deviations` are standard deviations of a normal draw
that is cut off at 2.5 deviations; a probability is the share of subjects or images that have the thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_faces.randomness import Range
from thermal_faces.ranges.from_config import LATER


def _identity_deviations() -> dict[str, float]:
    return {
        "head_width": 3.5, "head_depth": 4.5, "forehead_height": 6.0, "forehead_slope": 4.0, "face_length": 4.5,
        "jaw_width": 3.5, "jaw_angle": 2.5, "jowls": 2.5, "double_chin": 3.0, "chin_length": 4.0,
        "chin_projection": 3.5, "chin_width": 3.0, "cheek_fullness": 3.5, "cheekbone": 2.2, "midface_depth": 2.5,
        "temple_width": 2.5, "eye_spacing": 1.8, "eye_width": 1.4, "eye_height": 1.0, "eye_tilt": 1.2,
        "eye_depth": 1.4, "brow_height": 2.4, "brow_spacing": 2.4, "brow_tilt": 1.4, "brow_ridge": 1.6,
        "nasion_height": 2.4, "nasion_depth": 1.4, "nose_bridge": 1.8, "nose_length": 2.6, "nose_width": 1.8,
        "nose_projection": 2.6, "nose_tip_lift": 2.0, "nose_base": 1.0, "nose_base_depth": 1.5,
        "ala_height": 1.2, "mouth_width": 2.6, "mouth_height": 1.8, "mouth_corners": 1.2,
        "upper_lip_fullness": 2.2, "lower_lip_fullness": 1.9, "lip_protrusion": 2.2, "lower_lip_depth": 1.5,
        "nose_sideways": 1.0, "bridge_sideways": 0.7, "mouth_sideways": 1.0, "chin_sideways": 1.5,
        "eyes_uneven": 0.7, "brows_uneven": 0.9, "mouth_uneven": 0.6,
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AnatomyRanges:
    """A person's shape."""

    scale: Range = (0.86, 1.08)  # size of the whole head, relative to the mean adult
    # Standard deviation of each field of `shape_modes.identity_modes`
    deviations_mm: Mapping[str, float] = field(default_factory=_identity_deviations)
    upper_lip_thinner_mm: Range = field(
        default=(0.0, 0.0), metadata=LATER
    )  # how far the upper border of the red lies below the mean head's
    lower_lip_thinner_mm: Range = field(
        default=(0.0, 0.0), metadata=LATER
    )  # how far the lower border of the red lies above it
    eye_bulge_mm: Range = field(
        default=(0.0, 0.0), metadata=LATER
    )  # how far the eyeball stands out between the corners of the eye


@dataclass(frozen=True, kw_only=True)
class ExpressionRanges:
    """What a face does in one image."""

    neutral: float = 0.35  # probability of a face at rest
    active: float = 0.22  # probability of each field of `weights_mm` in a face that isn't at rest
    # Range of each field of `shape_modes.expression_modes`
    weights_mm: Mapping[str, Range] = field(
        default_factory=lambda: {
            "mouth_open": (1.0, 20.0), "smile": (1.0, 8.0), "frown": (1.0, 4.0), "pucker": (1.0, 6.0),
            "mouth_aside": (-4.0, 4.0), "mouth_wide": (1.0, 5.0), "mouth_tilt": (-2.5, 2.5), "jaw_aside": (-6.0, 6.0),
            "lip_raise": (0.5, 3.5), "lip_drop": (0.5, 3.5), "lip_press": (0.5, 3.0), "cheek_puff": (2.0, 9.0),
            "squint": (1.0, 4.0), "nose_wrinkle": (0.5, 3.0), "brow_raise": (-2.0, 6.0), "brows_askew": (-2.5, 2.5),
            "brow_knit": (1.0, 4.0),
        }
    )  # fmt: skip
    yawn: float = 0.07  # probability of a mouth that is wide open, among the faces that aren't at rest
    yawn_mm: Range = (20.0, 35.0)  # range of `mouth_open` then
    parted: float = (
        0.3  # probability of lips a little apart, as in talking, among faces not at rest with a closed mouth
    )
    parted_mm: Range = (0.5, 5.0)  # range of `mouth_open` then
    eyes_closed: float = 0.12  # probability of closed eyes
    half_open: float = 0.12  # probability of half-open eyes, among those that aren't closed
    half_opening: Range = (0.08, 0.45)  # their lid opening
    eye_opening: Range = (0.45, 1.0)  # lid opening of open eyes (1: wide open)


@dataclass(frozen=True, kw_only=True)
class PoseRanges:
    """Where the head is and how it is turned."""

    # Turn to the side; this and the next two are drawn more often near 0 (triangular on each side)
    yaw_deg: Range = (-55.0, 55.0)
    pitch_deg: Range = (-25.0, 34.0)  # positive: the face is lifted, or seen from below
    roll_deg: Range = (-20.0, 20.0)  # tilt in the image plane
    # From the camera (sets the perspective); short ones more often (uniform in the logarithm)
    distance_m: Range = (0.4, 2.5)
    face_height: Range = (0.2, 0.9)  # hairline to chin as a fraction of the frame's height
    # Vertical angle of the lens. Then the distance says how large a face is, and `face_height` nothing. 0: a zoom lens
    # that makes every face as large as `face_height`.
    field_of_view_deg: float = 0.0
    # How far below the face the camera stands, as an angle; faces and shoulders are then seen from below, beside what
    # `pitch_deg` adds to the head
    camera_below_deg: Range = (0.0, 0.0)
    hairline_cut: float = 0.4  # probability that the hairline need not be in the frame
    position_x: Range = (0.1, 0.9)  # 0: landmarks touch the left margin, 1: the right one
    position_y: Range = (0.1, 0.9)  # 0: landmarks touch the upper margin, 1: the lower one
    margin: float = 0.03  # kept free around the landmarks, as a fraction of the frame's height
    body_follows_head: Range = (0.0, 0.6)  # share of the head's turn that the shoulders make too
