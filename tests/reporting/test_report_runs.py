import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.reporting.report.pictures import activation_pictures
from thermal_landmarks.reporting.report.rows import differences, group, newest_of_each_seed, singular_row
from thermal_landmarks.reporting.report.runs import collect
from thermal_landmarks.reporting.report.write import write_report
from thermal_landmarks.settings import flat


def test_runs_are_found_at_any_depth_once_with_their_command(make_run, tmp_path: Path) -> None:
    make_run("deep/er/one", "A-2", seed=3)
    make_run("two", "C-1")
    found = collect([tmp_path / "runs", tmp_path / "runs" / "deep"])
    assert [(run.number, run.model_id, run.metrics["seed"]) for run in found.runs] == [(1, "A-2", 3), (2, "C-1", 0)]
    assert found.runs[0].command == "python src/train.py stem=alt_conv_resnext 'data.split.file=my split.json'"
    assert found.left_out == []


def test_runs_of_a_grid_keep_its_order(make_run, tmp_path: Path) -> None:
    for number, model_id in ((0, "C-1"), (9, "C-2"), (10, "C-3")):
        make_run(f"{number}_grid", model_id)
    assert [run.model_id for run in collect([tmp_path / "runs"]).runs] == ["C-1", "C-2", "C-3"]


def test_what_cannot_be_shown_is_named(make_run, tmp_path: Path) -> None:
    make_run("stopped", "A-2").joinpath("metrics.json").unlink()
    make_run("broken", "A-2").joinpath("metrics.json").write_text("{")
    make_run("other", "A-2").joinpath("metrics.json").write_text('{"images": 3}')
    halted = make_run("halted", "A-2") / "metrics.json"
    halted.write_text(json.dumps({**json.loads(halted.read_text()), "incomplete": "stopped by SIGTERM in epoch 2"}))
    found = collect([tmp_path / "runs"])
    assert found.runs == []
    whys = {path.relative_to(tmp_path / "runs").as_posix(): why.split(":")[0] for path, why in found.left_out}
    assert whys == {
        "broken/metrics.json": "can't be read",
        "halted": "incomplete",
        "other/metrics.json": "neither of a training run nor of an evaluation",
        "stopped": "no metrics.json",
    }


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"runs=.*nowhere: there is no such folder"):
        collect([tmp_path / "nowhere"])


def test_seeds_share_a_row_and_protocols_do_not_mix(make_run, tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(f"a{seed}", "A-2", seed=seed, wing=1.0 + seed)
    make_run("larger", "A-2", **{"data.image_size": [240, 320]})
    make_run("fewer", "A-2", **{"data.source.subjects": 8})
    make_run("elsewhere", "A-2", seed=2, wing=9.0, **{"data.cache_dir": "/other", "trainer.devices": 2})
    protocols = group(collect([tmp_path / "runs"]).runs)
    assert [len(protocol.rows) for protocol in protocols] == [1, 1, 1]
    assert [run.metrics["seed"] for run in protocols[0].rows[0].runs] == [0, 1, 2]
    assert protocols[0].rows[0].mean("test/wing") == pytest.approx((1 + 2 + 9) / 3)
    labels = [protocol.label for protocol in protocols]
    assert sum("120 × 160" in label for label in labels) == 2
    assert sum("240 × 320" in label for label in labels) == 1
    notes = {protocol.note for protocol in protocols}
    assert notes == {"", "data.source.subjects=8", "data.source.subjects=73"}


def test_other_settings_of_a_model_are_another_row(make_run, tmp_path: Path) -> None:
    make_run("a", "A-2")
    make_run("b", "A-2", seed=1, **{"stem.width": 99})
    make_run("c", "C-1", seed=1)
    make_run("d", "C-1", seed=2, **{"callbacks.ema": {"decay": 0.99}})
    (protocol,) = group(collect([tmp_path / "runs"]).runs)
    assert [(row.name, row.note) for row in protocol.rows] == [
        ("C-1", "no callbacks.ema.decay"),
        ("C-1", "callbacks.ema.decay=0.99"),
        ("A-2", "stem.width=32"),
        ("A-2", "stem.width=99"),
    ]


def test_a_repeated_seed_counts_once_and_the_newest_counts(make_run, tmp_path: Path) -> None:
    old, new = make_run("b_old", "A-2", wing=5.0), make_run("a_new", "A-2", wing=2.0)
    os.utime(old / "metrics.json", (1000, 1000))
    kept, replaced = newest_of_each_seed(collect([tmp_path / "runs"]).runs)
    assert [run.folder for run in kept] == [new]
    assert [run.folder for run in replaced] == [old]


def test_trials_and_variants_are_told_apart(make_run, tmp_path: Path) -> None:
    make_run("plain", "A-1", wing=1.0)
    make_run("trial", "A-1", study="small/alt_conv_resnext-none", trial=3)
    make_run("three", "A-1", ensemble=3, wing=2.0)
    longer = {"trainer.epochs_factor": 3, "data.augmentation.rotation": "none"}
    make_run("still", "A-1", ablation="no_rotation", wing=3.0, **longer)
    make_run("short", "A-1", ablation="layers_removed", wing=4.0, **{"stem.depth": 2})
    protocols = group(collect([tmp_path / "runs"]).runs)
    rows = {row.kind: row for protocol in protocols for row in protocol.rows}
    assert {kind: row.mean("test/wing") for kind, row in rows.items()} == {
        "singular": 1.0,
        "ensemble": 2.0,
        "no_rotation": 3.0,
        "layers_removed": 4.0,
    }
    for kind in ("ensemble", "no_rotation", "layers_removed"):
        assert singular_row(rows[kind], protocols) is rows["singular"]


def test_the_best_of_a_study_trained_at_length_is_no_trial(make_run, tmp_path: Path) -> None:
    make_run("best", "A-2", study="small/alt_conv_resnext-luong", trial=None)
    assert [run.kind for run in collect([tmp_path / "runs"]).runs] == ["singular"]


def test_a_variant_of_another_protocol_has_no_singular_model(make_run, tmp_path: Path) -> None:
    make_run("plain", "A-1", **{"data.image_size": [60, 80]})
    make_run("still", "A-1", ablation="no_rotation")
    protocols = group(collect([tmp_path / "runs"]).runs)
    (still,) = [row for protocol in protocols for row in protocol.of("no_rotation")]
    assert singular_row(still, protocols) is None


def test_a_run_without_config_stays_apart(make_run, tmp_path: Path) -> None:
    make_run("a", "A-2")
    make_run("b", "A-2", seed=1).joinpath("config.yaml").unlink()
    labels = [protocol.label for protocol in group(collect([tmp_path / "runs"]).runs)]
    assert any("no config.yaml" in label for label in labels)
    assert len(labels) == 2


def test_differences_name_what_changes_only() -> None:
    found = [flat(settings) for settings in ({"a": {"x": 1, "y": [1, 2]}, "b": "w"}, {"a": {"x": 2, "y": [1, 2]}})]
    assert differences(found) == ["a.x=1, b=w", "a.x=2, no b"]
    many = [{f"k{i}": i * j for i in range(1, 9)} for j in (1, 2)]
    assert differences(many)[0] == "k1=1, k2=2, k3=3, k4=4, k5=5, 3 more (see config.yaml)"


def test_numbers_that_are_missing_or_not_finite_are_none(make_run, tmp_path: Path) -> None:
    folder = make_run("a", "A-2")
    content = json.loads((folder / "metrics.json").read_text()) | {"test/wing": None, "test/nme": float("nan")}
    (folder / "metrics.json").write_text(json.dumps(content))
    (run,) = collect([tmp_path / "runs"]).runs
    assert (run.value("test/wing"), run.value("test/nme"), run.value("absent")) == (None, None, None)
    assert run.image_nme is not None
    assert len(run.image_nme) == 21


def test_a_database_out_of_reach_is_told_before_any_run_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("thermal_landmarks.reporting.report.write.collect", lambda runs: pytest.fail("it read first"))
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"studies=postgresql\+psycopg://127.0.0.1:1/db can't be read"):
        write_report([tmp_path], tmp_path / "out", studies="postgresql+psycopg://me:secret@127.0.0.1:1/db")
    assert time.monotonic() - started < 5


