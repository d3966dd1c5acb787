import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.check_report import DataReport
from thermal_landmarks.data.checks import Use, check_source
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.flat_csv import FlatCsv
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError, DataError

FACE = np.array([[40, 58], [50, 60], [60, 58], [33, 75], [50, 70], [67, 75]], dtype=np.float32)  # perinasal6


class Faces:
    """A source in memory: each annotation's image is noise of its own, unless changed."""

    scheme = "perinasal6"

    def __init__(self) -> None:
        self.faces = [
            Annotation(Path(f"{i}.png"), FACE.copy(), f"s{i // 2}", box_px=(20, 40, 80, 90), location=f"line {i}")
            for i in range(4)
        ]
        rng = np.random.default_rng(0)
        self.values = {face.image: rng.normal(30, 2, (100, 120)).astype(np.float32) for face in self.faces}

    def annotations(self) -> Sequence[Annotation]:
        return self.faces

    def load(self, annotation: Annotation) -> ThermalImage:
        if annotation.image not in self.values:
            raise DataError(f"{annotation.image}: no such file.")
        return ThermalImage(self.values[annotation.image], "celsius")

    def fingerprint(self) -> str:
        return ""


@pytest.fixture
def faces() -> Faces:
    return Faces()


def found(report: DataReport) -> list[tuple[str, str, str]]:
    return [(finding.severity, finding.kind, finding.location) for finding in report.findings]


def test_a_good_data_set_is_counted_and_has_no_findings(faces: Faces) -> None:
    faces.faces[1].points_px[2] = np.nan
    faces.faces[2] = replace(faces.faces[2], visible=np.array([True, False, True, True, False, True]))
    report = check_source(faces, Use(needs_box=True), workers=1)
    assert report.findings == []
    assert (report.faces, report.images, report.hidden, report.outside) == (4, 4, 2, 0)
    assert report.subjects == {"s0": 2, "s1": 2}
    assert report.sizes == {(100, 120): 4}
    assert report.units == {"celsius": 4}
    assert report.missing["ala_right"] == 1
    assert sum(report.missing.values()) == 1
    low, median, high = report.value_range["celsius"]
    every = [np.percentile(v, (1, 50, 99)) for v in faces.values.values()]
    assert (low, high) == pytest.approx((min(e[0] for e in every), max(e[2] for e in every)))
    assert median == pytest.approx(np.median([e[1] for e in every]))
    assert len(report.good) == 4


def test_an_unreadable_image_is_an_error_and_no_good_item(faces: Faces) -> None:
    del faces.values[Path("2.png")]
    report = check_source(faces, workers=1)
    assert found(report) == [("error", "unreadable", "line 2")]
    assert report.bad_items[0].reason == "2.png: no such file."
    assert [face.location for face in report.good] == ["line 0", "line 1", "line 3"]
    assert report.images == 3
    faces.values.clear()
    report = check_source(faces, workers=1)
    assert (len(report.bad_items), report.images, report.good, sum(report.missing.values())) == (4, 0, [], 0)


def test_points_outside_the_image_are_a_warning_and_all_of_them_an_error(faces: Faces) -> None:
    faces.faces[0].points_px[3] = (-0.6, 50)
    faces.faces[1].points_px[3] = (-0.4, 99.4)  # still inside their pixels
    faces.faces[2].points_px[:] = FACE * 10
    report = check_source(faces, workers=1)
    assert found(report) == [
        ("error", "outside", "line 2"),
        ("warning", "outside", "line 0"),
        ("warning", "box", "line 2"),
    ]
    assert "mouth_left" in report.warnings[0].reason
    assert report.outside == 7


def test_fractions_instead_of_pixels_are_an_error(faces: Faces) -> None:
    faces.faces[0].points_px[:] = FACE / 120
    assert ("error", "collapsed", "line 0") in found(check_source(faces, workers=1))


def test_swapped_left_and_right_is_an_error_and_a_single_pair_a_warning(faces: Faces) -> None:
    scheme = get_scheme("perinasal6")
    faces.faces[1] = replace(faces.faces[1], points_px=FACE[scheme.flip_indices])
    report = check_source(faces, workers=1)
    assert found(report) == [("error", "left and right", "line 1")]
    assert "2 of 2 pairs" in report.bad_items[0].reason
    assert "mouth_left/mouth_right" in report.bad_items[0].reason


def test_the_same_image_under_two_subjects_is_an_error_and_under_one_a_warning(faces: Faces) -> None:
    faces.values[Path("1.png")] = faces.values[Path("0.png")]
    faces.values[Path("3.png")] = faces.values[Path("0.png")]
    report = check_source(faces, workers=1)
    assert found(report) == [("error", "duplicate", "line 3"), ("warning", "duplicate", "line 1")]
    assert "subject 's1' instead of 's0'" in report.bad_items[0].reason


def test_two_faces_in_one_image_are_fine_where_each_can_be_shown_in_a_frame(faces: Faces) -> None:
    faces.faces[1] = replace(faces.faces[1], image=faces.faces[0].image, points_px=FACE + 3)
    assert check_source(faces, workers=1).findings == []
    assert check_source(faces, Use(whole_images=True), workers=1).findings == []
    one_point = np.where(np.arange(len(FACE))[:, None] == 0, FACE, np.nan)
    faces.faces[1] = replace(faces.faces[1], points_px=one_point, box_px=None)
    report = check_source(faces, Use(whole_images=True), workers=1)
    assert ("error", "several faces", "line 1") in found(report)
    assert "one of 2 faces in 0.png" in report.bad_items[0].reason
    faces.faces[1] = replace(faces.faces[1], box_px=(0, 0, 60, 60))
    assert not check_source(faces, Use(whole_images=True), workers=1).bad_items


