"""A trained network as predictions run it: stages from coarse to fine, mirror images, mixed precision, calibration.

All crops of a stage, those of mirror images included, pass the network as one batch.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.face_frames import expected_points
from thermal_landmarks.data.gathered_views import pyramid_of
from thermal_landmarks.data.image_pyramid import ImagePyramid
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import require_choice
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.speed import CascadePlan
from thermal_landmarks.models.cascade import last_stage, locate, locate_both_ways
from thermal_landmarks.models.folding import fold_normalisation
from thermal_landmarks.models.network import LandmarkNetwork

Precision = Literal["32", "bf16", "16"]
_AUTOCAST = {"bf16": torch.bfloat16, "16": torch.float16}


def as_precision(given: str | int) -> Precision:
    """A precision by its name; a command line's precision=16 is a number.

    Raises:
        ConfigError: If there is none of that name.
    """
    require_choice("precision", str(given), get_args(Precision))
    return cast(Precision, str(given))


@dataclass(eq=False, kw_only=True)
class LandmarkCascade:
    """From images, or frames around faces, to landmarks in their pixels."""

    network: LandmarkNetwork  # with its weights; replaced by a copy that does its normalisations in its convolutions
    scheme: Scheme  # landmarks that it predicts
    plan: CascadePlan  # stages and sizes, instead of those of `cascade`, and mirror images
    cascade: Cascade | None  # how the network was trained to see a frame; None: in one stage, as it is
    device: torch.device  # that the network runs on
    precision: Precision  # `32`, `bf16` or `16` (autocast)
    batch_size: int  # crops that pass the network together; bounds the memory
    calibration: Calibration | None = None  # moves the network's points, after the last stage

    def __post_init__(self) -> None:
        if self.cascade is not None:
            self.cascade = replace(self.cascade, stages=self.plan.stages, last_sizes=self.plan.last_sizes)
        folded = fold_normalisation(self.network.eval())
        self.network = folded.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._flip_indices = torch.from_numpy(self.scheme.flip_indices).to(self.device)

    @torch.inference_mode()
    def at_frames(self, frames: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        """Landmarks in pixels of frames that are prepared and normalised already; float32."""
        frames = frames.to(self.device)
        points = (
            locate_both_ways(self._locate, frames, self._flip_indices) if self.plan.flip_tta else self._locate(frames)
        )
        return self._calibrated(to_pixels(points, (frames.shape[-2], frames.shape[-1])))

    @torch.inference_mode()
    def at_face_frames(self, frames: Float[Tensor, "face channel height width"]) -> Float[Tensor, "crop face point 2"]:
        """Landmarks in pixels of frames that have a face in their middle (`face_frames`), from each last crop.

        Mirror images are seen whatever the plan says: the agreement of all crops tells how sure the points are.
        """
        size, number = (frames.shape[-2], frames.shape[-1]), len(frames)
        both = torch.cat([frames, frames.flip(-1)])
        with self._autocast():
            if self.cascade is None:
                points = self._see(both)[None]
            else:
                start, known = expected_points(self.scheme, self.cascade.reference, size)
                start_px = torch.from_numpy(start).to(frames).expand(2 * number, -1, -1)
                points = last_stage(
                    self._see,
                    both,
                    self.cascade,
                    start_px,
                    torch.from_numpy(known).to(start_px.device).expand(2 * number, -1),
                )
        seen, mirrored = to_pixels(points.float(), size).chunk(2, dim=1)
        return self._calibrated(torch.cat([seen, self._mirrored(mirrored, size[1])]))

    @torch.inference_mode()
    def at_images(
        self,
        images: Float[Tensor, "image 1 height width"],
        start_px: Float[Tensor, "face point 2"] | None = None,
        known: Bool[Tensor, " point"] | None = None,
    ) -> Float[Tensor, "crop face point 2"]:
        """Landmarks in pixels of the images from every crop of the last stage, all cut from the images themselves.

        Args:
            images: In any unit; one where `start_px` is given.
            start_px: About where each face's landmarks are; None: one face an image, wherever it is.
            known: Which of them say anything. None: all.
        """
        return self._calibrated(self.see_images(images, start_px, known))

    def see_images(
        self, images: Tensor, start_px: Tensor | None = None, known: Tensor | None = None
    ) -> Float[Tensor, "crop face point 2"]:
        """As `at_images`, for exporters: not in inference mode, and not calibrated."""
        assert self.cascade is not None
        assert start_px is None or len(images) == 1
        cascade, size = self.cascade, (images.shape[-2], images.shape[-1])
        pyramid = pyramid_of(images, mirrored=self.plan.flip_tta)
        with self._autocast():
            if not self.plan.flip_tta:
                return to_pixels(self._last_stage(pyramid, cascade, start_px, known).float(), size)
            first = 1 if start_px is None else 2  # stages that say where faces are in the mirror images
            if cascade.stages > first:
                rough = replace(cascade, stages=cascade.stages - 1, last_sizes=(1.0,))
                roughly = self._last_stage(pyramid.without_mirror_images(), rough, start_px, known)
                start_px, known = to_pixels(roughly.float(), size).mean(dim=0), None
            elif start_px is None:
                points = to_pixels(self._last_stage(pyramid, cascade).float(), size)
                seen, mirrored = points.chunk(2, dim=1)
                return torch.cat([seen, self._mirrored(mirrored, size[1])])
            # The pyramid's order: of one image each face and then its mirror image, else all images, then all mirrors.
            way = 1 if len(images) == 1 else 0
            start = torch.stack([start_px, self._mirrored(start_px, size[1])], dim=way).flatten(0, 1)
            if known is not None:
                known = torch.stack([known, known[self._flip_indices]]).repeat(start_px.shape[0], 1)
            points = to_pixels(self._last_stage(pyramid, replace(cascade, stages=2), start, known).float(), size)
        seen, mirrored = points.unflatten(1, (-1, 2) if way else (2, -1)).unbind(1 + way)
        return torch.cat([seen, self._mirrored(mirrored, size[1])])

    def _last_stage(
        self, pyramid: ImagePyramid, cascade: Cascade, start_px: Tensor | None = None, known: Tensor | None = None
    ) -> Tensor:
        if known is not None and known.ndim == 1 and start_px is not None:
            known = known.expand(start_px.shape[0], -1)
        return last_stage(self._see_single, pyramid, cascade, start_px, known)

    def _calibrated(self, points_px: Float[Tensor, "*batch point 2"]) -> Float[Tensor, "*batch point 2"]:
        if self.calibration is None:
            return points_px
        return torch.from_numpy(self.calibration.apply(points_px.cpu().numpy(), self.scheme)).to(points_px.device)

    def _mirrored(self, points_px: Float[Tensor, "*batch point 2"], width: int) -> Float[Tensor, "*batch point 2"]:
        points_px = points_px[..., self._flip_indices, :]
        return torch.stack([width - 1 - points_px[..., 0], points_px[..., 1]], dim=-1)

    def _locate(self, frames: Tensor) -> Tensor:
        with self._autocast():
            points = self._see(frames) if self.cascade is None else locate(self._see, frames, self.cascade)
        return points.float()

    def _see(self, crops: Tensor) -> Tensor:
        crops = crops.contiguous(memory_format=torch.channels_last)
        if torch.compiler.is_exporting():  # the number is open
            return self.network(crops)
        return torch.cat([self.network(some) for some in crops.split(self.batch_size)])

    def _see_single(self, crops: Float[Tensor, "crop 1 height width"]) -> Tensor:
        return self._see(crops.expand(-1, self.network.image_shape.channels, -1, -1))

    def _autocast(self) -> AbstractContextManager[None]:
        dtype = _AUTOCAST.get(self.precision)
        return torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None)
