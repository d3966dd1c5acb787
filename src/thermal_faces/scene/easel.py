"""Where a thing of a scene is painted: its own coordinates on the picture, and the brushes in these."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from thermal_faces.scene.shapes import paint_box, paint_ellipse, paint_limb

Place = tuple[float, float]


@dataclass(frozen=True)
class Easel:
    """A place on a picture in degrees Celsius; things are painted in units of their own size, y down."""

    image: Float[np.ndarray, "height width"]  # the picture, changed in place
    x_px: float  # where the thing's origin lies
    y_px: float  # likewise
    unit_px: float  # length of one unit; its sign mirrors the thing
    soft_px: float = 1.0  # width of borders
    fold: tuple[int, int] = (0, 0)  # where in the pattern of cloth and fur it begins

    def limb(self, start: Place, end: Place, radii: Place, start_c: float, end_c: float, **style: float) -> None:
        """A rounded cone."""
        size = abs(self.unit_px)
        paint_limb(
            self.image, self._at(start), self._at(end), (radii[0] * size, radii[1] * size), (start_c, end_c),
            fold=self.fold, **self._style(style),
        )  # fmt: skip

    def ellipse(
        self, centre: Place, radii: Place, temperature_c: float, *, angle_rad: float = 0.0, **style: float
    ) -> None:
        """An ellipse or a rounded box."""
        size, turned = abs(self.unit_px), angle_rad if self.unit_px > 0 else -angle_rad
        paint_ellipse(
            self.image, self._at(centre), (max(radii[0] * size, 0.3), max(radii[1] * size, 0.3)), temperature_c,
            angle_rad=turned, fold=self.fold, **self._style(style),
        )  # fmt: skip

    def box(
        self, centre: Place, half: Place, top_c: float, bottom_c: float, *, angle_rad: float = 0.0, **style: float
    ) -> None:
        """A box whose temperature runs from top to bottom."""
        size, turned = abs(self.unit_px), angle_rad if self.unit_px > 0 else -angle_rad
        paint_box(
            self.image, self._at(centre), (max(half[0] * size, 0.3), max(half[1] * size, 0.3)), (top_c, bottom_c),
            angle_rad=turned, fold=self.fold, **self._style(style),
        )  # fmt: skip

    def _at(self, place: Place) -> Place:
        return self.x_px + place[0] * self.unit_px, self.y_px + place[1] * abs(self.unit_px)

    def _style(self, style: dict[str, float]) -> dict[str, float]:
        return {"soft_px": self.soft_px, **style}
