"""Some 320 broken checkpoints: each predicts or is refused by name, none executes what it holds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from robustness.bounds import held_to_bounds
from robustness.broken_checkpoints import MARK, broken_checkpoints
from robustness.damage import odd_settings

from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import load_checkpoint


def test_every_broken_checkpoint_is_refused_by_name_or_predicts(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    good = make_checkpoint()
    file = tmp_path / "broken.ckpt"
    wrong, count = [], 0
    load_checkpoint(good)  # the first one imports much
    for name, content in broken_checkpoints(good, tmp_path):
        count += 1
        file.write_bytes(content)
        try:
            loaded, _ = held_to_bounds(lambda: load_checkpoint(file), file.name)
            if loaded is not None:
                images = torch.zeros(1, *loaded.network.image_shape)
                assert loaded.network(images).shape == (1, loaded.scheme.num_points, 2)
        except Exception as error:
            wrong.append(f"{name}: {type(error).__name__}: {str(error)[:150]}")
        assert not (tmp_path / MARK).exists(), f"{name} was executed"
    assert not wrong, "\n".join(wrong)
    assert count > 150


def test_the_command_refuses_a_broken_checkpoint_in_one_line(
    make_checkpoint: Callable[..., Path], tmp_path: Path, run_script: Callable[..., object]
) -> None:
    good = make_checkpoint()
    (tmp_path / "half.ckpt").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "a.csv").write_text("1;2\n3;4\n", encoding="utf-8")
    for command, words in (
        ("predict", [f"source={tmp_path / 'a.csv'}"]),
        ("evaluate", ["data=synthetic"]),
        ("visualize", []),
    ):
        done = run_script([f"src/{command}.py", f"checkpoint={tmp_path / 'half.ckpt'}", *words], cwd=tmp_path)
        said = done.stderr.strip()  # type: ignore[attr-defined]
        assert done.returncode == 1  # type: ignore[attr-defined]
        assert "half.ckpt is not a checkpoint of this project" in said
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1, said


def test_odd_settings_of_looks_and_offsets_are_refused_by_name_or_predict(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    zoom = {"crop_size": [32, 48], "passes": 2, "reference": [[-1, 0], [1, 0], [0, 1], [-0.5, 2], [0.5, 2], [0, 3]]}
    content = torch.load(make_checkpoint(zoom=zoom), weights_only=True)
    offsets = [[0.1, 0.0]] * 6
    content["hyper_parameters"]["calibration"] = {
        "reference": zoom["reference"],
        "offsets": offsets,
        "by_yaw": offsets,
        "by_pitch": offsets,
        "limits": [0.3, 0.3],
        "faces": 5,
    }
    settings = {key: content["hyper_parameters"][key] for key in ("preprocessing", "scheme", "calibration")}
    image = np.random.default_rng(0).normal(30, 1, (48, 64)).astype(np.float32)
    file = tmp_path / "odd.ckpt"
    refused = 0
    for what, changed in odd_settings(settings, seed=5, count=60):
        hyper_parameters = {"network": content["hyper_parameters"]["network"], **changed}
        torch.save({**content, "hyper_parameters": hyper_parameters}, file)
        try:
            points, _ = held_to_bounds(lambda: Predictor.from_checkpoint(file, device="cpu")(image), "heckpoint")
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
        refused += points is None
        assert points is None or np.isfinite(points).all(), what
    assert 10 < refused < 60


@pytest.mark.parametrize("speed", ["exact", "balanced"])
def test_weights_of_confidence_that_are_none_are_refused(speed: str) -> None:
    """A finder's checkpoint holds them; that of another program may hold anything in their place."""
    weights = Confidence.from_settings({}).settings
    good = {**weights, "balanced": weights}
    for _, odd in odd_settings(good, seed=0, count=150):
        confidence, _ = held_to_bounds(lambda odd=odd: Confidence.from_settings(odd, speed), "finder")
        assert confidence is None or np.isfinite(np.concatenate([*confidence.settings.values()])).all()
