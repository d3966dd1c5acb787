"""Real pictures without people out of free packages: what a second look learns beside, and what is kept aside.

    python docs/studies/real_pictures.py packages pictures     # makes pictures/train and pictures/held_out

`packages` is a folder with each of these unpacked below its own name (docs/studies/real_pictures.csv lists the files
and says which are kept aside; each was looked at, and those that show a person or a portrait were left out):

* from PyPI (`pip download --no-deps`): scikit-image 0.26.0 (BSD-3-Clause, its pictures mostly public domain),
  scikit-learn 1.9.1 (BSD-3-Clause; CC-BY), scipy 1.9.3 (BSD-3-Clause; public domain), gradio 6.31.0 and
  imagecorruptions 1.1.2 (Apache-2.0), imgaug 0.4.0 and deepforest 2.1.0 (MIT)
* from Debian 12 (`apt-get download`, `dpkg -x`): opencv-doc 4.6.0 (Apache-2.0), mate-backgrounds 1.26.0 (GPL-2+),
  blender-data 3.4.1 (its panoramas CC0)
* from npm (`npm pack`): @pmndrs/assets 1.7.0 (panoramas, CC0)

The panoramas need the package OpenEXR. None of these pictures comes with this project.
"""

import argparse
import base64
import bz2
import csv
import re
from pathlib import Path

import numpy as np
from PIL import Image

LIST = Path(__file__).with_suffix(".csv")
LONGEST_PX = 1024
RACCOON = (768, 1024, 3)  # of scipy's `face.dat`


def panorama(content: Path) -> Image.Image:
    """Brightness of an EXR file on a logarithmic scale, in gray levels."""
    import OpenEXR  # not a dependency of this project

    channels = OpenEXR.File(str(content)).channels()
    parts = [c.pixels.astype(np.float32) for name, c in channels.items() if name != "A"]
    gray = np.mean([part.mean(axis=-1) if part.ndim == 3 else part for part in parts], axis=0)
    levels = np.log(np.clip(gray, max(np.percentile(gray, 1), 1e-4), None))
    low, high = np.percentile(levels, (0.5, 99.8))
    return Image.fromarray((255 * np.clip((levels - low) / (high - low), 0, 1)).astype(np.uint8))


def picture(file: Path, output: Path) -> Image.Image:
    """One listed file in gray."""
    if file.suffix == ".js":  # a module that exports the file in base64
        found = re.search(r"base64,([^\"'`]+)", file.read_text())
        assert found, f"{file}: no data in base64."
        decoded = output.with_suffix(".exr")
        decoded.write_bytes(base64.b64decode(found[1]))
        gray = panorama(decoded)
        decoded.unlink()
        return gray
    if file.suffix == ".exr":
        return panorama(file)
    if file.suffix == ".dat":
        values = np.frombuffer(bz2.decompress(file.read_bytes()), np.uint8).reshape(RACCOON)
        return Image.fromarray(values).convert("L")
    return Image.open(file).convert("L")


def main() -> None:
    """Copy every listed picture into the folder of its part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("output", type=Path)
    chosen = parser.parse_args()
    for row in csv.DictReader(LIST.read_text().splitlines()):
        folder = chosen.output / row["part"]
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{row['package']}_{Path(row['path']).name}".replace("@", "").replace("/", "-").replace(".", "_")
        target = folder / f"{name}.png"
        gray = picture(chosen.packages / row["package"] / row["path"], target)
        gray.thumbnail((LONGEST_PX, LONGEST_PX))
        gray.save(target)


if __name__ == "__main__":
    main()
