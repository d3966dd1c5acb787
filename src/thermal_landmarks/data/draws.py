"""Random numbers for the changes of a batch of pictures, on the device that trains."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor


@dataclass(frozen=True)
class Draws:
    """Numbers for each picture; they are a function of the generator and the order of the calls."""

    count: int  # pictures
    generator: Generator  # also says the device

    def uniform(self, low: float, high: float) -> Float[Tensor, " count"]:
        """Between two numbers."""
        return self.rand(self.count) * (high - low) + low

    def chance(self, probability: float) -> Bool[Tensor, " count"]:
        """Whether something happens."""
        return self.rand(self.count) < probability

    def one(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number for all pictures."""
        return float(self.rand(1)) * (high - low) + low

    def rand(self, *shape: int) -> Tensor:
        """Between 0 and 1, of any shape."""
        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def randn(self, *shape: int) -> Tensor:
        """Of the normal distribution."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device)


def per_picture(values: Float[Tensor, " batch"]) -> Float[Tensor, "batch 1 1 1"]:
    """Values that apply to all pixels of a picture."""
    return values[:, None, None, None]
