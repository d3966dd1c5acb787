"""Names of earlier versions: what is typed still works, with a warning; what was stored still loads, silently."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config
from thermal_landmarks.models.checkpoint import load_checkpoint, shipped_checkpoints
from thermal_landmarks.old_names import (
    CHOICES,
    EXPERIMENTS,
    GROUPS,
    SETTINGS,
    TARGETS,
    todays_arguments,
    todays_setting,
    todays_settings,
)
from thermal_landmarks.runs import RunFolder, read_config, with_todays_names
from thermal_landmarks.training.resuming import resumed_config


def test_every_old_name_stands_for_something_that_is_there() -> None:
    assert {settings["_target_"] for settings in TARGETS.values()} <= set(ALL_BUILDABLE)
    assert all((CONFIG_DIR / "experiment" / f"{name}.yaml").is_file() for name in EXPERIMENTS.values())
    assert all((CONFIG_DIR / group / f"{name}.yaml").is_file() for (group, _), name in CHOICES.items())
    assert all((CONFIG_DIR / group).is_dir() for group in GROUPS.values())
    train = compose_config("train", ["search=quick", "experiment=recipes/cascade"])
    for name in SETTINGS.values():
        if name.partition(".")[0] in ("ablation", "group_choices"):
            continue  # records of earlier versions
        section = OmegaConf.select(train, name.rpartition(".")[0]) if "." in name else train
        assert name.rpartition(".")[2] in section, name


@pytest.mark.parametrize(
    ("typed", "today"),
    [
        ("experiment=thermal_real", "experiment=recipes/real_cameras"),
        ("experiment=recipes/thermal_real_large", "experiment=recipes/real_cameras_large"),
        ("data=thermal_real", "data=portraits"),
        ("+experiment='[paper/A-2,comparison]'", "+experiment='[paper/A-2,studies/comparison]'"),
        ("experiment=comparison_looks,looks", "experiment=studies/comparison_cascade,recipes/cascade"),
        ("experiment=recipes/zooming", "experiment=recipes/cascade_heatmap"),
        ("mirror=true", "flip_tta=true"),
        ("data.augmentation.mirror=0.0", "data.augmentation.hflip=0.0"),
        ("++data.augmentation.close_scale=[1,1]", "++data.augmentation.crop_scale=[1,1]"),
        ("data.zoom.view_size=[64,64]", "data.cascade.crop_size=[64,64]"),
        ("data.zoom=null", "data.cascade=null"),
        ("without=glasses", "renderer_ablation/off=glasses"),
        ("~always", "~renderer_ablation/on"),
        ("search.give_up_after=3", "search.max_consecutive_failures=3"),
        ("logger=csv", "logger=none"),
    ],
)
def test_an_old_name_is_answered_with_the_new_one(typed: str, today: str) -> None:
    with pytest.warns(FutureWarning, match="is now") as told:
        assert todays_arguments([typed]) == [today]
    assert today.lstrip("+~").partition("=")[0] in str(told[0].message)


@pytest.mark.parametrize(
    "typed",
    [
        *("experiment=recipes/real_cameras", "weights=thermal_real", "--multirun", "-m", "stem.depth=3"),
        *("data.source.folder='a mirror=b'", "flip_tta=true", "renderer_ablation/off=nothing", "source=mirror"),
    ],
)
def test_nothing_else_is_changed(typed: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert todays_arguments([typed]) == [typed]


def test_old_names_give_the_same_settings() -> None:
    then = ["experiment=looks", "mirror=false", "data.zoom.passes=2", "without=glasses", "data=synthetic_wild"]
    now = ["experiment=recipes/cascade", "flip_tta=false", "data.cascade.stages=2"]
    now += ["renderer_ablation/off=glasses", "data=synthetic_wild"]
    with pytest.warns(FutureWarning):
        old = compose_config("train", then)
    assert old == compose_config("train", now)
    assert (old.data.cascade.stages, old.data.source.appearance.glasses_owner) == (2, 0.0)


def old_names(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as an earlier version would have stored them: an inverse that knows nothing of the table's order."""
    data = settings["data"]
    cascade = {{"crop_size": "view_size", "stages": "passes"}.get(k, k): v for k, v in data.pop("cascade").items()}
    change = {"hflip": "mirror", "crop_share": "close"}
    augmentation = {change.get(k, k.replace("crop_", "close_")): v for k, v in data.pop("augmentation").items()}
    choices = {{new: old for old, new in GROUPS.items()}.get(k, k): v for k, v in settings.pop("group_choices").items()}
    data |= {"zoom": cascade, "augmentation": augmentation}
    mirror, variant = settings.pop("flip_tta"), settings.pop("ablation")
    return settings | {"mirror": mirror, "variant": variant, "choices": choices, "data": data}