def test_a_face_that_is_annotated_twice_is_an_error(faces: Faces) -> None:
    faces.faces[1] = replace(faces.faces[0], location="line 1")
    report = check_source(faces, Use(whole_images=True), workers=1)
    assert found(report) == [("error", "duplicate", "line 1")]
    assert "the same face as line 0" in report.bad_items[0].reason


def test_a_box_alone_is_enough_for_a_finder_and_must_be_in_the_image(faces: Faces) -> None:
    nothing = np.full_like(FACE, np.nan)
    faces.faces[0] = replace(faces.faces[0], points_px=nothing, box_px=(5, 5, 40, 50))
    faces.faces[1] = replace(faces.faces[1], points_px=nothing, box_px=(5000, 5, 5040, 50))
    assert [kind for _, kind, _ in found(check_source(faces, workers=1))] == ["no landmarks", "no landmarks"]
    assert found(check_source(faces, Use(finder=True), workers=1)) == [("error", "outside", "line 1")]


def test_one_file_under_two_subjects_is_an_error(faces: Faces) -> None:
    faces.faces[2] = replace(faces.faces[2], image=faces.faces[1].image)
    report = check_source(faces, workers=1)
    assert found(report) == [("error", "shared image", "line 2")]
    assert "1.png shows subject 's1', and also 's0' (line 1)" in report.bad_items[0].reason


def test_odd_temperatures_and_nearly_constant_images_are_warnings_and_constant_ones_errors(faces: Faces) -> None:
    faces.values[Path("0.png")] += 100
    faces.values[Path("1.png")][:] = 30
    faces.values[Path("1.png")][0, 0] = 20
    faces.values[Path("2.png")][:] = 30
    report = check_source(faces, workers=1)
    assert found(report) == [
        ("error", "constant", "line 2"),
        ("warning", "temperature", "line 0"),
        ("warning", "constant", "line 1"),
    ]


def test_boxes_are_asked_for_where_the_crop_needs_them(faces: Faces) -> None:
    faces.faces[0] = replace(faces.faces[0], box_px=None)
    faces.faces[1] = replace(faces.faces[1], box_px=(0, 0, 20, 20))
    assert found(check_source(faces, workers=1)) == [("warning", "box", "line 1")]
    assert found(check_source(faces, Use(needs_box=True), workers=1))[0] == ("error", "no box", "line 0")


def test_a_face_without_any_wanted_landmark_is_an_error(faces: Faces) -> None:
    faces.faces[0].points_px[:] = np.nan
    assert found(check_source(faces, workers=1)) == [("error", "no landmarks", "line 0")]


def test_a_scheme_that_the_data_can_not_serve_is_refused(faces: Faces) -> None:
    with pytest.raises(ConfigError, match="can't serve scheme 'face16'"):
        check_source(faces, Use(scheme="face16"), workers=1)


def test_annotations_that_can_not_be_read_are_one_error(tmp_path: Path) -> None:
    report = check_source(CocoKeypoints(annotation_file=tmp_path / "gone.json", scheme="face16"), workers=1)
    assert [finding.kind for finding in report.bad_items] == ["annotations"]
    assert "gone.json: no such file" in report.bad_items[0].reason


def test_the_report_can_be_shown_and_written(faces: Faces, tmp_path: Path) -> None:
    faces.values[Path("1.png")] = faces.values[Path("0.png")]
    del faces.values[Path("2.png")]
    faces.faces[2] = replace(faces.faces[2], location="labels[2]")
    report = check_source(faces, name="two people", workers=1)
    console = Console(file=io.StringIO(), width=200)
    console.print(report.render(limit=1))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for piece in (
        "two people",
        "degrees Celsius",
        "120 x 100 (3)",
        "labels[2]",
        "... and 1 more",
        "1 error(s), 1 warning(s)",
    ):
        assert piece in text
    record = json.loads(json.dumps(report.record()))
    assert record["kinds"] == {"error: unreadable": 1, "warning: duplicate": 1}
    assert record["sizes"] == {"120x100": 3}
    report.write_findings(tmp_path / "findings.csv")
    with (tmp_path / "findings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["severity"] for row in rows] == ["error", "warning"]
    assert rows[0]["image"] == "2.png"


def test_the_real_thermal_faces_pass(shared_data: Path) -> None:
    folder = shared_data / "thermal-real"
    source = CocoKeypoints(annotation_file=folder / "annotations.json", image_dir=folder / "images", scheme="face16")
    report = check_source(source, Use(scheme="perinasal6", needs_box=True), workers=1)
    assert report.findings == []
    assert report.subjects == {"s01": 1, "s02": 2, "s05": 1}
    assert report.units == {"celsius": 4}


def test_missing_values_are_warnings(tmp_path: Path) -> None:
    values = np.linspace(20, 36, 60 * 80).reshape(60, 80).astype(np.float32)
    values[:9, :9] = -9999
    np.save(tmp_path / "a.npy", values)
    points = ",".join(f"x{i},y{i}" for i in range(6))
    (tmp_path / "a.csv").write_text(f"image,subject,{points}\na.npy,anna,10,30,20,30,30,30,10,40,30,40,20,35\n")
    source = FlatCsv(annotation_file=tmp_path / "a.csv", scheme="perinasal6", unit="celsius")
    report = check_source(source, workers=1)
    assert ("warning", "missing values") in [(f.severity, f.kind) for f in report.findings]
