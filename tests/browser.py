"""A page as a browser shows it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import chromium

QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture
def dump_dom(tmp_path: Path) -> Callable[..., str]:
    """The HTML of an address after its scripts have run, from headless Chromium."""
    browser = chromium()

    def dump(address: str, *options: str) -> str:
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", *QUIET),
            *(f"--user-data-dir={tmp_path / 'profile'}", *options, "--dump-dom", address),
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout

    return dump
