import json
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.evaluation_run import TrainedOn, select_subjects, trained_on, with_checkpoint_settings
from thermal_landmarks.models.checkpoint import load_checkpoint

MakeCheckpoint = Callable[..., Path]
TRAINED = {"train": ["s0", "s1", "s2"], "val": ["s3"], "test": ["s4", "s5"]}
OWN = TrainedOn(TRAINED, same_config=True)


@pytest.fixture
def data(blob_faces: Source, tmp_path: Path) -> LandmarkDataModule:
    return LandmarkDataModule(
        source=blob_faces, scheme="perinasal6", image_size=(24, 32), cache_dir=tmp_path / "cache", workers=1
    )


def subjects_of(data: LandmarkDataModule) -> set[str]:
    dataset = data.datasets["test"]
    return {dataset.samples.subjects[row] for row in dataset.rows}


def test_foreign_data_are_measured_as_a_whole(data: LandmarkDataModule) -> None:
    assert select_subjects(data, "auto", None) == "all images: 12 images of 6 subjects"
    assert len(data.datasets["test"]) == 12


@pytest.mark.parametrize(("which", "stage"), [("auto", "test"), ("test", "test"), ("val", "val"), ("train", "train")])
def test_data_of_the_run_are_measured_on_the_runs_own_subjects(
    data: LandmarkDataModule, which: str, stage: str
) -> None:
    what = select_subjects(data, which, OWN)
    assert subjects_of(data) == set(TRAINED[stage])
    assert what.startswith(f"the run's {stage} subjects")
    assert ("seen in training" in what) == (stage == "train")


def test_images_seen_in_training_are_counted_aloud(data: LandmarkDataModule) -> None:
    what = select_subjects(data, "all", OWN)
    assert what == "all images: 12 images of 6 subjects; 3 of them seen in training"


def test_data_with_the_runs_subjects_are_its_own_however_their_path_is_written(data: LandmarkDataModule) -> None:
    what = select_subjects(data, "auto", TrainedOn(TRAINED, same_config=False))
    assert what == "the run's test subjects: 4 images of 2 subjects"


def test_training_subjects_among_other_data_are_counted_aloud(data: LandmarkDataModule) -> None:
    part = TrainedOn({"train": ["s0", "s1"], "val": ["s2"], "test": ["s3"]}, same_config=False)
    what = select_subjects(data, "auto", part)
    assert what == "all images: 12 images of 6 subjects; 2 of them named like subjects of the training"


def test_without_a_run_the_settings_divide_the_subjects(data: LandmarkDataModule) -> None:
    parts = []
    for which in ("train", "val", "test"):
        select_subjects(data, which, None)
        parts.append(subjects_of(data))
    assert set().union(*parts) == {f"s{i}" for i in range(6)}
    assert sum(map(len, parts)) == 6


def test_a_test_set_of_its_own_is_taken_whole(data: LandmarkDataModule, blob_faces: Source) -> None:
    data.test_source = type(blob_faces)(subjects=2)  # type: ignore[call-arg]
    what = select_subjects(data, "auto", TrainedOn({"train": ["s4", "s5"], "val": ["s3"]}, same_config=True))
    assert what == "the test data set: 4 images of 2 subjects"
    what = select_subjects(data, "auto", OWN)
    assert what == "the test data set: 4 images of 2 subjects; 2 of them named like subjects of the training"


def test_an_unknown_or_empty_choice_is_named(data: LandmarkDataModule) -> None:
    with pytest.raises(ConfigError, match="split=tset is unknown"):
        select_subjects(data, "tset", None)
    with pytest.raises(ConfigError, match="split=val: no image of the run's val subjects"):
        select_subjects(data, "val", TrainedOn({**TRAINED, "val": []}, same_config=True))


@pytest.fixture
def config() -> DictConfig:
    return OmegaConf.create(
        {
            "seed": 3,
            "data": {
                "source": {"name": "blobs", "seed": "${seed}"},
                "test_source": None,
                "scheme": "face16",
                "image_size": [480, 640],
                "crop": {"mode": "none"},
                "batch_size": 32,
            },
        }
    )


def test_images_are_prepared_as_the_checkpoint_wants_them(config: DictConfig, make_checkpoint: MakeCheckpoint) -> None:
    loaded = load_checkpoint(make_checkpoint(image_size=(24, 32), crop={"mode": "box"}))
    data = with_checkpoint_settings(config, loaded).data
    assert data.image_size == [24, 32]
    assert data.crop.mode == "box"
    assert data.scheme == "perinasal6"
    assert data.batch_size == 32
    assert config.data.image_size == [480, 640]


@pytest.mark.parametrize("override", ["data.image_size=[1,1]", "+data.crop.mode=box", "data.scheme=face16"])
def test_what_the_checkpoint_determines_cannot_be_set(
    override: str, config: DictConfig, make_checkpoint: MakeCheckpoint
) -> None:
    with pytest.raises(ConfigError, match="comes from the checkpoint"):
        with_checkpoint_settings(config, load_checkpoint(make_checkpoint()), [override])
    with_checkpoint_settings(config, load_checkpoint(make_checkpoint()), ["data.batch_size=2"])


def test_a_runs_split_lies_beside_its_checkpoints(
    config: DictConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OmegaConf.resolve(config)
    checkpoint = tmp_path / "run" / "checkpoints" / "best.ckpt"
    assert trained_on(checkpoint, config.data) is None
    checkpoint.parent.mkdir(parents=True)
    (tmp_path / "run" / "split.json").write_text(json.dumps(TRAINED))
    OmegaConf.save(config, tmp_path / "run" / "config.yaml")
    assert trained_on(checkpoint, config.data) == OWN
    assert trained_on(tmp_path / "run" / "copied" / "best.ckpt", config.data) is None
    monkeypatch.chdir(checkpoint.parent)
    assert trained_on(Path("best.ckpt"), config.data) == OWN
    config.data.source.seed = 4
    assert trained_on(checkpoint, config.data) == TrainedOn(TRAINED, same_config=False)
