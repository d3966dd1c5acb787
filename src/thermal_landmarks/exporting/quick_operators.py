"""Operators of a converted graph in the place of slower ones that give the same numbers in ONNX Runtime."""

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_HALF, _TWICE = "half_size", "twice_the_size"
_BLOCK = 16  # channels that ONNX Runtime's convolutions take together


def with_quick_operators(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with another operator where images are halved, and where the values of an input are limited.

    Averages of two by two pixels take less than half of the time as a bilinear resize, and limits one pass instead of
    two.

    Args:
        model: Is changed itself.
    """
    graph = model.graph
    inputs = {value.name for value in graph.input}
    raised = {node.output[0]: node for node in graph.node if node.op_type == "Max" and node.input[0] in inputs}
    for node in list(graph.node):
        if node.op_type == "AveragePool" and _halves(node):
            quick = helper.make_node("Resize", [node.input[0], "", _HALF], node.output, name=node.name, mode="linear")
            node.CopyFrom(quick)
        elif node.op_type == "Min" and node.input[0] in raised:
            low = raised[node.input[0]]
            quick = helper.make_node("Clip", [*low.input, node.input[1]], node.output, name=node.name)
            graph.node.remove(low)
            node.CopyFrom(quick)
    if any(_HALF in node.input for node in graph.node):
        graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32), _HALF))
    return model


def with_wider_groups(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with several narrow groups of a convolution as one of 16 channels, zeros between those that were apart.

    ONNX Runtime has quick convolutions for blocks of 16 channels; with 4 channels a group they take twice the time of
    such a block, and maps are put in another order before and after.

    Args:
        model: Is changed itself.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    before: dict[str, np.ndarray] = {}  # several nodes may share weights
    for node in model.graph.node:
        (groups,) = [each for each in node.attribute if each.name == "group"] or [None]
        if node.op_type != "Conv" or groups is None or node.input[1] not in weights:
            continue
        name = node.input[1]
        narrow = before.setdefault(name, numpy_helper.to_array(weights[name]))
        outputs, channels = len(narrow) // groups.i, narrow.shape[1]
        joined = _BLOCK // channels
        if outputs != channels or not 1 < channels < _BLOCK or _BLOCK % channels or groups.i % joined:
            continue
        wide = np.zeros((len(narrow), _BLOCK, *narrow.shape[2:]), narrow.dtype)
        for group in range(groups.i):
            rows, first = slice(group * outputs, (group + 1) * outputs), group % joined * channels
            wide[rows, first : first + channels] = narrow[rows]
        weights[name].CopyFrom(numpy_helper.from_array(wide, name))
        groups.i //= joined
    return model


def with_doubled_maps(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with each map repeated to twice its size, instead of to a size that is computed from another map.

    ONNX Runtime then keeps maps in the blocks of channels that its convolutions want, and adds and limits them there.

    Args:
        model: In which every level of a pyramid is half as large as the next; is changed itself.
    """
    graph = model.graph
    repeats = [node for node in graph.node if node.op_type == "Resize" and _setting(node, "mode") == b"nearest"]
    for node in repeats:
        node.input[:] = [node.input[0], "", _TWICE]
    if repeats:
        graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), _TWICE))
    return _without_unused(model)  # such as what computed the sizes


def with_small_places(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph that gathers by places in 32 bits, where PyTorch has computed them so and then asks for 64.

    Args:
        model: Is changed itself.
    """
    types = {value.name: value.type.tensor_type.elem_type for value in _known(model)}
    casts = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    for node in model.graph.node:
        if node.op_type == "GatherElements" and types.get(casts.get(node.input[1], "")) == TensorProto.INT32:
            node.input[1] = casts[node.input[1]]
    return _without_unused(model)


def with_sizes_of_results(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph that asks the last of all maps of one size for it, instead of the first.

    ONNX Runtime brings a map that is asked out of the order of its convolutions; the last one leaves it anyway.

    Args:
        model: With the sizes that PyTorch's exporter knows; is changed itself.
    """
    graph = model.graph
    sizes = {
        each.name: [d.dim_param or d.dim_value for d in each.type.tensor_type.shape.dim] for each in graph.value_info
    }
    made_by = {node.output[0]: node for node in graph.node}
    for asking in [node for node in graph.node if node.op_type == "Shape" and node.input[0] in made_by]:
        asked, axes = asking.input[0], slice(*(_number(asking, end) for end in ("start", "end")))
        maps = [node.output[0] for node in graph.node if node.op_type == "Conv" and node.output[0] in sizes]
        alike = [name for name in maps if sizes[name][axes] == sizes.get(asked, [None])[axes]]
        if asked in maps and asking not in nodes_behind(graph, {alike[-1]}):
            asking.input[0] = alike[-1]
    left = [_copied(node) for node in graph.node]
    known = {"", *(value.name for value in graph.input), *(tensor.name for tensor in graph.initializer)}
    del graph.node[:]
    while left:  # each after those that it rests on
        waiting = []
        for node in left:
            if known.issuperset(node.input):
                graph.node.append(node)
                known.update(node.output)
            else:
                waiting.append(node)
        left = waiting
    return model


def _known(model: onnx.ModelProto) -> Iterable[onnx.ValueInfoProto]:
    """Types and sizes of what the nodes make, as far as they follow from those of the inputs."""
    return onnx.shape_inference.infer_shapes(model).graph.value_info


def _without_unused(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    used = {node.output[0] for node in nodes_behind(graph, {result.name for result in graph.output})}
    for node in [node for node in graph.node if node.output[0] not in used]:
        graph.node.remove(node)
    return model


def _setting(node: onnx.NodeProto, name: str) -> bytes:
    return next((each.s for each in node.attribute if each.name == name), b"")


def _number(node: onnx.NodeProto, name: str) -> int | None:
    return next((each.i for each in node.attribute if each.name == name), None)


def _copied(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _halves(pool: onnx.NodeProto) -> bool:
    settings = {each.name: list(each.ints) or each.i for each in pool.attribute if each.name != "auto_pad"}
    two_by_two = settings["kernel_shape"] == settings.get("strides") == [2, 2]
    return two_by_two and not settings.get("ceil_mode") and not any(settings.get("pads", ()))


def nodes_behind(graph: onnx.GraphProto, wanted: set[str]) -> list[onnx.NodeProto]:
    """Those that some results rest on, in order."""
    wanted, found = set(wanted), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            found.append(node)
            wanted.update(node.input)
    return found[::-1]
