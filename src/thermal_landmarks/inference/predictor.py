"""Landmarks of images in memory: the same preprocessing as in training, then the network, then original pixels."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.data.encoding import encode, encoding_of
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.data.normalisation import is_constant, normalise_stored
from thermal_landmarks.data.preprocessing import Box, Prepared, Preprocessing
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.warping import warp_quickly
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.faces import as_detections, faces_at, with_whole_image
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.inputs import Images, as_boxes, as_five_points, as_images, find_device
from thermal_landmarks.inference.looks import Looks
from thermal_landmarks.inference.speed import Looking, Speed, looking
from thermal_landmarks.models.checkpoint import load_checkpoint, load_finder
from thermal_landmarks.models.face_decoding import Detections
from thermal_landmarks.models.network import LandmarkNetwork

Precision = Literal["32", "bf16", "16"]


class Predictor:
    """A trained network as a function from images to landmarks in original pixels.

    Args:
        network: With its weights.
        scheme: Landmarks that it predicts.
        preprocessing: From an original image to its input.
        device: `auto` (an accelerator if there is one), `cpu`, `cuda`, `cuda:1`, ...
        precision: `32`, `bf16` or `16` (autocast).
        flip_tta: Average the predictions on each image and on its mirror image, at `speed="exact"`.
        calibration: Moves the network's points to where an annotator would have put them.
        batch_size: Images that pass the network together; bounds the memory.
        speed: `exact` looks as the training's test does, `balanced` and `fast` at less (docs/fast.md); or the plan
            itself.

    Raises:
        ConfigError: If device, precision or speed is unknown or not at hand.
    """

    def __init__(
        self,
        network: LandmarkNetwork,
        *,
        scheme: Scheme,
        preprocessing: Preprocessing,
        device: str = "auto",
        precision: Precision | int = "32",
        flip_tta: bool = False,
        calibration: Calibration | None = None,
        batch_size: int = 32,
        speed: Speed | Looking = "exact",
    ) -> None:
        precision = cast(Precision, str(precision))  # a command line's precision=16 is a number
        if precision not in get_args(Precision):
            raise ConfigError(f"precision={precision} is unknown. Choose 32, bf16 or 16.")
        if batch_size < 1:
            raise ConfigError(f"batch_size={batch_size} must be at least 1.")
        self.scheme = scheme
        self.preprocessing = preprocessing
        self.device = find_device(device)
        self.precision = precision
        self.flip_tta = flip_tta
        self.batch_size = batch_size
        self.looking = looking(speed, preprocessing, flip=flip_tta)
        self.speed = speed if isinstance(speed, str) and self.looking.straight else "exact"
        cascade = preprocessing.cascade
        self.looks = Looks(
            network.to(self.device).eval(),
            scheme=scheme,
            looking=self.looking,
            cascade=cascade and replace(cascade, stages=self.looking.stages, last_sizes=self.looking.sizes),
            device=self.device,
            precision=precision,
            most=batch_size,
            calibration=calibration,
        )
        self.network = self.looks.network

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        precision: Precision | int = "32",
        flip_tta: bool | None = None,
        batch_size: int = 32,
        speed: Speed | Looking = "exact",
    ) -> "Predictor":
        """The predictor of a checkpoint file, or of the best checkpoint in a run folder.

        Without `flip_tta` images are averaged with their mirror images if they were in the training's test. The points
        are those of the calibration, if the checkpoint holds one.

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
            flip_tta=loaded.flip_tta if flip_tta is None else flip_tta,
            calibration=Calibration.from_settings(loaded.calibration, loaded.scheme),
            batch_size=batch_size,
            speed=speed,
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
        thermal_images, single = as_images(images, unit)
        boxes = as_boxes(boxes_px, len(thermal_images), single=single)
        five_points = as_five_points(five_points_px, len(thermal_images), single=single)
        points = list(self._predict_batches(thermal_images, boxes, five_points))
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

    def predict_normalised(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        """Landmarks in pixels of the network's input for images that are prepared and normalised already; float32."""
        return self.looks.at_frames(images)

    def faces(
        self,
        image: ThermalImage | np.ndarray | Tensor,
        *,
        min_score: float = MIN_SCORE,
        min_confidence: float = 0.0,
        boxes_px: Sequence[Box] | None = None,
        unit: Unit | None = None,
        finder: Finder | None = None,
        whole_image: bool = True,
    ) -> list[Face]:
        """Every face in one image with its landmarks, the surest first; an image may have none.

        Args:
            image: As of calling the predictor.
            min_score: What is less probably a face is left out.
            min_confidence: Faces whose landmarks are less probably right are left out.
            boxes_px: Face boxes (x_min, y_min, x_max, y_max) that are known already; nothing is looked for then.
            unit: Of bare arrays.
            finder: Finds the faces. None: the one that comes with the package, on this predictor's device.
            whole_image: Where the finder is sure of no face, ask the landmark network for one that fills the picture.

        Raises:
            DataError: If the array is no image, or holds values that are not finite.
        """
        (thermal_image,), single = as_images(image, unit)
        if not single:
            raise DataError("faces() takes one image at a time; call it for each.")
        if boxes_px is None:
            found = self.find(thermal_image, finder, whole_image=whole_image)
        else:
            given = np.asarray(boxes_px, dtype=float).reshape(-1, 4)
            found = as_detections([box for box in as_boxes(given, len(given), single=False) if box is not None])
        faces = faces_at(self, thermal_image, found, self._confidence)
        least = min_score if boxes_px is None else 0.0
        return [face for face in faces if face.score >= least and face.confidence >= min_confidence]

    def find(self, image: ThermalImage, finder: Finder | None = None, *, whole_image: bool = True) -> Detections:
        """Where faces may be in an image, and how sure that is before landmarks are looked for.

        Args:
            image: Of one channel.
            finder: As of `faces`.
            whole_image: As of `faces`.
        """
        found = (finder or self._finder)(image)
        return with_whole_image(self, image, found) if whole_image else found

    @property
    def finder(self) -> Finder:
        """Of the faces, where none is given."""
        return self._finder

    @property
    def confidence(self) -> Confidence:
        """Of the faces, at this speed."""
        return self._confidence

    def use_finder(self, finder: Finder, confidence: Confidence) -> None:
        """Find faces with another finder than the one that comes with the package, from now on."""
        self._finder, self._confidence = finder, confidence

    @functools.cached_property
    def _finder(self) -> Finder:
        first = None if self.speed == "exact" else FIRST_SIZE
        return Finder.from_checkpoint(device=self.device, first_size=first)

    @functools.cached_property
    def _confidence(self) -> Confidence:
        return Confidence.from_settings(load_finder().confidence, self.speed)

    def frames(
        self, image: ThermalImage, matrices: Sequence[np.ndarray], *, location: str = "image"
    ) -> Float[Tensor, "frame channel height width"]:
        """Parts of an image as the network gets them, by matrices from its pixels to those of the frame."""
        seen = self.preprocessing.seen(image)
        prepared = [
            self.preprocessing(seen, matrix=matrix, location=location, warp=warp_quickly) for matrix in matrices
        ]
        return self._normalised([seen] * len(prepared), prepared)

    def _predict_batches(
        self,
        images: Sequence[ThermalImage],
        boxes: Sequence[Box | None],
        five_points: Sequence[np.ndarray | None],
    ) -> Iterator[Float32[np.ndarray, "point 2"]]:
        """For each image its points in its own pixels."""
        for start in range(0, len(images), self.batch_size):
            rows = range(start, min(start + self.batch_size, len(images)))
            locations = {row: f"image {row}" if len(images) > 1 else "image" for row in rows}
            if self.looking.straight:
                yield from self._predict_straight([images[row] for row in rows], list(locations.values()))
                continue
            seen = [self.preprocessing.seen(images[row]) for row in rows]
            prepared = [
                self.preprocessing(
                    image,
                    box_px=boxes[row],
                    five_points_px=five_points[row],
                    location=locations[row],
                    warp=warp_quickly,
                )
                for row, image in zip(rows, seen, strict=True)
            ]
            points = self.looks.at_frames(self._normalised(seen, prepared)).cpu().numpy()
            for found, each in zip(points, prepared, strict=True):
                yield transform_points(found, invert_matrix(each.matrix))

    def _predict_straight(
        self, images: Sequence[ThermalImage], locations: Sequence[str]
    ) -> Iterator[Float32[np.ndarray, "point 2"]]:
        tensors = [self.tensor(image, location=where) for image, where in zip(images, locations, strict=True)]
        alike = len({tensor.shape for tensor in tensors}) == 1
        for batch in [torch.cat(tensors)] if alike else tensors:
            yield from self.looks.at_images(batch).mean(dim=0).cpu().numpy()

    def tensor(self, image: ThermalImage, *, location: str = "image") -> Float[Tensor, "1 1 height width"]:
        """An image on the device, for looks that cut their views from it.

        Raises:
            DataError: If the whole image has one value.
        """
        if is_constant(image.values, image.unit):
            raise DataError(
                f"{location}: all of the image has one value, {float(image.values.flat[0]):g}: there is no face to "
                "see. Was the lens covered, or the picture saturated?"
            )
        return torch.from_numpy(np.ascontiguousarray(image.values, dtype=np.float32)).to(self.device)[None, None]

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
