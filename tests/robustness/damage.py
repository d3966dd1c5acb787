"""Damage to good files: seeded, so that a case that fails can be made again by its name."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

_ODD_TOKENS = ("nan", "-1", "1e999", "", "abc", "9" * 400, "\0", "0", "-0.0", "1e-320", "{", '"')
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**12, 10**400, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf")),
    *("", "x" * 1000, "\0", "\ud800", "=1+1", "../../../etc/passwd", "<script>", [], {}, [[]], [1e308] * 6, {"a": 1}),
)


def damaged_bytes(content: bytes, *, seed: int, flips: int = 6) -> Iterator[tuple[str, bytes]]:
    """(name, content) of a file cut short, with flipped bytes, with holes, with a part twice, with more behind it."""
    rng = np.random.default_rng(seed)
    for percent in (1, 10, 50, 90, 99):
        yield f"first_{percent}_percent", content[: len(content) * percent // 100]
    yield "last_byte_missing", content[:-1]
    for i in range(flips):
        flipped = bytearray(content)
        reach = len(content) if i % 2 else min(256, len(content))  # headers decide most
        for place in rng.integers(reach, size=1 + 4 * (i // 2)):
            flipped[place] ^= int(rng.integers(1, 256))
        yield f"flipped_{i}", bytes(flipped)
    start, end = sorted(rng.integers(len(content), size=2))
    yield "zeros_inside", content[:start] + bytes(end - start) + content[end:]
    yield "part_missing", content[:start] + content[end:]
    yield "part_twice", content[:end] + content[start:]
    yield "noise", rng.bytes(len(content))
    yield "noise_behind", content + rng.bytes(100)


def damaged_text(text: str, *, seed: int, count: int = 12) -> Iterator[tuple[str, bytes]]:
    """The same for text, and with odd words in the place of numbers."""
    yield from damaged_bytes(text.encode(), seed=seed, flips=4)
    rng = np.random.default_rng(seed)
    words = text.split(" ") if text.count(" ") > text.count(",") else text.split(",")
    separator = " " if text.count(" ") > text.count(",") else ","
    for i in range(count):
        place = int(rng.integers(len(words)))
        token = _ODD_TOKENS[i % len(_ODD_TOKENS)]
        yield f"odd_word_{i}", separator.join([*words[:place], token, *words[place + 1 :]]).encode()
    yield "carriage_returns", text.replace("\n", "\r").encode()
    yield "utf_16", text.encode("utf-16")
    yield "byte_order_mark", b"\xef\xbb\xbf" + text.encode()
    yield "no_utf_8", text.encode() + b"\xff\xfe\xfd"


def odd_settings(settings: Any, *, seed: int, count: int = 40) -> Iterator[tuple[str, Any]]:
    """(name, plain data) with an odd value in some place, or without that place."""
    rng = np.random.default_rng(seed)
    places = list(_places(settings))
    for number in range(count):
        place = places[int(rng.integers(len(places)))]
        changed = copy.deepcopy(settings)
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        odd = _ODD_VALUES[int(rng.integers(len(_ODD_VALUES)))]
        name = f"{number}_{'.'.join(map(str, place))}"
        if number % 5:
            inner[place[-1]] = odd
            yield f"{name}={str(odd)[:20]}", changed
        else:
            del inner[place[-1]]
            yield f"{name} missing", changed


def _places(settings: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    for key, value in items:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*prefix, key))
