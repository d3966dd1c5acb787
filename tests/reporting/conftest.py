"""Components with the settings that ship in conf/."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="session")
def component_settings() -> Callable[[str, str], dict[str, Any]]:
    """The settings of a config file: `component_settings("stem", "conv")`."""

    def read(group: str, name: str) -> dict[str, Any]:
        settings: dict[str, Any] = yaml.safe_load((CONF / group / f"{name}.yaml").read_text())
        return settings

    return read
