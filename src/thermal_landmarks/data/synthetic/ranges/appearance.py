"""What hair, clothes and accessories are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_landmarks.data.synthetic.randomness import Range


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
