"""The paper's chain, tiny: what it does, that it goes on where it stopped, and that nothing is done twice."""

import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from sqlalchemy import text

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.commands.reproduce import ACTIONS
from thermal_landmarks.errors import ConfigError, DataError, DivergedError, Interrupted
from thermal_landmarks.search.chain.ledger import Entry, Ledger, outcome
from thermal_landmarks.search.chain.record_file import read_record, write_record
from thermal_landmarks.search.chain.steps import chain_steps
from thermal_landmarks.search.chain.work import Chain, arguments_of
from thermal_landmarks.search.storage import open_storage

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tiny_chain(blob_coco: Path) -> list[str]:
    """Settings of a chain of one model that takes seconds."""
    settings = [f"data.source.annotation_file:{blob_coco}", "data:coco", "data.scheme:perinasal6", "data.workers:1"]
    settings += ["data.batch_size:48", "logger:none", "stem.depth:2", "stem.strided_repeats:1", "stem.width:8"]
    settings += ["stem.kernel_size:3", "stem.width_growth:1.0", "branch.depth:1", "callbacks.figures:null"]
    lengths = [
        "scale=0.05",
        "trials=2",
        "search_epochs=1",
        "epochs=1",
        "seeds=1",
        "models=[A-2]",
        "ours=[]",
        "heads=[per_query]",
    ]
    return [*lengths, f"settings={{{','.join(settings)}}}"]


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[tuple[Ledger, Ledger]]:
    """Those of two processes."""
    settings = {"storage": f"sqlite:///{tmp_path}/studies.db", "heartbeat_seconds": 1, "dead_after_seconds": 2}
    storages = [open_storage({**settings, "patience_seconds": 5, "retries": 0}) for _ in range(2)]
    first, second = (Ledger(storage, "paper") for storage in storages)
    yield first, second
    for storage in storages:
        storage.engine.dispose()


def test_the_papers_chain_has_its_twenty_searches_and_its_order():
    steps = chain_steps(compose_config("reproduce", []))
    plain = [step for step in steps if step.form == "plain"]
    counts = {kind: sum(step.kind == kind for step in plain) for kind in {step.kind for step in plain}}
    assert counts["search"] == counts["soft_argmax"] == counts["per_query"] == 20
    assert counts["singular"] == 4 * 3 + 16
    assert counts["ensemble"] == counts["no_rotation"] == counts["layers_removed"] == 4
    assert [step.name for step in steps[:3]] == ["A-2 search", "A-2 singular seed 0", "A-3 search"]
    assert {step.model_id for step in plain[:28]} == {"A-1", "A-2", "A-3", "A-4"}
    assert {step.model_id for step in steps if step.form == "ours"} == {"A-1", "A-2", "A-3", "A-4"}
    assert len({step.name for step in steps}) == len(steps) == len({(step.folder, step.kind) for step in steps})
    with pytest.raises(ConfigError, match="models: A-9 is none of"):
        chain_steps(compose_config("reproduce", ["models=[A-9]"]))
    with pytest.raises(ConfigError, match="heads: gaussian is none of soft_argmax, per_query"):
        chain_steps(compose_config("reproduce", ["heads=[gaussian]"]))


def test_both_forms_are_searched_by_one_protocol():
    steps = chain_steps(compose_config("reproduce", ["scale=0.25", "models=[A-2]", "ours=[A-2]"]))
    searches = [step for step in steps if step.kind == "search"]
    plain, ours = (compose_config("train", list(step.command)) for step in searches)
    assert [step.study for step in searches] == [f"{name}/alt_conv_resnext-luong" for name in ("paper", "paper_ours")]
    data_plain, data_ours = (OmegaConf.to_container(cfg.data, resolve=True) for cfg in (plain, ours))
    assert data_plain == data_ours
    assert plain.data.image_size == [120, 160]
    assert (plain.stem.normalisation, ours.stem.normalisation) == ("none", "batch")
    assert plain.search.trials == ours.search.trials == 40
    assert (plain.trainer.max_epochs, ours.trainer.max_epochs) == (20, 20)


