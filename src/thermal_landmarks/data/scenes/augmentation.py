"""Random changes of whole scenes, on the device that trains: place and size first, then tones, then the camera.

Bytes go in and leave as values in [-1, 1]. Every call draws from its generator alone.
"""

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from thermal_landmarks.data.draws import Draws, per_picture
from thermal_landmarks.data.scenes.batch import Faces, move_faces, sort_out
from thermal_landmarks.data.warping import Padding, warp_batch

Range = tuple[float, float]
_KNOTS = 7  # of a tone curve


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
        changes, draws = self.settings, Draws(len(stored), generator)
        tones = random_tones(draws, invert=changes.invert, gamma=changes.gamma, curve=changes.curve)
        images = tones.gather(1, stored.flatten(1).long()).view(len(stored), 1, *stored.shape[1:])
        if draws.one() < changes.mosaic:
            images, faces = self._mosaic(images, faces, draws)
        else:
            images, faces = self._place(images, faces, self.size, changes.scale, draws)
        images = self._cover(images, draws)
        images, smallest = self._record(images, draws)
        return images.clamp(-1, 1), sort_out(faces, self.size, smallest)

    def _place(
        self, images: Tensor, faces: Faces, size: tuple[int, int], scale: Range, draws: Draws
    ) -> tuple[Tensor, Faces]:
        """Scenes turned, mirrored, scaled and cut to a size, around a random point or face of theirs."""
        height, width = images.shape[-2:]
        fit = min(size[0] / height, size[1] / width)
        zoom = fit * torch.exp(draws.uniform(math.log(scale[0]), math.log(scale[1])))
        turn = torch.deg2rad(draws.uniform(-1, 1) * self.settings.rotation_max_deg)
        flip = torch.where(draws.chance(0.5), -1.0, 1.0)
        cos, sin = zoom * turn.cos(), zoom * turn.sin()
        linear = torch.stack([cos * flip, -sin, sin * flip, cos], dim=1).view(-1, 2, 2)
        at = self._view_centre(faces, (height, width), size, zoom, draws)
        target = at.new_tensor([(size[1] - 1) / 2, (size[0] - 1) / 2])
        matrices = torch.cat([linear, (target - (linear @ at[..., None]).squeeze(-1))[..., None]], dim=2)
        beyond: Padding = "cold" if draws.one() < 0.5 else "border"
        return warp_batch(images, matrices, beyond, size=size), move_faces(faces, matrices)

    def _view_centre(
        self, faces: Faces, scene: tuple[int, int], size: tuple[int, int], zoom: Tensor, draws: Draws
    ) -> Float[Tensor, "b 2"]:
        """Where in the scene each picture has its middle: anywhere, or near one of the faces."""
        full, seen = zoom.new_tensor(scene[::-1]), zoom.new_tensor(size[::-1]) / zoom[:, None]
        spare = ((full - seen) / 2).clamp(min=0)  # as far from the middle as there is scene to spare
        at, beside = (torch.stack([draws.uniform(-1, 1) for _ in range(2)], dim=1) for _ in range(2))
        anywhere = (full - 1) / 2 + 1.05 * spare * at
        lots = draws.rand(*faces.wanted.shape) + faces.wanted
        boxes = faces.boxes_px[torch.arange(len(zoom), device=zoom.device), lots.argmax(dim=1)]
        near = (boxes[:, :2] + boxes[:, 2:]) / 2 + 0.3 * seen * beside
        chosen = draws.chance(self.settings.near_face) & faces.wanted.any(dim=1)
        return torch.where(chosen[:, None], near, anywhere)

    def _mosaic(self, images: Tensor, faces: Faces, draws: Draws) -> tuple[Tensor, Faces]:
        """Pictures of four scenes each, which makes faces small and many."""
        height, width = self.size[0] // 2, self.size[1] // 2
        halved = F.avg_pool2d(images, 2)
        smaller = faces._replace(boxes_px=(faces.boxes_px - 0.5) / 2)
        tiles, found = [], []
        for row, column in itertools.product(range(2), repeat=2):
            order = torch.randperm(len(images), generator=draws.generator, device=images.device)
            shuffled = Faces(*(part[order] for part in smaller))
            tile, moved = self._place(halved[order], shuffled, (height, width), (0.85, 1.5), draws)
            tiles.append(tile)
            moved = sort_out(moved, (height, width), 0.0)
            corner = moved.boxes_px.new_tensor([column * width, row * height] * 2)
            end = corner + corner.new_tensor([width, height] * 2)
            boxes = moved.boxes_px + corner
            # What lies beyond its own tile is not in the picture at all.
            clipped = torch.minimum(torch.maximum(boxes, corner - 0.5), end - 0.5)
            visible = (clipped[..., 2:] > clipped[..., :2]).all(dim=-1)
            boxes = torch.where(moved.wanted[..., None], boxes, clipped)
            found.append(moved._replace(boxes_px=boxes, ignored=moved.ignored & visible))
        picture = torch.cat([torch.cat(tiles[:2], dim=3), torch.cat(tiles[2:], dim=3)], dim=2)
        return picture, Faces(*(torch.cat(parts, dim=1) for parts in zip(*found, strict=True)))

    def _cover(self, images: Tensor, draws: Draws) -> Tensor:
        """Patches of one tone, and a camera's colour scale at one side."""
        height, width = images.shape[-2:]
        y = torch.arange(height, device=images.device)[:, None]
        x = torch.arange(width, device=images.device)
        for number in range(self.settings.patches):
            used = draws.chance(0.5 / (number + 1))
            high, wide = (draws.uniform(0.02, 0.15) * height for _ in range(2))
            top, left = draws.uniform(0, 1) * height, draws.uniform(0, 1) * width
            tone = per_picture(draws.uniform(-1, 1))
            images = torch.where(
                _within(y, top, top + high) & _within(x, left, left + wide) & per_picture(used), tone, images
            )
        used = draws.chance(self.settings.scale_bar)
        left, wide = (draws.uniform(*ends) * width for ends in ((0.9, 0.96), (0.02, 0.06)))
        top = draws.uniform(0.02, 0.2) * height
        bar = _within(y, top, height - top) & _within(x, left, left + wide) & per_picture(used)
        return torch.where(bar, (1 - 2 * y / height).to(images), images)

    def _record(self, images: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Fewer pixels, noise and compression; and the width that a face must have to be seen in what is left."""
        smallest = images.new_full((len(images), 1), self.settings.smallest_px)
        coarse = draws.chance(self.settings.coarse)
        factor = draws.one(*self.settings.coarse_factor)
        height, width = images.shape[-2:]
        images = images.clone()
        if coarse.any():
            small_size = (max(16, round(height / factor)), max(16, round(width / factor)))
            small = self._spoil(F.interpolate(images[coarse], size=small_size, mode="area"), draws.generator)
            images[coarse] = F.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
            smallest[coarse] = max(self.settings.smallest_px, 5.5 * factor)
        if not coarse.all():
            images[~coarse] = self._spoil(images[~coarse], draws.generator)
        return images, smallest

    def _spoil(self, images: Tensor, generator: Generator) -> Tensor:
        """Noise of pixels and of columns, then compression."""
        draws = Draws(len(images), generator)
        level = per_picture(draws.uniform(0, 1).square()) * self.settings.noise
        noise = draws.randn(*images.shape)
        columns = draws.randn(len(images), 1, 1, images.shape[-1])
        return self._compress(images + 2 * level * (noise + 0.4 * columns), draws)

    def _compress(self, images: Tensor, draws: Draws) -> Tensor:
        """JPEG's quantised cosine coefficients of 8 x 8 pixels, for some of the pictures."""
        used = draws.chance(self.settings.compression)
        if not used.any():
            return images
        chosen = images[used]
        height, width = chosen.shape[-2:]
        padded = F.pad(chosen, (0, -width % 8, 0, -height % 8), mode="replicate")
        basis = _cosines().to(chosen)
        blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)
        quality = per_picture(Draws(len(chosen), draws.generator).uniform(0, 1).square())[..., None, None]
        frequency = torch.arange(8, device=chosen.device)
        step = (0.02 + 0.15 * quality) * (1 + 0.5 * (frequency[:, None] + frequency))
        coefficients = ((basis @ blocks @ basis.T) / step).round() * step
        restored = (basis.T @ coefficients @ basis).transpose(3, 4).reshape(padded.shape)
        images = images.clone()
        images[used] = restored[..., :height, :width]
        return images


