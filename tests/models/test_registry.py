import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch import nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import BRANCH_NUMBERS, STEM_LETTERS
from thermal_landmarks.models.registry import BRANCHES, HEADS, ROOTS, STEMS, Registry
from thermal_landmarks.models.shapes import FeatureMap, Grid

SettingsOf = Callable[[str, str], dict[str, Any]]

CONF = Path(__file__).parents[2] / "conf"
REGISTRIES = {registry.kind: registry for registry in (ROOTS, STEMS, BRANCHES, HEADS)}
FILES = [(group, path.stem) for group in REGISTRIES for path in sorted((CONF / group).glob("*.yaml"))]
SHAPE = FeatureMap(64, 30, 40)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_registered_component_has_a_config_file_and_the_other_way_round(
    kind: str, settings_of: SettingsOf
) -> None:
    assert {settings_of(kind, name)["name"] for group, name in FILES if group == kind} == set(REGISTRIES[kind].names())


@pytest.mark.parametrize(("group", "name"), FILES)
def test_config_file_holds_exactly_the_settings_of_the_constructor(
    group: str, name: str, settings_of: SettingsOf
) -> None:
    settings = settings_of(group, name)
    assert set(settings) - {"name", "search"} == set(REGISTRIES[group].setting_names(settings["name"]))


@pytest.mark.parametrize(("group", "name"), FILES)
def test_search_ranges_name_settings_and_every_value_in_them_builds(
    group: str, name: str, settings_of: SettingsOf
) -> None:
    settings = settings_of(group, name)
    shapes: dict[str, Any] = {"in_shape": SHAPE, "in_shapes": [SHAPE], "num_points": 6}
    shapes |= {"image_shape": FeatureMap(1, 120, 160), "grid": Grid(4.0)}
    for key, sweep in settings.get("search", {}).items():
        assert key in REGISTRIES[group].setting_names(settings["name"])
        for value in values_of(sweep):
            REGISTRIES[group].build(settings | {key: value}, **shapes)


def values_of(sweep: str) -> list[Any]:
    match = re.fullmatch(r"(choice|range)\((.*)\)", sweep)
    assert match, f"{sweep} is neither choice(...) nor range(...)"
    values = [yaml.safe_load(value) for value in match[2].split(",")]
    return values if match[1] == "choice" else list(range(*values))


@pytest.mark.parametrize("group", ["stem", "branch"])
def test_what_the_paper_searched_can_be_searched(group: str, settings_of: SettingsOf) -> None:
    for name in STEM_LETTERS if group == "stem" else BRANCH_NUMBERS:
        if name != "none":
            assert "depth" in settings_of(group, name)["search"]


def test_a_component_gets_the_number_of_points_only_if_it_asks_for_it() -> None:
    class Asking(nn.Identity):
        def __init__(self, in_shape: FeatureMap, num_points: int, *, width: int) -> None:
            super().__init__()
            self.given = (in_shape, num_points, width)

    class Plain(nn.Identity):
        def __init__(self, in_shape: FeatureMap) -> None:
            super().__init__()

    registry = Registry("branch")
    registry.register("asking")(Asking)
    registry.register("plain")(Plain)
    built = registry.build({"name": "asking", "width": 3}, in_shape=SHAPE, num_points=6)
    assert built.given == (SHAPE, 6, 3)
    assert registry.setting_names("asking") == ("width",)
    registry.build({"name": "plain"}, in_shape=SHAPE, num_points=6)


def test_unknown_name_lists_the_valid_ones_and_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"no stem 'alt_conv_resnet'.*Did you mean 'alt_conv_resnext'.*bahdanau"):
        STEMS.build({"name": "alt_conv_resnet"}, in_shape=SHAPE)


def test_unknown_setting_lists_the_valid_ones_and_the_closest(settings_of: SettingsOf) -> None:
    with pytest.raises(ConfigError, match=r"'conv' has no setting 'dept'. Did you mean 'depth'.*kernel_size"):
        STEMS.build(settings_of("stem", "conv") | {"dept": 3}, in_shape=SHAPE)


def test_missing_setting_is_named(settings_of: SettingsOf) -> None:
    settings = settings_of("stem", "conv")
    del settings["width"]
    with pytest.raises(ConfigError, match="needs a value for: width"):
        STEMS.build(settings, in_shape=SHAPE)


def test_a_name_is_given_only_once() -> None:
    registry = Registry("stem")
    registry.register("mine")(nn.Identity)
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("mine")(nn.Identity)
