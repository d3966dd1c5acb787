"""What a config may build by `_target_`: exact names, each under the kind of thing that it is.

A config may come with someone else's run folder or checkpoint, so a name is admitted only if building it can't read
pickles, start processes or write files of the config's choosing. Methods, and names that a module merely imports, are
not on the list. A reader, loss or callback of your own becomes buildable by a line here.
"""

from collections.abc import Mapping
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.old_names import TARGETS

_READERS = "thermal_landmarks.data.readers"
_CALLBACKS = "thermal_landmarks.training.callbacks"
_SCHEDULES = "thermal_landmarks.training.schedules"

BUILDABLE: dict[str, tuple[str, ...]] = {
    "data": (
        "thermal_landmarks.data.datamodule.LandmarkDataModule",
        "thermal_landmarks.data.scenes.datamodule.SceneDataModule",
    ),
    "source": (
        "thermal_faces.SyntheticFaces",
        "thermal_faces.SyntheticScenes",
        f"{_READERS}.coco.CocoKeypoints",
        f"{_READERS}.dlib_xml.DlibXml",
        f"{_READERS}.flat_csv.FlatCsv",
        f"{_READERS}.jd106.Jd106",
        f"{_READERS}.lapa.Lapa",
        f"{_READERS}.pts.PtsFolder",
        f"{_READERS}.sftl54.Sftl54",
        f"{_READERS}.sftl54.Sftl54Text",
        f"{_READERS}.tfake.TFake",
        f"{_READERS}.wflw.Wflw",
        f"{_READERS}.yolo_pose.YoloPose",
        "thermal_landmarks.inference.unlabelled.UnlabelledPictures",
    ),
    "loss": (
        "thermal_landmarks.training.losses.LandmarkLoss",
        "thermal_landmarks.training.face_loss.FaceLoss",
    ),
    "optimizer": (
        *(f"torch.optim.{name}" for name in ("Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSprop", "SGD")),
        *(f"timm.optim.{name}" for name in ("Lamb", "Lion")),
    ),
    "scheduler": tuple(f"{_SCHEDULES}.{name}" for name in ("cosine", "multistep", "plateau", "timed_cosine")),
    "trainer": ("thermal_landmarks.training.trainer.build_trainer",),
    "callback": (
        f"{_CALLBACKS}.dashboard.BestArtifact",
        f"{_CALLBACKS}.checkpoints.BestCheckpoint",
        f"{_CALLBACKS}.checkpoints.LastCheckpoint",
        f"{_CALLBACKS}.collapse.CollapseWarning",
        f"{_CALLBACKS}.ema.WeightEma",
        f"{_CALLBACKS}.dashboard.ValidationOverlays",
        f"{_CALLBACKS}.progress.build_progress",
        f"{_CALLBACKS}.randomness.StepSeed",
        f"{_CALLBACKS}.dashboard.StepLoss",
        f"{_CALLBACKS}.dashboard.TaughtOverlays",
        f"{_CALLBACKS}.test_results.TestFigures",
        f"{_CALLBACKS}.test_results.TestImages",
        f"{_CALLBACKS}.throughput.Throughput",
    ),
    "sampler": tuple(f"optuna.samplers.{n}Sampler" for n in ("CmaEs", "GP", "QMC", "Random", "TPE")),
    "pruner": tuple(
        f"optuna.pruners.{name}Pruner"
        for name in ("Hyperband", "Median", "Nop", "Percentile", "SuccessiveHalving", "Threshold")
    ),
}
"""Kind -> the names that may stand behind its `_target_`."""

ALL_BUILDABLE = tuple(name for names in BUILDABLE.values() for name in names)

_INSIDE = {"data": ("source",)}  # a data module's settings hold those of its sources; nothing else nests


def build(kind: str, settings: DictConfig | Mapping[str, Any], **arguments: Any) -> Any:
    """Make what a config describes: settings with a `_target_` of this kind, and further arguments made by the program.

    Raises:
        ConfigError: If the settings name anything that isn't on the list of this kind.
    """
    if isinstance(settings, DictConfig):
        plain = OmegaConf.to_container(settings, resolve=True, throw_on_missing=True)
    else:
        plain = dict(settings)
    if not isinstance(plain, dict) or "_target_" not in plain:
        raise ConfigError(f"The {kind} has no _target_. Valid: {', '.join(BUILDABLE[kind])}.")
    admitted = (*BUILDABLE[kind], *(name for inner in _INSIDE.get(kind, ()) for name in BUILDABLE[inner]))
    checked = _checked(plain, BUILDABLE[kind], admitted, where=kind)
    return instantiate(checked, _execution_whitelist_=admitted, **arguments)


def _checked(value: Any, own: tuple[str, ...], nested: tuple[str, ...], *, where: str) -> Any:
    """A copy with today's names; refuses names that aren't admitted, at any depth."""
    if isinstance(value, Mapping):
        target = value.get("_target_")
        today = TARGETS.get(target, {"_target_": target}) if isinstance(target, str) else {"_target_": target}
        if "_target_" in value and today["_target_"] not in own:
            raise ConfigError(
                f"{where}._target_: '{str(target)[:200]}' is not something that a config may build here. "
                f"Valid: {', '.join(own)}."
            )
        inner = {
            str(key): _checked(item, tuple(name for name in nested if name not in own), nested, where=f"{where}.{key}")
            for key, item in value.items()
        }
        return inner if "_target_" not in value else {**inner, **today}
    if isinstance(value, list | tuple):
        return [_checked(item, own=(), nested=nested, where=f"{where}.{i}") for i, item in enumerate(value)]
    return value
