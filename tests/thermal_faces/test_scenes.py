"""Scenes with several people: what is labelled, where, and what isn't."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from thermal_faces import RenderedScene, SyntheticScenes
from thermal_faces.camera.burnt_in import burn_in
from thermal_faces.distant import DistantHead
from thermal_faces.randomness import rng
from thermal_faces.scene.animals import ANIMALS
from thermal_faces.scene.easel import Easel
from thermal_faces.scene.face import head_detail
from thermal_faces.scene.figure import Figure
from thermal_faces.scene.things import THINGS
from thermal_landmarks.errors import ConfigError, DataError

PLAIN = {
    "nobody": 0.0, "alone": 1.0, "outside": 0.0, "away": 0.0, "profile": 0.0, "dim": 0.0, "cold_skin": 0.0,
    "yaw_deg": (0, 0), "pitch_deg": (0, 0), "roll_deg": (0, 0), "face_px": (30, 60),
}  # fmt: skip
BARE = dict.fromkeys(
    ("cap", "peaked_cap", "head_band", "hood", "headphones", "scarf", "high_collar", "mask", "occluder"), 0.0
) | {"long_hair": 0.0, "fringe": 0.0, "head_rest": 0.0}

BARE_ROOM = {
    "things": (0, 0), "animals": (0, 0), "landscape": 0.0, "in_front": 0.0, "glass": 0.0, "burnt_in": 0.0,
}  # fmt: skip


def scenes(crowd: dict[str, object] | None = None, **settings: object) -> SyntheticScenes:
    clutter = BARE_ROOM if crowd else None
    given = {"images": 40, "size": (120, 160), "crowd": crowd, "clutter": clutter, **settings}
    return SyntheticScenes(**given)  # type: ignore[arg-type]


def same(a: RenderedScene, b: RenderedScene) -> bool:
    return (
        np.array_equal(a.values, b.values)
        and a.unit == b.unit
        and all(
            f.box_px == g.box_px and np.array_equal(f.points_px, g.points_px) and f.hidden == g.hidden
            for f, g in zip(a.faces, b.faces, strict=True)
        )
    )


def test_a_scene_depends_on_its_index_alone() -> None:
    source = scenes()
    fingerprint = source.fingerprint()
    first = [source.render(index) for index in (3, 4, 5)]
    assert source.fingerprint() == fingerprint
    copy = pickle.loads(pickle.dumps(source))
    again = [copy.render(index) for index in (5, 4, 3)][::-1]
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].values, scenes(seed=1).render(3).values)


def test_values_are_celsius_or_gray_levels_of_the_asked_size() -> None:
    source = scenes(size=((60, 80), (120, 160)))
    rendered = [source.render(index) for index in range(12)]
    assert {scene.unit for scene in rendered} == {"celsius", "gray"}
    heights = [scene.values.shape[0] for scene in rendered]
    assert min(heights) >= 60
    assert max(heights) <= 120
    assert len(set(heights)) > 3
    for index, scene in enumerate(rendered):
        assert scene.values.dtype == np.float32
        assert np.isfinite(scene.values).all()
        assert scene.values.shape == source.size(index)
        if scene.unit == "gray":
            assert scene.values.min() >= 0
            assert scene.values.max() <= 255


def test_points_of_a_frontal_face_lie_in_its_box_and_can_be_seen() -> None:
    source = scenes(PLAIN, appearance=BARE, sensor={"eight_bit": 0.0})
    for index in range(8):
        (face,) = source.render(index).faces
        x_min, y_min, x_max, y_max = face.box_px
        x, y = face.points_px.T
        assert ((x >= x_min) & (x <= x_max) & (y >= y_min) & (y <= y_max + 1)).all()
        assert 0.62 < (x_max - x_min) / (y_max - y_min) < 1.05
        assert face.is_face
        assert face.angle_deg == 0
        assert face.points_px.shape == (16, 2)


def test_a_box_ends_at_the_head_that_is_drawn() -> None:
    """Hot heads without hair before a cold, even room: beside the box, at the height of the eyes, nothing is hot."""
    source = scenes(PLAIN, appearance=BARE | {"bald": 1.0, "glasses_owner": 0.0})
    for index in range(6):
        (figure,) = source.cast.figures(index, (120, 160), 20.0)
        image = np.full((120, 160), 20.0, np.float32)
        figure.portrait.draw_over(image, 20.0)
        x_min, _, x_max, _ = figure.box_px()
        eye_row = round(float(figure.portrait.landmarks()[0][:, 1].min()))
        hot = np.flatnonzero(image[eye_row] > 26)
        # Ears stand off by up to a tenth of the width.
        tolerance = 0.14 * (x_max - x_min) + 1
        assert abs(hot.min() - x_min) < tolerance
        assert abs(hot.max() - x_max) < tolerance


def test_people_in_front_hide_those_behind() -> None:
    group = PLAIN | {"alone": 0.0, "few": 1.0, "close_together": 1.0, "others_size": (0.5, 0.9)}
    source = scenes(group, appearance=BARE, sensor={"eight_bit": 0.0})
    hidden_behind = []
    for index in range(12):
        faces = source.render(index).faces
        distances = [figure.portrait.view.distance_mm for figure in source.cast.figures(index, (120, 160), 20.0)]
        assert len(distances) == len(faces)
        assert distances == sorted(distances, reverse=True)
        hidden_behind += [face.hidden for face in faces[:-1]]
        for face in faces:
            assert face.is_face == (face.hidden <= 0.5)
            if face.hidden == 1:
                assert not face.visible.any()
    assert max(hidden_behind) > 0.7
    assert min(hidden_behind) == 0


def test_people_who_look_away_are_drawn_but_are_no_faces() -> None:
    away = scenes(PLAIN | {"away": 1.0, "face_px": (30, 60)}, sensor={"eight_bit": 0.0})
    empty = scenes({"nobody": 1.0}, sensor={"eight_bit": 0.0})
    for index in range(6):
        seen, room = away.render(index), empty.render(index)
        assert not any(head.is_face for head in seen.faces)
        assert room.faces == ()
        assert np.abs(seen.values - room.values).max() > 2


def test_a_head_without_any_detail_is_neither_a_face_nor_none() -> None:
    """In a picture whose faces are white all over, front and back of a head can't be told apart."""
    flat = {"eight_bit": 1.0, "equalised": 0.0, "jpeg": 0.0, "palette": 0.0, "inverted": 0.0}
    group = PLAIN | {"face_px": (40, 40)}
    for away in (0.0, 1.0):
        saturated = scenes(
            group | {"away": away}, appearance=BARE, sensor=flat, scene={"lamp": 1.0, "lamp_k": (2e4, 2e4)}
        )
        heads = [head for index in range(4) for head in saturated.render(index).faces]
        assert len(heads) == 4
        assert not any(head.is_face for head in heads)
    (shown,) = scenes(group, appearance=BARE, sensor={"eight_bit": 0.0}).render(0).faces
    picture = scenes(group, appearance=BARE, sensor={"eight_bit": 0.0}).render(0).values
    assert head_detail(picture, shown.box_px) > 0.2
    assert head_detail(np.add.outer(np.arange(60.0), np.arange(60.0)), (10, 10, 40, 50)) < 0.1
    assert head_detail(picture, (-50, -50, -20, -10)) == 0


