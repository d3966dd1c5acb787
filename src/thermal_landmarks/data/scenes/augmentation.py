"""Random changes of whole scenes, on the device that trains: place and size first, then tones, then the camera.

Bytes go in and leave as values in [-1, 1]. Every call draws from its generator alone.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from thermal_landmarks.data.scenes.batch import Faces, move_faces, sort_out
from thermal_landmarks.data.scenes.tones import random_tones
from thermal_landmarks.data.warping import Padding, warp_batch

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class SceneChanges:
    """Ranges of the random changes."""

    scale: Range = (0.8, 2.5)  # smallest and largest size, relative to the whole scene in the network's input
    # Share of pictures with a face of the scene near their middle; the others show any part of it
    near_face: float = 0.4
    rotation_max_deg: float = 25.0  # largest turn to either side
    mosaic: float = 0.25  # share of batches whose pictures are made of four
    invert: float = 0.3  # probability of exchanging cold and warm
    gamma: Range = (0.5, 2.0)  # exponents of the tone curve
    curve: float = 0.08  # probability of a tone curve that falls as well as rises, as the luminance of a colour palette
    coarse: float = 0.4  # probability of a picture from a camera with fewer pixels
    coarse_factor: Range = (1.5, 4.0)  # range of how many times fewer pixels a side
    compression: float = 0.3  # probability of a picture with the blocks of a JPEG
    noise: float = 0.06  # largest standard deviation, as a fraction of the input range
    patches: int = 3  # largest number of patches of one tone
    scale_bar: float = 0.08  # probability of a camera's colour scale at one side of the picture
    smallest_px: float = 7.0  # smaller faces of the network's input are ignored


@dataclass(frozen=True)
class SceneAugmentation:
    """The random changes as a function of a batch."""

    settings: SceneChanges  # their ranges
    size: tuple[int, int]  # (height, width) of the network's input

    def __call__(
        self, stored: UInt8[Tensor, "b h w"], faces: Faces, generator: Generator
    ) -> tuple[Float[Tensor, "b 1 p q"], Faces]:
        """The changed pictures in [-1, 1], and their faces."""
        tones = random_tones(
            len(stored),
            generator,
            stored.device,
            invert=self.settings.invert,
            gamma=self.settings.gamma,
            curve=self.settings.curve,
        )
        images = tones.gather(1, stored.flatten(1).long()).view(len(stored), 1, *stored.shape[1:])
        if self._one(generator, stored.device) < self.settings.mosaic:
            images, faces = self._mosaic(images, faces, generator)
        else:
            images, faces = self._place(images, faces, self.size, self.settings.scale, generator)
        images = self._cover(images, generator)
        images, smallest = self._record(images, generator)
        return images.clamp(-1, 1), sort_out(faces, self.size, smallest)

    def _place(
        self, images: Tensor, faces: Faces, size: tuple[int, int], scale: Range, generator: Generator
    ) -> tuple[Tensor, Faces]:
        """Scenes turned, mirrored, scaled and cut to a size, around a random point or face of theirs."""
        count, device = len(images), images.device
        height, width = images.shape[-2:]
        fit = min(size[0] / height, size[1] / width)
        low, high = math.log(scale[0]), math.log(scale[1])
        zoom = fit * torch.exp(self._uniform(low, high, count, generator, device))
        turn = torch.deg2rad(self._uniform(-1, 1, count, generator, device) * self.settings.rotation_max_deg)
        flip = torch.where(self._uniform(0, 1, count, generator, device) < 0.5, -1.0, 1.0)
        cos, sin = zoom * turn.cos(), zoom * turn.sin()
        linear = torch.stack([cos * flip, -sin, sin * flip, cos], dim=1).view(-1, 2, 2)
        at = self._view_centre(faces, (height, width), size, zoom, generator)
        target = torch.tensor([(size[1] - 1) / 2, (size[0] - 1) / 2], device=device)
        matrices = torch.cat([linear, (target - (linear @ at[..., None]).squeeze(-1))[..., None]], dim=2)
        beyond: Padding = "cold" if self._one(generator, device) < 0.5 else "border"
        return warp_batch(images, matrices, beyond, size=size), move_faces(faces, matrices)

    def _view_centre(
        self, faces: Faces, scene: tuple[int, int], size: tuple[int, int], zoom: Tensor, generator: Generator
    ) -> Float[Tensor, "b 2"]:
        """Where in the scene each picture has its middle: anywhere, or near one of the faces."""
        count, device = len(zoom), zoom.device
        full, seen = torch.tensor(scene[::-1], device=device), torch.tensor(size[::-1], device=device) / zoom[:, None]
        spare = ((full - seen) / 2).clamp(min=0)  # as far from the middle as there is scene to spare
        at, beside = (
            torch.stack([self._uniform(-1, 1, count, generator, device) for _ in range(2)], dim=1) for _ in range(2)
        )
        anywhere = (full - 1) / 2 + 1.05 * spare * at
        lots = torch.rand(faces.wanted.shape, generator=generator, device=device) + faces.wanted
        boxes = faces.boxes_px[torch.arange(count, device=device), lots.argmax(dim=1)]
        near = (boxes[:, :2] + boxes[:, 2:]) / 2 + 0.3 * seen * beside
        chosen = (self._uniform(0, 1, count, generator, device) < self.settings.near_face) & faces.wanted.any(dim=1)
        return torch.where(chosen[:, None], near, anywhere)

    def _mosaic(self, images: Tensor, faces: Faces, generator: Generator) -> tuple[Tensor, Faces]:
        """Pictures of four scenes each, which makes faces small and many."""
        height, width = self.size[0] // 2, self.size[1] // 2
        halved = F.avg_pool2d(images, 2)
        smaller = faces._replace(boxes_px=(faces.boxes_px - 0.5) / 2)
        tiles, found = [], []
        for row in range(2):
            for column in range(2):
                order = torch.randperm(len(images), generator=generator, device=images.device)
                tile, moved = self._place(
                    halved[order], Faces(*(part[order] for part in smaller)), (height, width), (0.85, 1.5), generator
                )
                moved = sort_out(moved, (height, width), 0.0)
                shift = torch.tensor([column * width, row * height] * 2, device=images.device)
                tiles.append(tile)
                # What lies beyond its own tile is not in the picture at all.
                corner = shift[:2]
                clipped = torch.cat(
                    [
                        torch.minimum(torch.maximum(end + corner, corner - 0.5), corner + limit - 0.5)
                        for end in moved.boxes_px.split(2, dim=-1)
                        for limit in [torch.tensor([width, height], device=images.device)]
                    ],
                    dim=-1,
                )
                visible = (clipped[..., 2:] > clipped[..., :2]).all(dim=-1)
                boxes = torch.where(moved.wanted[..., None], moved.boxes_px + shift, clipped)
                found.append(moved._replace(boxes_px=boxes, ignored=moved.ignored & visible))
        picture = torch.cat([torch.cat(tiles[:2], dim=3), torch.cat(tiles[2:], dim=3)], dim=2)
        return picture, Faces(*(torch.cat(parts, dim=1) for parts in zip(*found, strict=True)))

    def _cover(self, images: Tensor, generator: Generator) -> Tensor:
        """Patches of one tone, and a camera's colour scale at one side."""
        count, device = len(images), images.device
        height, width = images.shape[-2:]
        y, x = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
        for number in range(self.settings.patches):
            used = self._uniform(0, 1, count, generator, device) < 0.5 / (number + 1)
            high, wide = (self._uniform(0.02, 0.15, count, generator, device) * height for _ in range(2))
            top = self._uniform(0, 1, count, generator, device) * height
            left = self._uniform(0, 1, count, generator, device) * width
            inside = used[:, None, None] & (y >= top[:, None, None]) & (y < (top + high)[:, None, None])
            inside = inside & (x >= left[:, None, None]) & (x < (left + wide)[:, None, None])
            tone = self._uniform(-1, 1, count, generator, device)[:, None, None, None]
            images = torch.where(inside[:, None], tone, images)
        used = self._uniform(0, 1, count, generator, device) < self.settings.scale_bar
        start, wide = (self._uniform(*ends, count, generator, device) * width for ends in ((0.9, 0.96), (0.02, 0.06)))
        top = self._uniform(0.02, 0.2, count, generator, device) * height
        rows = (y[None, :, :] >= top[:, None, None]) & (y[None, :, :] < height - top[:, None, None])
        bar = used[:, None, None] & rows & (x >= start[:, None, None]) & (x < (start + wide)[:, None, None])
        ramp = (1 - 2 * y / height).to(images).expand(height, width)
        return torch.where(bar[:, None], ramp, images)

    def _record(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Fewer pixels, noise and compression; and the width that a face must have to be seen in what is left."""
        count, device = len(images), images.device
        smallest = torch.full((count, 1), self.settings.smallest_px, device=device)
        coarse = self._uniform(0, 1, count, generator, device) < self.settings.coarse
        factor = float(self._uniform(*self.settings.coarse_factor, 1, generator, device))
        size = images.shape[-2:]
        small_size = (max(16, round(size[0] / factor)), max(16, round(size[1] / factor)))
        if coarse.any():
            small = F.interpolate(images[coarse], size=small_size, mode="area")
            small = self._compress(self._noisy(small, generator), generator)
            images = images.clone()
            images[coarse] = F.interpolate(small, size=size, mode="bilinear", align_corners=False)
            smallest[coarse] = max(self.settings.smallest_px, 5.5 * factor)
        if not coarse.all():
            images = images.clone()
            images[~coarse] = self._compress(self._noisy(images[~coarse], generator), generator)
        return images, smallest

    def _noisy(self, images: Tensor, generator: Generator) -> Tensor:
        count, device = len(images), images.device
        level = self._uniform(0, 1, count, generator, device).square()[:, None, None, None] * self.settings.noise
        noise = torch.randn(images.shape, generator=generator, device=device)
        columns = torch.randn(count, 1, 1, images.shape[-1], generator=generator, device=device)
        return images + 2 * level * (noise + 0.4 * columns)

    def _compress(self, images: Tensor, generator: Generator) -> Tensor:
        """JPEG's quantised cosine coefficients of 8 x 8 pixels, for some of the pictures."""
        used = self._uniform(0, 1, len(images), generator, images.device) < self.settings.compression
        if not used.any():
            return images
        chosen = images[used]
        height, width = chosen.shape[-2:]
        padded = F.pad(chosen, (0, -width % 8, 0, -height % 8), mode="replicate")
        basis = _cosines().to(chosen)
        blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)
        quality = self._uniform(0, 1, len(chosen), generator, images.device).square()[:, None, None, None, None, None]
        frequency = torch.arange(8, device=chosen.device)
        step = (0.02 + 0.15 * quality) * (1 + 0.5 * (frequency[:, None] + frequency))
        coefficients = ((basis @ blocks @ basis.T) / step).round() * step
        restored = (basis.T @ coefficients @ basis).transpose(3, 4).reshape(padded.shape)
        images = images.clone()
        images[used] = restored[..., :height, :width]
        return images

    @staticmethod
    def _uniform(low: float, high: float, count: int, generator: Generator, device: torch.device) -> Tensor:
        return torch.rand(count, generator=generator, device=device) * (high - low) + low

    def _one(self, generator: Generator, device: torch.device) -> float:
        return float(self._uniform(0, 1, 1, generator, device))


def _cosines() -> Float[Tensor, "8 8"]:
    """The orthonormal basis of the cosine transform of 8 values."""
    row, column = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos(math.pi * (column + 0.5) * row / 8) / 2
    basis[0] /= 2**0.5
    return basis
