"""Every experiment file runs one step of training, validation and test."""

import math
import re

import pytest

from thermal_landmarks.commands.entry import CONFIG_DIR, compose_config
from thermal_landmarks.training.run import train

EXPERIMENTS = sorted(
    str(p.relative_to(CONFIG_DIR / "experiment").with_suffix(""))
    for p in (CONFIG_DIR / "experiment").rglob("*.yaml")
    if p.stem not in ("from_study", "own_faces")  # tests/search/test_from_study.py, tests/test_faces_docs.py
)
PRESETS = [name for name in EXPERIMENTS if re.fullmatch("paper/[A-Z]-[1-4]", name)]
SAMPLE_DATA = ("recipes/dlib_faces", "studies/overfit_thermal54", "studies/overfit_portraits")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [name for name in EXPERIMENTS if name not in PRESETS])
def test_experiment_runs_one_step(experiment, tmp_path, request, monkeypatch, run_script):
    if experiment in SAMPLE_DATA:
        monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(request.getfixturevalue("shared_data")))
        small = []
    elif experiment == "recipes/face_finder":
        small = ["data.source.images=10", "data.test_source.images=4", "data.validation=4", "data.batch_size=2"]
    else:
        small = ["data.source.subjects=6", "data.source.images_per_subject=1", "data.batch_size=2", "data.workers=1"]
    if experiment.startswith("lotr/"):
        small.append("root.pretrained=false")
    if experiment == "studies/renderer_ablation":
        small.append("data.test_source.subjects=4")
    result = run_script(["src/train.py", f"experiment={experiment}", "debug=fast", *small], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Test metrics" in result.stdout


@pytest.mark.slow
def test_presets_run_one_step_at_a_small_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["data.source.subjects=6", "data.source.images_per_subject=1", "data.batch_size=2"]
    assert len(PRESETS) == 20
    for name in PRESETS:
        settings = [f"experiment={name}", "debug=fast", "data.image_size=[48,64]", *small]
        metrics = train(compose_config("train", settings), tmp_path / name)
        assert f"paper/{metrics['model_id']}" == name
        assert math.isfinite(metrics["test/wing"])
