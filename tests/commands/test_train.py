"""The train command as users run it, on tiny data: what it leaves, what it prints, and that it resumes exactly."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
TINY = ["data.image_size=[48,64]", "data.batch_size=8", "logger=none", "data.augmentation.noise=0.02"]


def typed(data, *arguments):
    settings = [f"data.source.annotation_file={data}", "data=coco", "data.scheme=perinasal6", *TINY]
    return ["src/train.py", *settings, *arguments]


@pytest.fixture(scope="session")
def run(run_script):
    def run(data, *arguments, cwd, check=True):
        environment = {"WANDB_MODE": "offline", "COLUMNS": "120"}
        result = run_script(typed(data, *arguments), cwd=cwd, env=environment)
        assert not check or result.returncode == 0, result.stderr
        return result

    return run


def process_command(data, *arguments):
    """The same for a process of its own, where that matters."""
    script, *settings = typed(data, *arguments)
    return [sys.executable, str(ROOT / script), *settings]


def run_folders(cwd):
    return sorted((cwd / "outputs" / "train").iterdir())


@pytest.fixture(scope="module")
def trained(blob_coco, tmp_path_factory, run):
    cwd = tmp_path_factory.mktemp("trained")
    result = run(blob_coco, "trainer.max_epochs=3", "logger=wandb", cwd=cwd)
    (folder,) = run_folders(cwd)
    return result, folder


def test_run_folder_holds_what_the_design_promises(trained):
    _, folder = trained
    expected = ["config.yaml", "history.csv", "metrics.json", "split.json", ".hydra", "figures", "wandb", "checkpoints"]
    assert {*expected} <= {p.name for p in folder.iterdir()}
    assert {p.name for p in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    metrics = json.loads((folder / "metrics.json").read_text())
    for name in ("wing", "mae", "mse", "accuracy", "nme", "failure_rate", "auc"):
        assert isinstance(metrics[f"test/{name}"], float)
        assert f"val/{name}" in metrics
    assert metrics["model_id"] == "A-2"
    assert metrics["parameters"] > 0
    assert metrics["seconds"] > 0


def test_splits_of_the_run_are_by_subject(trained):
    split = json.loads((trained[1] / "split.json").read_text())
    together = [name for names in split.values() for name in names]
    assert sorted(together) == sorted({*together}) == [f"s{i}" for i in range(8)]


def test_terminal_shows_model_metrics_and_folder(trained):
    result, folder = trained
    assert "A-2" in result.stdout
    assert "perinasal6" in result.stdout
    assert "failure_rate" in result.stdout
    assert folder.name in result.stdout
    assert "Traceback" not in result.stderr
    assert "Warning" not in result.stderr


def test_checkpoint_is_plain_data_that_knows_its_network(trained):
    checkpoint = torch.load(trained[1] / "checkpoints" / "best.ckpt", weights_only=True)
    assert {"network", "scheme", "preprocessing"} <= set(checkpoint["hyper_parameters"])


@pytest.fixture
def three_of_each(blob_coco):
    """The same faces with three images a subject, so that two processes can't share those of one subject evenly."""
    content = json.loads(blob_coco.read_text())
    content["images"] = [image for image in content["images"] if image["id"] % 4]
    content["annotations"] = [face for face in content["annotations"] if face["image_id"] % 4]
    path = blob_coco.with_name("three_of_each.json")
    path.write_text(json.dumps(content))
    return path


@pytest.mark.slow
def test_two_processes_measure_what_one_does(three_of_each, tmp_path, run_script):
    """DDP on the CPU; the three test images don't divide by two, and none may count twice."""
    small = ["data.split.test=0.1", "data.batch_size=3", "trainer.max_epochs=1", "callbacks.figures=null"]
    _, *settings = typed(three_of_each, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", *small)
    try:
        done = run_script([str(ROOT / "src" / "train.py"), *settings], cwd=tmp_path)  # the other process starts it, too
        assert done.returncode == 0, done.stderr
    finally:
        torch.distributed.destroy_process_group()
    (folder,) = run_folders(tmp_path)
    found = json.loads((folder / "metrics.json").read_text())
    measured = ["split=test", "data=coco", f"data.source.annotation_file={three_of_each}"]
    result = run_script(["src/evaluate.py", f"checkpoint={folder}", *measured], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (alone,) = (tmp_path / "outputs" / "evaluate").glob("*/metrics.json")
    expected = json.loads(alone.read_text())
    with (folder / "per_image.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
    for name in ("wing", "mae", "mse", "nme", "pixel_error"):
        assert found[f"test/{name}"] == pytest.approx(expected[f"test/{name}"], rel=1e-3)


@pytest.mark.slow
def test_killed_run_resumes_to_the_same_result(blob_coco, tmp_path, run):
    """SIGKILL in the middle of an epoch; data order, augmentation, dropout, schedule and best score continue."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    arguments = ["trainer.max_epochs=6", "data.augmentation.rotation=random", "callbacks=ema", "head.dropout=0.3"]
    arguments.append("callbacks.figures=null")
    process = subprocess.Popen(
        process_command(blob_coco, *arguments), cwd=killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_epochs(killed, 2, process)
    finally:
        process.kill()
        process.wait()
    (folder,) = run_folders(killed)
    assert not (folder / "metrics.json").exists()
    assert 2 <= len(history(folder)) < 6

    run(blob_coco, *arguments, cwd=whole)
    run(blob_coco, "resume=last", cwd=killed)
    (same,) = run_folders(killed)
    assert same == folder
    (reference,) = run_folders(whole)
    assert results(folder) == results(reference)
    assert [row["train/loss"] for row in history(folder)] == [row["train/loss"] for row in history(reference)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")
def test_a_cluster_that_says_stop_gets_a_checkpoint_a_line_and_the_exit_code(blob_coco, tmp_path, run):
    def say_stop() -> None:
        wait_for_epochs(tmp_path, 2)
        asked.append(time.time())
        os.kill(os.getpid(), signal.SIGTERM)

    asked: list[float] = []
    cluster = threading.Thread(target=say_stop)
    cluster.start()
    result = run(blob_coco, "trainer.max_epochs=500", cwd=tmp_path, check=False)
    cluster.join()
    assert result.returncode == 128 + signal.SIGTERM
    (folder,) = run_folders(tmp_path)
    assert -1 < (folder / "checkpoints" / "last.ckpt").stat().st_mtime - asked[0] < 10
    said = result.stderr.strip().splitlines()
    assert said[-1].startswith("Stopped by SIGTERM in epoch ")
    assert said[-1].endswith(f"To go on: resume={folder}")
    assert json.loads((folder / "metrics.json").read_text())["incomplete"]


def test_resumed_run_refuses_to_become_another_model(trained, run_script):
    _, folder = trained
    result = run_script(["src/train.py", f"resume={folder}", "stem=conv"], cwd=folder.parents[2])
    assert result.returncode != 0
    assert result.stderr.startswith("error: stem=conv: a resumed run keeps its stem (alt_conv_resnext).")
    assert len(result.stderr.splitlines()) == 1


def wait_for_epochs(cwd, count, process=None):
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        assert process is None or process.poll() is None, "finished before it could be killed"
        found = list(cwd.glob("outputs/train/*/history.csv"))
        if found and len(history(found[0].parent)) >= count:
            return
        time.sleep(0.05)
    raise TimeoutError


def history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def results(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    return {k: v for k, v in metrics.items() if k.startswith(("test/", "val/"))}