def test_a_training_is_one_processs_until_it_ends_or_is_given_back(ledgers):
    mine, yours = ledgers
    taken = mine.claim("A-2 singular seed 0")
    assert taken is not None
    assert yours.claim("A-2 singular seed 0") is None
    assert yours.entries()["A-2 singular seed 0"].state == "running"
    mine.release(taken)
    again = yours.claim("A-2 singular seed 0")
    assert again is not None
    yours.complete(again, {"test/wing": 1.5, "subjects": {}})
    assert mine.claim("A-2 singular seed 0") is None
    assert mine.entries()["A-2 singular seed 0"].record["test/wing"] == 1.5

    failing = mine.claim("A-2 ensemble seed 0")
    assert failing is not None
    mine.fail(failing, "diverged")
    assert (yours.entries()["A-2 ensemble seed 0"].state, yours.entries()["A-2 ensemble seed 0"].reason) == (
        "failed",
        "diverged",
    )
    assert yours.claim("A-2 ensemble seed 0") is None
    assert yours.claim("A-2 ensemble seed 0", again=True) is not None


def test_the_training_of_a_killed_process_is_open_again(ledgers):
    mine, yours = ledgers
    assert mine.claim("A-2 singular seed 0") is not None  # and no heartbeat follows
    with mine.storage.engine.begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"))
    assert yours.entries()["A-2 singular seed 0"].state == "open"
    assert yours.claim("A-2 singular seed 0") is not None


def test_a_training_that_was_stopped_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    step = chain_steps(compose_config("reproduce", []))[1]
    assert arguments_of(step) == [*step.command, "output=outputs/reproduce/paper/A-2_singular_0"]
    (step.folder / "checkpoints").mkdir(parents=True)
    (step.folder / "checkpoints/last.ckpt").touch()
    assert arguments_of(step) == ["resume=outputs/reproduce/paper/A-2_singular_0"]


def test_the_chain_is_stopped_continued_and_carried_elsewhere(tiny_chain, tmp_path, run_script, monkeypatch):
    def reproduce(*arguments: str, cwd: Path = tmp_path) -> "CompletedProcess[str]":
        return run_script(["src/reproduce.py", *tiny_chain, *arguments], cwd=cwd)

    calls = iter(range(2))

    def stop_at_second(folder: Path) -> dict[str, Any]:
        if next(calls) == 1:
            raise Interrupted("Stopped", signal.SIGTERM)
        return outcome(folder)

    with monkeypatch.context() as patch:
        patch.setattr("thermal_landmarks.search.chain.work.outcome", stop_at_second)
        assert reproduce().returncode == 128 + signal.SIGTERM
    said = reproduce("action=status").stdout
    assert re.search(r"A-2 +2/2 +\S+ +1/1 +0/1 +0/1 +0/1 +0/1 +1 min", said), said

    done = reproduce()
    assert done.returncode == 0, done.stderr
    assert re.search(r"A-2 +2/2 +\S+ +1/1 +1/1 +1/1 +1/1 +1/1 +done", done.stdout), done.stdout
    trained = {path.parent: path.stat().st_mtime_ns for path in tmp_path.glob("outputs/**/metrics.json")}
    kinds = ("A-2_ensemble_0", "A-2_layers_removed_0", "A-2_no_rotation_0", "A-2_per_query_0", "A-2_singular_0")
    assert sorted(folder.name for folder in trained) == ["000", "001", *kinds]

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert reproduce("action=export", "file=chain.json.gz").returncode == 0
    taken = reproduce("action=import", "file=../chain.json.gz", cwd=elsewhere)
    assert "7 trials and trainings taken" in taken.stdout, taken.stderr
    assert "All is done." in reproduce(cwd=elsewhere).stdout  # nothing is done twice
    assert trained == {path.parent: path.stat().st_mtime_ns for path in tmp_path.glob("**/metrics.json")}

    assert reproduce("action=page", "file=page.md", cwd=elsewhere).returncode == 0
    page = (elsewhere / "page.md").read_text()
    assert "**2 of 2 trials** of the searches, **5 of 5 trainings**" in page
    assert re.search(r"## Table 3.*\n\n.*\n.*\n\| A-2 \| [\d,]+ \| 1 \|", page)
    assert "| Ensembles of three are worse than the single A models. | **cannot be told yet** |" in page


