"""A U-Net that regresses landmarks, as papers on thermal faces train one, on rendered faces and given the true box.

After Chu and Liu, "Thermal facial landmark detection by deep multi-task learning" (MMSP 2019): heat maps of a U-Net
(Ronneberger et al. 2015), here read by their centre of mass and without the second task.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from pictures import FACE16, Method, Portrait
from torch import Tensor, nn
from torch.nn import functional as F

_SIDE = 64  # pixels of a crop
_CHANNELS = (16, 32, 64, 128)
_MARGIN = 0.25  # around the true box
_BATCH, _RATE = 16, 2e-3


class UNet(nn.Module):
    """Crops (batch, 1, side, side) to landmarks (batch, 16, 2) between -1 and 1, x before y."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(a, b) for a, b in zip((1, *_CHANNELS), _CHANNELS, strict=False))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in zip(_CHANNELS[::-1][1:], _CHANNELS[::-1], strict=False))
        self.maps = nn.Conv2d(_CHANNELS[0], len(FACE16.landmark_names), 1)

    def forward(self, crops: Tensor) -> Tensor:
        skipped, x = [], crops
        for block in self.down:
            x = block(x if block is self.down[0] else F.max_pool2d(x, 2))
            skipped.append(x)
        for block, fine in zip(self.up, skipped[-2::-1], strict=True):
            x = block(torch.cat([fine, F.interpolate(x, scale_factor=2.0)], dim=1))
        share = self.maps(x).flatten(2).softmax(-1).view(len(x), -1, _SIDE, _SIDE)
        place = (torch.arange(_SIDE) + 0.5) * 2 / _SIDE - 1
        return torch.stack([(share.sum(2) * place).sum(-1), (share.sum(3) * place).sum(-1)], dim=-1)


def _block(given: int, wanted: int) -> nn.Sequential:
    layers = [
        layer
        for first in (given, wanted)
        for layer in (nn.Conv2d(first, wanted, 3, padding=1, bias=False), nn.BatchNorm2d(wanted), nn.ReLU())
    ]
    return nn.Sequential(*layers)


def train_unet(faces: list[Portrait], minutes: float, file: Path) -> None:
    """Trains on faces for so many minutes of CPU time; the weights go into a file."""
    torch.manual_seed(0)
    network = UNet()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE)
    generator = np.random.default_rng(0)
    started, share = time.process_time(), 0.0
    while share < 1:
        optimizer.param_groups[0]["lr"] = _RATE * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * share)))
        chosen = [faces[i] for i in generator.integers(len(faces), size=_BATCH)]
        frames = [_frame(each.points_px, generator) for each in chosen]
        crops = torch.stack([_crop(each, *frame) for each, frame in zip(chosen, frames, strict=True)])
        wanted = torch.stack([_inside(each.points_px, *frame) for each, frame in zip(chosen, frames, strict=True)])
        loss = (network(crops) - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        share = (time.process_time() - started) / (60 * minutes)
    torch.save(network.state_dict(), file)


def unet(people: list[Portrait], file: Path) -> Method:
    """What the network sees, given the true box."""
    network = UNet()
    network.load_state_dict(torch.load(file, weights_only=True))
    network.eval()
    points, ms = np.full((len(people), 16, 2), np.nan), np.zeros(len(people))
    for row, each in enumerate(people):
        middle, half = _frame(each.points_px)
        started = time.process_time()
        with torch.inference_mode():
            found = network(_crop(each, middle, half)[None])[0]
        ms[row] = 1000 * (time.process_time() - started)
        points[row] = middle + half * found.numpy()
    count = sum(p.numel() for p in network.parameters())
    return Method(points, ms, "true box", count, 4 * count)


def _frame(points: np.ndarray, generator: np.random.Generator | None = None) -> tuple[np.ndarray, float]:
    """Middle and half side of the square that is seen; in training moved and resized at random."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (0.5 + _MARGIN) * float((high - low).max())
    if generator is not None:
        middle, half = middle + 0.1 * half * generator.uniform(-1, 1, 2), half * generator.uniform(0.85, 1.2)
    return middle, half


def _inside(points: np.ndarray, middle: np.ndarray, half: float) -> Tensor:
    return torch.tensor((points - middle) / half, dtype=torch.float32)


def _crop(each: Portrait, middle: np.ndarray, half: float) -> Tensor:
    """(1, side, side): the square around a face, its values with mean 0 and deviation 1."""
    values = torch.as_tensor(np.asarray(each.image.values, np.float32))
    size = torch.tensor([values.shape[1], values.shape[0]])
    place = (torch.arange(_SIDE) + 0.5) * 2 / _SIDE - 1
    x, y = middle[0] + half * place, middle[1] + half * place
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).float()
    seen = F.grid_sample(
        values[None, None], ((2 * grid + 1) / size - 1)[None], align_corners=False, padding_mode="border"
    )[0]
    return (seen - seen.mean()) / (seen.std() + 1e-6)
