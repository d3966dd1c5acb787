import pytest

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.entry import CONFIG_DIR, compose_config
from thermal_landmarks.old_names import EXPERIMENTS, TARGETS, todays_arguments


def test_every_old_name_stands_for_something_that_is_there() -> None:
    assert set(TARGETS.values()) <= set(ALL_BUILDABLE)
    assert all((CONFIG_DIR / "experiment" / f"{name}.yaml").is_file() for name in EXPERIMENTS.values())


@pytest.mark.parametrize(
    ("typed", "today"),
    [
        ("experiment=thermal_real", "experiment=recipes/thermal_real"),
        ("+experiment='[paper/A-2,comparison]'", "+experiment='[paper/A-2,studies/comparison]'"),
        ("experiment=comparison_looks,looks", "experiment=studies/comparison_looks,recipes/looks"),
        ("experiment=recipes/thermal_real", "experiment=recipes/thermal_real"),
        ("weights=thermal_real", "weights=thermal_real"),
        ("--multirun", "--multirun"),
    ],
)
def test_only_experiments_are_renamed(typed: str, today: str) -> None:
    assert todays_arguments([typed]) == [today]


def test_an_old_name_gives_the_same_settings() -> None:
    old, new = (compose_config("train", [f"experiment={name}"]) for name in ("looks", "recipes/looks"))
    assert old == new
    assert old.data.zoom.view_size