def test_a_turned_head_is_closed_at_the_back() -> None:
    """Seen from behind, nothing of the room shows through the head."""
    source = scenes(PLAIN | {"away": 1.0, "away_deg": (150, 210), "face_px": (60, 60)}, appearance=BARE)
    for index in range(6):
        (figure,) = source.cast.figures(index, (120, 160), 20.0)
        image = np.full((120, 160), -50.0, np.float32)
        figure.portrait.draw_over(image, 20.0)
        x, y = (round(v) for v in figure.portrait.view.centre_px)
        if 6 < x < 154 and 12 < y < 108:
            assert image[y - 6 : y + 7, x - 6 : x + 7].min() > 0


def test_people_below_or_beside_the_frame_are_drawn_without_error() -> None:
    source = scenes(PLAIN)
    (figure,) = source.cast.figures(0, (120, 160), 20.0)
    for centre in ((80.0, 160.0), (80.0, -400.0), (500.0, 60.0), (-500.0, 60.0)):
        view = replace(figure.portrait.view, centre_px=centre)
        moved = replace(figure, portrait=replace(figure.portrait, view=view))
        image = np.full((120, 160), 20.0, np.float32)
        moved.draw_over(image, 20.0)
        moved.draw_front(image)
        assert np.isfinite(image).all()
        assert moved.hidden(np.zeros((120, 160), bool)) == 1


def test_boxes_of_profiles_reach_from_the_ear_to_the_tip_of_the_nose() -> None:
    def figure(yaw: float) -> Figure:
        source = scenes(PLAIN | {"profile": 1.0, "profile_deg": (yaw, yaw)}, appearance=BARE)
        return source.cast.figures(0, (120, 160), 20.0)[0]

    for yaw in (-75.0, 75.0):
        x_min, _, x_max, _ = figure(yaw).box_px()
        points, _ = figure(yaw).portrait.landmarks()
        nose = points[:, 0].max() if yaw > 0 else points[:, 0].min()
        assert abs((x_max if yaw > 0 else x_min) - nose) < 3
        assert x_max - x_min < 0.85 * (figure(0).box_px()[2] - figure(0).box_px()[0]) * 1.2