def test_a_training_that_fails_is_told_and_three_in_a_row_end_the_chain(ledgers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine, _ = ledgers
    cfg = compose_config("reproduce", ["models=[A-2]", "ours=[]", "heads=[]", "trials=1", "seeds=1"])
    steps = chain_steps(cfg)
    study = optuna.create_study(study_name=steps[0].study, storage=mine.storage)
    study.add_trial(optuna.create_trial(value=1.0, user_attrs={"seconds": 8.0, "epochs": 4}))
    tried = []

    def train(arguments: list[str], multirun: bool) -> None:
        tried.append(arguments)
        raise DivergedError("The loss is nan")

    with pytest.raises(ConfigError, match="3 steps in a row have failed, the last with The loss is nan"):
        Chain(cfg, steps, mine.storage, mine, train).run()
    chain = Chain(cfg, steps, mine.storage, mine, train)
    assert [chain.entries.get(step.name, Entry("open")).state for step in steps[1:]] == [*["failed"] * 3, "open"]
    assert "DivergedError: The loss is nan" in chain.entries[steps[1].name].reason
    assert list(chain.seconds_left().values()) == [0.0, 0.0, 0.0, 0.0, 200.0]  # two seconds an epoch
    chain.run()
    assert len(tried) == 4  # what failed isn't tried again
    cfg.retry_failed = True
    with pytest.raises(ConfigError):
        Chain(cfg, steps, mine.storage, mine, train).run()
    assert len(tried) == 7


def test_a_record_adds_only_what_the_database_lacks(ledgers, tmp_path):
    mine, _ = ledgers
    for step in ("A-2 singular seed 0", "A-2 ensemble seed 0"):
        taken = mine.claim(step)
        assert taken is not None
        mine.complete(taken, {"test/wing": 1.5, "subjects": {"s0": {"images": 2, "nme": 0.1}}})
    stopped = mine.claim("A-2 no_rotation seed 0")
    assert stopped is not None
    mine.release(stopped)
    assert mine.claim("A-2 layers_removed seed 0") is not None  # still running
    record = tmp_path / "chain.json.gz"
    assert write_record(mine.storage, [mine.name, "unknown"], record) == 2

    settings = {"heartbeat_seconds": 1, "dead_after_seconds": 2, "patience_seconds": 5, "retries": 0}
    other = Ledger(open_storage({**settings, "storage": f"sqlite:///{tmp_path}/other.db"}), "paper")
    assert [read_record(other.storage, record) for _ in range(2)] == [2, 0]
    assert other.entries() == {name: mine.entries()[name] for name in ("A-2 singular seed 0", "A-2 ensemble seed 0")}
    record.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"is no record of action=export"):
        read_record(other.storage, record)


def test_the_commands_on_the_page_are_chains():
    page = (ROOT / "docs" / "search.md").read_text()
    commands = re.findall(r"^thermal-landmarks reproduce (.*?) *#", page, flags=re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        cfg = compose_config("reproduce", shlex.split(command))
        assert cfg.action in ACTIONS
        assert chain_steps(cfg)
    (settings,) = re.findall(r'"(settings=\{.*?\})"', page)
    search = chain_steps(compose_config("reproduce", [settings]))[0]
    assert "data.source.images_per_subject=7" in search.command
