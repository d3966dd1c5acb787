"""Who is seen and what the face does: the draws of one subject, and of one image of that subject."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thermal_faces.randomness import chance, rng, truncated_normal, uniform
from thermal_faces.ranges import (
    AnatomyRanges,
    AppearanceRanges,
    ExpressionRanges,
    TemperatureRanges,
)
from thermal_faces.skin.pores import Pores, draw_pores
from thermal_faces.worn.glasses import Glasses, draw_glasses
from thermal_faces.worn.hair_style import BeardStyle, HairStyle, draw_beard_style, draw_hair_style
from thermal_faces.worn.wardrobe import Worn, draw_worn


@dataclass(frozen=True)
class Person:
    """What stays the same in all images of a subject."""

    key: tuple[int, int]  # seed of the subject's irregular patterns
    scale: float  # size of the head relative to the mean
    shape_mm: dict[str, float]  # weights of the identity fields
    forehead_c: float  # temperature of the forehead
    regions_k: dict[str, float]  # difference of each region of the skin to the forehead
    features_k: dict[str, float]  # difference of lips, brows, lids and so on (`brow_k`: without its suffix, `brow`)
    area_shift_mm: dict[str, float]  # how far the bounded areas of the skin lie below their mean places
    blotch_k: float  # strength of the irregular skin pattern
    hair_mm: float  # thickness of the hair; 0: bald
    hairline_mm: float  # height of the hairline above the eyes
    long_hair_mm: float  # how far hair hangs below the eyes; 0: it doesn't
    hairline_turn_deg: float  # longitude at which the hairline turns down to the ears
    hair_softness_mm: float  # width of the border between skin and hair
    fringe_mm: float  # how far hair reaches down over the forehead; 0: not at all
    hair_style: HairStyle  # the course of the hairline and what falls over it
    beard_style: BeardStyle | None  # where a beard grows; None: shaved
    brow_softness_mm: float  # width of the brows' border
    hair_warmth: float  # hair surface between ambient (0) and skin (1)
    glasses: Glasses | None  # those that the subject owns, if any
    pores: Pores  # perspiration pores around the upper lip


@dataclass(frozen=True)
class FrameState:
    """What changes from image to image."""

    expression_mm: dict[str, float]  # weights of the expression fields
    eye_opening: float  # 0 closed, 1 wide open
    drift_k: float  # change of the whole face
    regions_k: dict[str, float]  # change of each region
    nostril_k: float  # temperature of the nostrils, relative to the forehead
    breath_k: float  # change of the skin below the nostrils by the breath
    perspiration: float  # 0: no pore is active, 1: all are
    glasses: bool  # whether glasses are worn
    worn: Worn  # clothes and things
    neckline_mm: float  # height of the clothes' upper edge below the eyes
    cloth_warmth: float  # clothes between ambient (0) and skin (1)
    grazing_loss: float  # how far skin seen edge-on takes on the ambient temperature
    mask_k: float = 0.0  # change of a mask's cloth where the breath goes through it; in a sequence only


# Painted with a temperature, and with a size or an edge.
_FEATURES = (
    "vessel_k", "grain_k", "mouth_line_k", "upper_lip_k", "lower_lip_k", "mouth_cavity_k", "lid_fold_k",
    "upper_lid_k", "under_eye_k", "eyeball_k", "brow_k", "ala_k", "nose_groove_k", "beard_k", "lid_crease_k",
    "lash_k", "lash_patch_k", "eye_corner_k", "canthus_k", "lid_tail_k", "nose_flank_k", "lobule_k", "alar_crease_k",
    "columella_k", "philtrum_k", "fold_k", "lip_border_k", "lip_halo_k", "mouth_corner_k", "chin_fold_k", "chin_pad_k",
    "cheek_patch_k", "socket_k", "muzzle_k", "teeth_k",
)  # fmt: skip
_SIZES = (
    "lobule_edge_mm", "lip_edge_softness_mm", "area_edge_mm", "brow_thickness", "nostril_size", "lobule_lobed",
    "area_width", "lid_height", "lower_lid_height", "crease_height", "lobule_shift_mm", "lobule_size",
    "canthus_length_mm", "lash_lift_mm", "eyeball_edge_mm", "chin_pad_edge_mm", "chin_pad_drop_mm",
    "chin_pad_half_width_mm", "lip_width", "lip_box", "mouth_line_length", "lip_halo_gap_mm", "lip_halo_width_mm",
    "canthus_inset_mm", "lobule_height_mm", "wing_half_height_mm", "wing_lean",
    "teeth_shown_mm", "gape",
)  # fmt: skip
_THINNEST_LIP_MM = 9.75  # below the mean head's; beyond it the surface would fold over
_STILL_PERSPIRATION = (0.2, 1.0)
_CLEAR_MOUTH_LINE = 0.5  # least strength of the line between the lips, as a share of its range, unless it is faint
_EVEN_NOSE = 0.15  # share of the cooling of ridge and tip that is left in such a nose


def draw_person(
    seed: int, subject: int, anatomy: AnatomyRanges, temperature: TemperatureRanges, appearance: AppearanceRanges
) -> Person:
    """The subject with that number."""
    shape = rng(seed, subject, "shape")
    skin = rng(seed, subject, "skin")
    looks = rng(seed, subject, "looks")
    bald, fringe = (chance(looks, p) for p in (appearance.bald, appearance.fringe))
    hair_mm = uniform(looks, appearance.hair_thickness_mm)
    long_hair, long_hair_mm = chance(looks, appearance.long_hair), uniform(looks, appearance.long_hair_mm)
    fringe_mm = uniform(looks, appearance.fringe_mm)
    contrast = uniform(skin, temperature.contrast)
    even_nose = chance(rng(seed, subject, "nose"), temperature.even_nose)
    share = dict.fromkeys(("nose", "lobule_k"), _EVEN_NOSE if even_nose else 1.0)
    faint_line = chance(rng(seed, subject, "mouth"), temperature.faint_mouth_line)
    style = draw_hair_style(seed, subject, appearance, long_hair=long_hair)
    return Person(
        key=(seed, subject),
        scale=uniform(shape, anatomy.scale),
        shape_mm=_draw_shape(shape, rng(seed, subject, "lips and eyes"), anatomy),
        forehead_c=uniform(skin, temperature.forehead_c),
        regions_k={
            name: contrast * share.get(name, 1.0) * uniform(skin, r) for name, r in temperature.regions_k.items()
        },
        features_k=_draw_features(skin, temperature, contrast, share, faint_line=faint_line),
        area_shift_mm={name: uniform(skin, temperature.area_shift_mm) for name in ("cheek_patch", "socket", "muzzle")},
        blotch_k=uniform(skin, temperature.blotch_k),
        hair_mm=0.0 if bald else hair_mm if style.deep_warmth is None else 2.0,
        hairline_mm=uniform(looks, appearance.hairline_mm),
        long_hair_mm=long_hair_mm if long_hair and not bald else 0.0,
        hairline_turn_deg=uniform(looks, appearance.hairline_turn_deg),
        hair_softness_mm=uniform(looks, appearance.hair_softness_mm),
        fringe_mm=fringe_mm if fringe and not bald and style.deep_warmth is None else 0.0,
        hair_style=style,
        beard_style=draw_beard_style(seed, subject, appearance),
        brow_softness_mm=uniform(looks, appearance.brow_softness_mm),
        hair_warmth=uniform(looks, temperature.hair_warmth),
        glasses=draw_glasses(seed, subject, appearance),
        pores=draw_pores(rng(seed, subject, "pores"), temperature),
    )


def _draw_shape(
    generator: np.random.Generator, lips_and_eyes: np.random.Generator, anatomy: AnatomyRanges
) -> dict[str, float]:
    """Weights of the fields that make a person."""
    weights_mm = {name: truncated_normal(generator, deviation) for name, deviation in anatomy.deviations_mm.items()}
    for lip in ("upper_lip", "lower_lip"):
        fullness_mm = weights_mm[f"{lip}_fullness"] - uniform(lips_and_eyes, getattr(anatomy, f"{lip}_thinner_mm"))
        weights_mm[f"{lip}_fullness"] = max(fullness_mm, -_THINNEST_LIP_MM)
    weights_mm["eye_bulge"] = uniform(lips_and_eyes, anatomy.eye_bulge_mm)
    return weights_mm


def _draw_features(
    generator: np.random.Generator,
    temperature: TemperatureRanges,
    contrast: float,
    share: Mapping[str, float],
    *,
    faint_line: bool,
) -> dict[str, float]:
    """Temperatures and sizes of the small features."""
    drawn_k = {name: uniform(generator, getattr(temperature, name)) for name in _FEATURES}
    if not faint_line:
        coldest, warmest = temperature.mouth_line_k
        line_k = drawn_k["mouth_line_k"]
        strongest = warmest if line_k > 0 else coldest
        drawn_k["mouth_line_k"] = _CLEAR_MOUTH_LINE * strongest + (1 - _CLEAR_MOUTH_LINE) * line_k
    features = {name.removesuffix("_k"): contrast * share.get(name, 1.0) * k for name, k in drawn_k.items()}
    return features | {name.removesuffix("_mm"): uniform(generator, getattr(temperature, name)) for name in _SIZES}


def draw_frame_state(
    seed: int,
    subject: int,
    index: int,
    person: Person,
    expression: ExpressionRanges,
    temperature: TemperatureRanges,
    appearance: AppearanceRanges,
) -> FrameState:
    """One image of a subject."""
    face = rng(seed, subject, index, "expression")
    skin = rng(seed, subject, index, "skin")
    looks = rng(seed, subject, index, "looks")
    breath = rng(seed, subject, index, "breath")
    breath_k, sweats = uniform(breath, temperature.breath_k), chance(breath, temperature.pores)
    perspiration = uniform(breath, _STILL_PERSPIRATION)
    return FrameState(
        expression_mm=_draw_expression(face, expression),
        eye_opening=_draw_eye_opening(face, expression),
        drift_k=uniform(skin, temperature.drift_k),
        regions_k={name: truncated_normal(skin, temperature.region_drift_k) for name in temperature.regions_k},
        nostril_k=uniform(skin, temperature.nostril_k),
        breath_k=breath_k,
        perspiration=perspiration if sweats else 0.0,
        glasses=chance(looks, appearance.glasses) and person.glasses is not None,
        worn=draw_worn(seed, subject, index, appearance),
        neckline_mm=uniform(looks, appearance.neckline_mm),
        cloth_warmth=uniform(looks, temperature.cloth_warmth),
        grazing_loss=uniform(skin, temperature.grazing_loss),
    )


def _draw_expression(generator: np.random.Generator, ranges: ExpressionRanges) -> dict[str, float]:
    neutral = chance(generator, ranges.neutral)
    weights = {}
    for name, limits in ranges.weights_mm.items():
        active, weight = chance(generator, ranges.active), uniform(generator, limits)
        if active and not neutral:
            weights[name] = weight
    yawn, yawn_mm = chance(generator, ranges.yawn), uniform(generator, ranges.yawn_mm)
    if yawn and not neutral:
        weights["mouth_open"] = yawn_mm
    parted, parted_mm = chance(generator, ranges.parted), uniform(generator, ranges.parted_mm)
    if parted and not neutral:
        weights.setdefault("mouth_open", parted_mm)
    return weights


def _draw_eye_opening(generator: np.random.Generator, ranges: ExpressionRanges) -> float:
    closed, half = chance(generator, ranges.eyes_closed), chance(generator, ranges.half_open)
    opening = uniform(generator, ranges.half_opening if half else ranges.eye_opening)
    return 0.0 if closed else opening
