"""The finder's quick look (`Finder(first_size=...)`) in a graph: the finer look runs only where it is needed."""

import onnx
from onnx import TensorProto, helper

from thermal_landmarks.exporting.choice_graph import SEEN
from thermal_landmarks.exporting.quick_operators import nodes_behind

FIRST = "first/"
"""What names of the nodes of the quick look start with."""
_FINER = "finer/"


def with_first_look(model: onnx.ModelProto, first: onnx.ModelProto) -> onnx.ModelProto:
    """The graph of all faces, whose finer look at the whole image is left out where the quick one is enough.

    Both looks have their own copy of the finder's weights: ONNX Runtime packs those of a branch for its quickest
    convolutions only where they lie inside it.

    Args:
        model: From `image` and `celsius` by way of `SEEN`, in any precision.
        first: The same three from the same two, at a smaller size, of the best candidate alone, and whether it is
            `enough`; names start with `FIRST`, results included.
    """
    joined = onnx.ModelProto()
    joined.CopyFrom(model)
    graph = joined.graph
    finer = nodes_behind(graph, set(SEEN))
    kept = [node for node in graph.node if node not in finer]
    weights = [tensor for tensor in graph.initializer if any(tensor.name in node.input for node in finer)]
    elsewhere = [tensor for tensor in graph.initializer if any(tensor.name in node.input for node in kept)]
    finer = [_renamed(node, {name: f"{_FINER}{name}" for name in ("images", *SEEN)}) for node in finer]
    decided = helper.make_node(
        "If",
        [f"{FIRST}enough"],
        list(SEEN),
        name=f"{FIRST}if",
        then_branch=_branch("enough", FIRST, [], []),
        else_branch=_branch("finer", _FINER, finer, weights),
    )
    nodes = [*first.graph.node, decided, *kept]
    copies = [_renamed(node, {}) for node in nodes]  # before what they belong to is emptied
    initializers = [*first.graph.initializer, *elsewhere]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(copies)
    graph.initializer.extend(initializers)
    onnx.checker.check_model(joined)
    return joined


def _branch(name: str, prefix: str, nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]) -> onnx.GraphProto:
    results = [f"{prefix}{name}/{result}" for result in SEEN]
    last = [
        helper.make_node("Identity", [f"{prefix}{seen}"], [result]) for seen, result in zip(SEEN, results, strict=True)
    ]
    opened = [helper.make_tensor_value_info(result, TensorProto.FLOAT, None) for result in results]
    return helper.make_graph([*nodes, *last], name, [], opened, initializer=weights)


def _renamed(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    return copy
