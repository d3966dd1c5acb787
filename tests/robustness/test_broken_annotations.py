"""Some 400 broken annotation files of every form: each is read or refused by name, and good files beside it count."""

import json
from pathlib import Path

import numpy as np
import pytest
from robustness.bounds import held_to_bounds
from robustness.broken_annotations import Form, broken_contents, forms, write_good

from thermal_landmarks.data.annotation import Annotation, Source
from thermal_landmarks.data.checks import check_source
from thermal_landmarks.data.schemes import get_scheme

FORMS = forms()


@pytest.mark.parametrize("name", FORMS)
def test_a_good_data_set_of_each_form_is_read(name: str, tmp_path: Path) -> None:
    """Otherwise the others would prove nothing."""
    write_good(FORMS[name], tmp_path)
    report = check_source(FORMS[name].reader(tmp_path), workers=1)
    assert (report.faces, report.images) == (2, 2)
    assert not [finding for finding in report.findings if finding.kind == "unreadable"]


@pytest.mark.parametrize("name", FORMS)
def test_every_broken_file_is_read_or_refused_by_name(name: str, tmp_path: Path) -> None:
    form = FORMS[name]
    write_good(form, tmp_path)
    file = tmp_path / form.files[0]
    count = 0
    for what, content in broken_contents(form, seed=list(FORMS).index(name)):
        file.write_bytes(content)
        try:
            _require_read_or_refused(form, tmp_path)
        except Exception as error:
            raise AssertionError(f"{name}, {what}: {type(error).__name__}: {error}") from error
        count += 1
    assert count > 30


def _require_read_or_refused(form: Form, folder: Path) -> None:
    source = form.reader(folder)
    # a data set of which nothing is left is named by its folder
    annotations, _ = held_to_bounds(lambda: list(source.annotations()), folder.name)
    loaded = {annotation.image.name: _load(source, annotation) for annotation in annotations or ()}
    if annotations is not None:
        source.fingerprint()
        report = check_source(source, workers=1)
        json.dumps(report.record()).encode()
    if form.files[0] != form.files[1]:  # the other image's own file is good
        assert loaded.get("b.png"), "the good file beside it is not read"


def _load(source: Source, annotation: Annotation) -> bool:
    assert annotation.points_px.shape == (get_scheme(source.scheme).num_points, 2)
    assert not np.isinf(annotation.points_px).any()
    image, _ = held_to_bounds(lambda: source.load(annotation), "")
    return image is not None
