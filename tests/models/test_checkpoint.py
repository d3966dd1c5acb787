import os
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.checkpoint import (
    find_checkpoint,
    load_checkpoint,
    shipped_checkpoints,
    write_weights,
)

MakeCheckpoint = Callable[..., Path]


class _Attack:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("attacked",)


def test_a_checkpoint_alone_rebuilds_network_scheme_and_preprocessing(make_checkpoint: MakeCheckpoint) -> None:
    path = make_checkpoint(scheme="face16", image_size=(32, 48), in_channels=3, crop={"mode": "box", "margin": 0.1})
    loaded = load_checkpoint(path)
    assert loaded.scheme.name == "face16"
    assert loaded.preprocessing.image_size == (32, 48)
    assert loaded.preprocessing.crop.mode == "box"
    assert not loaded.network.training
    stored = torch.load(path, weights_only=True)["state_dict"]
    for key, value in loaded.network.state_dict().items():
        torch.testing.assert_close(value, stored[f"network.{key}"], rtol=0, atol=0)


def test_weights_of_other_parts_of_the_training_are_ignored(make_checkpoint: MakeCheckpoint) -> None:
    path = make_checkpoint()
    content = torch.load(path, weights_only=True)
    content["state_dict"]["test_metrics.pixel_error.count"] = torch.zeros(6)
    torch.save(content, path)
    load_checkpoint(path)


def test_a_run_folder_means_its_best_checkpoint(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    last = make_checkpoint("run/checkpoints/last.ckpt")
    assert find_checkpoint(tmp_path / "run") == last
    best = make_checkpoint("run/checkpoints/best.ckpt")
    assert find_checkpoint(tmp_path / "run") == best


@pytest.mark.parametrize("setting", [None, ""])
def test_a_checkpoint_that_is_not_set_is_named(setting: str | None) -> None:
    with pytest.raises(ConfigError, match="checkpoint is not set"):
        load_checkpoint(setting)


def test_missing_files_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.ckpt: there is no such file"):
        load_checkpoint(tmp_path / "nowhere.ckpt")
    with pytest.raises(ConfigError, match=r"no checkpoints/best\.ckpt"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG not a checkpoint", b"PK\x03\x04 half a zip", pickle.dumps({"a": 1}, protocol=2)],
    ids=["empty", "picture", "cut", "pickle"],
)
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.ckpt is not a checkpoint of this project"):
        load_checkpoint(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_project_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "x.ckpt")
    with pytest.raises(ConfigError, match="no state_dict"):
        load_checkpoint(tmp_path / "x.ckpt")
    torch.save({"state_dict": {}, "hyper_parameters": {"network": {}}}, tmp_path / "x.ckpt")
    with pytest.raises(ConfigError, match="lack scheme, preprocessing"):
        load_checkpoint(tmp_path / "x.ckpt")


def test_weights_that_do_not_fit_the_settings_are_refused(make_checkpoint: MakeCheckpoint) -> None:
    path = make_checkpoint()
    content = torch.load(path, weights_only=True)
    content["state_dict"]["network.head.linear.bias"] = torch.zeros(3)
    torch.save(content, path)
    with pytest.raises(ConfigError, match="don't fit"):
        load_checkpoint(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "hyper_parameters": _Attack()}, "x.ckpt")
    with pytest.raises(ConfigError, match="is not a checkpoint"):
        load_checkpoint("x.ckpt")
    assert not Path("attacked").exists()


def test_written_weights_predict_as_their_run_and_hold_nothing_else(
    make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    path = make_checkpoint("run/checkpoints/best.ckpt")
    content = torch.load(path, weights_only=True)
    torch.save({**content, "optimizer_states": [{"moments": torch.zeros(1000)}]}, path)
    write_weights(tmp_path / "run", tmp_path / "weights.ckpt")
    assert set(torch.load(tmp_path / "weights.ckpt", weights_only=True)) == {"hyper_parameters", "state_dict"}
    images = torch.rand(2, 1, 48, 64)
    with torch.no_grad():
        ours, theirs = (load_checkpoint(p).network(images) for p in (path, tmp_path / "weights.ckpt"))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_a_shipped_checkpoint_loads_by_its_name(name: str) -> None:
    loaded = load_checkpoint(name)
    assert loaded.scheme.name == ("perinasal6" if "perinasal6" in name else "face16")
    assert loaded.preprocessing.cascade is not None


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("network", "ensemble", 10**12, r"network\.ensemble=1e\+12, expected at most 1,024"),
        ("network", "image_size", [10**9, 10**9], r"network\.image_size\.0=1e\+09, expected at most 8,192"),
        ("network", "ensemble", 500, r"head\.linear\.weight should have the shape .*, found|should have the shape"),
        ("network", "num_points", float("inf"), "num_points=inf"),
        ("network", "image_size", [48] * 5000, "5000 entries"),
        ("preprocessing", "image_size", [10**7, 64], r"preprocessing\.image_size\.0=1e\+07"),
    ],
)
def test_settings_that_no_weights_fit_are_refused_before_they_take_memory(
    part: str, key: str, value: object, message: str, make_checkpoint: MakeCheckpoint
) -> None:
    path = make_checkpoint()
    content = torch.load(path, weights_only=True)
    content["hyper_parameters"][part][key] = value
    torch.save(content, path)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match=message):
            load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