def test_a_report_shows_no_picture_from_outside_the_folder(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "private.png")
    for name, figure in (("outside", "../private.png"), ("damaged", "damaged.png"), ("good", "good.png")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "damaged.png").write_bytes(b"no picture")
        Image.new("RGB", (4, 4)).save(tmp_path / name / "good.png")
        (tmp_path / name / "visualize.json").write_text(json.dumps({"figure": figure, "model_id": name}))
    found = collect([tmp_path])
    (shown,) = activation_pictures(found.activations, found.left_out, width=100, most=3)
    assert shown.caption.startswith("good")
    (_, damaged), (outside, why) = sorted(found.left_out)
    assert "can't be read" in damaged
    assert outside == tmp_path / "outside" / "visualize.json"
    assert "private.png isn't in that folder" in why


def test_a_damaged_file_of_a_run_is_named_and_the_report_shows_the_others(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    damaged = [
        ("per_image.csv", b"image,nme\na.png,much\n"),
        ("per_image.csv", b"image,subject\na.png,s0\n"),
        ("per_image.csv", b"image,subject,nme\na.png,s"),
        ("per_image.csv", b""),
        ("per_image.csv", b"image,nme\n\xff\xfe\x00,1\n"),
        ("metrics.json", b'{"stem": "conv", "test/wing": 0.'),
        ("metrics.json", b"\xff\xfe"),
        ("config.yaml", b"data: [1, 2"),
        (".hydra/overrides.yaml", b"- stem=[conv\n- {"),
        ("figures/overlays_best.png", b"no picture"),
    ]
    for number, (file, content) in enumerate(damaged):
        folder = make_run(f"damaged{number}", "A-2", wing=0.5)
        (folder / "figures").mkdir()
        (folder / file).write_bytes(content)
    make_run("whole", "C-1")
    write_report(
        [tmp_path / "runs"], tmp_path / "report", studies=None, augmentation_samples=0, console=Console(quiet=True)
    )
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert re.search(r"\| C-1 .*runs/whole", text)
    named = sorted(line for line in text.splitlines() if "Not shown: " in line)
    assert len(named) == len(damaged)
    for number, (line, (file, _)) in enumerate(zip(named, damaged, strict=True)):
        assert f"damaged{number}/" in line
        assert Path(file).name in line


def test_the_table_of_a_run_of_version_0_1_is_read_under_its_old_name(make_run: Callable[..., Path]) -> None:
    folder = make_run("old", "A-2")
    (folder / "per_image.csv").unlink()
    (run,) = collect([folder]).runs
    assert run.image_nme is None
    (folder / "test_images.csv").write_text("image,nme\na.png,0.05\nb.png,\nc.png,0.2\n", encoding="utf-8")
    (run,) = collect([folder]).runs
    assert run.image_nme is not None
    assert run.image_nme.tolist() == [0.05, 0.2]
