"""Landmarks of faces whose place in the frame before is known, by one close look at each and at its mirror image."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import box_around
from thermal_landmarks.inference.faces import looks_at
from thermal_landmarks.inference.landmark_cascade import LandmarkCascade
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import CascadePlan
from thermal_landmarks.models.face_decoding import Detections


class CloseLook:
    """A predictor's network, shown the place where each face is expected.

    A network that looks from coarse to fine takes one look of its last size; others see the face's frame or box.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._cascade: LandmarkCascade | None = None
        if predictor.plan.from_image and predictor.preprocessing.cascade is not None:
            plan = CascadePlan(stages=2, last_sizes=(1.0,), flip_tta=True)
            self._cascade = replace(predictor.cascade, plan=plan)

    def __call__(
        self, image: ThermalImage, expected_px: Sequence[Float[np.ndarray, "point 2"]], *, location: str
    ) -> list[Float[np.ndarray, "look point 2"]]:
        """The landmarks of each face in pixels of the image, from each look at about where they are expected."""
        if not expected_px:
            return []
        if self._cascade is None:
            boxes, angles = zip(*(self.box(points) for points in expected_px), strict=True)
            found = Detections(np.array(boxes), np.ones(len(boxes)), np.array(angles))
            return looks_at(self.predictor, image, found, location=location)
        pixels = self.predictor.tensor(image, location=location)
        starts = torch.from_numpy(np.stack(expected_px)).to(pixels)
        return list(self._cascade.at_images(pixels, starts).cpu().numpy().transpose(1, 0, 2, 3))

    def box(self, points_px: Float[np.ndarray, "point 2"]) -> tuple[Float[np.ndarray, "4"], float]:
        """The box and the angle of a face with these landmarks."""
        return box_around(points_px, self.predictor.scheme, self.predictor.preprocessing.reference)
