"""What the motion and the physiology of a sequence are drawn from. Pairs: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range
from thermal_faces.ranges.shape import PoseRanges

SEQUENCE_POSE = PoseRanges(
    yaw_deg=(-12.0, 12.0),
    pitch_deg=(-8.0, 8.0),
    roll_deg=(-6.0, 6.0),
    face_height=(0.45, 0.65),
    position_x=(0.3, 0.7),
    position_y=(0.3, 0.7),
    margin=0.06,
)
"""Where a head is on average: a person who looks at a screen, with room to move."""


@dataclass(frozen=True, kw_only=True)
class MotionRanges:
    """How head, lids and mouth move; each value is drawn once a sequence, those in brackets at each event."""

    yaw_deg: Range = (0.8, 4.0)  # standard deviation of the slow wandering of the yaw; likewise the following
    pitch_deg: Range = (0.5, 2.5)  # of the pitch
    roll_deg: Range = (0.3, 1.5)  # of the roll
    shift_mm: Range = (1.0, 5.0)  # of the head's place, sideways and up and down
    approach_mm: Range = (1.0, 10.0)  # of its distance
    wander_hz: Range = (0.03, 0.4)  # band of frequencies of the wandering
    turns_per_min: Range = (0.0, 6.0)  # quick turns to somewhere and back
    turn_yaw_deg: Range = (5.0, 20.0)  # how far they go to the left or the right (each)
    turn_pitch_deg: Range = (-6.0, 6.0)  # how far they go up (each)
    turn_s: Range = (0.4, 1.2)  # how long a movement takes (each)
    turn_hold_s: Range = (0.5, 4.0)  # how long the head stays there (each)
    blinks_per_min: Range = (10.0, 25.0)  # number of blinks
    blink_s: Range = (0.1, 0.4)  # duration of a blink (each)
    talk_s: Range = (1.5, 8.0)  # how long someone talks (each)
    silence_s: Range = (3.0, 25.0)  # how long they don't (each)
    syllable_hz: Range = (3.0, 6.0)  # openings of the mouth a second
    talk_mm: Range = (3.0, 11.0)  # opening of the mouth while talking (each)


@dataclass(frozen=True, kw_only=True)
class PhysiologyRanges:
    """Breathing and perspiration; each value is drawn once a sequence, those in brackets at each event."""

    breaths_per_min: Range = (8.0, 30.0)  # mean rate of breathing
    breaths_drift: Range = (0.0, 0.12)  # slow change of the rate, relative (amplitude)
    breath_jitter: Range = (0.0, 0.08)  # deviation of a breath's duration and depth from the mean, relative
    inhale_share: Range = (0.33, 0.46)  # share of a breath that is inhalation
    sigh: float = 0.02  # probability that a breath is a sigh
    sigh_depth: Range = (1.5, 2.2)  # depth of a sigh relative to a breath (each)
    pause: float = 0.03  # probability of a pause after a breath
    pause_s: Range = (1.5, 5.0)  # its duration (each)
    nostril_k: Range = (-2.5, 0.3)  # mean temperature of the nostrils relative to the forehead
    swing_k: Range = (0.3, 1.5)  # difference of the nostrils between exhalation and inhalation
    lag_s: Range = (0.1, 0.4)  # how far the skin lags behind the air
    lip_share: Range = (0.1, 0.4)  # swing of the skin below the nostrils relative to that of the nostrils
    mask_swing_k: Range = (0.4, 1.6)  # difference of a mask's cloth over nose and mouth between ex- and inhalation
    mask_lag_s: Range = (0.2, 0.6)  # how far the cloth lags behind the air
    resting_perspiration: Range = (0.0, 0.2)  # perspiration between the events (0: none, 1: every pore active)
    event_gap_s: Range = (8.0, 35.0)  # from the start of one perspiration event to that of the next (each)
    event_height: Range = (0.3, 0.95)  # perspiration that an event adds (each)
    rise_s: Range = (2.0, 3.0)  # from its onset to its peak (each)
    decay_s: Range = (10.0, 20.0)  # from its peak to a tenth of it (each)
