"""What flows between the parts of a network: a feature map or a sequence of tokens."""

from typing import NamedTuple


class FeatureMap(NamedTuple):
    """Shape of a feature map, without the batch."""

    channels: int
    height: int
    width: int


class Tokens(NamedTuple):
    """Shape of a sequence of tokens, without the batch."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    dim: int


Shape = FeatureMap | Tokens
