"""The figures' former place; they are drawn in `evaluation`."""

from thermal_landmarks.evaluation.drawing import PREDICTED_COLOUR, TRUE_COLOUR, draw_boxes, draw_points, to_rgb
from thermal_landmarks.evaluation.figures import Curve, Panel, ced_figure, montage, overlay_grid

__all__ = ["PREDICTED_COLOUR", "TRUE_COLOUR", "Curve", "Panel", "ced_figure", "draw_boxes", "draw_points"]
__all__ += ["montage", "overlay_grid", "to_rgb"]
