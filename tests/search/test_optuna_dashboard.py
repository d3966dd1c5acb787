"""Optuna's own dashboard opens a study as it stands."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serves a storage on loopback and gives the address."""
    servers = []

    def serve(storage: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = shutil.which("optuna-dashboard")
        assert command
        server = subprocess.Popen(
            [command, storage, "--port", str(port)], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        servers.append(server)
        address = f"http://127.0.0.1:{port}/dashboard"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert server.poll() is None, server.communicate()[1]
            try:
                with urlopen(address):
                    return address
            except URLError:
                time.sleep(0.2)
        raise TimeoutError(address)

    yield serve
    for server in servers:
        server.kill()
        server.communicate()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_training")
def test_the_dashboard_shows_a_study_with_its_objective_and_trials(search, study_of, dashboard, dump_dom):
    search("search.trials=4", "search.sampler.seed=1", "search.epochs=4")
    address, number = dashboard("sqlite:///outputs/studies.db"), study_of()._study_id
    overview = dump_dom(f"{address}/studies/{number}", "--virtual-time-budget=20000")
    assert "quick/conv-none" in overview
    assert "val/wing" in overview
    assert f"Best Trial (number={study_of().best_trial.number})" in overview
    with urlopen(f"{address.removesuffix('/dashboard')}/api/studies/{number}") as told:
        trials = json.load(told)["trials"]
    assert [trial["state"] for trial in trials] == [trial.state.name.capitalize() for trial in study_of().trials]
    assert all("optimizer.lr" in {parameter["name"] for parameter in trial["params"]} for trial in trials)
