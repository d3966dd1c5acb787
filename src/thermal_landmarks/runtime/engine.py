"""Which engine predicts: PyTorch, or ONNX Runtime from an exported file, which starts several times sooner.

`auto` takes the exported file that comes with the package in place of the checkpoint of the same name: both say the
same to a few thousandths of a pixel. PyTorch predicts whatever an exported file can't: other checkpoints, speeds,
finders, boxes that are given, an accelerator that is asked for.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runtime.exported import SHIPPED_SPEED, shipped_exports

Engine = Literal["auto", "torch", "onnx"]

_AS_EXPORTED: dict[str, tuple[Any, ...]] = {
    "faces": ("auto", "one"),
    "boxes": (None,),
    "five_points": (None,),
    "finder": (None,),
    "flip_tta": (None,),
    "rotations": ("upright",),
    "finder_size": (448,),
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
    if engine not in get_args(Engine):
        raise ConfigError(f"engine={engine} is unknown. Choose {', '.join(get_args(Engine))}.")
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
