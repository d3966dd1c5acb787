import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_the_fault_table_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")))
    written: set[str] = set()
    for module in (ROOT / "tests").rglob("test_*.py"):
        written |= set(re.findall(r"^def (test_\w+)\(", module.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert len(named) > 30
    assert not named - written
