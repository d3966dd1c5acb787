"""What a setting means for a result."""

import inspect

import lightning as L
from omegaconf import OmegaConf

from thermal_landmarks import settings
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.settings import Meaning, flat, meaning_of, of_trials, reported

OF_RUNS_AND_OLD_STUDIES = {"hydra", "names", "ablation", "group_choices", "callbacks.history", "callbacks.test_images"}


def test_every_listed_name_is_that_of_a_setting() -> None:
    cfg = compose_config("train", ["callbacks=ema", "search=asha"])
    known = {f"trainer.{name}" for name in inspect.signature(L.Trainer).parameters} | OF_RUNS_AND_OLD_STUDIES
    missing = object()
    lost = [name for name in settings._MEANINGS if OmegaConf.select(cfg, name, default=missing) is missing]
    assert set(lost) <= known


def test_the_longest_listed_name_tells() -> None:
    assert meaning_of("data.source.subjects") == Meaning(reported="protocol")
    assert meaning_of("data.workers") == Meaning(in_trials=False, resumed="free")
    assert meaning_of("trainer.precision") == Meaning(resumed="free")
    assert meaning_of("stem.depth") == Meaning(reported="model")
    assert meaning_of("a_new_setting.of_tomorrow") == Meaning()


def test_trials_are_compared_by_what_changes_them() -> None:
    given = {
        "stem": {"depth": 2, "search": {"depth": "range(1,3)"}},
        "trainer": {"max_epochs": 3, "devices": 1},
        "callbacks": {"ema": {"decay": 0.9}, "figures": {"faces": 3}},
        "search": {"trials": 4},
        "weights": None,
    }
    assert of_trials(flat(given)) == {
        "stem.depth": 2,
        "trainer.max_epochs": 3,
        "callbacks.ema.decay": 0.9,
        "weights": None,
    }
    assert reported(flat(given), "model") == {"stem.depth": 2, "callbacks.ema.decay": 0.9}


def test_studies_and_runs_from_before_a_range_of_the_renderer_are_as_those_that_leave_it_off() -> None:
    before = {"data.source.size": [240, 320]}
    off = before | {"data.source.appearance.beard_clear": [0.8, 1.1]}
    on = before | {"data.source.appearance.beard_clear": [0.5, 1.1]}
    for compared in (of_trials, lambda settings: reported(settings, "protocol")):
        assert compared(off) == compared(before) == before
        assert compared(on) == on
