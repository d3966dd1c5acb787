"""What flows between the parts of a network: a feature map or a sequence of tokens."""

from typing import NamedTuple


class FeatureMap(NamedTuple):
    """Shape of a feature map, without the batch."""

    channels: int
    height: int
    width: int

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.height * self.width


class Tokens(NamedTuple):
    """Shape of a sequence of tokens, without the batch."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    dim: int

    @property
    def values(self) -> int:
        """How many numbers they hold."""
        return self.count * self.dim


class Patches(Tokens):
    """Shape of tokens that are the cells of a map, row by row."""

    cells: FeatureMap

    @classmethod
    def of(cls, cells: FeatureMap) -> "Patches":
        """The tokens of a map's cells."""
        patches = cls(cells.height * cells.width, cells.channels)
        patches.cells = cells
        return patches


Shape = FeatureMap | Tokens
