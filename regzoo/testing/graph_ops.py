"""Operations of a traced TensorFlow function: their kinds, and the matrix products of some layers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

PRODUCT = re.compile(r"MatMul|Conv|Einsum")
"""Matrix products, convolutions and their gradients, which take nearly all the time of a training step."""


def list_operations(function: Any) -> list[str]:
    """Return the kinds of all operations in a concrete function and in the functions that it calls."""
    graph = function.graph.as_graph_def()
    return [node.op for node in graph.node] + [n.op for f in graph.library.function for n in f.node_def]


def count_products(function: Any, layers: Collection[str]) -> int:
    """Count the products of these ``layers`` in one call of a concrete function, gradients included.

    Both branches of a condition count. Operations whose results are unused do not: TensorFlow prunes them.
    """
    library = {called.signature.name: called for called in function.graph.as_graph_def().library.function}
    scope = re.compile(rf"(^|/)({'|'.join(map(re.escape, layers))})(_\d+)?/")
    nodes = _iterate_used(function.function_def, library)
    return sum(bool(PRODUCT.search(node.op) and scope.search(node.name)) for node in nodes)


def _iterate_used(definition: Any, library: dict[str, Any]) -> Iterator[Any]:
    """Yield the nodes that the results of a function depend on, also in the functions that it calls."""
    nodes = {node.name: node for node in definition.node_def}
    pending = [*definition.ret.values(), *definition.control_ret.values()]
    seen: set[str] = set()
    while pending:
        name = pending.pop().removeprefix("^").partition(":")[0]
        if name in seen or name not in nodes:  # arguments are not nodes
            continue
        seen.add(name)
        yield nodes[name]
        pending += nodes[name].input
        for attribute in nodes[name].attr.values():
            for called in (attribute.func, *attribute.list.func):
                if called.name in library:
                    yield from _iterate_used(library[called.name], library)
