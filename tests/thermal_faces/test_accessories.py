"""Hair, beards and accessories: each can be seen, hides the landmarks it covers, and can be switched off."""

from typing import Any

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_faces.worn.accessories import hidden_by_accessories
from thermal_faces.worn.cloth import covers
from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.schemes import get_scheme

NAMES = get_scheme("face16").landmark_names
BARE: dict[str, Any] = dict.fromkeys(
    ("bald", "cropped", "long_hair", "bun", "receding", "fringe", "strand", "beard", "long_beard", "glasses_owner",
     "pushed_up", "cap", "peaked_cap", "head_band", "hood", "headphones", "collar", "high_collar", "scarf", "mask",
     "occluder", "head_rest"), 0,
)  # fmt: skip
ONLY_FULL = dict.fromkeys(("stubble", "goatee", "moustache", "patchy", "soul_patch"), 0)
FRONTAL = {"yaw_deg": [0, 0], "pitch_deg": [0, 0], "roll_deg": [0, 0], "face_height": [0.42, 0.42],
           "position_y": [0.8, 0.8]}  # fmt: skip
QUIET: dict[str, Any] = {
    "scene": {"bystander": 0, "objects": [0, 0], "warm_object": 0, "lamp": 0, "hot_room": 0, "outdoors": 0,
              "ambient_c": [22, 22]},
    "sensor": {"eight_bit": 0, "interpolated": 0, "motion": 0, "sharpened": 0, "noise_k": [0, 0], "gain": [1, 1],
               "offset_k": [0, 0], "pattern_k": [0, 0], "shading_k": [0, 0], "vignette_k": [0, 0]},
    "expression": {"neutral": 1},
    "pose": FRONTAL,
    "size": (240, 320),
}  # fmt: skip


def faces(number: int = 4, **appearance: Any) -> SyntheticFaces:
    return SyntheticFaces(subjects=number, images_per_subject=1, appearance={**BARE, **appearance}, **QUIET)


def hidden(annotation: Annotation) -> set[str]:
    assert annotation.visible is not None
    return {name for name, seen in zip(NAMES, annotation.visible, strict=True) if not seen}


def change_k(subject: int, **appearance: Any) -> np.ndarray:
    """What an accessory adds to the picture."""
    return faces(**appearance).render(subject, 0) - faces().render(subject, 0)


THINGS: list[tuple[dict[str, Any], str, Any]] = [
    ({"bald": 1}, "bald", True),
    ({"long_hair": 1}, "long_hair", True),
    ({"bun": 1}, "bun", True),
    ({"fringe": 1, "swept": 0}, "fringe", True),
    ({"beard": 1}, "beard", True),
    ({"glasses_owner": 1, "glasses": 1}, "glasses", True),
    ({"cap": 1}, "headwear", "cap"),
    ({"peaked_cap": 1}, "headwear", "peaked_cap"),
    ({"head_band": 1}, "headwear", "head_band"),
    ({"hood": 1}, "headwear", "hood"),
    ({"headphones": 1}, "headphones", True),
    ({"collar": 1}, "neckwear", "collar"),
    ({"high_collar": 1}, "neckwear", "high_collar"),
    ({"scarf": 1}, "neckwear", "scarf"),
    ({"mask": 1}, "mask", "over_nose"),
    ({"occluder": 1}, "occluder", "hand"),
    ({"head_rest": 1}, "head_rest", True),
]


@pytest.mark.parametrize(("appearance", "attribute", "value"), THINGS, ids=[str(t[0]) for t in THINGS])
def test_each_thing_is_seen_and_named(appearance: dict[str, Any], attribute: str, value: Any) -> None:
    source = faces(**appearance)
    named = [annotation.attributes[attribute] for annotation in source.annotations()]
    assert value in named
    assert faces().annotations()[0].attributes[attribute] in ("", False)
    changed = [
        np.abs(change_k(subject, **appearance)) > 0.3 for subject in range(len(named)) if named[subject] == value
    ]
    assert max(pixels.mean() for pixels in changed) > 0.001


def test_nothing_is_hidden_where_nothing_is_worn() -> None:
    for subject in range(8):
        portrait = faces(8).portrait(subject, 0)
        points_px, _ = portrait.landmarks()
        assert not hidden_by_accessories(
            portrait.person, portrait.frame_state, portrait.view, portrait.vertices_mm, points_px
        ).any()


def test_glasses_hide_the_eyes_and_are_cold() -> None:
    source = faces(glasses_owner=1, glasses=1, glasses_slide_mm=[0, 0])
    for subject, annotation in enumerate(source.annotations()):
        assert {"eye_left_outer", "eye_left_inner", "eye_right_inner", "eye_right_outer"} & hidden(annotation)
        assert not {"chin", "nose_tip", "mouth_left"} & hidden(annotation)
        between = annotation.points_px[[2, 3]].mean(axis=0)
        x, y = np.rint(between).astype(int)
        assert change_k(subject, glasses_owner=1, glasses=1, glasses_slide_mm=[0, 0])[y, x] < -2


def test_glasses_on_the_forehead_leave_the_eyes_free() -> None:
    for annotation in faces(glasses_owner=1, glasses=1, pushed_up=1).annotations():
        assert not {"eye_left_outer", "eye_right_inner"} & hidden(annotation)


