"""Parts that an installed package brings: found where a name isn't known, named where they can't be imported."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from thermal_landmarks import own_parts
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.models.shapes import FeatureMap
from thermal_landmarks.training.losses import PENALTIES, LandmarkLoss

MODULE = """
from torch import nn
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.training.losses import penalty

@BRANCHES.register("doubled")
class Doubled(nn.Module):
    def __init__(self, in_shape, *, factor: float) -> None:
        super().__init__()
        self.out_shape, self.factor = in_shape, factor

    def forward(self, features):
        return self.factor * features

@penalty
def cubed(error):
    return error.abs() ** 3
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module on the path that an entry point names, and its YAML files."""
    (tmp_path / "doubling_parts.py").write_text(MODULE)
    for group, text in {"branch": "name: doubled\nfactor: 2.0\n", "loss": LOSS}.items():
        (tmp_path / "my_conf" / group).mkdir(parents=True)
        (tmp_path / "my_conf" / group / "mine.yaml").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EntryPoint("mine", "doubling_parts", own_parts.GROUP)
    monkeypatch.setattr(own_parts, "entry_points", lambda group: [entry] if group == own_parts.GROUP else [])
    own_parts.load_own_parts.cache_clear()
    yield tmp_path
    own_parts.load_own_parts.cache_clear()
    BRANCHES._classes.pop("doubled", None)
    PENALTIES.pop("cubed", None)
    sys.modules.pop("doubling_parts", None)


LOSS = "_target_: thermal_landmarks.training.losses.LandmarkLoss\npenalty: cubed\n"


def test_a_branch_and_a_loss_of_another_package_are_chosen_and_built(
    package: Path, run_script: Callable[..., Any]
) -> None:
    shown = run_script(
        ["src/train.py", "--config-dir", "my_conf", "branch=mine", "loss=mine", "--cfg=job"], cwd=package
    )
    assert shown.returncode == 0, shown.stderr
    config = yaml.safe_load(shown.stdout)
    branch = BRANCHES.build(config["branch"], in_shape=FeatureMap(4, 3, 3))
    assert branch(torch.ones(1, 4, 3, 3)).sum() == 72
    loss = LandmarkLoss(penalty=config["loss"]["penalty"])
    assert loss(torch.full((1, 2, 2), 0.5), torch.zeros(1, 2, 2), torch.ones(1, 2, dtype=torch.bool), (9, 9)) == 0.5


def test_a_package_that_cannot_be_imported_is_named(package: Path) -> None:
    (package / "doubling_parts.py").write_text("import nowhere_to_be_found")
    with pytest.raises(ConfigError, match=r"'mine' \(doubling_parts.*ModuleNotFoundError"):
        LandmarkLoss(penalty="cubed")
