"""24 pictures of the default data, each of another person, at the contrast that the network sees.

`python docs/studies/desk_faces.py docs/figures/faces_desk.webp`
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config

ROWS, COLUMNS = 4, 6


def main(path: Path) -> None:
    """Draws the sheet."""
    cfg = compose_config("train", ["data.source.size=[240,320]"])
    source = build("source", cfg.data.source)
    pictures = []
    for number in range(ROWS * COLUMNS):
        values = source.render(number * source.subjects // (ROWS * COLUMNS), number)
        low, high = np.percentile(values, cfg.data.normalisation.percentiles)
        pictures.append(np.clip((values - low) / (high - low) * 255, 0, 255).astype(np.uint8))
    rows = [np.hstack(pictures[i : i + COLUMNS]) for i in range(0, len(pictures), COLUMNS)]
    Image.fromarray(np.vstack(rows)).resize((1440, 720)).save(path, quality=80)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]))
