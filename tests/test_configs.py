"""Every file in conf/ composes, and the same word means the same thing in code and config."""

import functools
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from thermal_faces import SyntheticFaces
from thermal_faces.ranges import GROUPS as RANGES
from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config
from thermal_landmarks.data.augmentation import Augmentation, AugmentationSettings
from thermal_landmarks.rendered import store_ranges

COMMANDS = sorted(p.stem for p in CONFIG_DIR.glob("*.yaml"))
NEEDS_DATA = ("evaluate",)  # commands that have no default data
FACTORS = {
    group: sorted(p.stem for p in (CONFIG_DIR / group).glob("*.yaml"))
    for group in ("renderer_ablation/off", "renderer_ablation/on")
}
CHOICES: dict[str, list[str]] = {}  # experiments are run by other tests
for path in sorted(CONFIG_DIR.glob("*/**/*.yaml")):
    group, elsewhere = str(path.parent.relative_to(CONFIG_DIR)), path.parts[-3] == "plain" or path.parts[-2] == "scenes"
    if path.stem != "base" and not group.startswith("experiment"):
        CHOICES.setdefault(f"+{group}" if elsewhere else group, []).append(path.stem)  # + where train itself has none


def in_turn(number: int, *groups: str) -> DictConfig:
    """Train with another file of each of the groups for each number."""
    return compose_config("train", [f"{group}={CHOICES[group][number % len(CHOICES[group])]}" for group in groups])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes(command):
    assert compose_config(command, ["data=synthetic"] if command in NEEDS_DATA else [])


@pytest.mark.parametrize("name", ["synthetic", "synthetic_wild"])
def test_files_of_rendered_faces_say_only_what_differs_from_the_renderers_defaults(name: str):
    shown = compose_config("train", [f"data={name}"]).data.source
    written = OmegaConf.load(CONFIG_DIR / "data" / f"{name}.yaml")
    written = written.data.source if "data" in written else written.source
    store_ranges()
    defaults = ConfigStore.instance().load("rendered/faces.yaml").node
    for group in set(RANGES) & set(written):
        for key, value in written[group].items():
            given = value if OmegaConf.is_dict(value) else {key: value}
            now, before = (c[group][key] if OmegaConf.is_dict(value) else c[group] for c in (shown, defaults))
            assert all(now[each] == number != before[each] for each, number in given.items()), f"{group}.{key}"


@pytest.mark.parametrize("number", range(max(map(len, CHOICES.values()))))
def test_every_group_file_composes_with_train(number: int):
    assert in_turn(number, *CHOICES)


@pytest.mark.parametrize("number", range(len(CHOICES["stem"])))
def test_search_ranges_are_in_hydra_sweep_syntax_and_name_settings(number: int):
    cfg = in_turn(number, "root", "stem", "branch", "head")
    for part in ("root", "stem", "branch", "head"):
        for name, sweep in (cfg[part].get("search") or {}).items():
            assert name in cfg[part]
            assert OverridesParser.create().parse_override(f"{part}.{name}={sweep}").is_sweep_override()


WORN = {
    "beards": lambda said: said["beard"],
    "covers": lambda said: said["occluder"] or said["mask"] or said["neckwear"] in ("scarf", "high_collar"),
    "eight_bit": lambda said: said["eight_bit"],
    "glasses": lambda said: said["glasses"],
    "headgear": lambda said: said["headwear"] or said["headphones"],
    "hair_styles": lambda said: said["bald"] or said["long_hair"] or said["bun"] or said["fringe"],
}  # what annotations say of these factors


@functools.cache
def small_faces(choice: str) -> SyntheticFaces:
    small = ["data.source.subjects=8", "data.source.images_per_subject=1", "data.source.size=[48,64]"]
    cfg = compose_config("train", ["data=synthetic_wild", *small, choice])
    return build("source", cfg.data.source)


@pytest.mark.parametrize(
    "factor", [name for name in FACTORS["renderer_ablation/off"] if name not in ("nothing", "eight_bit")]
)
def test_a_factor_left_out_changes_the_pictures(factor: str):
    missing = small_faces(f"renderer_ablation/off={factor}")
    shown = small_faces(
        f"renderer_ablation/on={factor}"
        if factor in FACTORS["renderer_ablation/on"]
        else "renderer_ablation/off=nothing"
    )
    changed = (np.abs(shown.render(i, 0) - missing.render(i, 0)).max() > 0.05 for i in range(shown.subjects))
    assert any(changed)


@pytest.mark.parametrize("factor", WORN)
def test_annotations_say_that_a_factor_is_missing_or_common(factor: str):
    missing, forced = (
        [bool(WORN[factor](a.attributes)) for a in small_faces(f"{group}={factor}").annotations()] for group in FACTORS
    )
    assert not any(missing)
    assert np.mean(forced) > 0.5


def test_every_factor_that_can_be_in_every_image_can_be_left_out():
    assert set(FACTORS["renderer_ablation/on"]) < set(FACTORS["renderer_ablation/off"])


def test_overfitting_shows_a_cascade_the_same_crops_in_every_epoch(blob_coco: Path, tmp_path: Path):
    data = ["data=coco", f"data.source.annotation_file={blob_coco}", f"data.cache_dir={tmp_path}", "data.workers=1"]
    small = ["data.image_size=[48,64]", "data.cascade.crop_size=[24,32]", "data.batch_size=4", "data.on_bad_item=skip"]
    cfg = compose_config("train", [*data, "experiment=recipes/cascade", "debug=overfit", *small])
    module = build("data", cfg.data)
    module.setup()
    seen: list[torch.Tensor] = []

    class Look(L.LightningModule):
        def training_step(self, batch):
            seen.append(batch["image"].clone())

        def configure_optimizers(self):
            return None

    settings = {name: cfg.trainer[name] for name in ("overfit_batches", "num_sanity_val_steps")}
    L.Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, **settings).fit(Look(), module)
    assert len(seen) == 3
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])


@pytest.mark.parametrize("experiment", ["lotr/m", "recipes/real_cameras"])
def test_overfitting_changes_no_image(experiment: str):
    cfg = compose_config("train", [f"experiment={experiment}", "debug=overfit"])
    settings = AugmentationSettings(**OmegaConf.to_object(cfg.data.augmentation))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    images, points = torch.rand(16, 1, 24, 32, generator=generator) * 2 - 1, torch.rand(16, 6, 2, generator=generator)
    for looks in (settings, settings.of_crops):
        change = Augmentation(looks, flip_indices=torch.arange(6).flip(0))
        changed = change(images, points, torch.ones(16, 6, dtype=torch.bool), torch.zeros(16), generator)
        torch.testing.assert_close(changed[0], images)
        torch.testing.assert_close(changed[1], points)
