"""Pictures without labels, a teacher that annotates them, and the recipe that learns from both."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.material import VideoFrames
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.teacher import Teacher
from thermal_landmarks.inference.unlabelled import UnlabelledPictures

PAGE = Path(__file__).parents[2] / "docs" / "unlabelled.md"
TEACHER = "thermal_real"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rendered people in hundredths of a kelvin, and a picture of nobody."""
    folder = tmp_path_factory.mktemp("mine")
    faces = SyntheticFaces(subjects=4, images_per_subject=1, size=(120, 160), seed=5)
    values = [faces.load(annotation).values for annotation in faces.annotations()]
    values.append(20 + np.random.default_rng(0).normal(0, 0.1, (120, 160)).astype(np.float32))
    for i, each in enumerate(values):
        Image.fromarray(np.rint((each + 273.15) * 100).astype(np.uint16)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def unlabelled(source: Path, cache: Path, **settings: Any) -> UnlabelledPictures:
    return UnlabelledPictures(source=source, teacher=TEACHER, cache_dir=cache, device="cpu", **settings)


def test_the_student_sees_the_teachers_points(pictures: Path, cache: Path) -> None:
    source = unlabelled(pictures, cache, min_confidence=0.5, min_point_confidence=0.5)
    labelled = SyntheticFaces(subjects=6, images_per_subject=1, size=(72, 96))
    size: dict[str, Any] = {"image_size": [120, 160], "cache_dir": cache, "workers": 1}
    data = LandmarkDataModule(
        source=labelled, scheme="face16", unlabelled=source, augmentation={"rotation": "none"}, **size
    )
    data.setup()
    train = data.datasets["train"]
    assert data.taught == {"teacher": TEACHER, "faces": 4, "pictures": 4}
    batch = data.finish(train.__getitems__(list(range(len(train)))), augment=False)
    predictor = Predictor.from_checkpoint(TEACHER, device="cpu", speed="exact", flip_tta=True)
    for place, row in enumerate(train.rows):
        if train.samples.subjects[row] != "unlabelled":
            continue
        (face,) = predictor.faces(read_image(Path(train.samples.names[row])))
        sure = face.point_confidence >= 0.5
        back = invert_matrix(train.samples.matrix[row].astype(float))
        seen = transform_points(batch["points_px"][place].numpy(), back)
        np.testing.assert_allclose(seen[sure], face.points_px[sure], atol=0.02)
        assert not batch["mask"][place].numpy()[~sure].any()
        # upright, in the middle and at the size of a face that was found
        middle = batch["points_px"][place][batch["mask"][place]].mean(dim=0)
        assert (middle - torch.tensor([79.5, 59.5])).abs().max() < 20


def test_the_teacher_is_asked_once_and_goes_on_where_it_was_stopped(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []
    looks = Teacher._looks

    def counted(self: Teacher, material: Any, folder: Path, start: int) -> Iterator[Any]:
        starts.append(start)
        return looks(self, material, folder, start)

    monkeypatch.setattr(Teacher, "_looks", counted)
    first = unlabelled(pictures, tmp_path).annotations()
    again = unlabelled(pictures, tmp_path).annotations()
    assert starts == [0]
    (record,) = tmp_path.glob("taught-*/faces.jsonl")
    whole = record.read_bytes()
    assert len(whole.splitlines()) == 5
    record.write_bytes(b"".join(whole.splitlines(keepends=True)[:3]) + b'{"file": "')
    resumed = unlabelled(pictures, tmp_path).annotations()
    assert starts == [0, 3]
    assert record.read_bytes() == whole
    for one, two, three in zip(first, again, resumed, strict=True):
        np.testing.assert_array_equal(one.points_px, two.points_px)
        np.testing.assert_array_equal(one.points_px, three.points_px)


def test_the_fingerprint_knows_pictures_teacher_and_bounds(pictures: Path, tmp_path: Path) -> None:
    found = {unlabelled(pictures, tmp_path, **settings).fingerprint() for settings in ({}, {}, {"min_confidence": 0.9})}
    other = UnlabelledPictures(source=pictures, teacher="thermal_real_large", cache_dir=tmp_path)
    fewer = unlabelled(pictures, tmp_path, most=2)
    assert len(found | {other.fingerprint(), fewer.fingerprint()}) == 4


def test_what_can_teach_nothing_is_named(pictures: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no image in this folder"):
        unlabelled(tmp_path / "none", cache).annotations()
    with pytest.raises(DataError, match="no such file or folder"):
        unlabelled(tmp_path / "nothing", cache).annotations()
    with pytest.raises(DataError, match="no face is found in any of 1 picture"):
        unlabelled(Path(f"{pictures}/4*.png"), cache).annotations()
    with pytest.raises(DataError, match=r"the teacher is sure of none\. Lower data\.unlabelled\.min_confidence=1"):
        unlabelled(pictures, cache, min_confidence=1.0).annotations()
    (tmp_path / "damaged.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match="none of its 1 picture"):
        unlabelled(Path(f"{tmp_path}/*.png"), cache).annotations()
    with pytest.raises(ConfigError, match="a camera can't be looked at twice"):
        unlabelled(Path("0"), cache).annotations()
    with pytest.raises(ConfigError, match=r"data\.unlabelled, teacher=nobody .* there is no such file"):
        UnlabelledPictures(source=pictures, teacher="nobody", cache_dir=cache).fingerprint()
    with pytest.raises(ConfigError, match="min_confidence=2"):
        unlabelled(pictures, cache, min_confidence=2)


def test_frames_of_a_video_are_spread_and_kept(tmp_path: Path) -> None:
    film = np.random.default_rng(0).uniform(20, 37, (9, 24, 32)).astype(np.float32)
    np.save(tmp_path / "film.npy", film)
    frames = VideoFrames(tmp_path / "film.npy", most=3, unit="celsius", palette="auto")
    assert [place.rpartition(" ")[2] for place in frames.places] == ["0", "4", "8"]
    for start in (0, 2):
        for number, image in enumerate(frames.images(start), start):
            assert isinstance(image, ThermalImage)
            kept = frames.load(frames.keep(number, image, tmp_path))
            assert kept.unit == "celsius"
            np.testing.assert_allclose(kept.values, film[4 * number], atol=0.006)
    damaged = tmp_path / "frame_000008.npz"
    for content in (damaged.read_bytes()[:200], b""):
        damaged.write_bytes(content)
        with pytest.raises(DataError, match=r"frame_000008\.npz: this frame of .*film\.npy can't be read again"):
            frames.load(damaged)


@pytest.mark.slow
def test_the_recipe_trains_and_its_checkpoint_says_of_what(
    pictures: Path, cache: Path, tmp_path: Path, run_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = re.findall(r"```bash\nuv run python (.*)\n```", PAGE.read_text(encoding="utf-8"))
    recipe = shlex.split(line.replace("FOLDER_OR_VIDEO", str(pictures)))
    small = ["data.source.subjects=6", "data.source.images_per_subject=1", "data.batch_size=2", "data.workers=1"]
    small += ["data.source.size=[72,96]", "data.image_size=[72,96]", "data.cascade.crop_size=[64,64]"]
    small += [f"data.unlabelled.teacher={TEACHER}", f"data.cache_dir={cache}", "output=run", "trainer.max_epochs=1"]
    result = run_script([*recipe, *small, "debug=limit", "callbacks.figures=null"], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Without labels: 4 faces of 4 pictures, by thermal_real" in result.stdout
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["hyper_parameters"]["taught"] == {"teacher": TEACHER, "faces": 4, "pictures": 4}
    assert not (tmp_path / "run" / "checkpoints" / "best.ckpt").exists()
    with Image.open(tmp_path / "run" / "figures" / "taught.png") as figure:
        assert min(figure.size) > 100

    monkeypatch.setattr(Teacher, "_looks", None)  # everything it has to say is known
    (tmp_path / "elsewhere").mkdir()
    resumed = ["src/train.py", f"resume={tmp_path / 'run'}", "trainer.max_epochs=2"]
    result = run_script(resumed, cwd=tmp_path / "elsewhere")
    assert result.returncode == 0, result.stderr
