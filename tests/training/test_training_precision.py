import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.precision import best_precision, training_precision


@pytest.mark.parametrize(("has_bfloat16", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_cpu_uses_bfloat16_where_it_has_the_instructions(monkeypatch, has_bfloat16, expected):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: has_bfloat16, raising=False)
    assert best_precision("cpu") == expected


def test_an_older_torch_that_can_not_tell_gets_float32(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert best_precision("cpu") == "32-true"


@pytest.mark.parametrize(("has_bfloat16", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_gpu_uses_bfloat16_where_it_is_native(monkeypatch, has_bfloat16, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)
    assert best_precision("auto") == best_precision("gpu") == expected


def test_mps_trains_in_float32():
    assert best_precision("mps") == "32-true"


@pytest.mark.parametrize(
    ("typed", "meant"), [(32, "32-true"), ("16", "16-mixed"), ("bf16", "bf16-mixed"), ("32-true", "32-true")]
)
def test_precisions_have_short_names_and_may_be_numbers(typed, meant):
    assert training_precision(typed) == meant


@pytest.mark.parametrize("typed", ["bf16-true", 8])
def test_a_precision_that_rounds_points_or_does_not_exist_is_refused(typed):
    with pytest.raises(ConfigError, match=f"trainer.precision={typed}.*bf16-mixed"):
        training_precision(typed)
