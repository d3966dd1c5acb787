"""Small features of the rendered face: where each one is painted on the mean face."""

from dataclasses import replace

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_faces.head.surface import mean_head
from thermal_faces.person import Person
from thermal_faces.skin.eyes import paint_eye
from thermal_faces.skin.mouth import paint_chin, paint_mouth
from thermal_faces.skin.nose import paint_nose
from thermal_faces.skin.temperature_map import Canvas
from thermal_faces.worn.beard import paint_beard
from thermal_faces.worn.hair_style import BeardStyle

PORTRAIT = SyntheticFaces(subjects=1, images_per_subject=1).portrait(0, 0)
PERSON, FRAME_STATE = PORTRAIT.person, PORTRAIT.frame_state
SIZES = {
    "lip_edge_softness": 1.0,
    "lip_width": 1.0,
    "lip_box": 0.0,
    "mouth_line_length": 1.0,
    "gape": 1.0,
    "lid_height": 1.0,
    "lower_lid_height": 0.5,
    "crease_height": 1.0,
    "canthus_length": 6.0,
    "lash_lift": 1.0,
    "eyeball_edge": 1.0,
    "chin_pad_edge": 2.0,
    "chin_pad_half_width": 20.0,
    "lobule_edge": 2.0,
    "lobule_size": 1.0,
    "lobule_height": 12.0,
    "wing_half_height": 8.0,
    "lip_halo_gap": 6.0,
    "lip_halo_width": 3.0,
    "nostril_size": 1.0,
}
BEARD = BeardStyle(
    chin=1.0,
    cheeks=0.0,
    moustache=0.0,
    patchy=0.0,
    strands=0.2,
    long_mm=0.0,
    patch=1.0,
    patch_mm=6.0,
    patch_gap_mm=0.0,
    patch_taper=0.25,
    clear=1.0,
    throat_mm=0.0,
    bare_mm=10.0,
    moustache_drop_mm=0.0,
    joined=0.0,
)


def person(**features: float) -> Person:
    """One whose features all have the temperature of the skin, save those given."""
    return replace(PERSON, features_k=dict.fromkeys(PERSON.features_k, 0.0) | SIZES | features)


def blank() -> Canvas:
    return Canvas(np.zeros(mean_head().frontal_mm.shape[:2], np.float32), 6)


def at(canvas: Canvas, x_mm: float, y_mm: float) -> float:
    """What is painted at a place of the mean face."""
    view, x, y = canvas.window((x_mm - 4, x_mm + 4), (y_mm - 4, y_mm + 4))
    row, column = np.unravel_index(np.hypot(x - x_mm, y - y_mm).argmin(), x.shape)
    assert np.hypot(x[row, column] - x_mm, y[row, column] - y_mm) < 1
    return float(view[row, column])


@pytest.mark.parametrize(("width", "painted"), [(1.0, True), (0.55, False)])
def test_the_red_of_the_lips_may_end_inside_the_corners_of_the_mouth(width: float, painted: bool) -> None:
    canvas = blank()
    paint_mouth(canvas, person(lower_lip=-1.0, lip_width=width), open_mm=0.0, forehead_c=0.0)
    assert at(canvas, 0, 75) < -0.9
    assert (at(canvas, 17, 71) < -0.5) == painted


def test_the_line_between_the_lips_reaches_the_corners_where_the_red_does_not() -> None:
    canvas = blank()
    paint_mouth(canvas, person(mouth_line=1.0, lip_width=0.55), open_mm=0.0, forehead_c=0.0)
    assert at(canvas, 21, 68.2) > 0.7
    assert abs(at(canvas, 21, 75)) < 0.05


def test_the_corners_of_the_eye_glow_and_lashes_shade_the_outer_half() -> None:
    (inner_x, inner_y), (outer_x, outer_y) = (
        mean_head().landmarks_frontal_mm[name] for name in ("eye_right_inner", "eye_right_outer")
    )
    middle = (inner_x + outer_x) / 2
    glow, lashes = blank(), blank()
    paint_eye(glow, 1, person(canthus=1.0), opening=1.0, forehead_c=-0.3)
    paint_eye(lashes, 1, person(lash_patch=-1.0), opening=1.0, forehead_c=-0.3)
    assert at(glow, inner_x + 1.5, inner_y) > 0.5 > at(glow, outer_x - 1.5, outer_y) > 0.1
    assert abs(at(glow, middle, inner_y - 2)) < 0.05
    assert at(lashes, middle + 5, inner_y - 6) < 3 * at(lashes, middle - 5, inner_y - 6) < 0.0


