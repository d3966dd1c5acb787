import csv
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from thermal_landmarks.reporting.published import TABLES
from thermal_landmarks.reporting.report.rows import group
from thermal_landmarks.reporting.report.runs import collect
from thermal_landmarks.reporting.report.studies import load_searches, storage_url
from thermal_landmarks.reporting.report.table import Column, Table, over_seeds
from thermal_landmarks.reporting.report.tables import result_tables, run_table, search_tables


def test_the_published_figures_obey_the_bound_of_their_wing_loss() -> None:
    # wing <= 12 * 10 * ln(1 + MAE / 2) holds for any errors; a mistyped digit would break it or fall far below
    tables: list[dict[str, Any]] = list(TABLES.values())[1:]
    assert [len(table) for table in tables] == [20, 4, 4, 4]
    ratios = [row.wing / (120 * math.log(1 + row.mae / 2)) for table in tables for row in table.values()]
    assert min(ratios) > 0.96
    assert max(ratios) < 1.03
    assert sum(ratio <= 1 for ratio in ratios) == 28
    assert all(0.4 < row.mse / row.mae**2 < 6 for table in tables for row in table.values())


def test_the_published_search_is_whole() -> None:
    search = TABLES["search"]
    assert list(search) == [f"{stem}-{i}" for stem in "CRLBA" for i in range(1, 5)]
    assert (search["A-2"].parameters, search["A-2"].wing) == (91280, 2.5564)
    assert min(search, key=lambda name: search[name].wing) == "A-3"


def test_several_seeds_show_mean_and_sample_deviation() -> None:
    values = [1.0, 2.0, 4.5]
    cells = over_seeds("x", values)
    assert cells == pytest.approx({"x": np.mean(values), "x_std": np.std(values, ddof=1)})
    text, _ = Table("t", "", [Column("x", "x", form=".2f", scale=10)], [cells]).shown()
    assert text["x"][0] == "25.00\n± 18.03"
    assert over_seeds("x", [1.5]) == {"x": 1.5}
    assert over_seeds("x", [1.0, None]) == over_seeds("x", []) == {}


