"""Everything worn around a head at one moment, and which landmarks it hides."""

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.view import View
from thermal_faces.head.surface import mean_head
from thermal_faces.landmarks import LANDMARKS
from thermal_faces.person import FrameState, Person
from thermal_faces.worn.beard import long_beard
from thermal_faces.worn.cloth import Cloth, covers
from thermal_faces.worn.glasses import WornGlasses, wear
from thermal_faces.worn.headwear import hidden_below, peak
from thermal_faces.worn.long_hair import bun, long_hair
from thermal_faces.worn.neckwear import headphones, hood, neckwear
from thermal_faces.worn.occluders import hidden_by_occluder

_EYES = [i for i, name in enumerate(LANDMARKS) if name.startswith("eye")]
_NASION = LANDMARKS.index("nasion")


def worn_cloth(person: Person, frame_state: FrameState, view: View, ambient_c: float) -> list[Cloth]:
    """The surfaces around the head, in the order of drawing."""
    worn = frame_state.worn
    cloths = []
    if person.beard_style is not None and person.beard_style.long_mm and not worn.mask:
        cloths.append(long_beard(person, ambient_c))
    if worn.neckwear:
        cloths.append(neckwear(person, worn, ambient_c))
    if person.long_hair_mm and worn.headwear != "hood":
        cloths.append(long_hair(person, ambient_c))
    if person.hair_mm and person.hair_style.bun and worn.headwear in ("", "head_band"):
        cloths.append(bun(person, ambient_c))
    if worn.headwear == "peaked_cap":
        cloths.append(peak(person, worn, ambient_c))
    if worn.headwear == "hood":
        cloths.append(hood(person, worn, ambient_c))
    if worn.headphones:
        cloths += headphones(person, worn, ambient_c, 1 if view.head[2, 0] > 0 else -1)
    return cloths


def worn_glasses(
    person: Person, frame_state: FrameState, view: View, vertices_mm: Float[np.ndarray, "rows columns 3"]
) -> WornGlasses | None:
    """The glasses on the face, if any."""
    if person.glasses is None or not frame_state.glasses:
        return None
    places = vertices_mm[tuple(mean_head().landmark_vertices.T)]
    return wear(
        person.glasses,
        view,
        places[_EYES],
        places[_NASION],
        person.scale,
        slide_mm=frame_state.worn.glasses_slide_mm,
        pushed_up=frame_state.worn.pushed_up,
    )


def hidden_by_accessories(
    person: Person,
    frame_state: FrameState,
    view: View,
    vertices_mm: Float[np.ndarray, "rows columns 3"],
    places_px: Float[np.ndarray, "16 2"],
) -> Bool[np.ndarray, " 16"]:
    """Which landmarks lie under or behind something that is worn or held."""
    frontal_mm = mean_head().frontal_mm[tuple(mean_head().landmark_vertices.T)]
    hidden = hidden_below(frame_state.worn, frontal_mm)
    glasses = worn_glasses(person, frame_state, view, vertices_mm)
    if glasses is not None:
        hidden |= glasses.hides(places_px)
    for cloth in worn_cloth(person, frame_state, view, ambient_c=20.0):
        if not cloth.behind_head:
            points_px = cloth.points_px(view, person.scale)
            hidden |= covers(points_px, cloth.cells(points_px), places_px)
    if frame_state.worn.occluder:
        hidden |= hidden_by_occluder(person, frame_state.worn, view, places_px)
    return hidden


def worn_attributes(person: Person, frame_state: FrameState) -> dict[str, str | float | bool]:
    """What an annotation says about hair, beard and accessories."""
    worn = frame_state.worn
    return {
        "bald": not person.hair_mm,
        "long_hair": person.long_hair_mm > 0,
        "bun": person.hair_mm > 0 and person.hair_style.bun,
        "fringe": person.fringe_mm > 0,
        "beard": person.beard_style is not None,
        "glasses": frame_state.glasses,
        "cap": "cap" in worn.headwear,
        "headwear": worn.headwear,
        "neckwear": worn.neckwear,
        "headphones": worn.headphones,
        "mask": worn.mask,
        "occluder": worn.occluder,
        "head_rest": worn.head_rest,
    }
