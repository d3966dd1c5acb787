"""A checkpoint as a file for another runtime: convert, compare with the network, measure."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.exporting import onnx_file, openvino_file, tflite_file
from thermal_landmarks.exporting.exportable import Exportable, boxes_of_faces, every_face, landmarks_of_crops
from thermal_landmarks.exporting.parity import Parity
from thermal_landmarks.exporting.timing import Row, timed
from thermal_landmarks.inference.finder import FIRST_SIZE
from thermal_landmarks.inference.speed import Speed
from thermal_landmarks.runs import write_json

What = Literal["faces", "landmarks", "finder"]
Format = Literal["onnx", "openvino", "tflite"]
Precision = Literal["32", "16", "int8"]
TOLERANCE_PX: dict[str, float] = {"32": 0.2, "16": 1.0, "int8": 3.0}
"""Largest mean distance of a face's landmarks from those of the network."""

_REFUSED = {
    "executorch": "ExecuTorch 1.5 has no operator that chooses among overlapping boxes; of the landmark network alone, "
    "its XNNPACK passes fail (ChannelsLastTaggedReshapePass), and without them its runtime does (error 0x12)",
    "coreml": "its models run on macOS alone, so that one written here could not be compared with the network",
}
_ENDINGS = {"onnx": [".onnx"], "openvino": [".xml", ".bin", ".json"], "tflite": [".tflite", ".json"]}
_RUNNERS = {"onnx": onnx_file.runner, "openvino": openvino_file.runner, "tflite": tflite_file.runner}
COMPARED_SEED, CALIBRATION_SEED = 20_260, 20_270  # of rendered frames that nothing was trained on
CALIBRATION, _COMPARED = 24, 8


@dataclass(frozen=True)
class Exported:
    """What an export has left."""

    path: Path  # the file
    parity: Parity  # with the network
    rows: list[Row]  # sizes and times


def export(
    checkpoint: Path,
    path: Path,
    *,
    what: What = "faces",
    finder: Path | None = None,
    form: Format = "onnx",
    speed: Speed = "balanced",
    precision: Precision = "32",
    frames: Sequence[ThermalImage] = (),
    rendered: int = _COMPARED,
    tolerance_px: float | None = None,
    finder_first_size: int | None = FIRST_SIZE,
) -> Exported:
    """Write an exported file and hold it against the network.

    Args:
        checkpoint: Of a cascade; for `landmarks` of any network of one channel; not looked at for `finder`.
        path: The file to write, without its ending.
        what: `faces`: from an image to the landmarks of every face; `landmarks`: of crops; `finder`: boxes alone.
        finder: Of faces; None: the one that comes with the package.
        form: Of the file; `tflite` for `landmarks` alone.
        speed: How often the exported network looks at `faces`: `fast` or `balanced`.
        precision: Of the convolutions: `32`, `16` (weights alone), or `int8` for `faces`.
        frames: Pictures with faces, to calibrate and compare with beside rendered ones.
        rendered: Number of rendered frames to compare with.
        tolerance_px: Largest mean distance of a face's landmarks, or of a box's sides, from the network's; None: by
            precision.
        finder_first_size: As `first_size` of `Finder`, for `faces`.

    Raises:
        ConfigError: If the format can't be written here, or the network not be exported.
        DataError: If the file does not say what the network says; it is deleted.
    """
    _check(what, form, speed, precision)
    compared = [*frames, *rendered_frames(rendered, COMPARED_SEED)]
    if what == "faces":
        shown = [*frames, *rendered_frames(CALIBRATION, CALIBRATION_SEED)] if precision == "int8" else None
        exportable = every_face(
            checkpoint, compared, finder=finder, speed=speed, first_size=finder_first_size, shown=shown
        )
    elif what == "landmarks":
        exportable = landmarks_of_crops(checkpoint, compared)
    else:
        exportable = boxes_of_faces(compared, finder=finder)
    files = _write(exportable, path, form, precision)
    runner = _RUNNERS[form]
    parity = exportable.compare(runner(files[0], 1))
    parity.require_or_delete(TOLERANCE_PX[precision] if tolerance_px is None else tolerance_px, files)
    rows = [timed(f"PyTorch, {name}", None, lambda _, call=call: call) for name, call in exportable.in_torch.items()]  # type: ignore[misc]
    size = sum(file.stat().st_size for file in files)
    name = f"{form}, {speed if what == 'faces' else what}, {precision}"
    rows.append(timed(name, size, lambda threads: functools.partial(runner(files[0], threads), exportable.inputs)))
    return Exported(files[0], parity, rows)


def _check(what: str, form: str, speed: str, precision: str) -> None:
    if form in _REFUSED:
        raise ConfigError(f"format={form} is not written: {_REFUSED[form]}. Choose onnx, or openvino for phones.")
    require_choice("what", what, get_args(What))
    if form == "tflite" and (what != "landmarks" or precision != "32"):
        raise ConfigError(
            f"format=tflite what={what} precision={precision}: its runtime can't choose among overlapping boxes. It "
            "takes what=landmarks precision=32; choose format=onnx, or openvino for phones, for the rest."
        )
    if form not in get_args(Format) or precision not in get_args(Precision) or speed not in ("fast", "balanced"):
        raise ConfigError(
            f"format={form} speed={speed} precision={precision}: choose format=onnx, openvino or tflite, speed=fast or "
            "balanced, precision=32, 16 or int8."
        )
    if what != "faces" and precision == "int8":
        raise ConfigError(f"what={what} precision=int8: choose 32 or 16, or what=faces, which has int8.")


def _write(exportable: Exportable, path: Path, form: Format, precision: Precision) -> list[Path]:
    """All files of the export, the one that runs first; ONNX holds its settings itself."""
    settings = {**exportable.settings, "precision": precision}
    files = [path.with_suffix(ending) for ending in _ENDINGS[form]]
    if exportable.landmarks is not None and form == "tflite":
        tflite_file.convert(*exportable.landmarks, files[0])
        write_json(files[-1], settings)
        return files
    model = exportable.graph()
    if precision == "16":
        model = onnx_file.half_precision(model)
    if form == "openvino":
        openvino_file.convert(model, files[0])
        write_json(files[-1], settings)
    else:
        onnx_file.write(model, files[0], settings)
    return files


def rendered_frames(count: int, seed: int) -> Iterator[ThermalImage]:
    """Rendered people of a seed that nothing was trained on, each frame another size."""
    from thermal_faces import SyntheticFaces

    sizes = ((480, 640), (240, 320), (512, 640), (288, 384))
    for place, size in enumerate(sizes):
        images = len(range(place, count, len(sizes)))
        if images:
            source = SyntheticFaces(subjects=max(images, 3), images_per_subject=1, size=size, seed=seed + place)
            yield from (source.load(annotation) for annotation in source.annotations()[:images])
