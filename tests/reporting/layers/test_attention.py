import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.vit import TransformerLayer
from thermal_landmarks.reporting.layers.attention import channel_attention, rollout, token_attention


def softmax(scores: list[float]) -> list[float]:
    weights = [math.exp(score) for score in scores]
    return [weight / sum(weights) for weight in weights]


def loop_reference(layer: ChannelAttentionLayer, pixel: np.ndarray) -> np.ndarray:
    """The D x D matrix of one pixel, from the formula."""
    channels = len(pixel)
    projection = layer.projection.weight.detach().double().numpy()[:, :, 0, 0]
    queries, keys = projection[:channels] @ pixel, projection[channels : 2 * channels] @ pixel
    rows = []
    for i, q in enumerate(queries):
        if layer.score == "luong":
            rows.append(softmax([q * k for k in keys]))
        else:
            rows.append(softmax([float(layer.scale[i].detach()) * math.tanh(q + k) for k in keys]))
    return np.array(rows)


@pytest.fixture(params=["luong", "bahdanau"])
def layer(request) -> ChannelAttentionLayer:
    torch.manual_seed(0)
    layer = ChannelAttentionLayer(5, score=request.param, normalisation="none")
    with torch.no_grad():
        layer.projection.weight.mul_(4)
        if request.param == "bahdanau":
            layer.scale.copy_(torch.linspace(0.5, 2.5, 5))
    return layer.eval()


def test_channel_attention_equals_a_loop_over_pixels(layer, monkeypatch):
    monkeypatch.setattr("thermal_landmarks.reporting.layers.attention._PIXELS_AT_ONCE", 5)
    features = torch.randn(1, 5, 3, 4)
    matrices = np.array(
        [[loop_reference(layer, features[0, :, y, x].double().numpy()) for x in range(4)] for y in range(3)]
    )
    mean = channel_attention(layer, features)
    assert_allclose(mean.matrix.numpy(), matrices.mean(axis=(0, 1)), atol=1e-5)
    focus = 1 + (matrices * np.log(matrices)).sum(axis=-1).mean(axis=-1) / math.log(5)
    assert_allclose(mean.focus.numpy(), focus, atol=1e-5)
    chosen = channel_attention(layer, features, pixel=(2, 1))
    assert_allclose(chosen.matrix.numpy(), matrices[2, 1], atol=1e-5)


def test_the_matrix_is_the_one_that_the_layer_uses(layer):
    features = torch.randn(1, 5, 1, 1)
    matrix = channel_attention(layer, features, pixel=(0, 0)).matrix
    with torch.no_grad():
        values = layer.projection(features)[0, 10:, 0, 0]
        expected = layer(features)[0, :, 0, 0]
    torch.testing.assert_close(features[0, :, 0, 0] + matrix @ values, expected, atol=1e-5, rtol=0)


def test_token_attention_equals_a_loop_over_heads():
    torch.manual_seed(0)
    layer = TransformerLayer(dim=6, heads=2, mlp_ratio=1.0)
    tokens = torch.randn(1, 4, 6)
    found = token_attention(layer, tokens)
    projected = layer.projection(layer.attention_normalisation(tokens))[0].detach().double().numpy()
    for head in range(2):
        queries, keys = projected[:, 3 * head : 3 * head + 3], projected[:, 6 + 3 * head : 9 + 3 * head]
        for i in range(4):
            expected = softmax([float(queries[i] @ keys[j]) / math.sqrt(3) for j in range(4)])
            assert_allclose(found[head, i].numpy(), expected, atol=1e-5)


def test_rollout_follows_every_path_through_the_layers():
    attentions = [torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(i)).softmax(dim=2) for i in range(2)]
    step = [0.5 * attention.mean(dim=0).numpy() + 0.5 * np.eye(3) for attention in attentions]
    found = rollout(attentions).numpy()
    for query in range(3):
        for token in range(3):
            paths = sum(step[1][query, middle] * step[0][middle, token] for middle in range(3))
            assert_allclose(found[query, token], paths, atol=1e-6)
    assert_allclose(found.sum(axis=1), 1, atol=1e-6)
