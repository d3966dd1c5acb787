"""docs/landmarks.md says what the schemes in the code are."""

import re
from pathlib import Path

from thermal_landmarks.data.schemes import get_scheme

PAGE = Path(__file__).parents[1] / "docs" / "landmarks.md"


def table(marker: str) -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").split(f"<!-- {marker} -->\n")[1].split("<!-- end -->")[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]


def test_the_page_has_every_landmarks_number_in_each_scheme():
    head, _, *rows = table("numbers")
    face16 = get_scheme("face16")
    assert [row[0].strip("`") for row in rows] == list(face16.landmark_names)
    for column, name in enumerate(head):
        if name in ("landmark", "MediaPipe-478"):
            continue
        scheme = get_scheme(name)
        for row, number in zip(rows, face16.ibug68, strict=True):
            expected = str(scheme.ibug68.index(number)) if number in scheme.ibug68 else "-"
            assert row[column] == expected, f"{row[0]} in {name}"


def test_the_page_says_in_words_what_each_landmark_is():
    words = PAGE.read_text(encoding="utf-8").split("## The same point")[0]
    described = {name for line in words.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    assert described >= set(get_scheme("face16").landmark_names)
