"""Programs beside Python that some tests want: a browser and a database server.

On a machine without one, its tests are skipped with a line that says what to install; where CI is set they fail.
"""

import os
import shutil
from pathlib import Path

import pytest

FIXTURES = ("dump_dom", "postgres")
"""Tests that ask for one of these get the mark `program`."""


def chromium() -> str:
    """Path of Chromium or Chrome."""
    return _found(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium", "apt-get install chromium")


def initdb() -> str:
    """Path of PostgreSQL's `initdb`, on the PATH or in POSTGRESQL, where Debian keeps its versions."""
    versions = sorted(Path(os.environ.get("POSTGRESQL", "/usr/lib/postgresql")).glob("*/bin/initdb"))
    found = shutil.which("initdb") or next(map(str, versions), None)
    return _found(found, "PostgreSQL", "apt-get install postgresql")


def _found(path: str | None, program: str, remedy: str) -> str:
    if path is not None:
        return path
    message = f"{program} isn't installed: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {*FIXTURES} & {*getattr(item, "fixturenames", ())}:
            item.add_marker("program")