def test_the_pad_of_the_chin_has_round_corners() -> None:
    canvas = blank()
    paint_chin(canvas, person(chin_pad=-1.0))
    lip_y, chin_y = (mean_head().landmarks_frontal_mm[name][1] for name in ("lower_lip", "chin"))
    middle_y = (lip_y + 11 + chin_y) / 2
    assert at(canvas, 0, middle_y) < -0.9
    assert at(canvas, 17, middle_y) < -0.9 < at(canvas, 23, middle_y)
    assert at(canvas, 0, lip_y + 14) < -0.9
    assert abs(at(canvas, 19, lip_y + 12.5)) < 0.05


def test_the_sides_of_the_bridge_are_cool_between_ridge_and_cheek() -> None:
    canvas = blank()
    paint_nose(canvas, person(nose_flank=-1.0), forehead_c=0.0, frame_state=FRAME_STATE)
    assert at(canvas, 9, 12) < -0.9
    assert at(canvas, 0, 11) > -0.3
    assert at(canvas, 20, 12) > -0.1
    assert at(canvas, 14, 32) > -0.1


@pytest.mark.parametrize("half_height", [6.5, 11.0])
def test_the_wings_of_the_nose_end_above_or_below_its_tip(half_height: float) -> None:
    canvas = blank()
    paint_nose(canvas, person(ala=-1.0, wing_half_height=half_height), forehead_c=0.0, frame_state=FRAME_STATE)
    (ala_x, ala_y), (_, tip_y) = (mean_head().landmarks_frontal_mm[name] for name in ("ala_right", "nose_tip"))
    top_y = ala_y + 2.6 - 2 * half_height
    assert (top_y < tip_y - 5) == (half_height > 10)
    assert at(canvas, ala_x - 4.8, top_y + 3) < -0.4
    assert abs(at(canvas, ala_x - 4.8, top_y - 3)) < 0.05


def test_wings_that_lean_lead_up_to_the_ridge() -> None:
    upright, leaning = blank(), blank()
    for canvas, lean in ((upright, 0.0), (leaning, 0.7)):
        paint_nose(canvas, person(ala=-1.0, wing_lean=lean), forehead_c=0.0, frame_state=FRAME_STATE)
    assert at(upright, 13, 32) < -0.4 < -0.1 < at(leaning, 13, 32)


def test_the_band_around_the_mouth_is_apart_from_the_corners() -> None:
    corner_x, corner_y = mean_head().landmarks_frontal_mm["mouth_right"]
    for gap in (3.0, 10.0):
        canvas = blank()
        paint_mouth(canvas, person(lip_halo=1.0, lip_halo_gap=gap), open_mm=0.0, forehead_c=0.0)
        across = np.arange(14.0, 42.0)
        painted = [at(canvas, x, corner_y) for x in across]
        assert abs(across[int(np.argmax(painted))] - corner_x - gap) < 1.5
        assert abs(at(canvas, 0, corner_y)) < 0.1


def test_the_corners_of_the_eye_are_warmest_inside_them() -> None:
    inner_x, inner_y = mean_head().landmarks_frontal_mm["eye_right_inner"]
    canvas = blank()
    paint_eye(canvas, 1, person(canthus=1.0, canthus_inset=4.0), opening=1.0, forehead_c=-0.3)
    assert at(canvas, inner_x + 4, inner_y) > at(canvas, inner_x + 1, inner_y) + 0.3


def test_even_noses_have_a_ridge_as_warm_as_the_skin_beside_it() -> None:
    def cooling(share: float) -> float:
        noses = SyntheticFaces(subjects=40, images_per_subject=1, temperature={"even_nose": share})
        people = [noses.portrait(subject, 0).person for subject in range(40)]
        return float(np.mean([person.regions_k["nose"] + person.features_k["lobule"] for person in people]))

    assert cooling(1.0) == pytest.approx(0.15 * cooling(0.0))


def test_a_soul_patch_hangs_from_the_lip_between_bare_skin() -> None:
    canvas = blank()
    paint_beard(canvas, replace(person(beard=-2.0), beard_style=BEARD))
    assert at(canvas, 0, 86) < -0.5
    assert abs(at(canvas, 15, 86)) < 0.05
    assert at(canvas, 0, 108) < -0.5
    full = blank()
    paint_beard(full, replace(person(beard=-2.0), beard_style=replace(BEARD, bare_mm=0.0)))
    assert at(full, 15, 92) < -0.5 < at(canvas, 15, 92)


