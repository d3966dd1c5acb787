"""Arithmetic with the same results on every processor.

NumPy and the C library choose their exp and power by the processor, and these differ in the last bit. What is compiled
here adds, multiplies and divides in the order that is written: without `fastmath` nothing is fused or reordered.
What NumPy still computes in float64 (rotations, the mean head) is rounded to float32, which hides its last bits; so a
texture takes exp, power and hypot from here, and no other float32 function than the square root from NumPy.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_LOG2_E = 1.4426950408889634
# The natural logarithm of 2 in two parts: whole multiples of the first are exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_INVERSES = tuple(1 / n for n in range(8, 0, -1))
_ODD_INVERSES = tuple(1 / n for n in range(17, 0, -2))


def compiled(signature: str) -> Callable[[Function], Function]:
    """Decorator: compiles a function of C-ordered arrays for these types, e.g. `f4[:,::1](f4[:,::1], i8)`.

    The first import takes about half a second a function; the result stays on the disk for all processes. It is renewed
    when the function's own file changes, so let it call no compiled function of another file.
    """
    return cast(
        "Callable[[Function], Function]", numba.njit(signature, cache=True, fastmath=False, error_model="numpy")
    )


@compiled("f8(f8)")
def _exp(x: float) -> float:
    bounded = min(max(x, -87.0), 87.0)
    whole = np.floor(bounded * _LOG2_E + 0.5)
    rest = bounded - whole * _LN2_HIGH - whole * _LN2_LOW
    series = 1.0
    for inverse in _INVERSES:
        series = 1.0 + series * rest * inverse
    return series * np.int64((np.int64(whole) + 1023) << 52).view(np.float64)


@compiled("f8(f8)")
def _log(x: float) -> float:
    bits = np.float64(x).view(np.int64)
    mantissa = np.int64((bits & 0xFFFFFFFFFFFFF) | (1023 << 52)).view(np.float64)
    s = (mantissa - 1) / (mantissa + 1)
    series = 0.0
    for inverse in _ODD_INVERSES:
        series = series * (s * s) + inverse
    return ((bits >> 52) - 1023) * (_LN2_HIGH + _LN2_LOW) + 2 * s * series


@numba.vectorize(["f4(f4)", "f8(f8)"], cache=True)
def exp(x: Any) -> Any:
    """The exponential of every element, right to 9 digits, from e^-87 (which stands for 0) to e^87."""
    return _exp(np.float64(x))


@numba.vectorize(["f4(f4,f4)", "f8(f8,f8)"], cache=True)
def power(base: Any, exponent: Any) -> Any:
    """Every base, at least 0, to the power of an exponent above 0; right to 9 digits."""
    return _exp(np.float64(exponent) * _log(np.float64(base)))


@numba.vectorize(["f4(f4,f4)", "f8(f8,f8)"], cache=True)
def hypot(x: Any, y: Any) -> Any:
    """The root of the sum of two squares."""
    return np.sqrt(np.float64(x) * np.float64(x) + np.float64(y) * np.float64(y))
