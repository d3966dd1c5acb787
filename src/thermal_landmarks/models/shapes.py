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
    """Shape of a sequence of tokens, without the batch.

    `rows` is more than 0 where the tokens are the cells of a map of so many rows, row by row.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    dim: int
    rows: int = 0

    @property
    def values(self) -> int:
        """How many numbers they hold."""
        return self.count * self.dim

    def as_map(self) -> FeatureMap | None:
        """The map that the tokens are the cells of, if they are."""
        return FeatureMap(self.dim, self.rows, self.count // self.rows) if self.rows else None


Shape = FeatureMap | Tokens