def _within(positions: Tensor, start: Float[Tensor, " b"], end: Float[Tensor, " b"]) -> Tensor:
    """Which rows or columns lie in each picture's range."""
    return (positions >= per_picture(start)) & (positions < per_picture(end))


def _cosines() -> Float[Tensor, "8 8"]:
    """The orthonormal basis of the cosine transform of 8 values."""
    row, column = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos(math.pi * (column + 0.5) * row / 8) / 2
    basis[0] /= 2**0.5
    return basis


def random_tones(
    draws: Draws, *, invert: float, gamma: tuple[float, float], curve: float
) -> Float[Tensor, "count 256"]:
    """One table for each picture, from byte to value in [-1, 1].

    `invert` is the probability of exchanging cold and warm, `curve` that of a curve through random levels, which
    needn't rise; exponents lie between those of `gamma`.
    """

    def uniform(low: float, high: float) -> Float[Tensor, "count 1"]:
        return draws.uniform(low, high)[:, None]

    ramp = torch.linspace(0, 1, 256, device=draws.generator.device).expand(draws.count, 256)
    # A window narrower or wider than the picture's own range: clipped ends, or a flat picture
    start, end = uniform(-0.15, 0.25), uniform(0.75, 1.2)
    tones = ((ramp - start) / (end - start)).clamp(0, 1)
    low, high = torch.tensor(gamma).log().tolist()
    tones = tones ** uniform(low, high).exp()
    levels = draws.rand(draws.count, _KNOTS)
    at = tones * (_KNOTS - 1)
    left = at.floor().clamp(max=_KNOTS - 2).long()
    curved = torch.lerp(levels.gather(1, left), levels.gather(1, left + 1), at - left)
    tones = torch.where(uniform(0, 1) < curve, curved, tones)
    tones = torch.where(uniform(0, 1) < invert, 1 - tones, tones)
    steps = torch.where(uniform(0, 1) < 0.1, uniform(12, 64).round(), 255.0)
    return (tones * steps).round() / steps * 2 - 1
