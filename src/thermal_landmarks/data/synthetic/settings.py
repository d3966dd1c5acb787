"""Every range that the renderer draws from, in groups; `conf/data/synthetic.yaml` shows the same numbers.

A pair is the lowest and the highest value of a uniform draw; `deviations` are standard deviations of a normal draw
that is cut off at 2.5 deviations; a probability is the share of subjects or images that have the thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from thermal_landmarks.data.synthetic.randomness import Range
from thermal_landmarks.errors import ConfigError


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


@dataclass(frozen=True, kw_only=True)
class TemperatureRanges:
    """Temperatures of skin, hair and clothes in degrees Celsius; differences (`_k`) are relative to the forehead.

    Attributes:
        forehead_c: Of a subject.
        drift_k: Change of the whole face from image to image.
        regions_k: Difference of each region of the skin, of a subject.
        region_drift_k: Change of each region from image to image (standard deviation).
        blotch_k: Standard deviation of the irregular skin pattern.
        vessel_k: Warmth of superficial vessels.
        grain_k: Standard deviation of the skin's fine mottling.
        nostril_k: Of the nostrils, which swing with the breath.
        mouth_line_k: Of the line between closed lips: warm in some, cold in others.
        upper_lip_k: Of the upper lip's red.
        lower_lip_k: Of the lower lip's red.
        mouth_cavity_k: Of an open mouth.
        upper_lid_k: Between eye and brow.
        under_eye_k: Of the crescent below the eye.
        ala_k: Of the wings of the nose.
        nose_groove_k: Beside the root of the nose.
        lid_fold_k: Lines of the eyelids.
        eyeball_k: Of the cornea.
        brow_k: Of the brows.
        beard_k: Of a full beard.
        grazing_loss: How far skin seen edge-on takes on the ambient temperature.
        hair_warmth: Hair surface between ambient (0) and skin (1).
        cloth_warmth: Clothes between ambient (0) and skin (1).
    """

    forehead_c: Range = (33.2, 36.0)
    drift_k: Range = (-0.4, 0.4)
    regions_k: Mapping[str, Range] = field(
        default_factory=lambda: {
            "nose": (-4.5, 0.3), "nose_bridge": (-1.2, 0.4), "cheeks": (-2.6, 0.0), "lower_cheeks": (-1.4, 0.2),
            "inner_eyes": (0.3, 1.0),
            "orbits": (-0.2, 0.5), "temples": (0.0, 0.9), "glabella": (0.0, 0.6), "perioral": (-0.6, 0.7),
            "chin": (-1.6, 0.2), "jaw": (-1.2, 0.3), "nasolabial": (0.1, 0.8), "upper_forehead": (-0.5, 0.4),
            "neck": (-0.3, 1.0), "ears": (-4.5, -0.3), "under_jaw": (0.0, 1.2),
        }
    )  # fmt: skip
    region_drift_k: float = 0.25
    blotch_k: Range = (0.1, 0.35)
    vessel_k: Range = (0.0, 0.7)
    grain_k: Range = (0.03, 0.15)
    nostril_k: Range = (-2.0, 1.5)
    mouth_line_k: Range = (-0.9, 0.9)
    upper_lip_k: Range = (-0.7, 0.6)
    lower_lip_k: Range = (-1.4, 0.4)
    mouth_cavity_k: Range = (-1.5, 1.5)
    upper_lid_k: Range = (-0.1, 0.8)
    under_eye_k: Range = (-0.8, 0.3)
    ala_k: Range = (-2.2, 0.2)
    nose_groove_k: Range = (-1.0, 0.4)
    lid_fold_k: Range = (0.2, 0.9)
    eyeball_k: Range = (-1.2, 0.1)
    brow_k: Range = (-1.8, -0.2)
    beard_k: Range = (-4.0, -1.0)
    grazing_loss: Range = (0.1, 0.3)
    hair_warmth: Range = (0.2, 0.75)
    cloth_warmth: Range = (0.2, 0.7)


@dataclass(frozen=True, kw_only=True)
class AppearanceRanges:
    """What a person wears and grows.

    Attributes:
        bald: Probability.
        hair_thickness_mm: Of those who have hair.
        long_hair: Probability of hair that hangs beside the face.
        long_hair_mm: How far it hangs below the eyes.
        hairline_mm: Height of the hairline above the eyes.
        hairline_turn_deg: Longitude at which the hairline turns down to the ears.
        hair_softness_mm: Width of the border between skin and hair.
        fringe: Probability of hair over the forehead.
        fringe_mm: How far a fringe reaches below the hairline.
        brow_softness_mm: Width of the brows' border.
        beard: Probability of a beard or moustache.
        glasses: Probability of glasses in one image, among the subjects who own some.
        glasses_owner: Probability that a subject owns glasses.
        cap: Probability of a cap or head band in one image.
        neckline_mm: Height of the neckline below the eyes.
    """

    bald: float = 0.12
    hair_thickness_mm: Range = (2.0, 20.0)
    long_hair: float = 0.3
    long_hair_mm: Range = (40.0, 200.0)
    hairline_mm: Range = (62.0, 88.0)
    hairline_turn_deg: Range = (48.0, 68.0)
    hair_softness_mm: Range = (5.0, 24.0)
    fringe: float = 0.25
    fringe_mm: Range = (12.0, 40.0)
    brow_softness_mm: Range = (3.0, 9.0)
    beard: float = 0.2
    glasses: float = 0.7
    glasses_owner: float = 0.2
    cap: float = 0.05
    neckline_mm: Range = (160.0, 225.0)


@dataclass(frozen=True, kw_only=True)
class SceneRanges:
    """The room.

    Attributes:
        ambient_c: Room temperature.
        gradient_k: Between the sides of the background.
        objects: Number of rectangular things in the background.
        object_k: Their temperature relative to the room.
        warm_object: Probability that one of them is a lamp, a screen or a heater.
        warm_object_k: Its temperature relative to the room.
        bystander: Probability of another person far behind.
    """

    ambient_c: Range = (18.0, 26.0)
    gradient_k: Range = (0.0, 1.2)
    objects: Range = (0.0, 6.0)
    object_k: Range = (-1.0, 2.0)
    warm_object: float = 0.15
    warm_object_k: Range = (4.0, 14.0)
    bystander: float = 0.1


@dataclass(frozen=True, kw_only=True)
class SensorRanges:
    """The camera.

    Attributes:
        blur_px: Standard deviation of the optics' blur, in pixels of a frame 480 pixels high.
        noise_k: Temporal noise (NETD).
        pattern_k: Fixed pattern noise of columns and pixels.
        vignette_k: Cooler corners.
        step_k: Resolution of the stored temperatures.
    """

    blur_px: Range = (0.5, 1.3)
    noise_k: Range = (0.03, 0.07)
    pattern_k: Range = (0.0, 0.04)
    vignette_k: Range = (0.0, 0.5)
    step_k: float = 0.01


Settings = TypeVar("Settings")


def settings_from(kind: type[Settings], given: Settings | Mapping[str, Any] | None, name: str) -> Settings:
    """A group of ranges from a mapping (as a config gives it), from an instance, or the defaults.

    A mapping inside the group (`regions_k`, `deviations_mm`, ...) may give some of its entries; the others keep theirs.

    Raises:
        ConfigError: If a setting isn't known, or a pair isn't two numbers in ascending order.
    """
    if given is not None and not isinstance(given, Mapping):
        return given
    defaults = kind()
    merged: dict[str, Any] = {}
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    for key, value in (given or {}).items():
        if key not in known:
            raise ConfigError(f"{name}.{key} is not a setting. Known: {', '.join(sorted(known))}.")
        default = getattr(defaults, key)
        if isinstance(default, Mapping):
            unknown = sorted(set(value) - set(default))
            if unknown:
                raise ConfigError(f"{name}.{key}.{unknown[0]} is not a setting. Known: {', '.join(sorted(default))}.")
            merged[key] = {**default, **{k: _checked(v, default[k], f"{name}.{key}.{k}") for k, v in value.items()}}
        else:
            merged[key] = _checked(value, default, f"{name}.{key}")
    return kind(**merged)


def _checked(value: Any, default: Any, name: str) -> Any:
    if not isinstance(default, tuple):
        return float(value)
    pair = tuple(float(v) for v in value) if not isinstance(value, (int, float, str)) else ()
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ConfigError(f"{name}={value} should be a pair [lowest, highest].")
    return pair
