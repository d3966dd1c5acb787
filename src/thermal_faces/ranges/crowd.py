"""What the people of a scene are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class CrowdRanges:
    """How many people are in a scene, how large they appear, how they stand and where they look.

    Attributes:
        nobody: Probability of a scene without people.
        alone: Probability of one person, where there are any.
        few: Of two to four, where there are several; the rest are groups of up to `most`.
        most: Largest number of people.
        face_px: Brow to chin of the largest face in pixels of the picture; small ones more often (uniform in the
            logarithm). The upper limit is that of a frame that `face_share` allows.
        face_share: Largest height of a face as a fraction of the frame's height.
        others_size: Height of the other faces relative to it.
        yaw_deg: Turn to the side, more often near 0.
        profile: Probability of any turn in `profile_deg` instead.
        profile_deg: Those turns.
        away: Probability of a person whose face can't be seen.
        away_deg: How far it is turned then.
        pitch_deg: Positive: the face is lifted, or seen from below.
        roll_deg: Tilt in the image plane.
        level: Probability of a head tilted by less than a fifth of that.
        outside: Probability that a person may be cut by the frame, face included.
        sitting: Probability of a person who sits.
        walking: Of one who walks.
        close_together: Probability that people stand in front of each other.
        dim: Probability of a person cooler or hotter than the others: from outdoors, behind a thin sheet, after sports.
        dim_k: By how much.
        cold_skin: How far outdoor cold cools a face: share of the difference between 24 degrees and the air.
    """

    nobody: float = 0.2
    alone: float = 0.42
    few: float = 0.72
    most: float = 10.0
    face_px: Range = (8.0, 1000.0)
    face_share: float = 0.95
    others_size: Range = (0.35, 1.0)
    yaw_deg: Range = (-60.0, 60.0)
    profile: float = 0.25
    profile_deg: Range = (-78.0, 78.0)
    away: float = 0.14
    away_deg: Range = (125.0, 235.0)
    pitch_deg: Range = (-32.0, 32.0)
    roll_deg: Range = (-45.0, 45.0)
    level: float = 0.6
    outside: float = 0.12
    sitting: float = 0.25
    walking: float = 0.25
    close_together: float = 0.25
    dim: float = 0.1
    dim_k: Range = (-8.0, 3.0)
    cold_skin: float = 0.2
