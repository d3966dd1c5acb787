"""What the finder's network is shown of images, as a graph: gray levels, padded to whole cells.

Written in ONNX's own text, since PyTorch's exporter makes four times as many operators of it. The sizes of images are
open, and most of the operators would compute them.
"""

import math

import onnx

from thermal_landmarks.data.scenes.gray import PERCENTILES, SAMPLES, SKIN_RANGE_C
from thermal_landmarks.exporting.written_graph import written_model
from thermal_landmarks.inference.finder import MULTIPLE

_USUAL_SHAPE = 3 / 4  # height of an image by its width
_TOGETHER = 32  # values of which the most extreme one says whether to look at the others

_TEXT = """
<ir_version: 10, opset_import: ["" : {opset}]>
seen (float[image, height, width] images, bool celsius)
  => (float[image, 1, rows, columns] gray, float[1] longest)
{{
  # As `Finder` has it: the longest side becomes `longest_side` pixels, the other follows, rounded.
  sides = Shape <start = 1> (images)
  longest_of_image = ReduceMax <keepdims = 1> (sides)
  longest = Cast <to = 1> (longest_of_image)
  parts = Mul (sides, two_longest_sides)
  rounded = Add (parts, longest_of_image)
  halves = Mul (longest_of_image, two)
  size = Div (rounded, halves)
  least = Where (celsius, coldest, minus_infinity)
  most = Where (celsius, hottest, infinity)
  values = Clip (images, least, most)
  one_channel = Unsqueeze (values, channel_axis)
  small = Resize <mode = "linear", antialias = 1, exclude_outside = 1, axes = [2, 3]> (one_channel, , , size)

  # The darkest and the brightest level are percentiles of a sample, as `numpy.percentile` gives them.
  sampled = Slice (small, sample_start, sample_end, sample_axes, sample_steps)
  sample = Reshape (sampled, a_row_an_image)
  count = Shape <start = 1> (sample)
  last = Sub (count, one)
  last_number = Cast <to = 1> (last)
  rank = Mul (last_number, share)
  below = Floor (rank)
  beyond = Sub (rank, below)
  place = Cast <to = 7> (below)
  next_place = Add (place, one)
  some = Div (count, two_hundred)
  ends = Add (some, two)

  # The most extreme values are among those together with the most extreme ones of all that lie together.
  over = Mod (count, together)
  whole = Sub (count, over)
  kept = Slice (sample, zero, whole, one)
  rest = Slice (sample, whole, count, one)
  groups = Reshape (kept, groups_an_image)
{both}
  range = Sub (bright, dark)
  enough = Clip (range, least_range)
  contrast = Div (white, enough)
  above = Sub (small, dark)
  scaled = Mul (above, contrast)
  whole_levels = Round (scaled)
  levels = Clip (whole_levels, black, white)
  halved = Div (levels, middle)
  centred = Sub (halved, unit)
  missing = Neg (size)
  more = Mod (missing, multiple)
  padding = Concat <axis = 0> (no_padding, more)
  gray = Pad (centred, padding, minus_unit, padded_axes)
}}
"""

_END = """
  {end}_of_groups = {reduce} <keepdims = 0> (groups, group_axis)
  {end}_values, {end}_groups = TopK <axis = 1, largest = {largest}, sorted = 0> ({end}_of_groups, ends)
  {end}_places = Unsqueeze ({end}_groups, group_axis)
  {end}_grouped = GatherND <batch_dims = 1> (groups, {end}_places)
  {end}_near = Reshape ({end}_grouped, a_row_an_image)
  {end}_all = Concat <axis = 1> ({end}_near, rest)
  {end}_sorted, {end}_indices = TopK <axis = 1, largest = {largest}> ({end}_all, ends)
  {end}_at = Gather <axis = 1> ({end}_sorted, place)
  {end}_next = Gather <axis = 1> ({end}_sorted, next_place)
  {end}_apart = Sub ({end}_next, {end}_at)
  {end}_part = Mul (beyond, {end}_apart)
  {end}_level = Add ({end}_at, {end}_part)
  {end} = Unsqueeze ({end}_level, level_axes)
"""


def seen_model(longest_side: int, opset: int) -> onnx.ModelProto:
    """From `images` (image, height, width) and `celsius` to `gray` (image, 1, rows, columns) and `longest`, their side.

    Args:
        longest_side: That images are seen at.
        opset: Of ONNX.
    """
    # As `to_bytes` has it for images of the usual shape, which must not depend on the image here.
    step = max(1, int((_USUAL_SHAPE * longest_side**2 / SAMPLES) ** 0.5))
    low, high = PERCENTILES
    assert low == 100 - high
    ends = (("dark", "ReduceMin", 0), ("bright", "ReduceMax", 1))
    both = "".join(_END.format(end=end, reduce=reduce, largest=largest) for end, reduce, largest in ends)
    whole: dict[str, int | list[int]] = {
        "zero": [0], "one": [1], "two": [2], "two_hundred": [200], "two_longest_sides": [2 * longest_side],
        "together": [_TOGETHER], "multiple": [MULTIPLE], "channel_axis": [1], "group_axis": [2], "level_axes": [2, 3],
        "sample_start": [0, 0], "sample_end": [2**31, 2**31], "sample_axes": [2, 3], "sample_steps": [step, step],
        "a_row_an_image": [0, -1], "groups_an_image": [0, -1, _TOGETHER], "no_padding": [0, 0], "padded_axes": [2, 3],
    }  # fmt: skip
    numbers: dict[str, float | list[float]] = {
        "coldest": SKIN_RANGE_C[0], "hottest": SKIN_RANGE_C[1], "infinity": math.inf, "minus_infinity": -math.inf,
        "share": low / 100, "least_range": 1e-3, "black": 0.0, "white": 255.0, "middle": 127.5, "unit": 1.0,
        "minus_unit": -1.0,
    }  # fmt: skip
    return written_model(_TEXT.format(opset=opset, both=both), whole, numbers)
