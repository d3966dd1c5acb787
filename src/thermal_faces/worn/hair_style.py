"""How a person wears hair and beard: the draws of one subject."""

from dataclasses import dataclass

import numpy as np

from thermal_faces.randomness import chance, rng, uniform
from thermal_faces.ranges import AppearanceRanges

_JOINED = 0.3  # density of the chin from which moustache and beard may meet beside the mouth


@dataclass(frozen=True)
class HairStyle:
    """The course of the hairline and what falls over it."""

    deep_warmth: float | None  # hair away from its roots, between ambient (0) and skin (1); None: `Person.hair_warmth`
    tufts: float  # unevenness of the outline, as a share of the thickness
    uneven_mm: float  # deviation of the hairline from its even course
    receding_mm: float  # how far the bays above the temples reach up
    root_mm: float  # how far the scalp's warmth reaches into the hair
    parting_deg: float | None  # longitude from which a swept fringe falls to the sides; None: it falls straight
    fringe_gaps: float  # unevenness of the fringe's lower edge, as a share of its length
    strands: int  # number of single strands over the forehead
    opening_deg: tuple[float, float]  # longitudes where hanging hair begins, on the image's right and left
    bun: bool  # whether hair is tied up on the crown


@dataclass(frozen=True)
class BeardStyle:
    """How dense a beard grows where, 0 to 1, and how."""

    chin: float  # density on the chin and along the jaw
    cheeks: float  # density on the cheeks
    moustache: float  # density above the lip
    patchy: float  # how much the density varies over the face
    strands: float  # contrast of single strands
    long_mm: float  # how far it hangs below the chin; 0: it doesn't
    patch: float  # density of the soul patch, which hangs from the lower lip
    patch_mm: float  # its half width below the lip
    patch_taper: float  # how much narrower each side of it gets by millimetre downwards
    patch_gap_mm: float  # height of the bare skin between it and the lip
    bare_mm: float  # height of the bare skin beside it, between lip and beard
    moustache_drop_mm: float  # how far the moustache hangs below its mean place
    clear: float  # size of the bare area around the lips, relative
    throat_mm: float  # how far the beard ends below its mean place on the throat
    joined: float  # density beside the mouth, relative to the moustache's


def draw_hair_style(seed: int, subject: int, appearance: AppearanceRanges, *, long_hair: bool) -> HairStyle:
    """The hair of the subject with that number."""
    generator = rng(seed, subject, "hair style")
    cropped, cropped_warmth = chance(generator, appearance.cropped), uniform(generator, appearance.cropped_warmth)
    receding, receding_mm = chance(generator, appearance.receding), uniform(generator, appearance.receding_mm)
    swept, parting_deg = chance(generator, appearance.swept), uniform(generator, (-45, 45))
    strand, strands = chance(generator, appearance.strand), int(generator.integers(1, 5))
    openings = (
        uniform(generator, appearance.long_hair_opening_deg),
        uniform(generator, appearance.long_hair_opening_deg),
    )
    return HairStyle(
        deep_warmth=cropped_warmth if cropped and not long_hair else None,
        tufts=uniform(generator, appearance.tufts),
        uneven_mm=uniform(generator, appearance.hairline_uneven_mm),
        receding_mm=receding_mm if receding else 0.0,
        root_mm=uniform(generator, appearance.root_mm),
        parting_deg=parting_deg if swept else None,
        fringe_gaps=uniform(generator, appearance.fringe_gaps),
        strands=strands if strand else 0,
        opening_deg=openings,
        bun=chance(generator, appearance.bun) and not long_hair and not cropped,
    )


def draw_beard_style(seed: int, subject: int, appearance: AppearanceRanges) -> BeardStyle | None:
    """The beard of the subject with that number; None: shaved."""
    generator = rng(seed, subject, "beard style")
    worn = chance(generator, appearance.beard)
    shares = np.array(list(appearance.beard_kinds.values()))
    kind = "full"
    if shares.sum() > 0:
        kind = str(generator.choice(list(appearance.beard_kinds), p=shares / shares.sum()))
    dense, thin, other = (uniform(generator, r) for r in ((0.65, 1.0), (0.1, 0.4), (0.0, 1.0)))
    strands = uniform(generator, (0.2, 1.0))
    hangs, long_mm = chance(generator, appearance.long_beard), uniform(generator, appearance.long_beard_mm)
    if not worn:
        return None
    chin, cheeks, moustache, patchy = {
        "stubble": (thin, thin, thin, 0.3),
        "full": (dense, dense * (0.5 + 0.5 * other), dense, 0.2),
        "goatee": (dense, thin * 0.5 * other, dense * other, 0.2),
        "moustache": (0.0, thin * 0.3 * other, dense, 0.2),
        "patchy": (0.8 * dense, 0.7 * dense * other, 0.8 * dense, 1.0),
        "soul_patch": (dense, thin * other, dense, 0.2),
    }[kind]
    patch, patch_mm, bare_mm = (uniform(generator, r) for r in ((0.0, 1.3), (4.0, 14.0), (0.0, 12.0)))
    patch *= chin
    if kind == "soul_patch":
        # Dense and alone in bare skin, it may look like a cool lower lip.
        patch, patch_mm, bare_mm = 0.9 + 0.4 * patch, 6.0 + 0.8 * patch_mm, 6.0 + 0.6 * bare_mm
    return BeardStyle(
        chin=chin,
        cheeks=cheeks,
        moustache=moustache,
        patchy=patchy,
        strands=strands,
        long_mm=long_mm if hangs and kind == "full" else 0.0,
        patch=patch,
        patch_mm=patch_mm,
        bare_mm=bare_mm,
        moustache_drop_mm=uniform(generator, (-3.0, 3.0)),
        clear=uniform(generator, appearance.beard_clear),
        throat_mm=uniform(generator, (-8.0, 24.0)),
        joined=uniform(generator, (0.0, 1.0)) if chin > _JOINED else 0.0,
        patch_taper=uniform(generator, (-0.15, 0.4)),
        patch_gap_mm=uniform(generator, (-1.0, 4.0)),
    )