def test_a_table_holds_ours_and_the_papers_numbers(make_run, tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(f"a{seed}", "A-1", seed=seed, wing=1.0 + seed)
        make_run(f"e{seed}", "A-1", seed=seed, ensemble=3, wing=3.0 + seed)
    make_run("two", "A-1", ensemble=2)
    protocols = group(collect([tmp_path / "runs"]).runs)
    (singular,) = result_tables("singular", protocols)
    assert [row["model"].split("\n")[0] for row in singular.rows] == ["A-1"]
    assert singular.rows[0]["wing"] == 1.5
    assert singular.rows[0]["paper_wing"] == 0.9175
    (ensembles,) = result_tables("ensemble", protocols)
    two, three = ensembles.rows
    assert three["against_singular"] == pytest.approx(2.0)
    assert three["paper_wing"] == 0.9921
    assert "paper_wing" not in two  # the paper's ensembles have three components
    assert three["runs"].split(", ") == [str(run.number) for run in protocols[0].of("ensemble")[1].runs]
    assert result_tables("no_rotation", protocols) == []


def test_a_number_that_was_not_measured_is_a_dash(make_run, tmp_path: Path) -> None:
    make_run("a", "A-1", **{"test/nme": None})
    (table,) = result_tables("singular", group(collect([tmp_path / "runs"]).runs))
    assert table.shown()[0]["nme"][0] == "–"
    assert "| – |" in table.markdown()


def test_table_1_holds_the_best_trial_of_each_study(storage: str) -> None:
    (table,) = search_tables(load_searches(storage))
    assert table.title == "small: synthetic, perinasal6, 12 trials of 3 epochs"
    assert [row["model"] for row in table.rows] == ["C-2\nconv + luong", "A-2\nalt_conv_resnext + luong"]
    row = table.rows[0]
    assert (row["best_trial"], row["objective"], row["parameters"]) == (6, 1.0, 7000)
    assert [row[key] for key in ("complete", "pruned", "failed", "epochs")] == [6, 5, 1, 6 * 3 + 5]
    assert row["folder"] == "outputs/small/6"
    assert row["paper_parameters"] == 139404


def test_a_lost_trial_that_was_run_again_counts_once(tmp_path: Path) -> None:
    study = optuna.create_study(study_name="lost", storage=f"sqlite:///{tmp_path}/studies.db")
    states = (TrialState.FAIL, TrialState.COMPLETE, TrialState.FAIL)
    for state, retried in zip(states, ([], [0], []), strict=True):
        value = 1.0 if state == TrialState.COMPLETE else None
        study.add_trial(
            create_trial(state=state, value=value, system_attrs={"retry_history": retried} if retried else {})
        )
    (search,) = load_searches(f"sqlite:///{tmp_path}/studies.db")
    assert [trial.number for trial in search.trials.each] == [1, 2]
    assert search.trials.count(TrialState.FAIL) == 1


def test_every_run_is_listed_with_folder_command_and_commit(make_run, tmp_path: Path) -> None:
    make_run("a", "A-1")
    make_run("t", "A-1", study="s/x", trial=2, pruned=True)
    runs = collect([tmp_path / "runs"]).runs
    first, trial = run_table("runs", runs, [runs[0]]).rows
    assert first["folder"].endswith("runs/a")
    assert first["command"] == runs[0].command
    assert first["commit"] == "0123456789ab"
    assert first["kind"] == "singular\nreplaced by a newer run"
    assert trial["kind"] == "trial of s/x\npruned"


def test_csv_keeps_full_precision_and_markdown_marks_the_best_and_the_paper(tmp_path: Path) -> None:
    columns = [
        Column("model", "model"),
        Column("wing", "wing", "ours", ".2f", "min"),
        Column("paper_wing", "wing", "paper", "g"),
    ]
    rows = [
        {"model": "A|1\nx", "wing": 1 / 3, "wing_std": 0.01, "paper_wing": 2.0},
        {"model": "A-2", "wing": 0.5},
    ]
    table = Table("t", "", columns, rows)
    table.write_csv(tmp_path)
    with (tmp_path / "t.csv").open(newline="") as file:
        read = list(csv.reader(file))
    assert read[0] == ["model", "wing", "wing_std", "paper_wing"]
    assert (float(read[1][1]), read[1][2:]) == (1 / 3, ["0.01", "2.0"])
    assert read[2] == ["A-2", "0.5", "", ""]
    assert table.markdown().splitlines() == [
        "| model | wing | wing (paper: different data) |",
        "| --- | ---: | ---: |",
        "| A\\|1 x | **0.33** ± 0.01 | 2 |",
        "| A-2 | 0.50 | – |",
    ]
    groups = re.findall(r"level0.*?>(.*?)<", table.html())
    assert groups == ["", "measured here", "paper: different data, not comparable"]


def test_equal_numbers_have_no_best() -> None:
    column = Column("auc", "AUC", "ours", ".0f", "max")
    for values, marked in (([0.0, 0.0], []), ([0.0, 1.0], [1]), ([None, 1.0], [])):
        _, classes = Table("t", "", [column], [{"auc": value} for value in values]).shown()
        assert [i for i, words in enumerate(classes["auc"]) if "best" in words] == marked


def test_text_in_a_table_stays_text() -> None:
    keys = ("model", "folder", "command", "checkpoint", "runs", "kind")
    columns = [*(Column(key, key) for key in keys), Column("paper_x", "<i>", "paper")]
    html = Table("t", "", columns, [dict.fromkeys(keys, '<script>&"') | {"paper_x": 1}]).html()
    assert "<script>" not in html
    assert "<i>" not in html
    assert html.count("&lt;script&gt;&amp;") == len(keys) + 1  # a link names its run twice


def test_the_storage_is_found_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from thermal_landmarks.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    assert storage_url("auto") is None
    assert storage_url(None) is None
    assert storage_url("postgresql+psycopg://u:p@h/db") == "postgresql+psycopg://u:p@h/db"
    with pytest.raises(ConfigError, match=r"studies=none\.db: there is no such file"):
        storage_url("none.db")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "studies.db").touch()
    assert storage_url("auto") == "sqlite:///outputs/studies.db"
    (tmp_path / "junk.db").write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError, match=r"studies=.*junk\.db can't be read"):
        load_searches("sqlite:///junk.db")
    with pytest.raises(ConfigError, match=r"nowhere.* can't be read") as caught:
        load_searches("postgresql+nodriver://me:secret@nowhere/db")
    assert "secret" not in str(caught.value)


def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path) -> None:
    Table("t", "", [Column("run", "run"), Column("nme", "NME")], [{"run": "=1+1", "nme": -0.5}]).write_csv(tmp_path)
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").split() == ["run,nme", "'=1+1,-0.5"]
