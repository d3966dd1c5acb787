"""Landmarks of images in memory: the same preprocessing as in training, then the network, then original pixels."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from thermal_landmarks.data.annotation import NO_DATA, ThermalImage, Unit
from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.cache import encode, encoding_of
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.data.normalisation import normalise_stored
from thermal_landmarks.data.preprocessing import Box, Prepared, Preprocessing
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.views import last_looks, locate, locate_both_ways
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.face_frames import expected_points
from thermal_landmarks.inference.faces import Face, as_detections, faces_at
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.models.checkpoint import load_checkpoint, load_finder
from thermal_landmarks.models.network import LandmarkNetwork

Precision = Literal["32", "bf16", "16"]
Images = ThermalImage | np.ndarray | Tensor | Sequence[ThermalImage | np.ndarray | Tensor]
MIN_SCORE = 0.65
"""Probability of being a face from which on something is taken for one."""

_AUTOCAST = {"bf16": torch.bfloat16, "16": torch.float16}


class Predictor:
    """A trained network as a function from images to landmarks in original pixels.

    Args:
        network: With its weights.
        scheme: Landmarks that it predicts.
        preprocessing: From an original image to its input.
        device: `auto` (an accelerator if there is one), `cpu`, `cuda`, `cuda:1`, ...
        precision: `32`, `bf16` or `16` (autocast).
        mirror: Average the predictions on each image and on its mirror image.
        batch_size: Images that pass the network together; bounds the memory.

    Raises:
        ConfigError: If device or precision is unknown or not at hand.
    """

    def __init__(
        self,
        network: LandmarkNetwork,
        *,
        scheme: Scheme,
        preprocessing: Preprocessing,
        device: str = "auto",
        precision: Precision | int = "32",
        mirror: bool = False,
        batch_size: int = 32,
    ) -> None:
        precision = cast(Precision, str(precision))  # a command line's precision=16 is a number
        if precision not in get_args(Precision):
            raise ConfigError(f"precision={precision} is unknown. Choose 32, bf16 or 16.")
        if batch_size < 1:
            raise ConfigError(f"batch_size={batch_size} must be at least 1.")
        self.scheme = scheme
        self.preprocessing = preprocessing
        self.device = find_device(device)
        self.network = network.to(self.device).eval()
        self.precision = precision
        self.mirror = mirror
        self.batch_size = batch_size

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        precision: Precision | int = "32",
        mirror: bool | None = None,
        batch_size: int = 32,
    ) -> "Predictor":
        """The predictor of a checkpoint file, or of the best checkpoint in a run folder.

        Without `mirror` images are averaged with their mirror images if they were in the training's test.

        Raises:
            ConfigError: If the file is missing or is not a checkpoint of this project.
        """
        loaded = load_checkpoint(path)
        return cls(
            loaded.network,
            scheme=loaded.scheme,
            preprocessing=loaded.preprocessing,
            device=device,
            precision=precision,
            mirror=loaded.mirror if mirror is None else mirror,
            batch_size=batch_size,
        )

    def __call__(
        self,
        images: Images,
        *,
        boxes_px: Box | Sequence[Box] | np.ndarray | None = None,
        five_points_px: Float[np.ndarray, "*batch 5 2"] | Sequence[Float[np.ndarray, "5 2"] | None] | None = None,
        unit: Unit | None = None,
    ) -> Float32[np.ndarray, "*batch point 2"]:
        """Landmarks in pixels of the images as given (x, y; pixel centres at integers).

        Args:
            images: One image: a `ThermalImage`, or an array or tensor (height, width), or bytes (height, width, 3) of
                red, green and blue. Or a batch: an array or tensor with one more dimension in front, or (batch, 1,
                height, width), or a sequence of images, whose sizes may differ.
            boxes_px: Face box (x_min, y_min, x_max, y_max) of each image; used if the network was trained on face
                boxes, and then needed.
            five_points_px: Middle of the left and of the right eye, nose tip, left and right mouth corner of each face;
                used if the network was trained on aligned faces. None, for all or for one: the box is used.
            unit: Of bare arrays. None: floating-point values are degrees Celsius, integers are gray levels.

        Returns:
            float32 (point, 2) for one image, (batch, point, 2) for a batch.

        Raises:
            DataError: If an array is no image, holds values that are not finite, or lacks a face box that it needs, or
                if a predicted point is not a finite number.
        """
        thermal_images, single = _as_images(images, unit)
        boxes = _as_boxes(boxes_px, len(thermal_images), single=single)
        five_points = _as_five_points(five_points_px, len(thermal_images), single=single)
        points = [
            transform_points(prediction, invert_matrix(matrix))
            for prediction, matrix in self._predict_batches(thermal_images, boxes, five_points)
        ]
        for row, found in enumerate(points):
            if not np.isfinite(found).all():
                raise DataError(
                    f"{'image' if single else f'image {row}'}: the network gives points that are no finite numbers. "
                    "Either its training has diverged: take another checkpoint; or the image's values overflow in "
                    f"precision={self.precision}: try precision=32."
                )
        if single:
            return points[0]
        return np.stack(points) if points else np.empty((0, self.scheme.num_points, 2), dtype=np.float32)

    @torch.inference_mode()
    def predict_normalised(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        """Landmarks in pixels of the network's input for images that are prepared and normalised already; float32."""
        images = images.to(self.device)
        if self.mirror:
            points = locate_both_ways(self._forward, images, torch.from_numpy(self.scheme.mirror_order))
        else:
            points = self._forward(images)
        height, width = images.shape[-2:]
        return to_pixels(points, (height, width))

    def faces(
        self,
        image: ThermalImage | np.ndarray | Tensor,
        *,
        min_score: float = MIN_SCORE,
        min_confidence: float = 0.0,
        boxes_px: Sequence[Box] | None = None,
        unit: Unit | None = None,
        finder: Finder | None = None,
    ) -> list[Face]:
        """Every face in one image with its landmarks, the surest first; an image may have none.

        Args:
            image: As of calling the predictor.
            min_score: What is less probably a face is left out.
            min_confidence: Faces whose landmarks are less probably right are left out.
            boxes_px: Face boxes (x_min, y_min, x_max, y_max) that are known already; nothing is looked for then.
            unit: Of bare arrays.
            finder: Finds the faces. None: the one that comes with the package, on this predictor's device.

        Raises:
            DataError: If the array is no image, or holds values that are not finite.
        """
        (thermal_image,), single = _as_images(image, unit)
        if not single:
            raise DataError("faces() takes one image at a time; call it for each.")
        if boxes_px is None:
            found = (finder or self._finder)(thermal_image)
        else:
            given = np.asarray(boxes_px, dtype=float).reshape(-1, 4)
            found = as_detections([box for box in _as_boxes(given, len(given), single=False) if box is not None])
        faces = faces_at(self, thermal_image, found, self._confidence)
        least = min_score if boxes_px is None else 0.0
        return [face for face in faces if face.score >= least and face.confidence >= min_confidence]

    @functools.cached_property
    def _finder(self) -> Finder:
        return Finder.from_checkpoint(device=self.device)

    @functools.cached_property
    def _confidence(self) -> Confidence:
        return Confidence.from_settings(load_finder().confidence)

    def frames(
        self, image: ThermalImage, matrices: Sequence[np.ndarray], *, location: str = "image"
    ) -> Float[Tensor, "frame channel height width"]:
        """Parts of an image as the network gets them, by matrices from its pixels to those of the frame."""
        seen = self.preprocessing.seen(image)
        prepared = [self.preprocessing(seen, matrix=matrix, location=location) for matrix in matrices]
        return self._normalised([seen] * len(prepared), prepared)

    @torch.inference_mode()
    def close_looks(self, frames: Float[Tensor, "frame channel height width"]) -> Float[Tensor, "look frame point 2"]:
        """Landmarks in pixels of frames that each have a face in their middle (`face_frames`), from every last look."""
        height, width = frames.shape[-2:]
        zoom, dtype = self.preprocessing.zoom, _AUTOCAST.get(self.precision)
        with torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None):
            if zoom is None:
                looks = self.network(frames)[None]
            else:
                reference = None if zoom.reference is None else np.array(zoom.reference)
                start, known = expected_points(self.scheme, reference, (height, width))
                looks = last_looks(
                    self.network,
                    frames,
                    zoom,
                    torch.from_numpy(start).to(frames).expand(len(frames), -1, -1),
                    torch.from_numpy(known).to(frames.device).expand(len(frames), -1),
                )
        return to_pixels(looks.float(), (height, width))

    def _forward(self, images: Tensor) -> Tensor:
        dtype = _AUTOCAST.get(self.precision)
        with torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None):
            zoom = self.preprocessing.zoom
            points = self.network(images) if zoom is None else locate(self.network, images, zoom)
        return points.float()

    def _predict_batches(
        self,
        images: Sequence[ThermalImage],
        boxes: Sequence[Box | None],
        five_points: Sequence[np.ndarray | None],
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each image its points in pixels of the network's input, and the matrix that led there."""
        for start in range(0, len(images), self.batch_size):
            rows = range(start, min(start + self.batch_size, len(images)))
            seen = [self.preprocessing.seen(images[row]) for row in rows]
            prepared = [
                self.preprocessing(
                    image,
                    box_px=boxes[row],
                    five_points_px=five_points[row],
                    location=f"image {row}" if len(images) > 1 else "image",
                )
                for row, image in zip(rows, seen, strict=True)
            ]
            batch = self._normalised(seen, prepared)
            points = self.predict_normalised(batch).cpu().numpy()
            yield from zip(points, (p.matrix for p in prepared), strict=True)

    def _normalised(
        self, seen: Sequence[ThermalImage], prepared: Sequence[Prepared]
    ) -> Float[Tensor, "batch channel height width"]:
        encodings = [encoding_of(image, p.limits) for image, p in zip(seen, prepared, strict=True)]
        stored = np.stack([encode(p.values, e) for p, e in zip(prepared, encodings, strict=True)])
        return normalise_stored(
            torch.from_numpy(stored if stored.ndim == 4 else stored[:, None]).to(self.device),
            torch.tensor(encodings, dtype=torch.float32, device=self.device),
            torch.tensor([p.limits for p in prepared], dtype=torch.float32, device=self.device),
            clip=self.preprocessing.clips,
        ).expand(-1, self.preprocessing.in_channels, -1, -1)


def find_device(name: str) -> torch.device:
    """The device of that name; `auto` takes an accelerator if there is one.

    Raises:
        ConfigError: If the name is unknown or the device is not at hand.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return torch.device("cpu") if accelerator is None else accelerator
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"device={name} is not at hand. Choose auto or cpu.") from error
    return device


def _as_images(images: Images, unit: Unit | None) -> tuple[list[ThermalImage], bool]:
    """Images one by one, and whether a single one was given."""
    if isinstance(images, ThermalImage):
        return [_checked(images, "image")], True
    if isinstance(images, np.ndarray | Tensor):
        array = _as_array(images)
        if array.ndim == 4 and array.shape[1] == 1:
            array = array[:, 0]
        colour = _is_colour(array)
        dimensions = array.ndim - colour
        if dimensions == 2:
            return [_checked(_with_unit(array, unit), "image")], True
        if dimensions != 3 or (not colour and array.shape[2] in (1, 3, 4)):
            raise DataError(
                f"An array of shape {tuple(images.shape)} ({array.dtype}) is neither an image (height, width) nor a "
                "batch of them (batch, height, width). Colour images are bytes (height, width, 3)."
            )
        images = list(array)
    found = []
    for row, image in enumerate(images):
        one = image if isinstance(image, ThermalImage) else _with_unit(_as_array(image), unit)
        found.append(_checked(one, f"image {row}"))
    return found, False


def _as_array(image: np.ndarray | Tensor) -> np.ndarray:
    if not isinstance(image, Tensor):
        return np.asarray(image)
    image = image.detach().cpu()
    return (image.float() if image.dtype == torch.bfloat16 else image).numpy()  # NumPy has no bfloat16


def _is_colour(array: np.ndarray) -> bool:
    return array.dtype == np.uint8 and array.ndim >= 3 and array.shape[-1] == 3


def _with_unit(values: np.ndarray, unit: Unit | None) -> ThermalImage:
    if values.ndim == 3 and _is_colour(values):
        return ThermalImage.from_rgb(values)
    if unit is None:
        unit = "celsius" if np.issubdtype(values.dtype, np.floating) else "gray"
    return ThermalImage(values.astype(np.float32), unit)


def _checked(image: ThermalImage, location: str) -> ThermalImage:
    if image.values.ndim != 2 or not image.values.size:
        raise DataError(f"{location}: expected values of shape (height, width), found {image.values.shape}.")
    usable = np.abs(image.values) < NO_DATA  # False for NaN
    if not usable.all():
        raise DataError(
            f"{location}: {int((~usable).sum())} of its values are NaN, infinite or beyond {NO_DATA:g} (a mark for "
            "missing values). Replace them before predicting."
        )
    return image


def _as_boxes(boxes_px: Box | Sequence[Box] | np.ndarray | None, count: int, *, single: bool) -> Sequence[Box | None]:
    if boxes_px is None:
        return [None] * count
    boxes = np.asarray(boxes_px, dtype=float)
    if boxes.shape != ((4,) if single else (count, 4)):
        wanted = "(4,)" if single else f"({count}, 4)"
        raise DataError(f"boxes_px: expected shape {wanted} (x_min, y_min, x_max, y_max), found {boxes.shape}.")
    if not (boxes[..., :2] < boxes[..., 2:]).all():
        raise DataError("boxes_px: expected x_min < x_max and y_min < y_max.")
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in boxes.reshape(-1, 4).tolist()]


def _as_five_points(
    five_points_px: np.ndarray | Sequence[np.ndarray | None] | None, count: int, *, single: bool
) -> Sequence[np.ndarray | None]:
    if five_points_px is None:
        return [None] * count
    given = [five_points_px] if single else five_points_px
    faces = [None if face is None else np.asarray(face, dtype=float) for face in given]
    if len(faces) != count or any(f is not None and (f.shape != (5, 2) or not np.isfinite(f).all()) for f in faces):
        wanted = "(5, 2)" if single else f"({count}, 5, 2)"
        found = [None if face is None else face.shape for face in faces]
        raise DataError(f"five_points_px: expected finite numbers of shape {wanted}, found {found}.")
    return faces
