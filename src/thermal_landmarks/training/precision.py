"""Number formats: the one that trains fastest here (`precision=auto`), and the one that all tests are made in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from thermal_landmarks.errors import require_choice

TEST_PRECISION = "32"
"""Of every training's test, as of `evaluate.py`, so that the same weights give the same numbers everywhere."""

_TRAINED_IN = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def training_precision(name: str | int, accelerator: str = "auto") -> str:
    """Lightning's word for `trainer.precision`: `auto`, `32-true`, `bf16-mixed`, `16-mixed`, or 32, bf16, 16.

    Raises:
        ConfigError: If it is another one. Lightning's `bf16-true` and `16-true` would round points to whole pixels.
    """
    name = str(name)
    if name == "auto":
        return best_precision(accelerator)
    name = _TRAINED_IN.get(name, name)
    require_choice("trainer.precision", name, ("auto", *_TRAINED_IN.values()))
    return name


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute in float32, whatever the training's precision and `matmul_precision`."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def best_precision(accelerator: str = "auto") -> str:
    """`bf16-mixed` where the processor computes in bfloat16, else `32-true`; `accelerator` is Lightning's word.

    On a CPU with AVX-512 BF16 or AMX a training step takes about 0.4 of its float32 time.
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    if accelerator == "cpu" or (accelerator == "auto" and not torch.backends.mps.is_available()):
        return "bf16-mixed" if _cpu_has_bfloat16() else "32-true"
    return "32-true"


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU has bfloat16 instructions; emulation would be slower than float32."""
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(check() for check in checks if check is not None)
