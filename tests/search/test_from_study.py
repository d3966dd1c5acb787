"""`experiment=from_study`: the command line that a study stands for."""

import json

import pytest

from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.from_study import expand_study

NAME = "quick/conv-none"
TYPED = ["experiment=from_study", f"study={NAME}"]


def expand(*arguments):
    return expand_study(arguments, CONFIG_DIR / "experiment" / "from_study.yaml")


def test_other_commands_stay_as_they_are():
    assert expand("--multirun", "stem=conv,resnext") == ["--multirun", "stem=conv,resnext"]


def test_a_list_with_from_study_asks_for_the_study_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for experiment in (
        "experiment=[from_study,ablation/no_rotation]",
        "+experiment=[ablation/no_rotation, from_study]",
    ):
        with pytest.raises(ConfigError, match=r"there is no file outputs/studies\.db"):
            expand(experiment, f"study={NAME}")
    assert expand("experiment=[paper/A-2,studies/comparison]") == ["experiment=[paper/A-2,studies/comparison]"]
    with pytest.raises(ConfigError, match="can't be swept over"):
        expand("--multirun", "experiment=from_study,paper/A-2", f"study={NAME}")


@pytest.mark.usefixtures("quick_training")
def test_best_trial_is_trained_by_the_papers_protocol_and_what_is_typed_wins(search, study_of):
    search("search.trials=2", "search.pruner.min_resource=100", "data.image_size=[48,64]")
    best = study_of().best_trial
    cfg = compose_config("train", expand(*TYPED, "head.dropout=0.25", "logger=none"))
    assert (cfg.trainer.max_epochs, cfg.data.batch_size) == (100, 32)
    assert (cfg.stem.name, cfg.branch.name, cfg.data.image_size) == ("conv", "none", [48, 64])
    assert cfg.optimizer.lr == best.params["optimizer.lr"]
    assert cfg.stem.depth == best.params["stem.depth"]
    assert cfg.head.dropout == 0.25
    assert (cfg.study, cfg.trial, cfg.logger.kind) == (NAME, None, "none")
    assert "dropout" not in compose_config("train", expand(*TYPED, "head=per_query")).head  # nothing of the other head

    with pytest.raises(ConfigError, match=r"study=other: expected one of .*quick/conv-none"):
        expand("experiment=from_study", "study=other")
    with pytest.raises(ConfigError, match=r"there is no file nowhere\.db"):
        expand(*TYPED, "search.storage=sqlite:///nowhere.db")


@pytest.mark.usefixtures("quick_training")
def test_the_experiments_of_the_search_are_those_of_the_run(search, study_of):
    search("search=paper", "search.trials=1", "search.pruner.min_resource=100", "stem=alt_conv_luong")
    name = "paper/alt_conv_luong-none"
    expanded = expand("experiment=[from_study,ablation/no_rotation]", f"study={name}", "seed=2")
    assert "experiment=[paper/protocol,paper/plain,from_study,ablation/no_rotation]" in expanded
    cfg = compose_config("train", expanded)
    assert (cfg.data.augmentation.hflip, cfg.data.augmentation.rotation) == (0.0, "none")
    assert (cfg.stem.normalisation, cfg.head.scaled, cfg.start_at_mean_shape) == ("none", False, False)
    assert (cfg.trainer.max_epochs, cfg.trainer.epochs_factor, cfg.seed) == (100, 3, 2)
    assert cfg.stem.depth == study_of(name).best_trial.params["stem.depth"]


@pytest.mark.slow
def test_the_command_trains_the_best_trial_as_a_run_of_its_own(search, study_of, tmp_path, blob_coco, run_script):
    search("search.trials=1", "search.epochs=1", "stem.strided_repeats=1")
    data = [f"data.source.annotation_file={blob_coco}", "data.workers=1", "logger=none"]
    done = run_script(["src/train.py", *TYPED, "trainer.max_epochs=2", *data], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("outputs/train/*/metrics.json")
    metrics = json.loads(path.read_text())
    assert (metrics["study"], metrics["trial"], metrics["epochs"]) == (NAME, None, 2)
    assert metrics["parameters"] == study_of().best_trial.user_attrs["parameters"]


def test_study_without_completed_trial_is_refused(search, tmp_path):
    search("search.trials=0")
    with pytest.raises(ConfigError, match="has no completed trial yet"):
        expand(*TYPED)
