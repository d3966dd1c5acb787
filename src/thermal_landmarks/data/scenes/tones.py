"""Random tone curves: what another camera, palette or setting would have made of the same warmth."""

import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.draws import Draws

_KNOTS = 7


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
