"""A sheet of rendered scenes with the boxes and points of their faces, to judge both at a glance."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from thermal_faces import RenderedScene, SyntheticScenes
from thermal_landmarks.errors import ConfigError

FACE, IGNORED, VISIBLE, HIDDEN = (0, 230, 0), (230, 0, 0), (255, 230, 0), (230, 0, 0)
_POINTS_FROM_PX = 30  # height of a face on the sheet from which its points are shown


def scene_sheet(
    scenes: Sequence[RenderedScene], *, columns: int = 6, tile_px: tuple[int, int] = (165, 220)
) -> Image.Image:
    """Scenes side by side, each between its own darkest and brightest values.

    Green boxes are faces, red ones are faces that are too hidden, small or faint to be looked for; yellow points can be
    seen, red ones can't.

    Args:
        scenes: What to show, row by row.
        columns: Scenes in a row.
        tile_px: Height and width of each on the sheet.

    Raises:
        ConfigError: If there are no scenes.
    """
    if not scenes:
        raise ConfigError("A sheet needs at least one scene.")
    height, width = tile_px
    sheet = Image.new("RGB", (columns * width, -(-len(scenes) // columns) * height))
    for number, scene in enumerate(scenes):
        row, column = divmod(number, columns)
        sheet.paste(_tile(scene, tile_px), (column * width, row * height))
    return sheet


def _tile(scene: RenderedScene, tile_px: tuple[int, int]) -> Image.Image:
    height, width = tile_px
    tile = Image.fromarray(_gray(scene)).resize((width, height)).convert("RGB")
    pen = ImageDraw.Draw(tile)
    scale = np.array([width / scene.values.shape[1], height / scene.values.shape[0]])
    for face in scene.faces:
        (left, top), (right, bottom) = np.reshape(face.box_px, (2, 2)) * scale
        pen.rectangle((left, top, right, bottom), outline=FACE if face.is_face else IGNORED)
        if bottom - top > _POINTS_FROM_PX:
            for (x, y), visible in zip(face.points_px * scale, face.visible, strict=True):
                pen.ellipse((x - 1, y - 1, x + 1, y + 1), fill=VISIBLE if visible else HIDDEN)
    return tile


def _gray(scene: RenderedScene) -> UInt8[np.ndarray, "height width"]:
    values: Float[np.ndarray, "height width"] = scene.values
    if scene.unit == "celsius":
        low, high = np.percentile(values, (0.5, 99.7))
        values = (values - low) * (255 / max(high - low, 0.1))
    return np.clip(values, 0, 255).astype(np.uint8)


def main(picture: Path) -> None:
    """Draw thirty scenes into one PICTURE."""
    source = SyntheticScenes(images=30, seed=11)
    scene_sheet([source.render(index) for index in range(len(source))]).save(picture, quality=85)


if __name__ == "__main__":
    typer.run(main)
