"""Every experiment file runs one step of training, validation and test; the presets do in test_presets.py."""

import re

import pytest

from thermal_landmarks.commands.configs import CONFIG_DIR

EXPERIMENTS = sorted(
    str(p.relative_to(CONFIG_DIR / "experiment").with_suffix(""))
    for p in (CONFIG_DIR / "experiment").rglob("*.yaml")
    # tests/search/test_from_study.py, tests/test_faces_docs.py, tests/inference/test_unlabelled.py,
    # tests/test_presets.py
    if p.stem not in ("from_study", "own_faces", "fine_tune_unlabelled") and not re.fullmatch("[A-Z]-[1-4]", p.stem)
)
SAMPLE_DATA = ("recipes/dlib_faces", "studies/overfit_thermal54", "studies/overfit_portraits")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment_runs_one_step(experiment, tmp_path, request, monkeypatch, run_script):
    if experiment in SAMPLE_DATA:
        monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(request.getfixturevalue("shared_data")))
        small = []
    elif experiment == "recipes/face_finder":
        small = ["data.source.images=10", "data.test_source.images=4", "data.validation=4", "data.batch_size=2"]
    else:
        small = ["data.source.subjects=6", "data.source.images_per_subject=1", "data.batch_size=2", "data.workers=1"]
    if experiment.startswith("lotr/"):
        small += ["root.pretrained=false", "data.image_size=[64,64]"]  # test_lotr_networks.py builds them at theirs
    if experiment != "recipes/face_finder":
        small.append("callbacks.figures=null")  # as every other run of the tests draws them
    if experiment in ("studies/renderer_ablation", "studies/comparison_cascade"):
        small.append("data.test_source.subjects=4")
    result = run_script(["src/train.py", f"experiment={experiment}", "debug=fast", *small], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Test metrics" in result.stdout
