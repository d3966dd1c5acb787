"""Run folders that are damaged or hostile: configs that name foreign code, nest without end, or hold odd values."""

import json
from collections.abc import Iterator
from typing import Any

from robustness.damage import damaged_text

HOSTILE = (
    "os.system",
    "subprocess.Popen",
    "subprocess.check_output",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "shutil.rmtree",
    "pathlib.Path.write_text",
    "pickle.loads",
    "torch.load",
    "numpy.load",
    "importlib.import_module",
    "hydra.utils.instantiate",
    "hydra.utils.get_method",
    "lightning.pytorch.demos.boring_classes.BoringModel.load_from_checkpoint",
    "lightning.pytorch.Trainer",
    "thermal_landmarks.training.module.LandmarkModule.load_from_checkpoint",
    "thermal_landmarks.runs.os.system",
    "thermal_landmarks.data.readers.coco.json.loads",
    "thermal_landmarks.data.readers.coco.write_coco",
    "thermal_landmarks.models.checkpoint.write_weights",
    "thermal_faces.SyntheticFaces.__class__",
    "torch.optim.Adam.__init__.__globals__",
    "",
    "x",
    "..",
    "os.system\n",
    "a" * 10_000,
)


def hostile_settings(good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what, settings) of data that name foreign code at several depths."""
    for number, name in enumerate(HOSTILE):
        attack = {"_target_": name, "_args_": ["mkdir executed"], "args": ["mkdir", "executed"]}
        yield f"{number}_itself", {**good, **attack}
        yield f"{number}_source", {**good, "source": attack}
        yield f"{number}_inside", {**good, "source": {**good["source"], "subjects": attack}}
        yield f"{number}_listed", {**good, "image_size": [attack, attack]}
    for value in (None, 3, [], {"a": 1}, ["os.system"], True):
        yield f"target_{value}", {**good, "_target_": value}


def broken_configs(good: str) -> Iterator[tuple[str, bytes]]:
    """(what, content) of a `config.yaml`."""
    yield from damaged_text(good, seed=0)
    yield "deep_lists", b"[" * 50_000
    yield "deep_maps", b"{a: " * 50_000
    yield "deep_sequence", b"- " * 50_000 + b"1"
    yield "python_object", b"a: !!python/object/apply:os.system ['mkdir executed']"
    yield "itself", b"&a [*a]"
    yield (
        "billion",
        b"a: &a [x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 106)),
    )
    yield "number", b"3"
    yield "list", b"- 1\n- 2\n"
    yield "resolver", b"data: ${oc.env:HOME}\n"
    yield "itself_by_name", b"data: ${data}\n"


def broken_metrics(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """(what, content) of a `metrics.json`."""
    yield from damaged_text(json.dumps(good), seed=0)
    for number, key in enumerate(good):
        odd: list[Any] = [None, "x", [1], {"a": [2]}, -1, 1e308, True]
        value: Any
        for value in (odd[number % 7], [[]]):
            yield f"{key.replace('/', '_')}_{value}", json.dumps({**good, key: value}).encode()
    yield "deep", b"[" * 100_000
    yield "not_finite", json.dumps({**good, "test/wing": float("nan")}).encode()
