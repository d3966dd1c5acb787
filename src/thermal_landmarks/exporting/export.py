"""A checkpoint as a file for another runtime: convert, compare with the network, measure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.exporting.face_graphs import Candidates, FaceLandmarks
from thermal_landmarks.exporting.first_look import with_first_look
from thermal_landmarks.exporting.onnx_file import (
    describe,
    faces_model,
    fingerprint,
    first_look_model,
    half_precision,
    write,
)
from thermal_landmarks.exporting.parity import Finds, Parity, compare, eager_milliseconds, milliseconds
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import Speed
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.runtime.exported import ExportedFaces

Format = Literal["onnx", "openvino", "tflite", "executorch", "coreml"]
Precision = Literal["32", "16", "int8"]
TOLERANCE_PX: dict[str, float] = {"32": 0.2, "16": 1.0, "int8": 3.0}
"""Largest mean distance of a face's landmarks from those of the network."""

_REFUSED = {
    "tflite": "its converter, litert-torch 0.10, replaces the installed PyTorch by 2.14, and its runtime lacks what "
    "finds the contrast of an image (STABLEHLO_SORT)",
    "executorch": "ExecuTorch 1.5 has no operator that chooses among overlapping boxes; of the landmark network alone, "
    "its XNNPACK passes fail (ChannelsLastTaggedReshapePass), and without them its runtime does (error 0x12)",
    "coreml": "its models run on macOS alone, so that one written here could not be compared with the network",
}
COMPARED_SEED, CALIBRATION_SEED = 20_260, 20_270  # of rendered frames that nothing was trained on
_CALIBRATION, _COMPARED = 24, 8


@dataclass(frozen=True)
class Row:
    """One line of the table: a way to find the faces of the first frame.

    Attributes:
        name: Of the way.
        size_bytes: Of the file; None: a checkpoint's network in PyTorch.
        one_thread_ms: CPU time of one image.
        two_threads_ms: Clock time of one image.
    """

    name: str
    size_bytes: int | None
    one_thread_ms: float
    two_threads_ms: float


@dataclass(frozen=True)
class Exported:
    """What an export has left.

    Attributes:
        path: The file.
        parity: With the network.
        rows: Sizes and times.
    """

    path: Path
    parity: Parity
    rows: list[Row]


def export(
    checkpoint: Path,
    path: Path,
    *,
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
        checkpoint: Of a cascade.
        path: The file to write, without its ending.
        finder: Of faces; None: the one that comes with the package.
        form: Of the file.
        speed: How often the exported network looks: `fast` or `balanced`.
        precision: Of the convolutions: `32`, `16` (weights alone) or `int8`.
        frames: Pictures with faces, to calibrate and compare with beside rendered ones.
        rendered: Number of rendered frames to compare with.
        tolerance_px: Largest mean distance of a face's landmarks from the network's; None: by precision.
        finder_first_size: As `first_size` of `Finder`.

    Raises:
        ConfigError: If the format can't be written here, or the network not be exported.
        DataError: If the file does not say what the network says; it is deleted.
    """
    if form in _REFUSED:
        raise ConfigError(f"format={form} is not written: {_REFUSED[form]}. Choose onnx, or openvino for phones.")
    if form not in get_args(Format) or precision not in get_args(Precision) or speed not in ("fast", "balanced"):
        raise ConfigError(
            f"format={form} speed={speed} precision={precision}: choose format=onnx or openvino, speed=fast or "
            "balanced, precision=32, 16 or int8."
        )
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed=speed)
    if not predictor.plan.from_image:
        raise ConfigError(
            f"{checkpoint}: this network sees whole frames or given boxes. Only cascades (data.cascade) and "
            "look at whole images (data.crop.mode=none) can be exported."
        )
    loaded = load_finder(finder)
    find = Finder(loaded.network, first_size=finder_first_size)
    confidence = Confidence.from_settings(loaded.confidence, speed)
    model = faces_model(Candidates(find), FaceLandmarks(predictor, confidence))
    predictor.finder, predictor.confidence = find, confidence
    if precision == "int8":
        from thermal_landmarks.exporting.quantisation import quantise

        shown = [frame for frame in (*frames, *rendered_frames(_CALIBRATION, CALIBRATION_SEED)) if find(frame).number]
        if not shown:
            raise DataError("No frame shows a face to calibrate 8 bits with. Give frames=FOLDER.")
        model = quantise(model, shown)
    if finder_first_size is not None:
        model = with_first_look(model, first_look_model(Candidates(find, finder_first_size)))
    if precision == "16":
        model = half_precision(model)
    said = describe(
        predictor.scheme, speed=speed, precision=precision, weights=fingerprint(predictor.network, find.network)
    )
    compared = [*frames, *rendered_frames(rendered, COMPARED_SEED)]
    ends = (".onnx",) if form == "onnx" else (".xml", ".bin")
    files = [path.with_suffix(end) for end in ends]
    exported: dict[int, Finds] = {}
    if form == "onnx":
        write(model, files[0], said)
        exported = {threads: ExportedFaces(files[0], threads=threads) for threads in (1, 2)}
    else:
        from thermal_landmarks.exporting.openvino_file import OpenVinoFaces, convert

        convert(model, files[0])
        exported = {threads: OpenVinoFaces(files[0], threads=threads) for threads in (1, 2)}
    parity = compare(exported[1], predictor, compared)
    try:
        parity.require(TOLERANCE_PX[precision] if tolerance_px is None else tolerance_px, files[0])
    except DataError:
        for file in files:
            file.unlink()
        raise
    frame = compared[0]
    rows = [
        Row(f"PyTorch, {name}", None, eager_milliseconds(each, frame, 1), eager_milliseconds(each, frame, 2))
        for name, each in ((speed, predictor), ("exact", Predictor.from_checkpoint(checkpoint, device="cpu")))
    ]
    one, two = (
        milliseconds(lambda faces=faces: faces.faces(frame, min_score=0.0), cpu=threads == 1)  # type: ignore[misc]
        for threads, faces in exported.items()
    )
    rows.append(Row(f"{form}, {speed}, {precision}", sum(file.stat().st_size for file in files), one, two))
    return Exported(files[0], parity, rows)


def rendered_frames(count: int, seed: int) -> Iterator[ThermalImage]:
    """Rendered people of a seed that nothing was trained on, each frame another size."""
    from thermal_faces import SyntheticFaces

    sizes = ((480, 640), (240, 320), (512, 640), (288, 384))
    for place, size in enumerate(sizes):
        images = len(range(place, count, len(sizes)))
        if images:
            source = SyntheticFaces(subjects=max(images, 3), images_per_subject=1, size=size, seed=seed + place)
            yield from (source.load(annotation) for annotation in source.annotations()[:images])
