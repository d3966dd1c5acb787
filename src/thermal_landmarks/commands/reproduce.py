"""The paper's whole chain in one command that can be stopped at any point: `thermal-landmarks reproduce scale=0.25`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config
from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import require_choice
from thermal_landmarks.old_names import todays_arguments

if TYPE_CHECKING:
    from thermal_landmarks.search.chain.work import Chain

ACTIONS = ("run", "status", "page", "export", "import")


@command("reproduce")
def main(cfg: DictConfig) -> None:
    """Do what is left of the chain, or tell how far it is."""
    require_choice("action", cfg.action, ACTIONS)
    from thermal_landmarks.search.chain.record_file import read_record, write_record
    from thermal_landmarks.search.storage import hide_password

    cfg.storage = hide_password(str(cfg.storage))
    chain = open_chain(cfg)
    names = [*dict.fromkeys(step.study for step in chain.steps), chain.ledger.name]
    record = Path(cfg.file or f"{cfg.study}.json.gz")
    if cfg.action == "import":
        print(f"{read_record(chain.storage, record)} trials and trainings taken from {record}")
        chain.look()
    elif cfg.action == "export":
        print(f"{write_record(chain.storage, names, record)} trials and trainings written to {record}")
    if cfg.action == "run":
        chain.run()
    elif cfg.action == "page":
        from thermal_landmarks.reporting.paper.page import write_page

        print(write_page(chain, Path(cfg.file or f"{cfg.study}.md")))
    else:
        chain.say()


def open_chain(cfg: DictConfig) -> "Chain":
    """The chain of a config, with its database opened."""
    from thermal_landmarks.search.chain.ledger import Ledger
    from thermal_landmarks.search.chain.steps import chain_steps
    from thermal_landmarks.search.chain.work import Chain
    from thermal_landmarks.search.storage import open_storage

    steps = chain_steps(cfg)
    search = compose_config("train", ["search=paper", f"search.storage='{cfg.storage}'"]).search
    ledger = Ledger(open_storage({**search, "retries": 0}), cfg.study)
    return Chain(cfg, steps, open_storage(search), ledger, run_train)


def run_train(arguments: list[str], multirun: bool) -> None:
    """`train.py ARGUMENTS`, or `--multirun ARGUMENTS`, in this process; what goes wrong is raised."""
    from thermal_landmarks.commands.train import from_study, train_model

    train = hydra.main(config_path=str(CONFIG_DIR), config_name="train", execution_whitelist=ALL_BUILDABLE)(train_model)
    own = sys.argv
    sys.argv = ["train", *(["--multirun"] if multirun else []), *todays_arguments(from_study(arguments))]
    GlobalHydra.instance().clear()  # of the command itself, which has its config already
    try:
        train()
    finally:
        sys.argv = own


if __name__ == "__main__":
    main()
