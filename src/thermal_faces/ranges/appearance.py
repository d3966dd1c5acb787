"""What hair, clothes and accessories are drawn from. Pairs and probabilities: see `ranges.shape`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_faces.randomness import Range
from thermal_faces.ranges.from_config import LATER


@dataclass(frozen=True, kw_only=True)
class AppearanceRanges:
    """What a person grows and wears. Every probability may be 0: that thing is then never seen."""

    bald: float = 0.1  # probability
    cropped: float = 0.2  # probability of hair so short that the scalp's warmth shows through
    cropped_warmth: Range = (0.75, 0.97)  # of such hair, between ambient (0) and skin (1)
    hair_thickness_mm: Range = (3.0, 22.0)  # of those who have longer hair
    tufts: Range = (0.0, 0.3)  # how far hair stands off unevenly, as a share of its thickness
    long_hair: float = 0.3  # probability of hair that hangs beside the face
    long_hair_mm: Range = (40.0, 200.0)  # how far it hangs below the eyes
    long_hair_opening_deg: Range = (50.0, 90.0)  # longitude where it begins on each side; less covers part of the cheek
    bun: float = 0.12  # probability that hair is tied up on the crown, among those whose hair doesn't hang
    hairline_mm: Range = (62.0, 88.0)  # height of the hairline above the eyes
    hairline_turn_deg: Range = (48.0, 68.0)  # longitude at which the hairline turns down to the ears
    hairline_uneven_mm: Range = (1.0, 6.0)  # deviation of the hairline from its even course
    receding: float = 0.25  # probability of bays on both sides of the forehead
    receding_mm: Range = (5.0, 24.0)  # how far these reach up
    root_mm: Range = (6.0, 32.0)  # how far the scalp's warmth reaches into the hair behind the hairline
    hair_softness_mm: Range = (4.0, 20.0)  # width of the border between skin and hair
    fringe: float = 0.3  # probability of hair over the forehead
    fringe_mm: Range = (10.0, 42.0)  # how far a fringe reaches below the hairline
    swept: float = 0.6  # probability that a fringe falls from a parting to the sides
    fringe_gaps: Range = (0.05, 0.7)  # unevenness of its lower edge, as a share of its length
    strand: float = 0.25  # probability of single strands over the forehead
    brow_softness_mm: Range = (3.0, 9.0)  # width of the brows' border
    beard: float = 0.3  # probability of a beard or moustache
    # Their shares
    beard_kinds: Mapping[str, float] = field(
        default_factory=lambda: {
            "stubble": 0.2, "full": 0.25, "goatee": 0.12, "moustache": 0.12, "patchy": 0.13, "soul_patch": 0.18,
        }
    )  # fmt: skip
    # Size of the area around the lips where no hair hangs, relative: below 0.8 it hangs over the red
    beard_clear: Range = field(default=(0.8, 1.1), metadata=LATER)
    long_beard: float = 0.15  # probability that a full beard hangs below the chin
    long_beard_mm: Range = (12.0, 90.0)  # how far
    glasses: float = 0.7  # probability of glasses in one image, among the subjects who own some
    glasses_owner: float = 0.25  # probability that a subject owns glasses
    rimless: float = 0.2  # probability of glasses without a frame around the lenses
    sports: float = 0.12  # probability of one wide lens, as of safety glasses
    sunglasses: float = 0.25  # of large, bent, cold lenses with broad temples, among the others
    glasses_slide_mm: Range = (-4.0, 9.0)  # how far glasses sit below (above: negative) their place
    pushed_up: float = 0.05  # probability of glasses on the forehead
    cap: float = 0.03  # probability of a cap without a peak in one image
    peaked_cap: float = 0.04  # of a cap with a peak
    head_band: float = 0.04  # of a band or sensor strip around the forehead
    hood: float = 0.03  # of a hood or head scarf
    headphones: float = 0.03  # of headphones
    collar: float = 0.25  # of a shirt collar
    high_collar: float = 0.07  # of a turtleneck or a stand-up collar, which may reach the chin
    scarf: float = 0.05  # of a scarf, which may cover the chin
    mask: float = 0.02  # of a medical mask, over the nose or below it
    occluder: float = 0.05  # of a hand, a cup or a telephone in front of the face
    head_rest: float = 0.1  # of a head rest or a chair's back behind the head
    neckline_mm: Range = (160.0, 225.0)  # height of the neckline below the eyes
