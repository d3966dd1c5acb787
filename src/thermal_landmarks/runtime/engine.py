"""Which engine predicts: PyTorch, or ONNX Runtime from an exported file, which starts several times sooner.

`auto` takes the exported file that comes with the package in place of the checkpoint of the same name: both say the
same to hundredths of a pixel. PyTorch predicts whatever an exported file can't: other checkpoints, speeds,
finders, boxes that are given, an accelerator that is asked for.
"""

import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.inference.face import MIN_SCORE, Face, FindsFaces
from thermal_landmarks.runtime.exported import SHIPPED_SPEED, ExportedFaces, shipped_exports

Engine = Literal["auto", "torch", "onnx"]

_AS_EXPORTED: dict[str, tuple[Any, ...]] = {
    "faces": ("auto", "one"),
    "boxes": (None,),
    "five_points": (None,),
    "finder": (None,),
    "flip_tta": (None,),
    "rotations": ("upright",),
    "finder_size": (448,),
    "finder_first_size": (224,),
    "device": ("auto", "cpu"),
    "precision": ("32", 32),
}
"""What may be asked of an exported file; the rest was settled when it was exported."""


def exported_file(engine: Engine, checkpoint: str | Path | None, settings: Mapping[str, Any]) -> Path | None:
    """The exported file that is to predict, or None where PyTorch is.

    Args:
        engine: `auto`, `torch` or `onnx`.
        checkpoint: A checkpoint, the name of a shipped one, or an exported `.onnx` file.
        settings: Of `predict`: all that an exported file might not be able to do, and `speed`.

    Raises:
        ConfigError: If the engine is unknown, or can't do what is asked for.
    """
    require_choice("engine", engine, get_args(Engine))
    exported = Path(str(checkpoint)).suffix == ".onnx"
    if exported and engine == "torch":
        raise ConfigError(f"engine=torch: PyTorch can't run {checkpoint}. Give the checkpoint itself, or engine=onnx.")
    if engine == "torch":
        return None
    asked = next((f"{name}={settings[name]}" for name, can in _AS_EXPORTED.items() if settings[name] not in can), None)
    if exported:
        if asked:
            raise ConfigError(
                f"{asked}: an exported file ({checkpoint}) is as it was exported. Leave {asked.partition('=')[0]}= "
                "out, or give the checkpoint itself."
            )
        return Path(str(checkpoint))
    shipped = shipped_exports()
    speed = settings["speed"]
    reason = None
    if str(checkpoint) not in shipped:
        reason = f"no exported file of {checkpoint} comes with the package (there is {', '.join(shipped)})"
    elif speed not in (None, SHIPPED_SPEED):
        reason = f"speed={speed}: the file that comes with the package looks as often as speed={SHIPPED_SPEED} does"
    elif asked:
        reason = f"{asked}: only PyTorch can do that"
    if engine == "onnx" and reason:
        raise ConfigError(
            f"engine=onnx: {reason}. Export a file of your own (thermal-landmarks export checkpoint=...) and give it "
            "as checkpoint=, or leave engine= out."
        )
    if reason or (engine == "auto" and find_spec("onnxruntime") is None):
        return None
    return shipped[str(checkpoint)]


_LARGE = 0.25  # height of a suspected face, as a fraction of the picture's shorter side, that is worth a second opinion


class WithSecondOpinion(ExportedFaces):
    """An exported file; and PyTorch for a picture in which the file is sure of no face but suspects a large one.

    An exported file lacks the landmark network's look at the whole picture, which finds faces that fill it and that
    the finder is not sure of (`inference.faces.with_whole_image`).

    Args:
        path: As of `ExportedFaces`.
        open_predictor: Opens the checkpoint that the file was exported from. Called once, and only when it is needed.
    """

    def __init__(self, path: str | Path, open_predictor: Callable[[], FindsFaces]) -> None:
        super().__init__(path)
        self._open = open_predictor
        self._predictor: FindsFaces | None = None
        self._lock = threading.Lock()

    def faces(
        self, image: Any, *, min_score: float = MIN_SCORE, min_confidence: float = 0.0, unit: str | None = None
    ) -> list[Face]:
        """As of `ExportedFaces`."""
        found = super().faces(image, min_score=0.0, unit=unit)
        sure = [face for face in found if face.score >= min_score and face.confidence >= min_confidence]
        if sure or not any(_is_large(face, image) for face in found):
            return sure
        with self._lock:  # one picture of many side by side opens it
            self._predictor = self._predictor or self._open()
        return self._predictor.faces(image, min_score=min_score, min_confidence=min_confidence, unit=unit)


def _is_large(face: Face, image: Any) -> bool:
    height, width = getattr(image, "values", image).shape[:2]
    return face.box_px[3] - face.box_px[1] >= _LARGE * min(height, width)
