"""The steps of the paper's chain (arXiv 2311.08308, section 4), in order: each is one command of `train`.

A search for each pair of stem and branch; the best configuration trained in full, with several seeds for the leading
models; and of these an ensemble, one without rotated copies and one with layers removed. Beyond the paper, the leading
models in our form of the network, and each best configuration with other heads. The protocol itself is
`conf/experiment/paper/protocol.yaml`; its lengths and the choice of models are `conf/reproduce.yaml`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from omegaconf import DictConfig

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import BRANCH_NUMBERS, STEM_LETTERS

Kind = Literal["search", "singular", "ensemble", "no_rotation", "layers_removed", "soft_argmax", "per_query"]
"""The last two are names of heads."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_HEADS = ("soft_argmax", "per_query")

_PARTS = {
    f"{letter}-{number}": (stem, branch)
    for stem, letter in STEM_LETTERS.items()
    for branch, number in BRANCH_NUMBERS.items()
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One search or one training."""

    kind: Kind  # what it is; all but `search` are trainings
    form: Literal["plain", "ours"]  # `plain`, the paper's network, or `ours`
    model_id: str  # the paper's name of the pair
    study: str  # the name of the search that it is or needs
    seed: int  # of a training
    command: tuple[str, ...]  # what `train` gets; without the folder of a training
    folder: Path  # of a training's run

    @property
    def name(self) -> str:
        """`A-2 singular seed 1`, `ours A-2 search`."""
        return f"{'ours ' * (self.form == 'ours')}{self.model_id} {self.kind}" + (
            "" if self.kind == "search" else f" seed {self.seed}"
        )


def chain_steps(cfg: DictConfig) -> list[Step]:
    """The steps of `conf/reproduce.yaml`, the leading models first.

    Raises:
        ConfigError: If a model has another name than the paper's, or a length is not positive.
    """
    for setting in ("trials", "search_epochs", "epochs", "seeds", "ensemble"):
        if cfg[setting] < 1:
            raise ConfigError(f"{setting}={cfg[setting]}: expected 1 or more.")
    for setting in ("models", "leading", "ours"):
        if unknown := [name for name in cfg[setting] if name not in _PARTS]:
            raise ConfigError(f"{setting}: {', '.join(unknown)} is none of {', '.join(_PARTS)}.")
    if unknown := [head for head in cfg.heads if head not in _HEADS]:
        raise ConfigError(f"heads: {', '.join(unknown)} is none of {', '.join(_HEADS)}.")
    leading = [name for name in cfg.models if name in cfg.leading]
    others = [name for name in cfg.models if name not in leading]
    steps: list[Step] = []
    for model_id in leading:
        steps += [_search(cfg, "plain", model_id), _training(cfg, "plain", model_id)]
    for model_id in leading:
        steps += _rest_of_leading(cfg, model_id)
    for model_id in others:
        steps += [_search(cfg, "plain", model_id), _training(cfg, "plain", model_id)]
    for model_id in cfg.ours:
        steps.append(_search(cfg, "ours", model_id))
        steps += [_training(cfg, "ours", model_id, seed=seed) for seed in range(cfg.seeds)]
    for model_id in (*leading, *others):
        steps += [_training(cfg, "plain", model_id, kind=head) for head in cfg.heads]
    return steps


def _rest_of_leading(cfg: DictConfig, model_id: str) -> Iterator[Step]:
    yield _training(cfg, "plain", model_id, kind="ensemble")
    yield _training(cfg, "plain", model_id, kind="no_rotation")
    yield _training(cfg, "plain", model_id, kind="layers_removed")
    for seed in range(1, cfg.seeds):
        yield _training(cfg, "plain", model_id, seed=seed)


def _search(cfg: DictConfig, form: Literal["plain", "ours"], model_id: str) -> Step:
    stem, branch = _PARTS[model_id]
    search = ["search=paper"] if form == "plain" else ["search=asha", "experiment=paper/protocol"]
    command = [
        *search,
        *(f"stem={stem}", f"branch={branch}", f"search.study={_prefix(cfg, form)}", f"scale={cfg.scale}"),
        *(f"search.trials={cfg.trials}", f"search.epochs={cfg.search_epochs}", "search.wait=false"),
        *(f"search.storage='{cfg.storage}'", *_settings(cfg)),
    ]
    return _step(cfg, "search", form, model_id, command)


def _training(
    cfg: DictConfig, form: Literal["plain", "ours"], model_id: str, *, kind: Kind = "singular", seed: int = 0
) -> Step:
    stem, branch = _PARTS[model_id]
    changes = {"singular": [], "ensemble": [f"ensemble={cfg.ensemble}"], **{head: [f"head={head}"] for head in _HEADS}}
    command = [
        *("experiment=from_study", f"study={_prefix(cfg, form)}/{stem}-{branch}", f"search.storage='{cfg.storage}'"),
        *(f"trainer.max_epochs={cfg.epochs}", f"seed={seed}"),
        *(*changes.get(kind, [f"ablation={kind}"]), *_settings(cfg)),
    ]
    return _step(cfg, kind, form, model_id, command, seed=seed)


def _step(
    cfg: DictConfig, kind: Kind, form: Literal["plain", "ours"], model_id: str, command: list[str], seed: int = 0
) -> Step:
    prefix, parts = _prefix(cfg, form), "-".join(_PARTS[model_id])
    return Step(
        kind=kind,
        form=form,
        model_id=model_id,
        study=f"{prefix}/{parts}",
        seed=seed,
        command=tuple(command),
        folder=Path("outputs/reproduce") / prefix / f"{model_id}_{kind}_{seed}",
    )


def _settings(cfg: DictConfig) -> list[str]:
    return [f"{name}={'null' if value is None else value}" for name, value in (cfg.settings or {}).items()]


def _prefix(cfg: DictConfig, form: str) -> str:
    return str(cfg.study) if form == "plain" else f"{cfg.study}_ours"
