"""How well faces are found in each colour palette: `python docs/studies/finding_by_palette.py [scenes] [palette ...]`.

Scenes with two to four people and rooms without people are rendered as temperatures, shown in every known palette as
JPEG files, and read again as `predict` reads them. Prints for each palette the share of pictures that are read in it,
recall (faces of 16 pixels and more) and false faces a picture by default.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from finding_faces import Picture, measure, ours, rendered
from PIL import Image

from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.formats.palettes import BLACK_HOT, KNOTS, named_palette
from thermal_landmarks.data.scenes.gray import to_bytes

WHITE_HOT = "white_hot"
SETS = {"people": {"nobody": 0.0, "alone": 0.0, "few": 1.0}, "nobody": {"nobody": 1.0}}
QUALITY = 85


def colours(palette: str) -> np.ndarray:
    """256 colours from cold to warm."""
    if palette == WHITE_HOT:
        return BLACK_HOT.colours[::-1]
    known = BLACK_HOT.colours if palette == BLACK_HOT.name else named_palette(palette).colours
    at = np.linspace(0, len(known) - 1, 256)
    return np.stack([np.interp(at, np.arange(len(known)), known[:, channel]) for channel in range(3)], axis=1)


def main(count: int, palettes: list[str]) -> None:
    """Print a row for each palette."""
    torch.set_num_threads(1)
    detect = ours()
    celsius = {"sensor": {"eight_bit": 0.0}, "clutter": {"burnt_in": 0.0}}
    scenes = {name: list(rendered(count, 60606, crowd=crowd, **celsius)) for name, crowd in SETS.items()}
    with tempfile.TemporaryDirectory() as folder:
        for palette in palettes:
            cells, table = [], np.rint(colours(palette)).astype(np.uint8)
            for name, pictures in scenes.items():
                shown, recognised = [], 0
                for number, picture in enumerate(pictures):
                    file = Path(folder) / f"{name}-{number}.jpg"
                    Image.fromarray(table[to_bytes(picture.image.values, "celsius")]).save(file, quality=QUALITY)
                    heat = as_heat(read_image(file, unit="counts"))
                    recognised += heat.palette == palette
                    shown.append(Picture(heat, picture.faces, picture.ignored))
                row = measure(detect, iter(shown), 0.4)
                cells.append(f"{name}: read in it {recognised / count:.2f}, false {row['false_by_default']}")
                cells += [f"recall {row['recall_by_default']} of {row['faces']}"] * (name == "people")
            print(f"{palette}: {'; '.join(cells)}", flush=True)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    names = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    main(*(numbers or [60]), names or [WHITE_HOT, BLACK_HOT.name, *KNOTS])
