import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.shapes import FeatureMap, Tokens
from thermal_landmarks.models.vit import PatchEncoder, TransformerLayer, VisionTransformerBranch


def test_patches_are_embedded_row_by_row() -> None:
    torch.manual_seed(0)
    encoder = PatchEncoder(FeatureMap(3, 4, 6), patch_size=2, dim=5)
    features = torch.randn(1, 3, 4, 6)
    tokens = encoder(features)
    for token, (row, column) in enumerate((r, c) for r in range(2) for c in range(3)):
        patch = features[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].permute(1, 2, 0).flatten()
        expected = encoder.embedding.weight @ patch + encoder.embedding.bias + encoder.positions[token]
        torch.testing.assert_close(tokens[0, token], expected)


def test_odd_maps_are_padded_with_zeros_at_the_right_and_the_bottom() -> None:
    encoder = PatchEncoder(FeatureMap(3, 5, 7), patch_size=4, dim=6)
    assert encoder.out_shape == Tokens(4, 6)
    features = torch.randn(2, 3, 5, 7)
    padded = torch.zeros(2, 3, 8, 8)
    padded[:, :, :5, :7] = features
    even = PatchEncoder(FeatureMap(3, 8, 8), patch_size=4, dim=6)
    even.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(encoder(features), even(padded))


def test_transformer_layer_equals_attention_written_out_head_by_head() -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(dim=12, heads=3, mlp_ratio=2.0)
    tokens = torch.randn(2, 5, 12)
    normalised = layer.attention_normalisation(tokens)
    query, key, value = (layer.projection(normalised)[..., 12 * i : 12 * (i + 1)] for i in range(3))
    outputs = []
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        weights = torch.softmax(query[..., part] @ key[..., part].transpose(1, 2) / 2, dim=-1)
        outputs.append(weights @ value[..., part])
    attended = tokens + layer.output(torch.cat(outputs, dim=-1))
    expected = attended + layer.mlp(layer.mlp_normalisation(attended))
    torch.testing.assert_close(layer(tokens), expected, rtol=1e-5, atol=1e-5)


def test_normalising_last_with_relu_is_torchs_own_transformer_layer() -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(dim=12, heads=3, mlp_ratio=2.0, normalise="after", activation="relu").eval()
    reference = torch.nn.TransformerEncoderLayer(12, 3, dim_feedforward=24, dropout=0.0, batch_first=True).eval()
    theirs = dict(reference.named_parameters())
    modules = ("projection", "output", "mlp.0", "mlp.2", "attention_normalisation", "mlp_normalisation")
    ours = [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]
    with torch.no_grad():
        for name, theirs_parameter in zip(ours, theirs.values(), strict=True):
            theirs_parameter.copy_(layer.get_parameter(name).normal_(std=0.5))
    tokens = torch.randn(2, 5, 12)
    torch.testing.assert_close(layer(tokens), reference(tokens), rtol=1e-5, atol=1e-5)


def test_a_class_token_stands_before_the_patches() -> None:
    torch.manual_seed(0)
    settings = {"depth": 1, "patch_size": 2, "dim": 8, "heads": 2, "mlp_ratio": 1.0}
    without = VisionTransformerBranch(FeatureMap(3, 4, 6), **settings)  # type: ignore[arg-type]
    branch = VisionTransformerBranch(FeatureMap(3, 4, 6), **settings, class_token=True)  # type: ignore[arg-type]
    assert branch.out_shape == Tokens(7, 8)
    tokens = branch.encoder(torch.zeros(2, 3, 4, 6))
    assert branch.encoder.class_token is not None
    torch.testing.assert_close(tokens[1, 0], branch.encoder.class_token + branch.encoder.positions[0])
    sizes = [sum(p.numel() for p in b.parameters()) for b in (without, branch)]
    assert sizes[1] - sizes[0] == 2 * 8  # the token and its position
    assert branch(torch.randn(2, 3, 4, 6)).shape == (2, 7, 8)


def test_patch_larger_than_the_map_names_the_setting_to_change() -> None:
    with pytest.raises(ConfigError, match=r"patches of 4x4 from a map of only 2x6.*branch\.patch_size to at most 2"):
        VisionTransformerBranch(FeatureMap(8, 2, 6), depth=1, patch_size=4, dim=8, heads=2, mlp_ratio=1.0)


def test_a_setting_of_the_wrong_type_is_named() -> None:
    with pytest.raises(ConfigError, match="mlp_ratio must be a number, found 'wide'"):
        VisionTransformerBranch(FeatureMap(8, 4, 6), depth=1, patch_size=2, dim=8, heads=2, mlp_ratio="wide")  # type: ignore[arg-type]


def test_heads_must_divide_the_token() -> None:
    with pytest.raises(ConfigError, match=r"branch\.heads=3, branch\.dim=8"):
        VisionTransformerBranch(FeatureMap(8, 4, 6), depth=1, patch_size=2, dim=8, heads=3, mlp_ratio=1.0)
