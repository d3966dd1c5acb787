"""What the people of a scene are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class CrowdRanges:
    """How many people are in a scene, how large they appear, how they stand and where they look."""

    nobody: float = 0.2  # probability of a scene without people
    alone: float = 0.42  # probability of one person, where there are any
    few: float = 0.72  # of two to four, where there are several; the rest are groups of up to `most`
    most: float = 10.0  # largest number of people
    # Brow to chin of the largest face in pixels of the picture; small ones more often (uniform in the logarithm). The
    # upper limit is that of a frame that `face_share` allows.
    face_px: Range = (8.0, 1000.0)
    face_share: float = 0.95  # largest height of a face as a fraction of the frame's height
    others_size: Range = (0.35, 1.0)  # height of the other faces relative to it
    yaw_deg: Range = (-60.0, 60.0)  # turn to the side, more often near 0
    profile: float = 0.25  # probability of any turn in `profile_deg` instead
    profile_deg: Range = (-78.0, 78.0)  # those turns
    away: float = 0.14  # probability of a person whose face can't be seen
    away_deg: Range = (125.0, 235.0)  # how far it is turned then
    pitch_deg: Range = (-32.0, 32.0)  # positive: the face is lifted, or seen from below
    roll_deg: Range = (-45.0, 45.0)  # tilt in the image plane
    level: float = 0.6  # probability of a head tilted by less than a fifth of that
    outside: float = 0.12  # probability that a person may be cut by the frame, face included
    sitting: float = 0.25  # probability of a person who sits
    walking: float = 0.25  # of one who walks
    close_together: float = 0.25  # probability that people stand in front of each other
    # Probability of a person cooler or hotter than the others: from outdoors, behind a thin sheet, after sports
    dim: float = 0.1
    dim_k: Range = (-8.0, 3.0)  # by how much
    cold_skin: float = 0.2  # how far outdoor cold cools a face: share of the difference between 24 degrees and the air
