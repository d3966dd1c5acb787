"""Our own parsers (FLIR, IS2, CSV, pts, COCO) under damage of ever new seeds, until the time is over.

By hand: `PYTHONPATH=tests uv run python tests/robustness/fuzz.py minutes=10`. Prints the seed and kind of each finding.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

from robustness.bounds import held_to_bounds
from robustness.broken_annotations import broken_contents, forms, write_good
from robustness.broken_pictures import good_pictures
from robustness.damage import damaged_bytes, damaged_text

from thermal_landmarks.data.formats.images import read_image

_PICTURES = ("flir.jpg", "fluke.is2", "table.csv", "comma.csv")
_FORMS = ("pts", "coco")


def main(minutes: float) -> int:
    """Number of findings."""
    end = time.monotonic() + 60 * minutes
    cases = findings = 0
    pictures = good_pictures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logging.disable()
        seed = 1000
        while time.monotonic() < end:
            seed += 1
            for kind in (*_PICTURES, *_FORMS):
                if kind in _PICTURES:
                    content, path = pictures[kind], folder / kind
                    damage = damaged_bytes(content, seed=seed, flips=20)
                    if kind.endswith("csv"):
                        damage = damaged_text(content.decode(), seed=seed)
                else:
                    form = forms()[kind]
                    write_good(form, folder / kind)
                    damage, path = broken_contents(form, seed=seed), folder / kind / form.files[0]
                for what, bad in damage:
                    path.write_bytes(bad)
                    cases += 1
                    try:
                        if kind in _PICTURES:
                            held_to_bounds(lambda path=path: read_image(path), path.name)
                        else:
                            source = forms()[kind].reader(folder / kind)
                            held_to_bounds(lambda source=source: list(source.annotations()), kind)
                    except Exception as error:
                        findings += 1
                        print(f"{kind}, seed {seed}, {what}: {type(error).__name__}: {str(error)[:200]}")
    print(f"{cases} cases to seed {seed}, {findings} findings")
    return findings


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1].removeprefix("minutes="))) > 0)
