"""What a mutant may change in a call: the function, its arguments, its seed, its axis, its training flag."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

Edits = Iterator[tuple[str, ast.AST, str]]

UNARY = frozenset(
    {"sqrt", "square", "exp", "log", "log1p", "expm1", "abs", "sign", "floor", "ceil", "round", "stop_gradient"}
    | {"sigmoid", "softplus", "log_softmax", "softmax", "clip", "copy", "reversed", "transpose"}
)
"""Functions whose first argument has the shape of what they return."""

OTHER_FUNCTION = {
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "min",
    "min": "max",
    "sum": "mean",
    "mean": "sum",
    "reduce_sum": "reduce_mean",
    "reduce_mean": "reduce_sum",
    "reduce_std": "reduce_variance",
    "floor": "ceil",
    "ceil": "floor",
    "any": "all",
    "all": "any",
    "uniform": "normal",
    "normal": "uniform",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "assign_add": "assign",
    "assign_sub": "assign_add",
    "append": "extend",
}

SYMMETRIC = frozenset({"zip", "isinstance", "range", "min", "max", "maximum", "minimum", "map", "add", "multiply"})

FLAGS = ("training", "keepdims")


def mutate_call(node: ast.Call) -> Edits:
    """Yield every change to a call."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "slot":
        yield from _move_slot(node)
        return
    yield from _mutate_function(node, name)
    yield from _mutate_order(node, name)
    yield from _mutate_arguments(node)
    yield from _surround_by_slot(node)


def _mutate_function(node: ast.Call, name: str) -> Edits:
    if name in UNARY and node.args:
        yield "unchanged", node, ast.unparse(node.args[0])
    if name in ("maximum", "minimum") and len(node.args) == 2:
        yield "scale", node, ast.unparse(node.args[0])
    module = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name in OTHER_FUNCTION and not (module is None and name == "sum"):
        other = OTHER_FUNCTION[name] if module is None else f"{ast.unparse(module)}.{OTHER_FUNCTION[name]}"
        yield "function", node.func, other


def _mutate_order(node: ast.Call, name: str) -> Edits:
    if name in ("where", "cond") and len(node.args) == 3:
        yield "order", node, _write(node, [node.args[0], node.args[2], node.args[1]])
    elif name not in SYMMETRIC and len(node.args) > 1:
        first, second, *others = node.args
        plain = all(isinstance(argument, ast.Name | ast.Attribute | ast.Lambda) for argument in (first, second))
        if plain and "seed" not in ast.unparse(second):
            yield "order", node, _write(node, [second, first, *others])


def _mutate_arguments(node: ast.Call) -> Edits:
    for argument in node.args:
        if ast.unparse(argument) in ("seed", "slot.seed", "self.seed", "number"):
            yield "seed", argument, "0"
    for keyword in node.keywords:
        value = keyword.value
        if keyword.arg == "seed":
            yield "seed", value, "0"
        elif keyword.arg == "axis" or (keyword.arg or "").endswith("_dims"):
            yield from _mutate_axis(value)
        elif keyword.arg in FLAGS and not isinstance(value, ast.Constant):
            yield "flag", value, "True"
            yield "flag", value, "False"


def _mutate_axis(value: ast.expr) -> Edits:
    text = ast.unparse(value)
    yield "axis", value, {"0": "1", "1": "0", "-1": "0"}.get(text, "0")


def _write(node: ast.Call, arguments: list[ast.expr]) -> str:
    return ast.unparse(ast.Call(node.func, arguments, node.keywords))


def _move_slot(node: ast.Call) -> Edits:
    """Leave the slot out, and announce what goes into a layer instead of what comes out of it."""
    kind, tensor = node.args
    yield "dropped", node, ast.unparse(tensor)
    if isinstance(tensor, ast.Call) and tensor.args:
        inside = ast.Call(node.func, [kind, tensor.args[0]], [])
        yield "order", node, _write(tensor, [inside, *tensor.args[1:]])


def _surround_by_slot(node: ast.Call) -> Edits:
    """Announce what comes out of a layer instead of what goes into it."""
    inside = [
        child
        for argument in node.args
        for child in (argument.elts if isinstance(argument, ast.List) else [argument])
        if isinstance(child, ast.Call) and ast.unparse(child.func) == "slot"
    ]
    for call in inside:
        bare = copy.deepcopy(node)
        for child in ast.walk(bare):
            for argument in child.args if isinstance(child, ast.Call) else []:
                if isinstance(argument, ast.List):
                    argument.elts = [call.args[1] if ast.dump(e) == ast.dump(call) else e for e in argument.elts]
            if isinstance(child, ast.Call):
                child.args = [call.args[1] if ast.dump(a) == ast.dump(call) else a for a in child.args]
        yield "order", node, ast.unparse(ast.Call(call.func, [call.args[0], bare], []))
