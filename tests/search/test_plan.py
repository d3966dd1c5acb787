"""Which studies a command means and what they search."""

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import BRANCH_NUMBERS, STEM_LETTERS
from thermal_landmarks.rendered import store_ranges
from thermal_landmarks.search.plan import epochs_of, plan_studies


@pytest.fixture
def plans():
    GlobalHydra.instance().clear()
    store_ranges()

    def make(*arguments):
        with initialize_config_dir(str(CONFIG_DIR)):
            loader = GlobalHydra.instance().config_loader()
            config = loader.load_configuration("train", list(arguments), RunMode.MULTIRUN)
            return plan_studies(config, loader, arguments)

    yield make
    GlobalHydra.instance().clear()


def test_paper_means_the_twenty_pairs(plans, monkeypatch):
    pairs = []
    monkeypatch.setattr("thermal_landmarks.search.plan._plan", lambda *args, **_: pairs.append(args[2][:2]))
    plans("search=paper")
    stems, branches = ({pair[i].partition("=")[2] for pair in pairs} for i in (0, 1))
    assert (stems, branches) == ({*STEM_LETTERS}, {*BRANCH_NUMBERS})
    assert len({*pairs}) == len(pairs) == 20


def test_the_papers_search_is_by_its_protocol_in_the_plain_form(plans):
    (plan,) = plans("search=paper", "stem=alt_conv_luong", "branch=bahdanau", "scale=0.25")
    data = OmegaConf.to_container(plan.config.data, resolve=True)
    assert (data["image_size"], data["in_channels"], data["batch_size"]) == ([120, 160], 3, 32)
    changes = {name: data["augmentation"][name] for name in ("rotation", "hflip", "shift", "noise", "gain")}
    assert changes == {"rotation": "triple", "hflip": 0.0, "shift": 0.0, "noise": 0.0, "gain": [1.0, 1.0]}
    assert (plan.config.stem.normalisation, plan.config.start_at_mean_shape) == ("none", False)
    assert not plan.config.stem.residual | plan.config.branch.residual
    assert not {"stem.residual", "branch.residual"} & set(plan.space)  # else the plain form would be searched away
    assert (plan.name, plan.facts()["trials"]) == ("paper/alt_conv_luong-bahdanau", 40)
    assert epochs_of(plan.config) == plan.facts()["epochs"] == 20
    with pytest.raises(ConfigError, match=r"overrule studies/comparison\. Search the latter by search=asha"):
        plans("search=paper", "stem=conv", "branch=none", "experiment=studies/comparison")


def test_a_studys_experiments_and_parts_are_kept_for_its_best_run(plans):
    typed = ("search=asha", "stem=conv", "branch=none", "experiment=paper/protocol", "ablation=no_rotation")
    (plan,) = plans(*typed, "loss=l1")
    assert plan.facts()["experiments"] == ["paper/protocol", "ablation/no_rotation"]
    choices = plan.facts()["choices"]
    assert {name: choices[name] for name in ("head", "loss", "stem")} == {
        "head": "fully_connected",
        "loss": "l1",
        "stem": "conv",
    }


def test_typed_stems_and_branches_replace_the_lists(plans):
    found = plans("search=paper", "stem=conv", "branch=none,luong", "search.study=mine", "data=synthetic")
    assert [plan.name for plan in found] == ["mine/conv-none", "mine/conv-luong"]
    (one,) = plans("search=quick")
    assert one.name == "quick/alt_conv_resnext-luong"


def test_settings_of_the_search_itself_are_not_the_models(plans):
    (plan,) = plans("search=quick", "search.trials=3", "~search.pruner.bootstrap_count", "data.image_size=[48,64]")
    assert "data.image_size=[48,64]" in plan.facts()["overrides"]
    assert not [override for override in plan.facts()["overrides"] if "search" in override]


def test_space_is_what_stem_branch_and_search_declare(plans):
    (plan,) = plans("search=quick", "stem=resnext", "branch=vit")
    assert plan.space["stem.depth"] == IntDistribution(1, 5)
    assert plan.space["stem.cardinality"] == CategoricalDistribution((4, 8, 16, 32))
    assert plan.space["branch.mlp_ratio"] == CategoricalDistribution((1.0, 2.0, 4.0))
    assert plan.space["optimizer.lr"] == FloatDistribution(1e-3, 3e-2, log=True)
    (other,) = plans("search=quick", "stem=conv", "branch=none")
    assert "stem.cardinality" not in other.space
    assert not [name for name in other.space if name.startswith("branch")]


def test_typed_values_are_fixed_and_typed_ranges_searched(plans):
    (plan,) = plans("search=quick", "optimizer.lr=0.01", "stem.width=choice(8,16)", "loss.width=interval(1,20)")
    assert "optimizer.lr" not in plan.space
    assert plan.config.optimizer.lr == 0.01
    assert plan.space["stem.width"] == CategoricalDistribution((8, 16))
    assert plan.space["loss.width"] == FloatDistribution(1, 20)
    assert "optimizer.lr=0.01" in plan.facts()["overrides"]


def test_other_swept_groups_make_studies_too(plans):
    found = plans("search=quick", "optimizer=adamw,sgd")
    assert [plan.name.rpartition("-")[2] for plan in found] == ["adamw", "sgd"]
    assert [plan.config.optimizer._target_ for plan in found] == ["torch.optim.AdamW", "torch.optim.SGD"]


def test_settings_that_a_configuration_lacks_are_named(plans):
    with pytest.raises(ConfigError, match=r"samples optimizer.weight_decay.*search.space"):
        plans("search=quick", "optimizer=adam")
    (plan,) = plans("search=quick", "optimizer=adam", "search.space={optimizer.weight_decay:null}")
    assert "optimizer.weight_decay" not in plan.space


def test_single_value_is_no_range(plans):
    with pytest.raises(ConfigError, match=r"optimizer.lr is the single value 0.1\. Expected a range"):
        plans("search=quick", "search.space={optimizer.lr:0.1}")


def test_trials_are_trained_on_one_device(plans):
    with pytest.raises(ConfigError, match=r"trainer\.devices=auto.*search\.n_jobs"):
        plans("search=quick", "trainer=ddp")


def test_what_changes_the_objective_is_part_of_the_study_and_where_and_how_a_trial_runs_is_not(plans):
    changes = {
        "trainer.limit_train_batches": "trainer.limit_train_batches=3",
        "trainer.accumulate_grad_batches": "trainer.accumulate_grad_batches=2",
        "trainer.gradient_clip_val": "trainer.gradient_clip_val=1.0",
        "trainer.precision": "trainer.precision=bf16-mixed",
        "trainer.epochs_factor": "trainer.epochs_factor=3",
        "callbacks.ema.decay": "callbacks=ema",
    }
    without_effect = ("data.cache_dir=elsewhere", "data.workers=3", "tags=[mine]")
    before, after, elsewhere = (
        plans("search=quick", *typed)[0].settings() for typed in ((), changes.values(), without_effect)
    )
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert set(changes) <= changed
    assert elsewhere == before
