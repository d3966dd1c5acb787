"""The steps of the paper's chain (arXiv 2311.08308, section 4), in order: each is one command of `train`.

A search for each pair of stem and branch; the best configuration trained in full, with several seeds for the leading
models; and of these an ensemble, one without rotated copies and one with layers removed. Beyond the paper, the leading
models in our form of the network, and each best configuration with other heads. The protocol itself is
`conf/experiment/paper/protocol.yaml`; its lengths and the choice of models are `conf/reproduce.yaml`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from omegaconf import DictConfig

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import BRANCH_NUMBERS, STEM_LETTERS

Form = Literal["plain", "ours"]
"""The paper's network, or ours."""

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
    form: Form
    model_id: str  # the paper's name of the pair
    study: str  # the name of the search that it is or needs
    seed: int  # of a training
    command: tuple[str, ...]  # what `train` gets; without the folder of a training
    folder: Path  # of a training's run

    @property
    def name(self) -> str:
        """`A-2 singular seed 1`, `ours A-2 search`."""
        seed = "" if self.kind == "search" else f" seed {self.seed}"
        return f"{'ours ' * (self.form == 'ours')}{self.model_id} {self.kind}{seed}"


def chain_steps(cfg: DictConfig) -> list[Step]:
    """The steps of `conf/reproduce.yaml`, the leading models first.

    Raises:
        ConfigError: If a model has another name than the paper's, or a length is not positive.
    """
    for setting in ("trials", "search_epochs", "epochs", "seeds", "ensemble"):
        if cfg[setting] < 1:
            raise ConfigError(f"{setting}={cfg[setting]}: expected 1 or more.")
    for setting, known in (*dict.fromkeys(("models", "leading", "ours"), (*_PARTS,)).items(), ("heads", _HEADS)):
        if unknown := [name for name in cfg[setting] if name not in known]:
            raise ConfigError(f"{setting}: {', '.join(unknown)} is none of {', '.join(known)}.")
    leading = [name for name in cfg.models if name in cfg.leading]
    others = [name for name in cfg.models if name not in leading]
    steps: list[Step] = []

    def add(model_id: str, *kinds: Kind, seeds: Iterable[int] = (0,), form: Form = "plain") -> None:
        steps.extend(_step(cfg, form, model_id, kind, seed) for kind in kinds for seed in seeds)

    for model_id in leading:
        add(model_id, "search", "singular")
    for model_id in leading:
        add(model_id, "ensemble", "no_rotation", "layers_removed")
        add(model_id, "singular", seeds=range(1, cfg.seeds))
    for model_id in others:
        add(model_id, "search", "singular")
    for model_id in cfg.ours:
        add(model_id, "search", form="ours")
        add(model_id, "singular", seeds=range(cfg.seeds), form="ours")
    for model_id in (*leading, *others):
        add(model_id, *cfg.heads)
    return steps


def _step(cfg: DictConfig, form: Form, model_id: str, kind: Kind, seed: int) -> Step:
    stem, branch = _PARTS[model_id]
    prefix = str(cfg.study) if form == "plain" else f"{cfg.study}_ours"
    study = f"{prefix}/{stem}-{branch}"
    if kind == "search":
        command = [
            *(["search=paper"] if form == "plain" else ["search=asha", "experiment=paper/protocol"]),
            *(f"stem={stem}", f"branch={branch}", f"search.study={prefix}", f"scale={cfg.scale}"),
            *(f"search.trials={cfg.trials}", f"search.epochs={cfg.search_epochs}", "search.wait=false"),
        ]
    else:
        changes = {"singular": [], "ensemble": [f"ensemble={cfg.ensemble}"], **{h: [f"head={h}"] for h in _HEADS}}
        command = ["experiment=from_study", f"study={study}", f"trainer.max_epochs={cfg.epochs}", f"seed={seed}"]
        command += changes.get(kind, [f"ablation={kind}"])
    settings = [f"{name}={'null' if value is None else value}" for name, value in (cfg.settings or {}).items()]
    return Step(
        kind=kind,
        form=form,
        model_id=model_id,
        study=study,
        seed=seed,
        command=(*command, f"search.storage='{cfg.storage}'", *settings),
        folder=Path("outputs/reproduce") / prefix / f"{model_id}_{kind}_{seed}",
    )
