"""Channel-wise attention without its D x D scores: out_i = sum_j softmax_j(score(q_i, k_j)) v_j for every pixel.

Arrays are planes (channel, pixel), so that every operation runs along contiguous pixels. The forward pass visits the
keys one after the other and keeps running sums of (channel, pixel) size, as does the backward pass, which recomputes
the weights from the saved log-normaliser: memory grows with D, not with D x D. Derivatives are by hand:
with a_ij the weights, g the incoming gradient and w_ij = g_i (v_j - out_i),
    dv_j = sum_i a_ij g_i,   dscore_ij = a_ij w_ij.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

Planes = Float[Tensor, "channel pixel"]

_PLANES_IN_WORK = 16  # arrays of chunk size that are alive at once, at most
_SMALLEST_CHUNK = 256
_CPU_CHUNK_BYTES = 2**22
_ACCELERATOR_CHUNK_BYTES = 2**28
_LOG2_E = math.log2(math.e)  # exp2 is four times faster than exp on CPUs, so scores are kept in units of log 2


def luong_attention(queries: Planes, keys: Planes, values: Planes, *, chunk_bytes: int | None = None) -> Planes:
    """Attention with score_ij = q_i k_j of planes (D, pixels), float32 or float64.

    Pixels are visited in chunks whose working memory fits into `chunk_bytes`, but at least 256 at a time. None: 4 MB on
    CPUs, which stays in their caches, and 256 MB elsewhere, where few large kernels are faster.

    Returns:
        (D, pixels).
    """
    if torch.compiler.is_exporting():
        return _plain(queries[:, None] * keys, values)
    attended: Tensor = _Luong.apply(queries, keys, values, chunk_bytes)
    return attended


def bahdanau_attention(
    queries: Planes, keys: Planes, values: Planes, scale: Float[Tensor, "channel"], *, chunk_bytes: int | None = None
) -> Planes:
    """Attention with score_ij = scale_i tanh(q_i + k_j). Other arguments as in `luong_attention`."""
    scale = scale[:, None]
    if torch.compiler.is_exporting():
        return _plain(scale[:, None] * torch.tanh(queries[:, None] + keys), values)
    if not torch.is_grad_enabled():
        scale = scale.detach()  # a parameter asks for gradients even under no_grad, and slopes take time
    attended: Tensor = _Bahdanau.apply(queries, keys, values, scale, chunk_bytes)
    return attended


def _plain(scores: Float[Tensor, "query key pixel"], values: Planes) -> Planes:
    # Exporters can't look into a hand-written backward pass; they get the textbook form, without `softmax`, for which
    # ONNX Runtime would bring the keys to the last place and back.
    weights = (scores - scores.amax(dim=1, keepdim=True)).exp()
    return (weights * values).sum(dim=1) / weights.sum(dim=1)


def _chunks(planes: Planes, chunk_bytes: int | None) -> Iterator[slice]:
    channels, pixels = planes.shape
    if chunk_bytes is None:
        chunk_bytes = _CPU_CHUNK_BYTES if planes.device.type == "cpu" else _ACCELERATOR_CHUNK_BYTES
    size = max(_SMALLEST_CHUNK, chunk_bytes // (_PLANES_IN_WORK * channels * planes.element_size()))
    for start in range(0, pixels, size):
        yield slice(start, min(start + size, pixels))


class _Luong(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, chunk_bytes: int | None) -> Tensor:
        needs_gradient = any(ctx.needs_input_grad)
        attended, normaliser = torch.empty_like(queries), torch.empty_like(queries)
        slope = torch.empty_like(queries) if needs_gradient else None  # d attended_i / d query_i
        for part in _chunks(queries, chunk_bytes):
            q, k, v = (x[:, part].contiguous() for x in (queries, keys, values))
            q = q * _LOG2_E
            largest = torch.maximum(q * k.amax(0), q * k.amin(0))
            offset = -largest
            total, total_v = torch.zeros_like(q), torch.zeros_like(q)
            total_k, total_kv = (q.new_zeros(q.shape if needs_gradient else 0) for _ in range(2))
            weight = torch.empty_like(q)
            for k_j, v_j, kv_j in zip(k, v, k * v, strict=True):
                torch.addcmul(offset, q, k_j, out=weight).exp2_()
                total.add_(weight)
                total_v.addcmul_(weight, v_j)
                if needs_gradient:
                    total_k.addcmul_(weight, k_j)
                    total_kv.addcmul_(weight, kv_j)
            mean_v = total_v.div_(total)
            attended[:, part] = mean_v
            if slope is not None:
                slope[:, part] = total_kv.addcmul_(mean_v, total_k, value=-1).div_(total)
                normaliser[:, part] = largest.add_(total.log2_())
        ctx.save_for_backward(queries, keys, values, attended, normaliser, slope)
        ctx.chunk_bytes = chunk_bytes
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, attended, normaliser, slope = ctx.saved_tensors
        d_keys, d_values = torch.empty_like(keys), torch.empty_like(values)
        for part in _chunks(queries, ctx.chunk_bytes):
            q, k, v, g = (x[:, part].contiguous() for x in (queries, keys, values, gradient))
            gq = g * q
            gqo = gq * attended[:, part]
            d_v, sum_gq, sum_gqo = torch.zeros_like(q), torch.zeros_like(q), torch.zeros_like(q)
            weight = torch.empty_like(q)
            for q_i, offset_i, g_i, gq_i, gqo_i in zip(q * _LOG2_E, -normaliser[:, part], g, gq, gqo, strict=True):
                torch.addcmul(offset_i, k, q_i, out=weight).exp2_()
                d_v.addcmul_(weight, g_i)
                sum_gq.addcmul_(weight, gq_i)
                sum_gqo.addcmul_(weight, gqo_i)
            d_values[:, part] = d_v
            d_keys[:, part] = sum_gq.mul_(v).sub_(sum_gqo)
        return gradient * slope, d_keys, d_values, None


class _Bahdanau(torch.autograd.Function):
    """tanh(x) is computed as 1 - 2r, r = sigmoid(-2x), which is eight times faster on CPUs; its slope is 4r(1 - r)."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, scale: Tensor, chunk_bytes: int | None
    ) -> Tensor:
        needs_gradient = any(ctx.needs_input_grad)
        attended, normaliser = torch.empty_like(queries), torch.empty_like(queries)
        slope = torch.empty_like(queries) if needs_gradient else None  # d attended_i / d query_i
        scale_slope = torch.empty_like(queries) if needs_gradient else None  # d attended_i / d scale
        scale2 = scale * _LOG2_E
        for part in _chunks(queries, chunk_bytes):
            q, k, v = (x[:, part].contiguous() for x in (queries, keys, values))
            largest = torch.maximum(scale2 * torch.tanh(q + k.amax(0)), scale2 * torch.tanh(q + k.amin(0)))
            offset = scale2 - largest
            q2 = -2 * q
            total, total_v = torch.zeros_like(q), torch.zeros_like(q)
            total_r, total_rv, total_rr, total_rrv = (q.new_zeros(q.shape if needs_gradient else 0) for _ in range(4))
            r, weight = torch.empty_like(q), torch.empty_like(q)
            for k2_j, v_j in zip(-2 * k, v, strict=True):
                torch.add(q2, k2_j, out=r).sigmoid_()
                torch.addcmul(offset, r, -2 * scale2, out=weight).exp2_()
                total.add_(weight)
                total_v.addcmul_(weight, v_j)
                if needs_gradient:
                    weight.mul_(r)
                    total_r.add_(weight)
                    total_rv.addcmul_(weight, v_j)
                    weight.mul_(r)
                    total_rr.add_(weight)
                    total_rrv.addcmul_(weight, v_j)
            mean_v = total_v.div_(total)
            attended[:, part] = mean_v
            if slope is not None and scale_slope is not None:
                spread_r = total_rv.addcmul_(mean_v, total_r, value=-1).div_(total)
                spread_rr = total_rrv.addcmul_(mean_v, total_rr, value=-1).div_(total)
                slope[:, part] = (spread_r - spread_rr).mul_(4 * scale)
                scale_slope[:, part] = spread_r.mul_(-2)
                normaliser[:, part] = largest.add_(total.log2_())
                del spread_r, spread_rr
            # or they would stay beside those of the next chunk
            del q, k, v, largest, offset, q2, k2_j, v_j, total, total_v, mean_v, r, weight
            del total_r, total_rv, total_rr, total_rrv
        ctx.save_for_backward(queries, keys, values, scale, attended, normaliser, slope, scale_slope)
        ctx.chunk_bytes = chunk_bytes
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, scale, attended, normaliser, slope, scale_slope = ctx.saved_tensors
        d_keys, d_values = torch.empty_like(keys), torch.empty_like(values)
        scale2 = scale * _LOG2_E
        for part in _chunks(queries, ctx.chunk_bytes):
            q, k, v, g = (x[:, part].contiguous() for x in (queries, keys, values, gradient))
            gs = 4 * scale * g
            gso = gs * attended[:, part]
            offset = scale2 - normaliser[:, part]
            k2 = -2 * k
            d_v, sum_gs, sum_gso = torch.zeros_like(q), torch.zeros_like(q), torch.zeros_like(q)
            r, weight = torch.empty_like(q), torch.empty_like(q)
            for q2_i, offset_i, scale2_i, g_i, gs_i, gso_i in zip(-2 * q, offset, -2 * scale2, g, gs, gso, strict=True):
                torch.add(k2, q2_i, out=r).sigmoid_()
                torch.addcmul(offset_i, r, scale2_i, out=weight).exp2_()
                d_v.addcmul_(weight, g_i)
                weight.mul_(r)
                weight.addcmul_(weight, r, value=-1)
                sum_gs.addcmul_(weight, gs_i)
                sum_gso.addcmul_(weight, gso_i)
            d_values[:, part] = d_v
            d_keys[:, part] = sum_gs.mul_(v).sub_(sum_gso)
            del q, k, v, g, gs, gso, offset, k2, q2_i, offset_i, scale2_i, g_i, gs_i, gso_i
            del d_v, sum_gs, sum_gso, r, weight
        return gradient * slope, d_keys, d_values, (gradient * scale_slope).sum(dim=1, keepdim=True), None
