"""Which engine predicts."""

from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermal_landmarks.commands.entry import compose_config
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.runtime import engine
from thermal_landmarks.runtime.engine import WithSecondOpinion, exported_file
from thermal_landmarks.runtime.exported import SHIPPED_SPEED, ExportedFaces, shipped_exports


def settings(*overrides: str) -> Any:
    return compose_config("predict", list(overrides))


def test_the_shipped_checkpoint_is_predicted_by_its_exported_file() -> None:
    assert exported_file("auto", "thermal_real", settings()) == shipped_exports()["thermal_real"]
    assert exported_file("auto", "thermal_real", settings("faces=one", "device=cpu")) is not None
    assert exported_file("torch", "thermal_real", settings()) is None
    assert ExportedFaces().settings["speed"] == SHIPPED_SPEED


@pytest.mark.parametrize(
    "override",
    ["speed=exact", "speed=fast", "finder_size=224", "finder_size=[448,1024]", "rotations=all", "boxes=whole",
     "device=cuda", "flip_tta=true", "precision=16", "faces=frame", "finder=a.ckpt"],
)  # fmt: skip
def test_what_an_exported_file_can_not_do_is_done_by_torch(override: str) -> None:
    assert exported_file("auto", "thermal_real", settings(override)) is None
    with pytest.raises(ConfigError, match="engine=onnx: .*" + override.split("=")[0]):
        exported_file("onnx", "thermal_real", settings(override))


def test_other_checkpoints_are_predicted_by_torch(tmp_path: Path) -> None:
    assert exported_file("auto", tmp_path / "thermal_real.ckpt", settings()) is None
    with pytest.raises(ConfigError, match=r"no exported file of .* comes with the package"):
        exported_file("onnx", tmp_path / "thermal_real.ckpt", settings())


def test_a_given_file_is_taken_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.onnx"
    assert exported_file("auto", file, settings()) == exported_file("onnx", file, settings("speed=fast")) == file
    with pytest.raises(ConfigError, match="flip_tta=True: an exported file"):
        exported_file("auto", file, settings("flip_tta=true"))
    with pytest.raises(ConfigError, match="engine=torch: PyTorch can't run"):
        exported_file("torch", file, settings())
    with pytest.raises(ConfigError, match="engine=tf is unknown"):
        exported_file("tf", file, settings())  # type: ignore[arg-type]


def test_without_onnx_runtime_torch_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str, package: str | None = None) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(engine, "find_spec", nothing)
    assert exported_file("auto", "thermal_real", settings()) is None


@pytest.mark.parametrize(
    ("size", "score", "asked"),
    [((60, 80), 0.3, True), ((600, 800), 0.3, False), ((60, 80), 0.9, False)],
    ids=["large and doubtful", "small and doubtful", "sure"],
)
def test_a_large_doubtful_face_gets_a_second_opinion(
    size: tuple[int, int], score: float, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def face(score: float) -> Face:
        return Face(np.zeros((16, 2)), 0.9, (10.0, 10.0, 40.0, 50.0), np.zeros(16), 0.0, score)

    class Second:
        batch_size, scheme = 1, get_scheme("face16")

        def faces(self, image: Any, **settings: Any) -> list[Face]:
            assert settings == {"min_score": MIN_SCORE, "min_confidence": 0.0, "unit": None}
            return [face(0.8)]

    opened: list[Second] = []

    def open_second() -> Second:
        opened.append(Second())
        return opened[-1]

    monkeypatch.setattr(ExportedFaces, "faces", lambda *_, **__: [face(score)])
    faces = WithSecondOpinion(shipped_exports()["thermal_real"], open_second)
    for _ in range(2):
        found = faces.faces(np.zeros(size, dtype=np.float32))
    assert len(opened) == asked
    assert [each.score for each in found] == ([0.8] if asked else [score] if score >= MIN_SCORE else [])
