"""One candidate for each face, as a graph: ONNX's own NonMaxSuppression, which leaves the number of faces open."""

import math

import onnx

from thermal_landmarks.exporting.written_graph import written_model
from thermal_landmarks.inference.finder import LEAST_SCORE, OVERLAP

SEEN = ("cells", "scores", "directions")
"""What a look at an image leaves: boxes, scores, and cosines and sines of angles, of all candidates."""
MOST_FACES = 200
"""Of a picture."""

_TEXT = """
<ir_version: 10, opset_import: ["" : {opset}]>
choose (float[image, cell, 4] cells, float[image, 1, cell] scores, float[image, cell, 2] directions)
  => (int64[face] image_of_face, float[face, 4] boxes, float[face] raw_score, float[face] angle)
{{
  selected = NonMaxSuppression (cells, scores, most, overlap, least_score)
  image_of_face = Gather <axis = 1> (selected, image_column)
  places = Gather <axis = 1> (selected, image_and_cell)
  boxes = GatherND (cells, places)
  all_scores = Squeeze (scores, one_class)
  raw_score = GatherND (all_scores, places)

  # The angle whose cosine and sine these are; 0 if both are 0.
  chosen = GatherND (directions, places)
  cosine = Gather <axis = 1> (chosen, cosine_column)
  sine = Gather <axis = 1> (chosen, sine_column)
  ratio = Div (sine, cosine)
  within = Atan (ratio)
  downwards = Less (sine, nothing)
  turn = Where (downwards, back, forth)
  behind = Less (cosine, nothing)
  further = Where (behind, turn, nothing)
  whole = Add (within, further)
  undefined = IsNaN (whole)
  angle = Where (undefined, nothing, whole)
}}
"""


def choice_model(opset: int) -> onnx.ModelProto:
    """From `SEEN` to `image_of_face`, counted from 0, and `boxes`, `raw_score` and `angle` (radians) of each.

    Args:
        opset: Of ONNX.
    """
    whole: dict[str, int | list[int]] = {
        "most": [MOST_FACES], "one_class": [1], "image_and_cell": [0, 2],
        "image_column": 0, "cosine_column": 0, "sine_column": 1,
    }  # fmt: skip
    numbers: dict[str, float | list[float]] = {
        "overlap": [OVERLAP], "least_score": [LEAST_SCORE], "nothing": 0.0, "back": -math.pi, "forth": math.pi
    }  # fmt: skip
    return written_model(_TEXT.format(opset=opset), whole, numbers)
