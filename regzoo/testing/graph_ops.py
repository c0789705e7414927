"""Traced: what a function that TensorFlow has traced consists of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

PRODUCT = re.compile(r"MatMul|Conv|Einsum")
"""Matrix products, convolutions and their gradients: nearly all the time of a training step."""


def list_operations(function: Any) -> list[str]:
    """The kinds of all operations in a concrete function, those of the functions it calls included."""
    graph = function.graph.as_graph_def()
    return [node.op for node in graph.node] + [n.op for f in graph.library.function for n in f.node_def]


def count_products(function: Any, layers: Collection[str]) -> int:
    """How many products these ``layers`` make in one call of a concrete function, gradients included.

    Of a condition both branches count. What nothing uses is not counted: TensorFlow leaves it out.
    """
    library = {called.signature.name: called for called in function.graph.as_graph_def().library.function}
    scope = re.compile(rf"(^|/)({'|'.join(map(re.escape, layers))})(_\d+)?/")
    nodes = _used(function.function_def, library)
    return sum(bool(PRODUCT.search(node.op) and scope.search(node.name)) for node in nodes)


def _used(definition: Any, library: dict[str, Any]) -> Iterator[Any]:
    """The nodes that the results of a function depend on, those of the functions it calls included."""
    nodes = {node.name: node for node in definition.node_def}
    open_ends = [*definition.ret.values(), *definition.control_ret.values()]
    seen: set[str] = set()
    while open_ends:
        name = open_ends.pop().removeprefix("^").partition(":")[0]
        if name in seen or name not in nodes:  # an argument is no node
            continue
        seen.add(name)
        yield nodes[name]
        open_ends += nodes[name].input
        for attribute in nodes[name].attr.values():
            for called in (attribute.func, *attribute.list.func):
                if called.name in library:
                    yield from _used(library[called.name], library)
