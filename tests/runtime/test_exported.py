"""The shipped exported file, run by NumPy and ONNX Runtime alone, says what the network says."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.exporting.onnx_file import fingerprint
from thermal_landmarks.exporting.parity import compare_faces
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runtime.exported import ExportedFaces

WITHOUT_TORCH = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "scipy", "jaxtyping", "PIL", "hydra", "matplotlib", "numba"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
import numpy as np
from thermal_landmarks import ExportedFaces
face, *_ = ExportedFaces(threads=1).faces(np.load(sys.argv[1]))
np.save(sys.argv[2], face.points_px)
status = open("/proc/self/status").read() if sys.platform == "linux" else "VmHWM: 0 kB"
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.fixture(scope="module")
def exported() -> ExportedFaces:
    return ExportedFaces(threads=1)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")


@pytest.fixture(scope="module")
def face() -> ThermalImage:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(240, 320), seed=5)
    return source.load(source.annotations()[1])


def test_the_shipped_file_was_made_of_the_shipped_weights(exported: ExportedFaces, predictor: Predictor) -> None:
    """Else: `thermal-landmarks export checkpoint=thermal_real name=thermal_real`, and move the file to its place."""
    wanted = fingerprint(predictor.cascade.network, predictor.finder.network)
    assert exported.settings["weights"] == wanted, "export the shipped weights once more (docs/fast.md)"


def test_faces_are_those_of_the_network(exported: ExportedFaces, predictor: Predictor, face: ThermalImage) -> None:
    turned = ThermalImage(np.ascontiguousarray(face.values[:, ::-1][:200]), face.unit)
    gray = ThermalImage(np.rint(8 * (face.values - face.values.min())).clip(0, 255), "gray")
    parity = compare_faces(partial(exported.faces, min_score=0.0), predictor, [face, turned, gray])
    assert parity.faces >= 3
    parity.require(0.05, exported.path)
    assert parity.largest_confidence < 1e-3


def test_predicts_where_torch_cannot_be_imported(exported: ExportedFaces, face: ThermalImage, tmp_path: Path) -> None:
    np.save(tmp_path / "face.npy", face.values)
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "face.npy"), str(tmp_path / "points.npy")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source), "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "points.npy"), exported.faces(face)[0].points_px, atol=1e-3)
    assert int(done.stdout) < 150  # MB


def test_bytes_and_colours_are_gray_levels(exported: ExportedFaces, face: ThermalImage) -> None:
    values = np.rint(8 * (face.values - face.values.min())).clip(0, 255).astype(np.uint8)
    (as_bytes, *_), (as_colour, *_), (as_gray, *_) = (
        exported.faces(values),
        exported.faces(np.stack([values] * 3, axis=2)),
        exported.faces(values.astype(np.float32), unit="gray"),
    )
    np.testing.assert_allclose(as_bytes.points_px, as_gray.points_px, atol=1e-4)
    np.testing.assert_allclose(
        as_colour.points_px, as_gray.points_px, atol=0.05
    )  # weights add up to 1, but for rounding


def test_an_image_without_a_face_has_none_and_scores_sort_and_filter(
    exported: ExportedFaces, face: ThermalImage
) -> None:
    assert exported.faces(np.random.default_rng(0).uniform(20, 30, (70, 90))) == []
    two = np.concatenate([face.values, face.values], axis=1)
    found = exported.faces(two)
    assert len(found) >= 2
    assert [f.confidence for f in found] == sorted((f.confidence for f in found), reverse=True)
    assert exported.faces(two, min_confidence=1.0) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((70, 90), np.nan), "NaN"),
        (np.full((70, 90), 30.0), "one value"),
        (np.zeros((2, 70, 90)), "height, width"),
    ],
)
def test_what_is_no_image_is_refused(exported: ExportedFaces, values: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        exported.faces(values)


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="thermal_real"):
        ExportedFaces(tmp_path / "none.onnx")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(ConfigError, match=r"junk\.onnx is no ONNX file"):
        ExportedFaces(tmp_path / "junk.onnx")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["a"], ["b"])],
        "other",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ConfigError, match=r"other\.onnx is not an export of this project"):
        ExportedFaces(tmp_path / "other.onnx")
