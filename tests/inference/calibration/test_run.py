"""The command, and that what it writes is applied wherever a checkpoint predicts."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from thermal_landmarks.commands.entry import compose_config
from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.face_frames import expected_points
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.calibration import run
from thermal_landmarks.inference.calibration.annotated import predict_annotated, shared_landmarks
from thermal_landmarks.inference.calibration.leave_one_out import Faces
from thermal_landmarks.inference.calibration.run import calibrate_config
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import find_checkpoint, load_checkpoint


def config(*overrides: str):
    cfg = compose_config("calibrate", ["device=cpu", "data_name=faces", *overrides])
    OmegaConf.resolve(cfg)
    return cfg


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("calibrated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data))
        calibrate_config(config("data=portraits"), folder)
    return folder


def test_four_real_portraits_show_the_annotators_definitions(calibrated: Path) -> None:
    result = json.loads((calibrated / "calibration.json").read_text())
    assert (calibrated / "figures" / "offsets.png").is_file()
    assert result["faces"] == 4
    assert result["subjects"] == 3
    assert result["left_out"] == "person"
    assert result["nme_left_out"] < result["nme_before"]
    with (calibrated / "calibration.csv").open(newline="") as file:
        rows = {row["landmark"]: row for row in csv.DictReader(file)}
    left, right = (float(rows[f"ala_{side}"]["right"]) for side in ("left", "right"))
    assert left == pytest.approx(-right, abs=2e-5) != 0
    with (calibrated / "per_face.csv").open(newline="") as file:
        faces = list(csv.DictReader(file))
    assert np.mean([float(face["after"]) for face in faces]) == pytest.approx(result["nme_left_out"], abs=1e-4)


def test_the_calibrated_checkpoint_predicts_moved_points_in_every_way(calibrated: Path, shared_data: Path) -> None:
    from thermal_landmarks.data.formats.images import read_image

    image = read_image(shared_data / "thermal-real" / "images" / "face_01.png", unit="centi_celsius")
    before = Predictor.from_checkpoint("thermal_real", device="cpu")
    after = Predictor.from_checkpoint(calibrated, device="cpu")
    calibration = after.cascade.calibration
    assert calibration is not None
    expected = calibration.apply(before(image), before.scheme)
    np.testing.assert_allclose(after(image), expected, atol=0.01)
    assert np.abs(expected - before(image)).max() > 1
    (found,), (moved,) = before.faces(image), after.faces(image)
    np.testing.assert_allclose(moved.points_px, calibration.apply(found.points_px, before.scheme), atol=0.1)
    quick = [Predictor.from_checkpoint(c, device="cpu", speed="fast")(image) for c in ("thermal_real", calibrated)]
    np.testing.assert_allclose(quick[1], calibration.apply(quick[0], before.scheme), atol=0.1)
    assert moved.confidence == pytest.approx(found.confidence, abs=0.02)


def test_evaluate_measures_the_calibrated_points(
    calibrated: Path, shared_data: Path, tmp_path: Path, monkeypatch
) -> None:
    from thermal_landmarks.inference.evaluation_run import evaluate_config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data))
    nme = []
    for checkpoint in ("thermal_real", calibrated):
        overrides = [
            f"checkpoint={checkpoint}",
            "data=portraits",
            "overlays=0",
            "device=cpu",
            "data.workers=1",
            "data_name=portraits",
        ]
        nme.append(evaluate_config(compose_config("evaluate", overrides), tmp_path / "out")["test/nme"])
    assert nme[1] < 0.75 * nme[0]


def test_calibrating_once_more_starts_from_the_network(
    calibrated: Path, shared_data: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data))
    result = calibrate_config(config("data=portraits", f"checkpoint={calibrated}"), tmp_path / "again")
    assert result["nme_before"] == json.loads((calibrated / "calibration.json").read_text())["nme_before"]
    assert load_checkpoint(tmp_path / "again").calibration == load_checkpoint(calibrated).calibration
    assert find_checkpoint(calibrated) == calibrated / "checkpoints" / "best.ckpt"


class Portraits:
    """A `Source` with the thermal-real pictures and other annotations of them."""

    def __init__(self, folder: Path, scheme: str, keep: list[int]) -> None:
        self.scheme = scheme
        self._keep = keep
        self._folder = folder

    def annotations(self) -> list[Annotation]:
        points = get_scheme("face16").index_map(get_scheme(self.scheme))
        content = json.loads((self._folder / "annotations.json").read_text())
        found = []
        for entry in content["annotations"]:
            all_points = np.array(entry["keypoints"], dtype=np.float32).reshape(-1, 3)[points, :2]
            all_points[[i for i in range(len(points)) if i not in self._keep]] = np.nan
            image = next(i for i in content["images"] if i["id"] == entry["image_id"])
            found.append(Annotation(self._folder / "images" / image["file_name"], all_points, str(entry["image_id"])))
        return found

    def load(self, annotation: Annotation) -> ThermalImage:
        from thermal_landmarks.data.formats.images import read_image

        return read_image(annotation.image, unit="centi_celsius")

    def fingerprint(self) -> str:
        return self.scheme


def test_annotations_of_another_scheme_teach_the_landmarks_they_share(shared_data: Path) -> None:
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu")
    source = Portraits(shared_data / "thermal-real", "perinasal6", [0, 1, 2, 3, 5])  # no upper lip
    faces, skipped = predict_annotated(predictor, source)
    assert not skipped
    annotated = np.isfinite(faces.annotated_px).all(axis=(0, 2))
    names = [name for name, known in zip(predictor.scheme.landmark_names, annotated, strict=True) if known]
    assert names == ["ala_left", "subnasale", "ala_right", "mouth_left", "mouth_right"]


def test_faces_without_points_are_named(shared_data: Path) -> None:
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu")
    with pytest.raises(DataError, match="no face with an annotated landmark"):
        predict_annotated(predictor, Portraits(shared_data / "thermal-real", "face16", []))


def test_schemes_without_a_common_landmark_are_named() -> None:
    from thermal_landmarks.data.schemes import Scheme

    other = Scheme("other", (500, 501), ("a", "b"))
    with pytest.raises(ConfigError, match="share no landmark"):
        shared_landmarks(other, get_scheme("face16"))


def test_two_faces_are_too_few(shared_data: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data))
    with pytest.raises(DataError, match="2 annotated faces, expected 3 or more"):
        calibrate_config(config("data=thermal54"), tmp_path)


@pytest.mark.parametrize("command", ["calibrate", "evaluate"])
def test_data_without_landmarks_are_named(command: str) -> None:
    from thermal_landmarks.inference.evaluation_run import with_checkpoint_settings

    cfg = compose_config(command, ["data=scenes", "checkpoint=thermal_real", "data_name=scenes"])
    with pytest.raises(ConfigError, match="data=scenes: these data have no landmarks"):
        with_checkpoint_settings(cfg, load_checkpoint("thermal_real"))


class FewFaces:
    """A predictor's data that `calibrate_config` gets instead of reading pictures."""

    def __init__(self, subjects: str, *, offset: float, lost: int = 0) -> None:
        generator = np.random.default_rng(0)
        face16 = get_scheme("face16")
        shape = expected_points(face16, None, (200, 200))[0]
        predicted = shape + generator.normal(0, 0.3, (len(subjects), 16, 2))
        annotated = np.add(predicted, [0.0, offset])
        annotated[:lost] += 400
        self.faces = Faces(predicted, annotated, list(subjects), np.full(len(subjects), 60.0), list(subjects))


@pytest.mark.parametrize(
    ("few", "said"),
    [
        (FewFaces("aaaa", offset=5.0), "All 4 faces are of one person"),
        (FewFaces("abcdef", offset=5.0, lost=1), "Nothing is learned from 1 of 6 faces"),
        (FewFaces("abcd", offset=0.0), "4 faces of 4 people support no offset"),
    ],
)
def test_what_a_person_should_know_is_said(few: FewFaces, said: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(run, "predict_annotated", lambda *_, **__: (few.faces, []))
    calibrate_config(config("data=synthetic", "data.source.subjects=1"), tmp_path)
    assert said in " ".join(capsys.readouterr().out.split())
