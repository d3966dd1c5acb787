"""Landmarks of images in memory: the same preprocessing as in training, then the network, then original pixels."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.data.preprocessing import Box, Preprocessing
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.warping import warp_quickly
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.faces import SURE, as_detections, faces_at, with_whole_image
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.inputs import (
    Images,
    as_boxes,
    as_five_points,
    as_images,
    find_device,
    image_tensor,
    network_input,
)
from thermal_landmarks.inference.landmark_cascade import LandmarkCascade, Precision, as_precision
from thermal_landmarks.inference.speed import CascadePlan, Speed, plan_of
from thermal_landmarks.models.checkpoint import LoadedCheckpoint, load_checkpoint, load_finder
from thermal_landmarks.models.face_decoding import Detections
from thermal_landmarks.models.network import LandmarkNetwork


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

    Attributes:
        cascade: The network with its stages.
        network: Of the cascade, with its normalisations folded into its convolutions.
        plan: What the cascade looks at.
        finder: Of faces, where `faces` is given none; the one that comes with the package until another is set.
        confidence: Of the faces, at this speed; belongs to the finder.

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
        speed: Speed | CascadePlan = "exact",
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size={batch_size} must be at least 1.")
        self.scheme = scheme
        self.preprocessing = preprocessing
        self.device = find_device(device)
        self.precision = as_precision(precision)
        self.flip_tta = flip_tta
        self.batch_size = batch_size
        self.plan = plan_of(speed, preprocessing, flip_tta=flip_tta)
        self.speed = speed if isinstance(speed, str) and self.plan.from_image else "exact"
        self.cascade = LandmarkCascade(
            network=network,
            scheme=scheme,
            plan=self.plan,
            cascade=preprocessing.cascade,
            device=self.device,
            precision=self.precision,
            batch_size=batch_size,
            calibration=calibration,
        )
        self.network = self.cascade.network

    @functools.cached_property
    def finder(self) -> Finder:
        first = None if self.speed == "exact" else FIRST_SIZE
        return Finder.from_checkpoint(device=self.device, first_size=first)

    @functools.cached_property
    def confidence(self) -> Confidence:
        return Confidence.from_settings(load_finder().confidence, self.speed)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path | LoadedCheckpoint,
        *,
        device: str = "auto",
        precision: Precision | int = "32",
        flip_tta: bool | None = None,
        batch_size: int = 32,
        speed: Speed | CascadePlan = "exact",
    ) -> "Predictor":
        """The predictor of a checkpoint file, of the best one in a run folder, or of what was loaded from it.

        Without `flip_tta` images are averaged with their mirror images if they were in the training's test. The points
        are those of the calibration, if the checkpoint holds one.

        Raises:
            ConfigError: If the file is missing or is not a checkpoint of this project.
        """
        loaded = path if isinstance(path, LoadedCheckpoint) else load_checkpoint(path)
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
        locations = ["image"] if single else [f"image {row}" for row in range(len(thermal_images))]
        points: list[np.ndarray] = []
        for start in range(0, len(thermal_images), self.batch_size):
            rows = slice(start, start + self.batch_size)
            points += self._predict(thermal_images[rows], boxes[rows], five_points[rows], locations[rows])
        for location, found in zip(locations, points, strict=True):
            if not np.isfinite(found).all():
                raise DataError(
                    f"{location}: the network gives points that are no finite numbers. "
                    "Either its training has diverged: take another checkpoint; or the image's values overflow in "
                    f"precision={self.precision}: try precision=32."
                )
        if single:
            return points[0]
        return np.stack(points) if points else np.empty((0, self.scheme.num_points, 2), dtype=np.float32)

    def predict_normalised(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        """Landmarks in pixels of the network's input for images that are prepared and normalised already; float32."""
        return self.cascade.at_frames(images)

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
            whole_image: Where the finder, its second look included, is sure of no face, ask the landmark network for
                one that fills the picture.

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
        faces = faces_at(self, thermal_image, found, self.confidence)
        least = min_score if boxes_px is None else 0.0
        return [face for face in faces if face.score >= least and face.confidence >= min_confidence]

    def find(
        self,
        image: ThermalImage,
        finder: Finder | None = None,
        *,
        whole_image: bool = True,
        turns: Sequence[int] = (),
    ) -> Detections:
        """Where faces may be in an image, and how sure that is before landmarks are looked for."""
        finder = finder or self.finder
        found = finder(image, turns=turns)
        verified = finder.verified(image, found)
        if whole_image and found.number and verified.score.max() < SURE:
            corrected = with_whole_image(self, image, found)
            return verified if corrected is found else finder.verified(image, corrected)
        return verified

    def frames(
        self, image: ThermalImage, matrices: Sequence[np.ndarray], *, location: str = "image"
    ) -> Float[Tensor, "frame channel height width"]:
        """Parts of an image as the network gets them, by matrices from its pixels to those of the frame."""
        seen = self.preprocessing.seen(image)
        prepared = [
            self.preprocessing(seen, matrix=matrix, location=location, warp=warp_quickly) for matrix in matrices
        ]
        return network_input(self.preprocessing, [seen] * len(prepared), prepared, self.device)

    def tensor(self, image: ThermalImage, *, location: str = "image") -> Float[Tensor, "1 1 height width"]:
        """An image on the device, for crops that are cut from the image itself."""
        return image_tensor(image, self.device, location=location)

    def _predict(
        self,
        images: Sequence[ThermalImage],
        boxes: Sequence[Box | None],
        five_points: Sequence[np.ndarray | None],
        locations: Sequence[str],
    ) -> list[Float32[np.ndarray, "point 2"]]:
        """Each image's points in its own pixels; all images pass the network together."""
        if self.plan.from_image:
            tensors = [self.tensor(image, location=where) for image, where in zip(images, locations, strict=True)]
            alike = len({tensor.shape for tensor in tensors}) == 1
            batches = [torch.cat(tensors)] if alike else tensors
            return [points for batch in batches for points in self.cascade.at_images(batch).mean(dim=0).cpu().numpy()]
        seen = [self.preprocessing.seen(image) for image in images]
        prepared = [
            self.preprocessing(image, box_px=box, five_points_px=five, location=where, warp=warp_quickly)
            for image, box, five, where in zip(seen, boxes, five_points, locations, strict=True)
        ]
        points = self.cascade.at_frames(network_input(self.preprocessing, seen, prepared, self.device)).cpu().numpy()
        return [transform_points(found, invert_matrix(p.matrix)) for found, p in zip(points, prepared, strict=True)]
