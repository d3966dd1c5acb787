"""Finds faces in images of any size: upright ones in one pass, turned ones in four."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.scenes.gray import SKIN_RANGE_C, to_bytes
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.second_look import SecondLook
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import Detections, decode, suppress
from thermal_landmarks.models.folding import fold_normalisation
from thermal_landmarks.models.network import FinderNetwork

Rotations = Literal["upright", "all"]

MULTIPLE = 32  # of height and width: the coarsest level of the pyramid is a 32nd of the image
LEAST_SCORE = 0.15  # below, hardly anything is a face
OVERLAP = 0.4
FIRST_SIZE = 224
"""Of the quick look of `first_size`; docs/fast.md has what it saves and misses."""
SURE, LARGE = 0.5, 0.2  # of a face that needs no finer look: its score, and its side relative to the image's longer one
_LEAST_SIZE, _LARGEST_SIZE = 64, 4096


class Finder:
    """A trained finder as a function from an image to the faces in it.

    Args:
        network: With its weights.
        sizes: Pixels of the image's longer side as the network sees it, once at each: larger ones find smaller faces,
            in more time (with the square of the size).
        rotations: `upright` finds faces that lean by up to about 45 degrees; `all` turns the image by 90, 180 and 270
            degrees as well, in four times the time.
        device: That the network runs on.
        first_size: Of a quick look before: where it shows one large face that is surely there, and not a trace of
            another, it is the only one.
        second_look: Changes the scores (`verified`). None: they stay.
    """

    def __init__(
        self,
        network: FinderNetwork,
        *,
        sizes: Sequence[int] = (448,),
        first_size: int | None = None,
        rotations: Rotations = "upright",
        device: torch.device | str = "cpu",
        second_look: SecondLook | None = None,
    ) -> None:
        for name, given in (("finder_size", list(sizes)), ("finder_first_size", [first_size or _LEAST_SIZE])):
            if not given or not all(_LEAST_SIZE <= size <= _LARGEST_SIZE for size in given):
                raise ConfigError(
                    f"{name}={given}: expected one or more sizes from {_LEAST_SIZE} to {_LARGEST_SIZE} pixels."
                )
        self.device = torch.device(device)
        self.network = fold_normalisation(network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.sizes = tuple(sizes)
        self.first_size = first_size
        self.turns = (0,) if rotations == "upright" else (0, 1, 2, 3)
        self.second_look = second_look if second_look is None else second_look.to(self.device)

    @classmethod
    def from_checkpoint(cls, path: str | Path | None = None, **settings: Any) -> "Finder":
        """The finder of a checkpoint; None: the one that comes with the package. Settings as of the class."""
        loaded = load_finder(path)
        second_look = None if loaded.second_look is None else SecondLook(*loaded.second_look)
        return cls(loaded.network, second_look=second_look, **settings)

    def __call__(self, image: ThermalImage, *, threshold: float = LEAST_SCORE, turns: Sequence[int] = ()) -> Detections:
        """The faces in an image, the surest first, in pixels of the image.

        Args:
            image: Of one channel.
            threshold: Smallest score.
            turns: Quarters by which the image is turned as well as the finder is set to.
        """
        if self.first_size is not None and not set(turns) - {0}:
            (first,) = self._at(image, self.first_size, (0,), LEAST_SCORE)
            if is_enough(first, max(image.values.shape)) and first.score[0] >= threshold:
                return first
        all_turns = sorted({*self.turns, *turns})
        found = [each for size in self.sizes for each in self._at(image, size, all_turns, threshold)]
        if len(found) == 1:
            return found[0]
        return suppress(Detections(*(np.concatenate(parts) for parts in zip(*found, strict=True))), OVERLAP)

    @torch.inference_mode()
    def verified(self, image: ThermalImage, found: Detections) -> Detections:
        """What was found in an image, with the scores that a second look at each face gives."""
        if self.second_look is None or not found.number:
            return found
        values = torch.from_numpy(np.ascontiguousarray(image.values, dtype=np.float32)).to(self.device)
        faces = (torch.from_numpy(part).to(self.device) for part in (found.boxes_px, found.angle, found.score))
        return found._replace(score=self.second_look(values, *faces).cpu().numpy())

    def _at(self, image: ThermalImage, size: int, turns: Sequence[int], threshold: float) -> list[Detections]:
        """The faces at one size, for each turn, in pixels of the image."""
        found = []
        seen, scale = self._seen(image, size)
        for turn in turns:
            for each in self._find(np.ascontiguousarray(np.rot90(seen, turn)), threshold):
                upright = _turned_back(each, turn, (seen.shape[0], seen.shape[1]))
                boxes = (upright.boxes_px + 0.5) / scale - 0.5
                found.append(upright._replace(boxes_px=boxes.astype(np.float32)))
        return found

    @torch.inference_mode()
    def _find(self, seen: Shaped[np.ndarray, "height width"], threshold: float) -> list[Detections]:
        height, width = seen.shape
        images = torch.from_numpy(seen).to(self.device)[None, None].float() / 127.5 - 1
        images = F.pad(images, (0, -width % MULTIPLE, 0, -height % MULTIPLE), value=-1.0)
        maps = self.network(images.to(memory_format=torch.channels_last))
        return decode(maps, self.network.stride, threshold=threshold, overlap=OVERLAP)

    def _seen(self, image: ThermalImage, longest_side: int) -> tuple[Shaped[np.ndarray, "height width"], float]:
        """The image as the network sees it, and how many of its pixels there are to one of the image."""
        values = torch.from_numpy(np.ascontiguousarray(image.values, dtype=np.float32))
        if image.unit == "celsius":
            values = values.clamp(*SKIN_RANGE_C)
        scale = longest_side / max(values.shape)
        size = [max(1, round(side * scale)) for side in values.shape]
        resized: Tensor = F.interpolate(
            values[None, None], size=size, mode="bilinear", align_corners=False, antialias=scale < 1
        )
        return to_bytes(resized[0, 0].numpy(), image.unit), scale


def is_enough(found: Detections, longest_side: int) -> bool:
    """Whether a quick look need not be followed by a finer one: one face alone, large and surely there."""
    if found.number != 1 or found.score[0] < SURE:
        return False
    (x0, y0, x1, y1), large = found.boxes_px[0], LARGE * longest_side
    return bool((x1 - x0) * (y1 - y0) >= large**2)


def _turned_back(found: Detections, turn: int, size: tuple[int, int]) -> Detections:
    """Faces of an image that was turned counter-clockwise by `turn` quarters, in the image of `size` as it was."""
    boxes, (height, width) = found.boxes_px, size
    x0, y0, x1, y1 = boxes.T
    places: dict[int, tuple[Float[np.ndarray, " face"], ...]] = {
        0: (x0, y0, x1, y1),
        1: (width - 1 - y1, x0, width - 1 - y0, x1),
        2: (width - 1 - x1, height - 1 - y1, width - 1 - x0, height - 1 - y0),
        3: (y0, height - 1 - x1, y1, height - 1 - x0),
    }
    angle = (found.angle + turn * np.pi / 2 + np.pi) % (2 * np.pi) - np.pi
    return Detections(np.stack(places[turn], axis=1), found.score, angle.astype(np.float32))