@pytest.mark.parametrize("yaw_deg", [0, 35])
def test_sunglasses_are_larger_and_colder_and_hide_both_eyes(yaw_deg: float) -> None:
    pose = {**FRONTAL, "yaw_deg": [yaw_deg, yaw_deg]}
    worn = {"glasses_owner": 1, "glasses": 1, "sports": 0, "glasses_slide_mm": [0, 0]}
    bare, dark, clear = (
        SyntheticFaces(subjects=3, images_per_subject=1, **{**QUIET, "pose": pose}, appearance={**BARE, **appearance})
        for appearance in ({}, {**worn, "sunglasses": 1}, {**worn, "sunglasses": 0})
    )
    eyes = {"eye_left_outer", "eye_left_inner", "eye_right_inner", "eye_right_outer"}
    for subject in range(3):
        assert eyes <= hidden(dark.annotation(subject, 0))
        room = bare.render(subject, 0)
        large, small = (
            change[change < -2] for change in (source.render(subject, 0) - room for source in (dark, clear))
        )
        assert large.size > 1.1 * small.size
        assert large.mean() < small.mean()


def test_a_mask_hides_the_mouth_and_perhaps_the_nose() -> None:
    for annotation in faces(8, mask=1).annotations():
        covered = hidden(annotation)
        assert {"mouth_left", "mouth_right", "upper_lip", "lower_lip"} <= covered
        assert ("nose_tip" in covered) == (annotation.attributes["mask"] == "over_nose")
        assert not {"eye_left_outer", "brow_right"} & covered


def test_scarfs_and_collars_hide_no_more_than_the_lower_face() -> None:
    # A nose may hide its own base.
    bare = [hidden(annotation) for annotation in faces(12).annotations()]
    covered = []
    for appearance in ({"scarf": 1}, {"high_collar": 1}):
        worn = [hidden(annotation) for annotation in faces(12, **appearance).annotations()]
        covered += [names - before for names, before in zip(worn, bare, strict=True)]
    assert any("chin" in names for names in covered)
    assert all(names <= {"chin", "lower_lip"} for names in covered)


def test_a_long_beard_hides_the_chin() -> None:
    source = faces(6, beard=1, beard_kinds=ONLY_FULL, long_beard=1)
    assert all("chin" in hidden(annotation) for annotation in source.annotations())


def test_what_is_held_hides_what_lies_behind_it() -> None:
    source, bare = faces(12, occluder=1), faces(12)
    found = missed = extra = 0
    for subject, annotation in enumerate(source.annotations()):
        held = np.abs(source.render(subject, 0) - bare.render(subject, 0)) > 0.15
        for name, (x, y) in zip(NAMES, np.rint(annotation.points_px).astype(int), strict=True):
            around = held[y - 2 : y + 3, x - 2 : x + 3]
            found += around.all()
            missed += around.all() and name not in hidden(annotation)
            extra += not around.any() and name in hidden(annotation) - hidden(bare.annotation(subject, 0))
    assert found > 5
    assert not missed
    # A hand may be as warm as the skin behind it.
    assert extra <= 0.1 * found


def test_hair_is_warmest_at_its_roots() -> None:
    settings = {"hairline_uneven_mm": [0, 0], "hair_softness_mm": [4, 4], "hair_thickness_mm": [8, 8], "tufts": [0, 0]}
    source = faces(6, root_mm=[12, 12], **settings)
    fall_k = []
    for subject in range(6):
        portrait, image = source.portrait(subject, 0), source.render(subject, 0)
        scale = portrait.person.scale * portrait.view.pixels_per_mm
        x, y = portrait.view.centre_px
        hairline = y - portrait.person.hairline_mm * scale
        near, far = (image[round(hairline - up * scale), round(x) - 6 : round(x) + 7].mean() for up in (8, 36))
        fall_k.append(near - far)
    assert np.median(fall_k) > 1
    assert min(fall_k) > -1


def test_cropped_hair_is_warmer_than_long_hair() -> None:
    cropped, full = (faces(4, cropped=p, hair_thickness_mm=[8, 8]) for p in (1, 0))
    for subject in range(4):
        portrait = full.portrait(subject, 0)
        x, y = portrait.view.centre_px
        crown = slice(round(y - 112 * portrait.view.pixels_per_mm), round(y - 100 * portrait.view.pixels_per_mm))
        across = slice(round(x) - 8, round(x) + 9)
        assert cropped.render(subject, 0)[crown, across].mean() > full.render(subject, 0)[crown, across].mean() + 0.5


def test_beards_are_colder_than_the_skin_around() -> None:
    source = faces(6, beard=1, beard_kinds=ONLY_FULL)
    chin = NAMES.index("chin")
    for subject, annotation in enumerate(source.annotations()):
        x, y = np.rint(annotation.points_px[chin]).astype(int)
        change = source.render(subject, 0) - faces(6).render(subject, 0)
        assert change[y - 8 : y, x - 6 : x + 7].mean() < -0.3


def test_places_inside_cells_are_covered() -> None:
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0)), axis=-1)
    cells = np.ones((2, 3), bool)
    cells[0, 0] = False
    places = np.array([[0.5, 0.5], [1.5, 0.5], [2.5, 1.5], [5.0, 1.0], [-0.5, 0.5]])
    np.testing.assert_array_equal(covers(grid, cells, places), [False, True, True, False, False])
