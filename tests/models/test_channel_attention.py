from collections.abc import Callable
from typing import Any

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.channel_attention import ChannelAttentionLayer, Score


def textbook(layer: ChannelAttentionLayer, features: torch.Tensor) -> torch.Tensor:
    channels = features.shape[1]
    vectors = layer.normalisation(features).permute(0, 2, 3, 1)
    query, key, value = layer.projection.weight[:, :, 0, 0].split(channels)
    bias = layer.projection.bias
    b_q, b_k, b_v = (0, 0, 0) if bias is None else bias.split(channels)
    q, k, v = vectors @ query.T + b_q, vectors @ key.T + b_k, vectors @ value.T + b_v
    scores = q[..., :, None] * k[..., None, :]
    if layer.score != "luong":
        scores = layer.scale.expand(channels)[:, None] * torch.tanh(q[..., :, None] + k[..., None, :])
    attended = (scores.softmax(-1) @ v[..., None])[..., 0].permute(0, 3, 1, 2)
    return features + attended if layer.residual else attended


def make_layer(score: Score, *, residual: bool = True, bias: bool = False) -> ChannelAttentionLayer:
    torch.manual_seed(0)
    layer = ChannelAttentionLayer(12, score=score, residual=residual, bias=bias)
    for parameter in (layer.projection.weight, layer.projection.bias, getattr(layer, "scale", None)):
        if parameter is not None:
            torch.nn.init.normal_(parameter, std=0.5)
    return layer


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(("residual", "bias"), [(False, True), (True, True), (True, False)])
@pytest.mark.parametrize("score", ["luong", "bahdanau", "bahdanau_shared"])
def test_layer_equals_the_textbook_formula(score: Score, residual: bool, bias: bool, channels_last: bool) -> None:
    layer = make_layer(score, residual=residual, bias=bias)
    features = torch.randn(2, 12, 5, 7)
    if channels_last:
        features = features.contiguous(memory_format=torch.channels_last)
    expected = textbook(layer, features)
    attended = layer(features)
    torch.testing.assert_close(attended, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(expected)
    parameters = list(layer.parameters())
    actual_gradients = torch.autograd.grad((attended * weights).sum(), parameters)
    for actual, wanted in zip(
        actual_gradients, torch.autograd.grad((expected * weights).sum(), parameters), strict=True
    ):
        torch.testing.assert_close(actual, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_layer_runs_in_bf16_and_stays_close(score: Score) -> None:
    layer = make_layer(score).to(memory_format=torch.channels_last)
    features = torch.randn(2, 12, 5, 7).contiguous(memory_format=torch.channels_last).requires_grad_()
    exact = layer(features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = layer(features.bfloat16())
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)
    rough.sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_exported_program_computes_the_same(score: Score) -> None:
    layer = make_layer(score).eval()
    features = torch.randn(2, 12, 5, 7)
    exported = torch.export.export(layer, (features,)).module()
    torch.testing.assert_close(exported(features), layer(features), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_compiled_layer_computes_the_same_without_all_scores(score: Score) -> None:
    layer = make_layer(score).eval()
    features = torch.randn(1, 12, 16, 32)
    sizes: list[int] = []

    def record(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        values = [node.meta.get("example_value") for node in graph.graph.nodes]
        sizes.extend(value.numel() for value in values if isinstance(value, torch.Tensor))
        return graph.forward

    compiled = torch.compile(layer, backend=record)
    torch.testing.assert_close(compiled(features), layer(features), rtol=1e-5, atol=1e-5)
    assert 0 < max(sizes) < 12 * features.numel()


def test_start_scale_is_a_factor_of_the_projections_at_the_start() -> None:
    weights = []
    for start_scale in (1.0, 0.3):
        torch.manual_seed(0)
        weights.append(ChannelAttentionLayer(12, score="bahdanau_shared", start_scale=start_scale).projection.weight)
    torch.testing.assert_close(weights[1], weights[0] * 0.3)
    with pytest.raises(ConfigError, match="start_scale must be positive, found 0"):
        ChannelAttentionLayer(12, score="luong", start_scale=0)


def test_working_memory_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="chunk_megabytes"):
        ChannelAttentionLayer(8, score="luong", chunk_megabytes=0)
