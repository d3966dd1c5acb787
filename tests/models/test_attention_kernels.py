"""The hand-written attention kernels against plain loops over pixels, queries and keys."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from thermal_landmarks.models.attention_kernels import bahdanau_attention, luong_attention

ATTENTION: dict[str, Callable[..., Tensor]] = {
    "luong": luong_attention,
    "bahdanau": lambda q, k, v, **options: bahdanau_attention(q, k, v, scales(len(q)).requires_grad_(), **options),
}


def scales(channels: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.linspace(-1.3, 4.0, channels, dtype=dtype)


def loop_attention(leaves: list[Tensor], score: Callable[[int, Tensor, Tensor], Tensor]) -> Tensor:
    queries, keys, values = leaves
    channels, pixels = queries.shape
    columns = []
    for pixel in range(pixels):
        column = []
        for i in range(channels):
            weights = torch.stack([torch.exp(score(i, queries[i, pixel], keys[j, pixel])) for j in range(channels)])
            column.append((weights * values[:, pixel]).sum() / weights.sum())
        columns.append(torch.stack(column))
    return torch.stack(columns, dim=1)


def inputs(channels: int, pixels: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [(1.5 * torch.randn(channels, pixels, dtype=dtype, generator=generator)).requires_grad_() for _ in range(3)]


def assert_same_values_and_gradients(actual: Tensor, expected: Tensor, leaves: list[Tensor]) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn(actual.shape, generator=torch.Generator().manual_seed(1))
    actual_gradients = torch.autograd.grad((actual * weights).sum(), leaves)
    expected_gradients = torch.autograd.grad((expected * weights).sum(), leaves)
    for one, other in zip(actual_gradients, expected_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_luong_equals_a_plain_loop() -> None:
    leaves = inputs(5, 3)
    expected = loop_attention(leaves, lambda i, q, k: q * k)
    assert_same_values_and_gradients(luong_attention(leaves[0], leaves[1], leaves[2]), expected, leaves)


def test_bahdanau_equals_a_plain_loop() -> None:
    leaves = inputs(5, 3)
    u = scales(5).requires_grad_()
    expected = loop_attention(leaves, lambda i, q, k: u[i] * torch.tanh(q + k))
    assert_same_values_and_gradients(bahdanau_attention(leaves[0], leaves[1], leaves[2], u), expected, [*leaves, u])


def test_gradients_are_those_of_finite_differences() -> None:
    leaves = inputs(4, 3, torch.float64)
    scale = scales(4, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda q, k, v: luong_attention(q, k, v), leaves)
    assert torch.autograd.gradcheck(lambda q, k, v, u: bahdanau_attention(q, k, v, u), [*leaves, scale])


@pytest.mark.parametrize("name", ATTENTION)
def test_chunks_do_not_change_the_result(name: str) -> None:
    leaves = inputs(4, 1000)
    attention = ATTENTION[name]
    whole = attention(*leaves, chunk_bytes=2**30)
    assert_same_values_and_gradients(attention(*leaves, chunk_bytes=1), whole, leaves)


@pytest.mark.parametrize("size", [1e-4, 100.0, 1e4])
def test_extreme_scores_stay_finite(size: float) -> None:
    queries, keys, values = (leaf.detach() * size for leaf in inputs(6, 40))
    queries.requires_grad_()
    values = values / size
    for attended in (
        luong_attention(queries, keys, values),
        bahdanau_attention(queries, keys, values, torch.full((6,), 50.0)),
    ):
        assert attended.isfinite().all()
        assert (attended <= values.max(dim=0).values + 1e-4).all()
        assert (attended >= values.min(dim=0).values - 1e-4).all()
        (gradient,) = torch.autograd.grad(attended.sum(), queries)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ATTENTION)
def test_no_array_of_all_scores_is_ever_kept(name: str) -> None:
    channels, pixels = 32, 600
    leaves = inputs(channels, pixels)
    saved: list[int] = []

    def record(tensor: Tensor) -> Tensor:
        saved.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        ATTENTION[name](*leaves)
    assert saved
    assert max(saved) <= channels * pixels
    assert sum(saved) <= 8 * channels * pixels < channels * channels * pixels


def peak_bytes(run: Callable[[], object]) -> int:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    live, peak = 0, 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak


@pytest.mark.parametrize("name", ATTENTION)
def test_working_memory_stays_within_the_chunk(name: str) -> None:
    channels, pixels, chunk_bytes = 16, 2**14, 2**21
    leaves = inputs(channels, pixels)
    plane = channels * pixels * 4
    slack = plane // 16  # single rows and the allocator's rounding
    kept = {"luong": 3, "bahdanau": 4}[name]  # result, normaliser, slopes

    def attend() -> Tensor:
        return ATTENTION[name](*leaves, chunk_bytes=chunk_bytes)

    assert kept * plane < peak_bytes(attend) <= kept * plane + chunk_bytes + slack
    gradients = 4  # of the three inputs, and the scale's before it is summed
    assert peak_bytes(lambda: attend().sum().backward()) <= (kept + gradients) * plane + chunk_bytes + slack
    leaves = [leaf.detach() for leaf in leaves]
    with torch.no_grad():
        assert peak_bytes(attend) <= 2 * plane + chunk_bytes + slack