def test_furniture_in_front_hides_and_a_mirror_adds_no_face() -> None:
    plain, furnished, mirrored = (
        scenes(PLAIN, clutter=BARE_ROOM | more, sensor={"eight_bit": 0.0})
        for more in ({}, {"in_front": 1.0}, {"glass": 1.0})
    )
    more_hidden = 0
    for index in range(8):
        bare, mirror = plain.render(index), mirrored.render(index)
        (face,), (behind,), (seen,) = bare.faces, furnished.render(index).faces, mirror.faces
        assert behind.box_px == face.box_px
        assert behind.hidden >= face.hidden
        more_hidden += behind.hidden > face.hidden
        assert (seen.box_px, seen.hidden) == (face.box_px, face.hidden)
        assert not np.array_equal(mirror.values, bare.values)
    assert more_hidden > 0


def test_faces_without_contrast_or_of_a_few_camera_pixels_are_not_looked_for() -> None:
    small = PLAIN | {"face_px": (8, 8)}
    visible = scenes(small, sensor={"interpolated": 0.0}, scene={"hot_room": 0.0, "outdoors": 0.0})
    blurred = scenes(small, sensor={"interpolated": 1.0, "native_height_px": (30, 30)})
    covered = scenes(PLAIN, sensor={"eight_bit": 1.0}, scene={"lamp": 1.0, "lamp_k": (2e4, 2e4)})
    assert sum(visible.render(i).faces[0].is_face for i in range(10)) >= 6
    assert not any(blurred.render(i).faces[0].is_face for i in range(10))
    assert not all(covered.render(i).faces[0].is_face for i in range(10))


@pytest.mark.parametrize("name", [*THINGS, *ANIMALS])
def test_every_thing_is_painted_where_it_stands(name: str) -> None:
    paint = {**THINGS, **ANIMALS}[name]
    for seed in range(3):
        image = np.full((100, 140), 20.0, np.float32)
        paint(Easel(image, 70, 50, 14), rng(seed, name), 20.0)
        changed = np.argwhere(image != 20)
        assert len(changed) > 40
        assert np.isfinite(image).all()
        assert np.abs(np.median(changed, axis=0) - (50, 70)).max() < 32
        # Partly and fully out of the frame.
        paint(Easel(image, 0, 0, -40), rng(seed, name), 20.0)
        paint(Easel(image, 900, -900, 14), rng(seed, name), 20.0)


def test_marks_of_a_camera_stay_gray_levels_and_cover_little() -> None:
    gray = np.full((120, 160), 128.0, np.float32)
    marked = [burn_in(rng(seed, "marks"), gray) for seed in range(20)]
    assert all(picture.min() >= 0 and picture.max() <= 255 for picture in marked)
    shares = [float((picture != gray).mean()) for picture in marked]
    assert 0 < np.median(shares) < 0.2
    assert max(shares) < 0.4
    assert (gray == 128).all()
    assert burn_in(rng(0, "marks"), np.zeros((16, 16), np.float32)).shape == (16, 16)


def test_distant_heads_take_on_any_room() -> None:
    cast = scenes(PLAIN).cast
    person, frame_state, _, distant = cast.painted(3)
    colder = replace(person, forehead_c=person.forehead_c - 5)
    expected = DistantHead.of(colder, frame_state)
    np.testing.assert_allclose(distant.texture_c(colder.forehead_c, 0.0), expected.cold_c, atol=0.05)
    np.testing.assert_allclose(distant.texture_c(colder.forehead_c, 30.0), expected.warm_c, atol=0.05)


def test_distant_people_look_like_those_who_are_painted_in_full() -> None:
    """At 20 pixels, with and without the finer features, a head differs by little more than these."""
    cast = scenes(PLAIN | {"face_px": (20, 20)}, appearance=BARE | {"bald": 1.0, "glasses_owner": 0.0}).cast
    for index in range(4):
        (figure,) = cast.figures(index, (120, 160), 20.0)
        afar, near = (np.full((120, 160), 20.0, np.float32) for _ in range(2))
        figure.portrait.draw_over(afar, 20.0)
        replace(figure.portrait, distant=None).draw_over(near, 20.0)
        x_min, y_min, x_max, y_max = (round(v) for v in figure.box_px())
        face = slice(y_min + 2, y_max - 1), slice(x_min + 2, x_max - 1)
        assert figure.portrait.distant is not None
        assert np.abs(afar - near)[face].mean() < 1.5


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="images=0"):
        scenes(images=0)
    with pytest.raises(ConfigError, match="size="):
        scenes(size=((120, 160), (60, 80)))
    with pytest.raises(ConfigError, match="people is not a setting"):
        scenes({"people": 3})
    with pytest.raises(DataError, match="There is no scene 40"):
        scenes().render(40)
