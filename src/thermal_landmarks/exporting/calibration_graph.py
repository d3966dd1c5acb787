"""`inference.calibration.offsets.Calibration` as a module that can be exported; complex numbers are pairs here."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.inference.calibration.offsets import Calibration, depths


class CalibrationGraph(nn.Module):
    """Moves landmarks to where an annotator would have put them."""

    reference: Tensor
    offsets: Tensor
    by_yaw: Tensor
    by_pitch: Tensor
    depth: Tensor

    def __init__(self, calibration: Calibration, scheme: Scheme) -> None:
        super().__init__()
        for name in ("reference", "offsets", "by_yaw", "by_pitch"):
            self.register_buffer(name, torch.from_numpy(getattr(calibration, name)).float())
        known, depth = depths(scheme)
        share = np.zeros(scheme.num_points)
        if np.any(depth):
            share[known] = depth / (depth**2).sum()
        self.register_buffer("depth", torch.from_numpy(share).float()[:, None])
        self.limits = calibration.limits

    def forward(self, points_px: Float[Tensor, "*face point 2"]) -> Float[Tensor, "*face point 2"]:
        centred = points_px - points_px.mean(dim=-2, keepdim=True)
        conjugate = self.reference * self.reference.new_tensor([1.0, -1.0])
        scale = _times(centred, conjugate).sum(dim=-2, keepdim=True) / self.reference.square().sum()
        size = scale.square().sum(dim=-1, keepdim=True).clamp(min=1e-18)
        in_frame = _times(centred, scale * scale.new_tensor([1.0, -1.0]) / size) - self.reference
        turned = (in_frame * self.depth).sum(dim=-2, keepdim=True)
        yaw, pitch = (
            turn.clamp(-limit, limit) for turn, limit in zip(turned.split(1, dim=-1), self.limits, strict=True)
        )
        return points_px + _times(self.offsets + yaw * self.by_yaw + pitch * self.by_pitch, scale)


def _times(a: Tensor, b: Tensor) -> Tensor:
    (x, y), (u, v) = a.split(1, dim=-1), b.split(1, dim=-1)
    return torch.cat([x * u - y * v, x * v + y * u], dim=-1)
