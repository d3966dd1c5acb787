"""Checkpoints that are damaged, foreign, hostile, or whose settings no network has."""

import copy
import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from robustness.damage import damaged_bytes

_ABSURD: tuple[Any, ...] = (
    10**12,
    -1,
    0,
    float("nan"),
    "x" * 1000,
    None,
    [],
    {"a": 1},
    True,
    [10**9] * 3,
    1e308,
    "conv",
)
MARK = "executed"


class Attack:
    """A pickle of it makes a folder when it is loaded by Python's own loader."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder / MARK)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.folder,)


def broken_checkpoints(good: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content), made from a good one.

    Args:
        good: A checkpoint that loads.
        folder: Where an attack that works makes a folder called `MARK`.
    """
    for seed in range(2):
        for what, content in damaged_bytes(good.read_bytes(), seed=seed, flips=8):
            yield f"bytes_{seed}_{what}", content
    yield "empty", b""
    yield "text", b"epoch 1\n" * 100
    yield "picture", b"\x89PNG\r\n\x1a\n" + bytes(100)
    yield "archive", _archive({"a.txt": b"text"})
    yield "bomb", _archive({"archive/data.pkl": bytes(300 << 20)})
    yield "plain_pickle", pickle.dumps({"state_dict": {}})
    yield "attack_pickle", pickle.dumps(Attack(folder))
    yield "attack_in_archive", _saved(Attack(folder))
    content = torch.load(good, weights_only=True)
    yield "attack_in_settings", _saved({**content, "hyper_parameters": {"network": Attack(folder)}})
    yield "attack_beside", _saved({**content, "callbacks": Attack(folder)})
    yield "attack_in_old_form", _saved({**content, "callbacks": Attack(folder)}, _use_new_zipfile_serialization=False)
    yield "numpy_weights", _saved({**content, "state_dict": {"network.a": np.zeros(3)}})
    odd: list[Any] = [None, [], {}, 3, "text", [[1]]]
    for what in ("state_dict", "hyper_parameters"):
        for value in odd:
            yield f"{what}_{value}".replace(" ", ""), _saved({**content, what: value})
    yield "list", _saved([content])
    yield from _weights(content)
    yield from _settings(content)


def _weights(content: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    for number, name in enumerate(content["state_dict"]):
        weights = dict(content["state_dict"])
        tensor = weights.pop(name)
        if number % 4 == 0:
            yield f"without_{name}", _saved({**content, "state_dict": weights})
        if number % 4 == 1:
            yield f"shape_{name}", _saved({**content, "state_dict": {**weights, name: tensor.reshape(-1)[:1].clone()}})
        if number % 4 == 2:
            yield f"list_{name}", _saved({**content, "state_dict": {**weights, name: [1.0]}})
    yield "more_weights", _saved({**content, "state_dict": {**content["state_dict"], "network.more": torch.ones(3)}})
    # a tensor that states a size far above what it holds
    name = next(iter(content["state_dict"]))
    huge = torch.zeros(1).expand(1 << 20, 1 << 14)
    yield "expanded", _saved({**content, "state_dict": {**content["state_dict"], name: huge}})


def _settings(content: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Each setting replaced by what it can't be."""
    settings = content["hyper_parameters"]
    for number, path in enumerate(_paths(settings)):
        for value in [_ABSURD[(3 * number + i) % len(_ABSURD)] for i in range(3)]:
            changed = copy.deepcopy(settings)
            place = changed
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            name = f"{'.'.join(map(str, path))}_{str(value)[:12]}".replace("/", "")
            yield f"setting_{name}", _saved({**content, "hyper_parameters": changed})
    for path in (("network", "ensemble"), ("network", "num_points"), ("network", "in_channels")):
        for value in (10**12, 10**6, 10**30, -(10**12)):
            changed = copy.deepcopy(settings)
            changed[path[0]][path[1]] = value
            yield f"absurd_{path[1]}_{value}", _saved({**content, "hyper_parameters": changed})


def _paths(settings: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    for key, value in items:
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from _paths(value, (*prefix, key))


def _saved(content: Any, **settings: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **settings)
    return file.getvalue()


def _archive(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()
