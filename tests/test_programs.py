from pathlib import Path

import programs
import pytest


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("POSTGRESQL", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return monkeypatch


@pytest.mark.parametrize("find", [programs.chromium, programs.initdb])
def test_a_missing_program_skips_its_tests_and_says_what_to_install(bare, find):
    with pytest.raises(pytest.skip.Exception, match=r"isn't installed: apt-get install (chromium|postgresql)$"):
        find()


@pytest.mark.parametrize("find", [programs.chromium, programs.initdb])
def test_a_missing_program_fails_its_tests_in_ci(bare, find):
    bare.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="isn't installed: apt-get install"):
        find()


def test_tests_that_want_a_program_are_marked(request):
    wanting = [item for item in request.session.items if {"dump_dom", "postgres"} & {*item.fixturenames}]
    assert all(item.get_closest_marker("program") for item in wanting)
    assert request.node.get_closest_marker("program") is None
