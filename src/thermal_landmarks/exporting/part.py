"""`what=landmarks|finder`: the landmark network alone, or the finder alone, as a file for batches of any number."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.exporting import onnx_file, openvino_file
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks
from thermal_landmarks.exporting.export import COMPARED_SEED, TOLERANCE_PX, Exported, Row, rendered_frames
from thermal_landmarks.exporting.face_graphs import Candidates
from thermal_landmarks.exporting.parity import SAME_FACE, Parity, milliseconds
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import Detections, box_overlap

Part = Literal["landmarks", "finder"]
Run = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
"""An exported file: named arrays in, named arrays out."""


def export_part(
    checkpoint: Path,
    path: Path,
    what: Part,
    *,
    finder: Path | None = None,
    form: str = "onnx",
    precision: str = "32",
    frames: Sequence[ThermalImage] = (),
    rendered: int = 8,
    tolerance_px: float | None = None,
) -> Exported:
    """Write one of the two networks and hold the file against it; settings as of `export.export`.

    Args:
        checkpoint: Of a network of one channel; not looked at for the finder.
        path: The file to write, without its ending.
        what: Which.
        finder: Of faces; None: the one that comes with the package.
        form: `onnx` or `openvino`.
        precision: `32` or `16` (weights alone).
        frames: Pictures with faces, to compare with beside rendered ones.
        rendered: Number of rendered frames to compare with.
        tolerance_px: Largest mean distance of landmarks, or of a box's sides, from the network's.

    Raises:
        ConfigError: If the format or the precision isn't for parts.
        DataError: If the file does not say what the network says; it is deleted.
    """
    if form not in ("onnx", "openvino") or precision not in ("32", "16"):
        raise ConfigError(
            f"what={what} format={form} precision={precision}: choose format=onnx or openvino, and precision=32 or 16; "
            "what=faces has int8, too."
        )
    compared = [*frames, *rendered_frames(rendered, COMPARED_SEED)]
    ends = (".onnx",) if form == "onnx" else (".xml", ".bin")
    files = [path.with_suffix(end) for end in ends]
    model, said, compare, eager, given = _part(what, checkpoint, finder, compared)
    if precision == "16":
        model = onnx_file.half_precision(model)
    if form == "onnx":
        onnx_file.write(model, files[0], {**said, "precision": precision})
    else:
        openvino_file.convert(model, files[0])
    runner = onnx_file.runner if form == "onnx" else openvino_file.runner
    parity = compare(runner(files[0], 1))
    try:
        parity.require(TOLERANCE_PX[precision] if tolerance_px is None else tolerance_px, files[0])
    except DataError:
        for file in files:
            file.unlink()
        raise
    rows = [_row(f"PyTorch, {what}", None, lambda _: eager)]
    size = sum(file.stat().st_size for file in files)
    rows.append(_row(f"{form}, {what}, {precision}", size, lambda threads: _call(runner(files[0], threads), given)))
    return Exported(files[0], parity, rows)


def _part(
    what: Part, checkpoint: Path, finder: Path | None, frames: Sequence[ThermalImage]
) -> tuple[onnx.ModelProto, dict[str, Any], Callable[[Run], Parity], Callable[[], object], dict[str, np.ndarray]]:
    """The graph, what it says of itself, how it is compared, the network's own way, and what both get to be timed."""
    if what == "finder":
        find = Finder(load_finder(finder).network)
        said = {"what": what, "weights": onnx_file.fingerprint(find.network)}
        images = {"images": frames[0].values[None], "celsius": np.array(frames[0].unit == "celsius")}
        model = onnx_file.finder_model(Candidates(find))
        return model, said, lambda run: compare_boxes(run, find, frames), lambda: find(frames[0]), images
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    landmarks = CropLandmarks(predictor)
    said = onnx_file.describe(
        predictor.scheme,
        what,
        crop_size=list(landmarks.size),
        face_size=landmarks.face_size,
        weights=onnx_file.fingerprint(landmarks.network),
    )
    crops, celsius = crops_of(frames, landmarks.size)[0]
    given = {"crops": crops[:1].numpy(), "celsius": np.array(celsius)}

    @torch.inference_mode()
    def eager() -> Tensor:
        points: Tensor = landmarks(crops[:1], torch.tensor(celsius))
        return points

    return onnx_file.crops_model(landmarks), said, lambda run: compare_crops(run, landmarks, frames), eager, given


def _call(run: Run, given: dict[str, np.ndarray]) -> Callable[[], object]:
    return lambda: run(given)


def _row(name: str, size: int | None, of_threads: Callable[[int], Callable[[], object]]) -> Row:
    before, taken = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            taken.append(milliseconds(of_threads(threads), cpu=threads == 1))
    finally:
        torch.set_num_threads(before)
    return Row(name, size, *taken)


def crops_of(frames: Sequence[ThermalImage], size: tuple[int, int]) -> list[tuple[Tensor, bool]]:
    """The frames as crops of one size, those of one unit together, and whether they are in degrees Celsius."""
    batches = []
    for unit in ("celsius", "gray"):
        some = [torch.from_numpy(frame.values).float()[None, None] for frame in frames if frame.unit == unit]
        if some:
            crops = [F.interpolate(each, size, mode="bilinear", antialias=True)[0, 0] for each in some]
            batches.append((torch.stack(crops), unit == "celsius"))
    return batches


@torch.inference_mode()
def compare_crops(run: Run, landmarks: CropLandmarks, frames: Sequence[ThermalImage]) -> Parity:
    """Landmarks of the file and of the network in whole frames, all of a unit as one batch."""
    distances: list[float] = []
    for crops, celsius in crops_of(frames, landmarks.size):
        ours = landmarks(crops, torch.tensor(celsius)).numpy()
        theirs = run({"crops": crops.numpy(), "celsius": np.array(celsius)})["points"]
        distances += np.linalg.norm(ours - theirs, axis=2).mean(axis=1).tolist()
    return Parity(len(frames), len(distances), 0, float(np.median(distances)), max(distances), 0.0)


def compare_boxes(run: Run, finder: Finder, frames: Sequence[ThermalImage], *, least_score: float = 0.3) -> Parity:
    """Faces of the file and of the finder; the distance is that of their boxes' sides, the confidence the score."""
    distances, scores, unmatched = [], [], 0
    for frame in frames:
        given = {"images": frame.values[None], "celsius": np.array(frame.unit == "celsius")}
        found = run(given)
        ours, theirs = finder(frame), Detections(found["boxes"], found["score"], found["angle"])
        same = box_overlap(ours.boxes_px, theirs.boxes_px) > SAME_FACE
        unmatched += int((~same.any(axis=1) & (ours.score >= least_score)).sum())
        unmatched += int((~same.any(axis=0) & (theirs.score >= least_score)).sum())
        for row, column in np.argwhere(same):
            distances.append(float(np.abs(ours.boxes_px[row] - theirs.boxes_px[column]).mean()))
            scores.append(abs(float(ours.score[row] - theirs.score[column])))
    median = float(np.median(distances)) if distances else 0.0
    return Parity(len(frames), len(distances), unmatched, median, max(distances, default=0.0), max(scores, default=0.0))
