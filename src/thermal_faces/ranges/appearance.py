"""What hair, clothes and accessories are drawn from. Pairs and probabilities: see `ranges.shape`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class AppearanceRanges:
    """What a person grows and wears. Every probability may be 0: that thing is then never seen.

    Attributes:
        bald: Probability.
        cropped: Probability of hair so short that the scalp's warmth shows through.
        cropped_warmth: Of such hair, between ambient (0) and skin (1).
        hair_thickness_mm: Of those who have longer hair.
        tufts: How far hair stands off unevenly, as a share of its thickness.
        long_hair: Probability of hair that hangs beside the face.
        long_hair_mm: How far it hangs below the eyes.
        long_hair_opening_deg: Longitude where it begins on each side; less covers part of the cheek.
        bun: Probability that hair is tied up on the crown, among those whose hair doesn't hang.
        hairline_mm: Height of the hairline above the eyes.
        hairline_turn_deg: Longitude at which the hairline turns down to the ears.
        hairline_uneven_mm: Deviation of the hairline from its even course.
        receding: Probability of bays on both sides of the forehead.
        receding_mm: How far these reach up.
        root_mm: How far the scalp's warmth reaches into the hair behind the hairline.
        hair_softness_mm: Width of the border between skin and hair.
        fringe: Probability of hair over the forehead.
        fringe_mm: How far a fringe reaches below the hairline.
        swept: Probability that a fringe falls from a parting to the sides.
        fringe_gaps: Unevenness of its lower edge, as a share of its length.
        strand: Probability of single strands over the forehead.
        brow_softness_mm: Width of the brows' border.
        beard: Probability of a beard or moustache.
        beard_kinds: Their shares.
        long_beard: Probability that a full beard hangs below the chin.
        long_beard_mm: How far.
        glasses: Probability of glasses in one image, among the subjects who own some.
        glasses_owner: Probability that a subject owns glasses.
        rimless: Probability of glasses without a frame around the lenses.
        sports: Probability of one wide lens, as of safety glasses.
        glasses_slide_mm: How far glasses sit below (above: negative) their place.
        pushed_up: Probability of glasses on the forehead.
        cap: Probability of a cap without a peak in one image.
        peaked_cap: Of a cap with a peak.
        head_band: Of a band or sensor strip around the forehead.
        hood: Of a hood or head scarf.
        headphones: Of headphones.
        collar: Of a shirt collar.
        high_collar: Of a turtleneck or a stand-up collar, which may reach the chin.
        scarf: Of a scarf, which may cover the chin.
        mask: Of a medical mask, over the nose or below it.
        occluder: Of a hand, a cup or a telephone in front of the face.
        head_rest: Of a head rest or a chair's back behind the head.
        neckline_mm: Height of the neckline below the eyes.
    """

    bald: float = 0.1
    cropped: float = 0.2
    cropped_warmth: Range = (0.75, 0.97)
    hair_thickness_mm: Range = (3.0, 22.0)
    tufts: Range = (0.0, 0.3)
    long_hair: float = 0.3
    long_hair_mm: Range = (40.0, 200.0)
    long_hair_opening_deg: Range = (50.0, 90.0)
    bun: float = 0.12
    hairline_mm: Range = (62.0, 88.0)
    hairline_turn_deg: Range = (48.0, 68.0)
    hairline_uneven_mm: Range = (1.0, 6.0)
    receding: float = 0.25
    receding_mm: Range = (5.0, 24.0)
    root_mm: Range = (6.0, 32.0)
    hair_softness_mm: Range = (4.0, 20.0)
    fringe: float = 0.3
    fringe_mm: Range = (10.0, 42.0)
    swept: float = 0.6
    fringe_gaps: Range = (0.05, 0.7)
    strand: float = 0.25
    brow_softness_mm: Range = (3.0, 9.0)
    beard: float = 0.3
    beard_kinds: Mapping[str, float] = field(
        default_factory=lambda: {"stubble": 0.3, "full": 0.25, "goatee": 0.15, "moustache": 0.15, "patchy": 0.15}
    )
    long_beard: float = 0.15
    long_beard_mm: Range = (12.0, 90.0)
    glasses: float = 0.7
    glasses_owner: float = 0.25
    rimless: float = 0.2
    sports: float = 0.12
    glasses_slide_mm: Range = (-4.0, 9.0)
    pushed_up: float = 0.05
    cap: float = 0.03
    peaked_cap: float = 0.04
    head_band: float = 0.04
    hood: float = 0.03
    headphones: float = 0.03
    collar: float = 0.25
    high_collar: float = 0.07
    scarf: float = 0.05
    mask: float = 0.02
    occluder: float = 0.05
    head_rest: float = 0.1
    neckline_mm: Range = (160.0, 225.0)
