"""Claims of the paper, on errors whose truth is known."""

import re
import shlex
from contextlib import nullcontext
from pathlib import Path
from zlib import crc32

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.reporting.paper.claims import beyond, verdicts
from thermal_landmarks.reporting.paper.results import Results
from thermal_landmarks.reporting.paper.tables import front, importances
from thermal_landmarks.search.chain.ledger import Entry
from thermal_landmarks.search.chain.steps import Step, chain_steps

RESULTS = Path(__file__).parents[2] / "docs" / "results"
PEOPLE = [f"s{i}" for i in range(11)]
IMAGES = [20 + i for i in range(11)]


def results_of(error, *, untrained=(), spread=1.0) -> Results:
    """Of a chain whose step has the NME that `error(step)` says, give or take what each person adds."""
    steps = chain_steps(compose_config("reproduce", ["ours=[]"]))
    people = np.random.default_rng(3).normal(0, 0.01, len(PEOPLE))

    def entry(step: Step) -> Entry:
        rng = np.random.default_rng(crc32(step.name.encode()))
        noise = rng.normal(0, 0.002, len(PEOPLE))
        noise += people - np.average(noise, weights=IMAGES)
        subjects = {
            name: {"images": images, "nme": error(step) + extra}
            for name, images, extra in zip(PEOPLE, IMAGES, noise.tolist(), strict=True)
        }
        size = {"parameters": 100 if step.model_id == "A-1" else 90, "gflops": 0.1}
        return Entry("done", {"subjects": subjects, **size, "val/prediction_spread": spread})

    done = {step.name: entry(step) for step in steps if step.kind != "search" and step.name not in untrained}
    return Results(steps, done, "plain")


def as_published(step: Step) -> float:
    """Errors in the order of the paper's tables."""
    if step.kind == "singular":
        return {"A-1": 0.07, "A-2": 0.08, "A-3": 0.06, "A-4": 0.08}.get(step.model_id, 0.15)
    return {"soft_argmax": 0.07, "per_query": 0.14}.get(step.kind, 0.12)


def verdict_of(results: Results) -> dict[str, str]:
    return {claim.claim.split()[0] + claim.claim.split()[1]: claim.verdict for claim in verdicts(results)}


def test_all_claims_hold_where_errors_are_as_published():
    assert set(verdict_of(results_of(as_published, spread=0.05)).values()) == {"holds"}


def test_other_heads_are_compared_on_the_models_that_have_both():
    assert [claim.verdict for claim in beyond(results_of(as_published))] == ["holds", "does not hold"]
    heat_maps, _ = beyond(results_of(as_published, untrained={"R-2 soft_argmax seed 0"}))
    assert heat_maps.verdict == "cannot be told yet"
    assert re.match(r"not trained: R-2; so far, over 19 models, \+\d", heat_maps.because)


def test_claims_do_not_hold_where_errors_are_the_other_way_round():
    found = verdict_of(results_of(lambda step: 0.3 - as_published(step)))
    assert found["Stemsthat"] == found["Ensemblesof"] == found["Withoutrotated"] == found["A-3is"] == "does not hold"
    assert found["Stemsof"] == "does not hold"  # nothing collapsed


def test_equal_errors_tell_nothing():
    found = verdict_of(results_of(lambda step: 0.1))
    assert found["Ensemblesof"] == found["Withoutrotated"] == found["Withthe"] == "cannot be told"


def test_what_is_not_trained_is_named():
    missing = {"A-4 ensemble seed 0", "R-2 singular seed 0"}
    claims = {claim.claim[:9]: claim for claim in verdicts(results_of(as_published, untrained=missing))}
    assert (
        claims["Ensembles"].verdict
        == claims["Stems tha"].verdict
        == claims["Stems of "].verdict
        == "cannot be told yet"
    )
    assert claims["Ensembles"].because.startswith("not trained: A-4 ensembles; so far A-1 +5.00 [+4.")
    assert claims["Stems tha"].because == "not trained: R-2"
    assert claims["A-3 is th"].verdict == "cannot be told yet"
    assert claims["Without r"].verdict == "holds"


def test_intervals_are_those_of_drawing_people_and_seeds():
    results = results_of(as_published)
    found = results.nme("singular", "A-1")
    runs = [
        np.array([[run["subjects"][p]["nme"], run["subjects"][p]["images"]] for p in PEOPLE])
        for run in results.of("singular", "A-1")
    ]
    rng = np.random.default_rng(7)
    draws = []
    for _ in range(3000):  # one by one
        people = rng.integers(0, len(PEOPLE), len(PEOPLE))
        chosen = [runs[i][people] for i in rng.integers(0, len(runs), len(runs))]
        draws.append(100 * np.mean([np.average(run[:, 0], weights=run[:, 1]) for run in chosen]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.06)
    whole = [np.average(run[:, 0], weights=run[:, 1]) for run in runs]
    assert found.mean == pytest.approx(100 * np.mean(whole))


def test_the_front_leaves_out_what_another_model_beats_in_size_and_error():
    assert [" ".join(row.values()) for row in front(results_of(as_published))] == [r"A-3 90 \* 0.1000 \* 6.0"]
    smaller = results_of(lambda step: {"A-1": 0.02}.get(step.model_id, as_published(step)))
    rows = [" ".join(row.values()) for row in front(smaller)]
    assert rows == [r"A-1 100 \* 0.1000 \* 2.0", r"A-3 90 \* 0.1000 6.0"]


def pruned_trial(rng: np.random.Generator, *, epochs: int) -> optuna.trial.FrozenTrial:
    """One whose second epoch depends on `a` alone; what came later would say the contrary."""
    params = {"a": rng.uniform(), "b": rng.uniform()}
    values = {1: rng.uniform(), 2: params["a"]} | dict.fromkeys(range(3, epochs + 1), params["b"])
    return optuna.create_trial(
        state=TrialState.PRUNED,
        params=params,
        distributions=dict.fromkeys(params, FloatDistribution(0, 1)),
        value=values[epochs],
        intermediate_values=values,
    )


def test_settings_are_compared_where_every_trial_has_been():
    rng = np.random.default_rng(0)
    trials = [pruned_trial(rng, epochs=2 if i % 4 else 8) for i in range(40)]
    assert importances(trials)["a"] > 0.75
    assert importances(trials[:19]) == {}


def test_the_shipped_page_is_made_from_the_shipped_record(tmp_path, run_script, monkeypatch):
    memory = optuna.storages.InMemoryStorage()  # SQLite takes ten seconds; tests/search/test_chain.py imports into one
    monkeypatch.setattr("thermal_landmarks.search.storage.open_storage", lambda settings: memory)
    monkeypatch.setattr("thermal_landmarks.search.chain.ledger.exclusive", lambda *names: nullcontext())
    page = RESULTS / "paper.md"
    (command,) = re.findall(r"`thermal-landmarks reproduce (.*?) action=page", page.read_text(encoding="utf-8"))
    typed = ["src/reproduce.py", *shlex.split(command)]
    taken = run_script([*typed, "action=import", f"file={RESULTS / 'paper_60x80.json.gz'}"], cwd=tmp_path)
    assert taken.returncode == 0, taken.stderr
    made = run_script([*typed, "action=page", "file=page.md"], cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
