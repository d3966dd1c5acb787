import inspect
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from thermal_landmarks.building import BUILDABLE, build
from thermal_landmarks.errors import ConfigError

CONF = Path(__file__).parents[1] / "conf"
NAMES = [(kind, name) for kind, names in BUILDABLE.items() for name in names]
_watched: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own record of what a call does to the machine; a hook can't be taken away, so it sleeps when unused."""
    if _watched is None:
        return
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pickle.find_class"):
        _watched.append(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        _watched.append(f"open {arguments[0]} for writing")
    if event in ("os.mkdir", "os.remove", "os.rename"):
        _watched.append(f"{event} {arguments[0]}")


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[str]]:
    global _watched
    seen: list[str] = []
    _watched = seen
    try:
        yield seen
    finally:
        _watched = None


class _Attack:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("attacked",)


def _resolve(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


@pytest.mark.filterwarnings("ignore")  # of Optuna, about the nonsense that its samplers are given
@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_nothing_that_a_config_may_build_reads_pickles_writes_files_or_starts_processes(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a first import is no deed of the config
    built = _resolve(name)
    assert inspect.isclass(built) or inspect.isfunction(built), "a method or an instance"
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for file in ("annotations.json", "labels.txt", "weights.ckpt", "points.npy"):
        (hostile / file).write_bytes(pickle.dumps(_Attack()))
    parameters = inspect.signature(built).parameters
    for value in (str(hostile), str(hostile / "weights.ckpt"), str(tmp_path / "chosen" / "by_the_config"), 1, [1, 2]):
        arguments = {key: value for key, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        with watched() as seen:
            try:
                made = build(kind, {"_target_": name, **arguments})
                if kind == "source":
                    made.annotations()
            except Exception:  # refusing nonsense is right; only what was done on the way counts
                pass
        assert seen == []
    assert not (tmp_path / "chosen").exists()


def test_the_watch_sees_what_it_must(tmp_path: Path) -> None:
    with watched() as seen:
        (tmp_path / "file").write_text("")
        pickle.loads(pickle.dumps(Path("a")))
        subprocess.run([sys.executable, "--version"], capture_output=True, check=True)
    assert [entry.split()[0] for entry in seen][:2] == ["open", "pickle.find_class"]
    assert "subprocess.Popen" in seen


def test_names_stand_where_they_are_defined() -> None:
    own = [name for _, name in NAMES if name.startswith("thermal_landmarks.")]
    assert [name for name in own if f"{_resolve(name).__module__}.{_resolve(name).__qualname__}" != name] == []


def test_every_target_in_conf_is_admitted() -> None:
    stated = {
        target
        for path in CONF.rglob("*.yaml")
        for target in re.findall(r"_target_: *(\S+)", path.read_text())
        if not target.startswith("hydra")
    }
    assert stated - {name for _, name in NAMES} == set()


@pytest.mark.parametrize(
    "target",
    [
        "thermal_landmarks.training.module.LandmarkModule.load_from_checkpoint",
        "lightning.pytorch.demos.boring_classes.BoringModel.load_from_checkpoint",
        "thermal_landmarks.data.readers.coco.json.loads",
        "thermal_landmarks.training.losses.LandmarkLoss",
        "os.system",
        ["os.system"],
    ],
)
def test_a_stored_config_builds_nothing_else(target: Any) -> None:
    with pytest.raises(ConfigError, match=r"source\._target_"):
        build("source", OmegaConf.create({"_target_": target, "path": "x"}))
    with pytest.raises(ConfigError, match=r"source\.inner\._target_"):
        build("source", {"_target_": BUILDABLE["source"][0], "inner": {"_target_": target}})
    with pytest.raises(ConfigError, match=r"source\.inner\.0\._target_"):
        build("source", {"_target_": BUILDABLE["source"][0], "inner": [{"_target_": target}]})


def test_run_folders_from_before_the_renderer_moved_still_build() -> None:
    old = yaml.safe_load("{_target_: thermal_landmarks.data.synthetic.SyntheticFaces, subjects: 3}")
    assert build("source", old).subjects == 3
