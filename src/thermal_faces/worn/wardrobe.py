"""What a person wears and holds in one image."""

from dataclasses import dataclass

from thermal_faces.randomness import chance, rng, uniform
from thermal_faces.ranges import AppearanceRanges

HEADWEAR = ("cap", "peaked_cap", "head_band", "hood")
NECKWEAR = ("scarf", "high_collar", "collar")


@dataclass(frozen=True)
class Worn:
    """Clothes and things, by kind; an empty word: nothing of that sort."""

    key: tuple[int, int, int]  # seed of their shapes and temperatures
    headwear: str  # one of `HEADWEAR`
    neckwear: str  # one of `NECKWEAR`
    mask: str  # `over_nose` or `below_nose`
    occluder: str  # what is in front of the face: `hand`, `cup` or `telephone`
    headphones: bool  # whether these are worn
    head_rest: bool  # whether the head leans against one
    pushed_up: bool  # whether glasses, if there are any, sit on the forehead
    glasses_slide_mm: float  # how far glasses sit below their place


def draw_worn(seed: int, subject: int, index: int, appearance: AppearanceRanges) -> Worn:
    """What is worn in one image of a subject; things that exclude each other come by the order of their kinds."""
    generator = rng(seed, subject, index, "wardrobe")
    headwear = [kind for kind in HEADWEAR if chance(generator, getattr(appearance, kind))]
    neckwear = [kind for kind in NECKWEAR if chance(generator, getattr(appearance, kind))]
    mask, over_nose = chance(generator, appearance.mask), chance(generator, 0.7)
    occluder, kind = (
        chance(generator, appearance.occluder),
        generator.choice(["hand", "cup", "telephone"], p=[0.6, 0.2, 0.2]),
    )
    return Worn(
        key=(seed, subject, index),
        headwear=headwear[0] if headwear else "",
        neckwear=neckwear[0] if neckwear else "",
        mask=("over_nose" if over_nose else "below_nose") if mask else "",
        occluder=str(kind) if occluder else "",
        headphones=chance(generator, appearance.headphones) and "hood" not in headwear,
        head_rest=chance(generator, appearance.head_rest),
        pushed_up=chance(generator, appearance.pushed_up) and not headwear,
        glasses_slide_mm=uniform(generator, appearance.glasses_slide_mm),
    )
