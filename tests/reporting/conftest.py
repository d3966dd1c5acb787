"""Run folders as training leaves them, with numbers of our choice, and a study with known trials."""

import copy
import csv
import json
from collections.abc import Callable
from functools import cache, partial, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from omegaconf import OmegaConf

from thermal_landmarks.commands.configs import compose_config

MakeRun = Callable[..., Path]
STEMS = {"C": "conv", "R": "resnext", "L": "alt_conv_luong", "B": "alt_conv_bahdanau", "A": "alt_conv_resnext"}
BRANCHES = {"1": "none", "2": "luong", "3": "bahdanau", "4": "vit"}
LANDMARKS = ("ala_left", "subnasale")


@cache
def default_config() -> dict[str, Any]:
    content: Any = OmegaConf.to_container(compose_config("train", ["logger=none"]), resolve=True)
    return {**content}


def write_run(root: Path, name: str, model_id: str, *, seed: int = 0, wing: float = 1.0, **changes: Any) -> Path:
    """Writes a run folder; keyword arguments with dots change its config, others (also `test/...`) its metrics."""
    stem, branch = STEMS[model_id[0]], BRANCHES[model_id[-1]]
    config = copy.deepcopy(default_config())
    for key in [key for key in changes if "." in key]:
        *sections, name = key.split(".")
        reduce(getitem, sections, config)[name] = changes.pop(key)
    config |= {"seed": seed, "ensemble": changes.get("ensemble", 1)}
    nme = np.linspace(0.05, 0.15, 21) * wing
    metrics = {
        "test/wing": wing,
        "test/mae": 0.02 * wing,
        "test/mse": 0.001 * wing,
        "test/accuracy": 0.8,
        "test/nme": 0.1 * wing,
        "test/auc": 0.2,
        "test/failure_rate": 0.4,
        "test/pixel_error": 9.0 * wing,
        **{f"test/pixel_error/{name}": 9.0 * wing for name in LANDMARKS},
        "model_id": model_id,
        "stem": stem,
        "branch": branch,
        "data": "synthetic",
        "scheme": "perinasal6",
        "seed": seed,
        "ensemble": 1,
        "parameters": 60_000,
        "gflops": 0.05,
        "study": None,
        "epochs": 40,
        "seconds": 12.5,
        "machine": "x86_64, cpu",
        "commit": "0123456789ab",
        **changes,
    }
    folder = root / name
    (folder / ".hydra").mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / ".hydra" / "overrides.yaml").write_text(f"- stem={stem}\n- data.split.file=my split.json\n")
    with (folder / "per_image.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "subject", "nme"])
        rows.writerows((f"{i}.png", "s0", f"{value:.5f}") for i, value in enumerate(nme))
        rows.writerow(["none.png", "s0", ""])
    return folder


@pytest.fixture(scope="session")
def make_run_in() -> MakeRun:
    """`write_run`, for fixtures that outlive a test."""
    return write_run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes runs below `runs/`."""
    return partial(write_run, tmp_path / "runs")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two studies of twelve trials: even ones are complete, with a value that `optimizer.lr` alone makes."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = f"sqlite:///{tmp_path_factory.mktemp('studies') / 'studies.db'}"
    for stem, model_id in (("conv", "C-2"), ("alt_conv_resnext", "A-2")):
        study = optuna.create_study(study_name=f"small/{stem}-luong", storage=url)
        facts = {"stem": stem, "branch": "luong", "model_id": model_id, "data": "synthetic", "scheme": "perinasal6"}
        for key, value in {**facts, "trials": 12, "epochs": 3}.items():
            study.set_user_attr(key, value)
        study.add_trials([_trial(number) for number in range(12)])
    return url


def _trial(number: int) -> optuna.trial.FrozenTrial:
    params = {"stem.depth": 1 + number % 3, "optimizer.lr": 10 ** (-1 - number / 4), "stem.activation": "relu"}
    spaces: dict[str, Any] = {
        "stem.depth": optuna.distributions.IntDistribution(1, 3),
        "optimizer.lr": optuna.distributions.FloatDistribution(1e-5, 1.0, log=True),
        "stem.activation": optuna.distributions.CategoricalDistribution(["relu", "gelu"]),
    }
    value = 1.0 + (number - 6) ** 2
    state = "COMPLETE" if number % 2 == 0 else "FAIL" if number == 11 else "PRUNED"
    reported = {} if state == "FAIL" else {0: value + 5, **({1: value + 1, 2: value} if state == "COMPLETE" else {})}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        value=value if state == "COMPLETE" else None,
        params=params,
        distributions=spaces,
        user_attrs={"folder": f"outputs/small/{number}", "parameters": 1000 * (number + 1)},
        intermediate_values=reported,
    )
