"""LOTR's transformer against the same computation written out step by step."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.lotr.branch import LotrBranch, sine_positions
from thermal_landmarks.models.shapes import FeatureMap

HEIGHT, WIDTH, DIM, HEADS, POINTS = 3, 5, 16, 4, 6


@pytest.fixture
def branch() -> LotrBranch:
    torch.manual_seed(0)
    shape = FeatureMap(DIM, HEIGHT, WIDTH)
    made = LotrBranch(shape, POINTS, depth=2, heads=HEADS, ffn_width=24, dropout=0.3, query_std=1.0).eval()
    for name, parameter in made.named_parameters():
        if "norm" in name or "bias" in name:  # so that one that is left out is noticed
            torch.nn.init.normal_(parameter, mean=float("weight" in name), std=0.3)
    return made.double()


def test_positions_are_detrs_normalised_sines_row_by_row() -> None:
    found = sine_positions(HEIGHT, WIDTH, DIM).numpy()
    for row in range(HEIGHT):
        for column in range(WIDTH):
            expected = []
            for place, size in ((row + 1, HEIGHT), (column + 1, WIDTH)):
                for channel in range(DIM // 2):
                    angle = place / size * 2 * math.pi / 10000 ** (2 * (channel // 2) / (DIM // 2))
                    expected.append(math.cos(angle) if channel % 2 else math.sin(angle))
            np.testing.assert_allclose(found[row * WIDTH + column], expected, atol=1e-6)


class Reference:
    """The branch in NumPy, one image, head by head, from the branch's weights by name."""

    def __init__(self, branch: LotrBranch) -> None:
        self.weights = {name: value.detach().numpy() for name, value in branch.named_parameters()}

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return result

    def attention(self, name: str, queries: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
        q, k, v = (self.linear(f"{name}.{n}", x) for n, x in (("query", queries), ("key", keys), ("value", values)))
        size = DIM // HEADS
        joined = np.zeros_like(q)
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for i in range(len(q)):
                scores = np.exp(k[:, part] @ q[i, part] / math.sqrt(size))
                joined[i, part] = scores @ v[:, part] / scores.sum()
        return self.linear(f"{name}.output", joined)

    def normalise(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        result: np.ndarray = scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return result

    def feed_forward(self, name: str, x: np.ndarray) -> np.ndarray:
        return self.linear(f"{name}.2", np.maximum(self.linear(f"{name}.0", x), 0))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        positions = sine_positions(HEIGHT, WIDTH, DIM).numpy()
        memory = np.stack([features[:, y, x] for y in range(HEIGHT) for x in range(WIDTH)])
        for name in ("encoder.0", "encoder.1"):
            placed = memory + positions
            memory = self.normalise(
                f"{name}.norms.0", memory + self.attention(f"{name}.attention", placed, placed, memory)
            )
            memory = self.normalise(f"{name}.norms.1", memory + self.feed_forward(f"{name}.feed_forward", memory))
        y = self.weights["queries"]
        for name in ("decoder.0", "decoder.1"):
            y = self.normalise(f"{name}.norms.0", y + self.attention(f"{name}.self_attention", y, y, y))
            y = self.normalise(
                f"{name}.norms.1", y + self.attention(f"{name}.cross_attention", y, memory + positions, memory)
            )
            y = self.normalise(f"{name}.norms.2", y + self.feed_forward(f"{name}.feed_forward", y))
        return y


def test_forward_equals_the_computation_written_out(branch: LotrBranch) -> None:
    features = torch.randn(2, DIM, HEIGHT, WIDTH, dtype=torch.float64)
    tokens = branch(features).detach().numpy()
    for image in range(2):
        np.testing.assert_allclose(tokens[image], Reference(branch)(features[image].numpy()), atol=1e-6)


def test_permuted_queries_permute_the_tokens(branch: LotrBranch) -> None:
    features = torch.randn(2, DIM, HEIGHT, WIDTH, dtype=torch.float64)
    before = branch(features)
    order = torch.randperm(POINTS, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        branch.queries.copy_(branch.queries[order])
    torch.testing.assert_close(branch(features), before[:, order])
    assert (before[0] - before[0, order]).abs().max() > 0.1  # the tokens do differ


def test_pixels_are_told_apart_by_their_places_alone(branch: LotrBranch) -> None:
    def moved(branch: LotrBranch) -> Tensor:
        features = torch.randn(1, DIM, HEIGHT, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        return (branch(features) - branch(features.flip(-1))).abs().max()

    assert moved(branch) > 1e-3
    branch.positions.zero_()
    assert moved(branch) < 1e-12


def test_queries_begin_with_the_wanted_spread() -> None:
    torch.manual_seed(0)
    shape = FeatureMap(64, 6, 6)
    branch = LotrBranch(shape, 106, depth=1, heads=8, ffn_width=64, dropout=0.0, query_std=0.01)
    assert float(branch.queries.detach().std()) == pytest.approx(0.01, rel=0.03)
    assert branch.out_shape == (106, 64)


@pytest.mark.parametrize(
    ("channels", "change", "message"),
    [
        (20, {}, r"stem's 20 channels \(shape \(20, 3, 5\)\).*branch\.heads=8 and 4.*stem\.width"),
        (6, {"heads": 3}, r"stem's 6 channels.*branch\.heads=3 and 4"),
        (64, {"depth": 0}, "branch's depth must be a whole number of at least 1, found 0"),
        (64, {"dropout": 1.0}, "dropout must lie in"),
        (64, {"query_std": 0}, "query_std be positive"),
        (64, {"ffn_width": "wide"}, "ffn_width must be a whole number"),
    ],
)
def test_settings_that_do_not_fit_are_named(channels: int, change: dict[str, object], message: str) -> None:
    settings: dict[str, object] = {"depth": 1, "heads": 8, "ffn_width": 64, "dropout": 0.0, "query_std": 0.01}
    with pytest.raises(ConfigError, match=message):
        LotrBranch(FeatureMap(channels, 3, 5), 6, **settings | change)  # type: ignore[arg-type]
