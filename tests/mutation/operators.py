"""What a mutant may change: one expression or statement, as a replacement of its text."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.calls import mutate_call

Edits = Iterator[tuple[str, ast.AST, str]]
"""Kind of change, the node that is replaced, and its new text."""

OTHER_OPERATOR: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("sign", "-"),
    ast.Sub: ("sign", "+"),
    ast.Mult: ("factor", "/"),
    ast.Div: ("factor", "*"),
    ast.Pow: ("factor", "*"),
    ast.FloorDiv: ("factor", "*"),
    ast.Mod: ("factor", "//"),
    ast.BitAnd: ("comparison", "|"),
    ast.BitOr: ("comparison", "&"),
}

OTHER_COMPARISON: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}

OTHER_WORD = {
    "same": "valid",
    "fan_in": "fan_out",
    "lecun_normal": "glorot_uniform",
    "glorot_uniform": "lecun_normal",
    "min": "max",
    "max": "min",
}

UNCHANGED = ("per_example", "h", "w", "x", "y", "logits", "values", "tensors", "tensor", "squares")
"""Names of parameters that a function may return as they are, the first of them that it has."""

Function = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class Place:
    """Where a node stands."""

    parents: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        """The node around it."""
        return self.parents[-1]

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters of the function around it."""
        for node in reversed(self.parents):
            if isinstance(node, Function):
                return [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
        return []


def find_edits(tree: ast.Module) -> Edits:
    """Yield every change to a module, statement by statement."""
    yield from _visit(tree, ())


def _visit(node: ast.AST, parents: tuple[ast.AST, ...]) -> Edits:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.Assert | ast.JoinedStr):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return  # a check that costs nothing
    if parents:
        place = Place(parents)
        yield from _mutate_expression(node, place)
        yield from _mutate_statement(node, place)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "op", "ops", "ctx"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _visit(child, (*parents, node))


def _mutate_expression(node: ast.AST, place: Place) -> Edits:
    match node:
        case ast.BinOp():
            yield from _mutate_arithmetic(node, place)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "sign", node, ast.unparse(operand)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for other in OTHER_COMPARISON[type(op)]:
                yield "comparison", node, f"{ast.unparse(left)} {other} {ast.unparse(right)}"
        case ast.BoolOp(values=values):
            for index in range(len(values)):
                kept = [*values[:index], *values[index + 1 :]]
                yield "comparison", node, ast.unparse(ast.BoolOp(node.op, kept) if len(kept) > 1 else kept[0])
        case ast.IfExp(body=body, orelse=orelse):
            yield "comparison", node, ast.unparse(body)
            yield "comparison", node, ast.unparse(orelse)
        case ast.Call():
            yield from mutate_call(node)
        case ast.Constant():
            yield from _mutate_constant(node)
        case ast.Set(elts=items) | ast.Tuple(elts=items) if len(items) > 1 and all(map(_is_text, items)):
            for index in range(len(items)):
                yield "constant", node, ast.unparse(type(node)(elts=[*items[:index], *items[index + 1 :]]))
        case ast.Lambda(args=ast.arguments(args=[argument])) if ast.unparse(node.body) != argument.arg:
            yield "unchanged", node.body, argument.arg
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if isinstance(place.parent, ast.BinOp):
            yield "factor", node, f"self.{attribute} * 2"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _mutate_arithmetic(node: ast.BinOp, place: Place) -> Edits:
    if type(node.op) not in OTHER_OPERATOR or isinstance(node.left, ast.JoinedStr):
        return
    kind, other = OTHER_OPERATOR[type(node.op)]
    left, right = (ast.unparse(side) for side in (node.left, node.right))
    yield kind, node, f"({left}) {other} ({right})"
    yield "scale", node, left
    if isinstance(node.op, ast.Mult | ast.Add | ast.BitAnd | ast.BitOr):
        yield "scale", node, right
    if isinstance(node.op, ast.Sub | ast.Div):
        symbol = "-" if isinstance(node.op, ast.Sub) else "/"
        yield "order", node, f"({right}) {symbol} ({left})"
    if not isinstance(place.parent, ast.BinOp | ast.UnaryOp | ast.Compare):
        yield "factor", node, f"2 * ({ast.unparse(node)})"


def _mutate_constant(node: ast.Constant) -> Edits:
    value = node.value
    if isinstance(value, bool):
        yield "constant", node, str(not value)
    elif isinstance(value, int):
        yield "constant", node, str(value + 1)
    elif isinstance(value, float):
        yield "constant", node, repr(2.0 * value if value else 1.0)
    elif isinstance(value, str) and value in OTHER_WORD:
        yield "constant", node, repr(OTHER_WORD[value])


def _mutate_statement(node: ast.AST, place: Place) -> Edits:
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield "dropped", node, "pass"
        case ast.Assign(targets=[ast.Attribute()]):
            yield "dropped", node, "pass"
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _read_names(value):
            yield "dropped", node, "pass"
        case ast.If(test=test):
            yield "dropped", test, "False"
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                yield "comparison", test, f"not {ast.unparse(test)}"
        case ast.Return(value=ast.Tuple(elts=items)):
            for item, parameter in zip(items, place.parameters, strict=False):
                if ast.unparse(item) != parameter:
                    yield "unchanged", item, parameter
        case ast.Return(value=ast.expr() as value):
            names = [name for name in UNCHANGED if name in place.parameters]
            if names and ast.unparse(value) != names[0] and not isinstance(value, ast.Constant | ast.JoinedStr):
                yield "unchanged", value, names[0]
    for _, body in ast.iter_fields(node):
        if isinstance(body, list):
            yield from _swap_statements(body)


def _read_names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _swap_statements(body: list[ast.AST]) -> Edits:
    """Yield pairs of neighboring statements in the other order, where both set one name or have an effect."""
    for first, second in itertools.pairwise(body):
        if _get_effect(first) is not None and _get_effect(first) == _get_effect(second):
            pair = ast.Module([first, second], [])  # type: ignore[list-item]
            ast.copy_location(pair, first)
            pair.end_lineno, pair.end_col_offset = second.end_lineno, second.end_col_offset  # type: ignore[attr-defined]
            for name in ("lineno", "col_offset"):
                setattr(pair, name, getattr(first, name))
            indent = " " * first.col_offset  # type: ignore[attr-defined]
            yield "order", pair, f"\n{indent}".join(map(ast.unparse, (second, first)))


def _get_effect(statement: ast.AST) -> str | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Assign(targets=[ast.Attribute()]):
            return ""
    return None
