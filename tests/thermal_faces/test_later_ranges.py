"""What came after renderer 14 changes nothing for who doesn't turn it on, and what it says for who does."""

from hashlib import sha256

import numpy as np
import pytest

from thermal_faces import SyntheticFaces, SyntheticScenes
from thermal_faces.person import draw_person
from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config


def source_of(name: str, *overrides: str) -> SyntheticFaces:
    return build("source", compose_config("train", [f"data={name}", *overrides]).data.source)


def test_faces_at_a_desk_are_those_of_renderer_14() -> None:
    # Studies on them run for days: these only change together with RENDERER_VERSION.
    desk = source_of("synthetic", "data.source.size=[120,160]")
    content = sha256()
    for index in range(6):
        annotation = desk.annotation(index, index)
        content.update(desk.load(annotation).values.tobytes())
        content.update(np.ascontiguousarray(annotation.points_px).tobytes())
    assert content.hexdigest()[:16] == "bbce7a9a4b31f29c"
    assert source_of("synthetic").fingerprint() == "f554e4c8e55cee2988dddd954ddf6b29"


def test_what_is_off_is_in_no_fingerprint() -> None:
    assert SyntheticFaces(size=(120, 160)).fingerprint() == "645513ebec9dcdb0788952a3620dcf77"
    assert SyntheticScenes().fingerprint() == "a3b3cd7c95066b8fc1d9b33c2e23f09b"
    assert SyntheticFaces(anatomy={"eye_bulge_mm": (0, 1)}).fingerprint() != SyntheticFaces().fingerprint()


@pytest.mark.parametrize(
    ("name", "mode", "sign"),
    [
        ("upper_lip_thinner_mm", "upper_lip_fullness", -1),
        ("lower_lip_thinner_mm", "lower_lip_fullness", -1),
        ("eye_bulge_mm", "eye_bulge", 1),
    ],
)
def test_a_range_of_the_anatomy_moves_its_own_field_alone(name: str, mode: str, sign: int) -> None:
    plain = SyntheticFaces()
    moved = SyntheticFaces(anatomy={name: (3, 3)})
    before, after = (draw_person(0, 4, s.anatomy, s.temperature, s.appearance) for s in (plain, moved))
    assert after.shape_mm == pytest.approx({**before.shape_mm, mode: before.shape_mm[mode] + sign * 3})
    assert (after.features_k, after.regions_k) == (before.features_k, before.regions_k)


def test_hair_hangs_over_the_lips_where_the_bare_area_is_small() -> None:
    bearded = {"beard": 1.0, "beard_kinds": {"full": 1.0, "stubble": 0, "goatee": 0, "moustache": 0, "patchy": 0,
                                             "soul_patch": 0}}  # fmt: skip
    shown = []
    for clear in ((0.95, 0.95), (0.5, 0.5)):
        faces = SyntheticFaces(subjects=1, size=(240, 320), expression={"neutral": 1.0},
                               appearance={**bearded, "beard_clear": clear})  # fmt: skip
        points = faces.annotation(0, 0).points_px
        shown.append(faces.render(0, 0))
    lips = dict(zip(("upper", "lower"), points[[12, 14]], strict=True))
    changed = np.argwhere(np.abs(shown[1] - shown[0]) > 0.3)[:, ::-1]
    assert len(changed) > 0
    middle = (lips["upper"] + lips["lower"]) / 2
    assert np.abs(changed - middle).max() < 0.6 * np.linalg.norm(points[2] - points[5])


def test_no_lip_is_so_thin_that_the_surface_folds() -> None:
    thin = SyntheticFaces(anatomy={"upper_lip_thinner_mm": (20, 20), "lower_lip_thinner_mm": (20, 20)})
    shape_mm = draw_person(0, 4, thin.anatomy, thin.temperature, thin.appearance).shape_mm
    assert (shape_mm["upper_lip_fullness"], shape_mm["lower_lip_fullness"]) == (-9.75, -9.75)