def test_the_line_between_the_lips_shows_unless_it_is_faint() -> None:
    def lines(faint: float, **temperature: object) -> np.ndarray:
        settings = {"contrast": [1, 1], "faint_mouth_line": faint, **temperature}
        people = SyntheticFaces(subjects=20, images_per_subject=1, temperature=settings)
        return np.array([people.portrait(subject, 0).person.features_k["mouth_line"] for subject in range(20)])

    clear, faint = lines(0.0), lines(1.0)
    assert np.abs(clear).min() >= 0.45 > 0.1 > np.abs(faint).min()
    np.testing.assert_array_equal(np.sign(clear), np.sign(faint))
    assert not lines(0.0, mouth_line_k=[0, 0]).any()


def test_teeth_show_below_the_upper_lip_of_an_open_mouth() -> None:
    wide, narrow = blank(), blank()
    teeth = person(mouth_cavity=-1.0, teeth=-3.0, teeth_shown=5.0)
    paint_mouth(wide, teeth, open_mm=20.0, forehead_c=0.0)
    paint_mouth(narrow, teeth, open_mm=5.0, forehead_c=0.0)
    assert at(wide, 0, 69.6) < -2.9
    assert at(wide, 0, 72.5) == pytest.approx(-1.0, abs=0.05)
    assert at(narrow, 0, 72.5) < -2.9


def test_open_mouths_may_be_blunt_up_to_their_corners() -> None:
    lens, blunt = blank(), blank()
    for canvas, gape in ((lens, 1.0), (blunt, 0.4)):
        paint_mouth(canvas, person(mouth_cavity=-2.0, gape=gape), open_mm=10.0, forehead_c=0.0)
    assert abs(at(lens, 20, 70.5)) < 0.05
    assert at(blunt, 20, 70.5) < -1.5
    assert abs(at(blunt, 26, 69)) < 0.05


def test_soul_patches_differ_in_taper_and_in_their_distance_from_the_lip() -> None:
    def painted(x: float, y: float, **style: float) -> float:
        canvas = blank()
        paint_beard(canvas, replace(person(beard=-2.0), beard_style=replace(BEARD, **style)))
        return at(canvas, x, y)

    assert painted(6, 92, patch_taper=-0.15) < -0.5
    assert abs(painted(6, 92, patch_taper=0.4)) < 0.05
    assert painted(0, 83, patch_gap_mm=0.0) < -0.5
    assert abs(painted(0, 83, patch_gap_mm=4.0)) < 0.2


def test_a_soul_patch_of_its_own_kind_is_dense_and_stands_in_bare_skin() -> None:
    kinds = dict.fromkeys(("stubble", "full", "goatee", "moustache", "patchy"), 0)
    people = SyntheticFaces(subjects=20, images_per_subject=1, appearance={"beard": 1, "beard_kinds": kinds})
    styles = [people.portrait(subject, 0).person.beard_style for subject in range(20)]
    assert all(style and style.patch > 0.85 and style.bare_mm >= 6 for style in styles)


def test_beards_may_reach_down_the_throat() -> None:
    chin_y = mean_head().landmarks_frontal_mm["chin"][1]
    long, short = blank(), blank()
    for canvas, throat_mm in ((long, 24.0), (short, -8.0)):
        paint_beard(canvas, replace(person(beard=-2.0), beard_style=replace(BEARD, throat_mm=throat_mm)))
    assert at(long, 0, chin_y + 22) < -0.5
    assert abs(at(short, 0, chin_y + 22)) < 0.05


def test_lips_part_a_little_where_the_mouth_does_nothing_else() -> None:
    def openings(**expression: float) -> list[float]:
        people = SyntheticFaces(subjects=20, images_per_subject=1, expression={"neutral": 0, "yawn": 0, **expression})
        states = [people.portrait(subject, 0).frame_state for subject in range(20)]
        return [state.expression_mm.get("mouth_open", 0.0) for state in states]

    assert all(0.5 <= opening <= 5 for opening in openings(active=0, parted=1))
    assert not any(openings(active=0, parted=0))
    assert not any(openings(active=0, parted=1, neutral=1))
    assert openings(active=1, parted=1) == openings(active=1, parted=0)
