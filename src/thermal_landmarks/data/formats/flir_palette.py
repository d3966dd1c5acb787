"""The palette that a FLIR JPEG's picture is shown in, from the file's own record of it.

Layout after ExifTool's description (https://exiftool.org/TagNames/FLIR.html, PaletteInfo). Cameras write the Y, Cr and
Cb of these colours into the JPEG as they are, so that they are those of JPEG (0 to 255), not of television.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from thermal_landmarks.data.formats.flir import PALETTE

_COUNT, _NAME, _COLOURS = 0, slice(80, 112), 112  # bytes of the record
_FEWEST = 16  # colours; fewer are no palette of a picture


def stated_palette(records: Mapping[int, bytes]) -> tuple[str, UInt8[np.ndarray, "step 3"]] | None:
    """Name and colours, red, green and blue from cold to warm; None where a file has none.

    Args:
        records: Of a picture, as of `flir.flir_records`. Some cameras leave a name without colours.
    """
    record = records.get(PALETTE, b"")
    count = record[_COUNT] if record else 0
    stored = record[_COLOURS : _COLOURS + 3 * count]
    if count < _FEWEST or len(stored) < 3 * count:
        return None
    name = record[_NAME].split(b"\0")[0].decode("ascii", "replace").strip().lower()
    luma, red, blue = np.frombuffer(stored, np.uint8).reshape(-1, 3).astype(float).T  # Y, Cr, Cb
    red, blue = red - 128, blue - 128
    rgb = np.stack([luma + 1.402 * red, luma - 0.714 * red - 0.344 * blue, luma + 1.772 * blue], axis=1)
    return name or "stated by the file", np.rint(rgb).clip(0, 255).astype(np.uint8)
