"""Operators in the place of slower ones: the same numbers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, parser

from thermal_landmarks.exporting.quick_operators import (
    with_doubled_maps,
    with_quick_operators,
    with_sizes_of_results,
    with_small_places,
    with_wider_groups,
)
from thermal_landmarks.runtime.exported import shipped_exports


def graph() -> onnx.ModelProto:
    """Limits an image, and halves it twice; another pool is no half."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, "height", "width"))
    limits = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ()) for name in ("low", "high")]
    nodes = [
        helper.make_node("Max", ["image", "low"], ["raised"]),
        helper.make_node("Min", ["raised", "high"], ["limited"]),
        helper.make_node("AveragePool", ["limited"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("AveragePool", ["half"], ["quarter"], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0]),
        helper.make_node("AveragePool", ["limited"], ["smooth"], kernel_shape=[3, 3], strides=[2, 2]),
        helper.make_node("Max", ["half", "low"], ["inner"]),  # of no input
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("quarter", "smooth", "inner")]
    made = helper.make_graph(nodes, "graph", [image, *limits], results)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.mark.parametrize("size", [(16, 24), (15, 21), (13, 30)])
def test_a_graph_with_quick_operators_gives_the_same_numbers(size: tuple[int, int]) -> None:
    given = {
        "image": np.random.default_rng(0).normal(30, 10, (1, 1, *size)).astype(np.float32),
        "low": np.array(20, np.float32),
        "high": np.array(45, np.float32),
    }
    quick = with_quick_operators(graph())
    assert [node.op_type for node in quick.graph.node] == ["Clip", "Resize", "Resize", "AveragePool", "Max"]
    results = [onnxruntime.InferenceSession(model.SerializeToString()).run(None, given) for model in (graph(), quick)]
    for slow, fast in zip(*results, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=1e-6)


def test_maps_repeated_to_twice_their_size_need_no_sizes() -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, "height", "width"))
    nodes = [
        helper.make_node("MaxPool", ["image"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Shape", ["image"], ["size"]),
        helper.make_node(
            "Resize",
            ["half", "", "", "size"],
            ["repeated"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
    ]
    made = helper.make_graph(
        nodes, "graph", [image], [helper.make_tensor_value_info("repeated", TensorProto.FLOAT, None)]
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    given = {"image": np.random.default_rng(0).normal(size=(1, 1, 8, 12)).astype(np.float32)}
    (before,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    quick = with_doubled_maps(model)
    assert [node.op_type for node in quick.graph.node] == ["MaxPool", "Resize"]
    (after,) = onnxruntime.InferenceSession(quick.SerializeToString()).run(None, given)
    np.testing.assert_array_equal(after, before)


def test_the_size_of_maps_is_asked_of_the_last_that_have_it() -> None:
    text = """
    <ir_version: 10, opset_import: ["" : 20]>
    graph (float[1, 1, R, C] image, float[1, 1, 1, 1] w) => (float[1, 1, R, C] third, float[1, 1, R, C] up)
    <float[1, 1, R, C] first, float[1, 1, R, C] second, float[1, 1, R, C] third, float[1, 1, R, C] up>
    {
      first = Conv (image, w)
      rows = Shape <start = 2, end = 3> (first)
      columns = Shape <start = 3, end = 4> (first)
      ahead = Concat <axis = 0> (one, one, rows, columns)
      up = Expand (first, ahead)
      second = Conv (first, w)
      size = Shape <start = 2, end = 3> (first)
      third = Conv (up, w)
      rest = Identity (size)
    }
    """
    model = parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    for name in ("rest", "rows"):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.INT64, (1,)))
    with_sizes_of_results(model)
    asked = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Shape"}
    assert asked == {"rows": "first", "columns": "first", "size": "third"}  # the third map rests on the other two
    onnx.checker.check_model(model, full_check=True)


def test_places_are_gathered_in_the_bits_that_they_were_computed_in() -> None:
    text = """
    <ir_version: 10, opset_import: ["" : 20]>
    graph (float[N] pixels, float[M] at, int64[K] given) => (float[M] values, float[K] others)
    {
      short = Cast <to = 6> (at)
      long = Cast <to = 7> (short)
      values = GatherElements (pixels, long)
      same = Cast <to = 7> (given)
      others = GatherElements (pixels, same)
    }
    """
    model = with_small_places(parser.parse_model(text))
    assert [node.input[1] for node in model.graph.node if node.op_type == "GatherElements"] == ["short", "same"]
    given = {"pixels": np.arange(5, dtype=np.float32), "at": np.array([3.7, 1], np.float32), "given": np.array([2])}
    values, others = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    assert values.tolist() == [3, 1]
    assert others.tolist() == [2]


@pytest.mark.parametrize(("channels", "groups", "left"), [(32, 8, 2), (16, 8, 1), (32, 2, 2), (24, 6, 6), (20, 5, 5)])
def test_narrow_groups_are_joined_where_sixteen_channels_come_together(channels: int, groups: int, left: int) -> None:
    draw = np.random.default_rng(0)
    weight = draw.normal(size=(channels, channels // groups, 3, 3)).astype(np.float32)
    image, result = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("image", "result"))
    nodes = [  # that share their weights
        helper.make_node("Conv", names[:2], names[2:], group=groups, pads=[1, 1, 1, 1])
        for names in (["image", "weight", "once"], ["once", "weight", "result"])
    ]
    made = helper.make_graph(nodes, "graph", [image], [result], [numpy_helper.from_array(weight, "weight")])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    given = {"image": draw.normal(size=(1, channels, 6, 5)).astype(np.float32)}
    (before,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    wide = with_wider_groups(model)
    assert [each.i for node in wide.graph.node for each in node.attribute if each.name == "group"] == [left, left]
    (after,) = onnxruntime.InferenceSession(wide.SerializeToString()).run(None, given)
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_the_shipped_file_has_quick_operators() -> None:
    kinds = {node.op_type for node in onnx.load(shipped_exports()["thermal_real"]).graph.node}
    assert "AveragePool" not in kinds
    assert "GridSample" not in kinds  # several times as slow as gathering
    assert {"Clip", "Resize", "GatherElements"} <= kinds