def test_a_run_of_an_earlier_version_is_read_and_resumed(tmp_path: Path) -> None:
    config = compose_config("train", ["experiment=recipes/cascade", "data=synthetic_wild"])
    config.output = config.resume = None
    plain: Any = OmegaConf.to_container(config, resolve=False)
    plain["hydra"] = {}
    plain["seed"], plain["ablation"] = 3, "no_rotation"
    plain["group_choices"] = {"data": "synthetic_wild", "experiment": "looks", "renderer_ablation/off": "glasses"}
    plain["data"]["seed"] = 3
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    torch.save({"epoch": 0}, run.last_checkpoint)
    expected = OmegaConf.create(plain)
    stored = OmegaConf.create(old_names(OmegaConf.to_container(expected)))  # type: ignore[arg-type]
    assert "zoom" in stored.data
    OmegaConf.save(stored, run.config)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_config(run.config) == expected
    typed = ["experiment=looks", "data=synthetic_wild", "data.zoom.passes=3"]
    with pytest.warns(FutureWarning):
        resumed = resumed_config(run, typed, compose_config("train", typed))
    assert resumed.data.cascade.stages == 3
    assert resumed.names == {"data": "synthetic_wild", "experiment": "recipes/cascade", "ablation": "no_rotation"}


def test_a_users_own_file_may_have_old_names() -> None:
    config = compose_config("train", ["experiment=recipes/cascade"])
    own = OmegaConf.create({"mirror": False, "data": {"zoom": {"passes": 2}, "augmentation": {"mirror": 0.25}}})
    OmegaConf.set_struct(config, False)
    with pytest.warns(FutureWarning, match=r"data\.zoom is now data\.cascade"):
        today = with_todays_names(OmegaConf.merge(config, own), tell=True)  # type: ignore[arg-type]
    assert (today.flip_tta, today.data.cascade.stages, today.data.augmentation.hflip) == (False, 2, 0.25)
    assert today.data.cascade.crop_size == config.data.cascade.crop_size


def test_checkpoints_of_earlier_versions_keep_their_cascade_and_flips(tmp_path: Path) -> None:
    content = torch.load(shipped_checkpoints()["thermal_real_large"], map_location="cpu", weights_only=True)
    stored = content["hyper_parameters"]
    stored["mirror"] = stored.pop("flip_tta")  # as an earlier version has written them
    cascade = stored["preprocessing"].pop("cascade")
    earlier = {"view_size": cascade.pop("crop_size"), "passes": cascade.pop("stages")}
    stored["preprocessing"]["zoom"] = earlier | cascade
    torch.save(content, tmp_path / "earlier.ckpt")
    loaded = load_checkpoint(tmp_path / "earlier.ckpt")
    assert loaded.preprocessing == load_checkpoint("thermal_real_large").preprocessing
    assert loaded.preprocessing.cascade is not None
    assert loaded.flip_tta


def test_studies_settings_are_compared_by_todays_names() -> None:
    assert todays_setting("data.zoom.view_size") == "data.cascade.crop_size"
    assert todays_setting("data.augmentation.close") == "data.augmentation.crop_share"
    assert todays_settings({"zoom": {"passes": 3}}, below="data") == {"cascade": {"stages": 3}}


def test_keys_with_dots_as_in_the_settings_of_reproduce_stay_whole() -> None:
    given = {"settings": {"data.source.size": [240, 320], "logger": "none"}}
    assert todays_settings(given) == given
