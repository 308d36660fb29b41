"""Every small change of a module that a test of it should notice: one node of its syntax tree at a time.

Changed are: comparisons, `and` and `or`, `not`, bare conditions, arithmetic, numbers, truth values, words (texts
without a blank; a text with one is for people), rows of tables, and statements that only call something, which are
left out. Left alone are imports, annotations, decorators, docstrings and what an exception says.
Owns: those changes. Never: runs anything (run).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. `apply` makes it in the tree that it was found in, for good."""

    line: int
    before: str
    after: str
    apply: Callable[[], None]


def mutants(tree: ast.Module) -> list[Mutant]:
    """All changes of a module, in the order of its lines."""
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent  # type: ignore[attr-defined]
    found = [m for node in _live(tree) for m in _changes(node)]
    return sorted(found, key=lambda m: m.line)


def _live(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may be changed."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _left_alone(child):
                yield child
                yield from _live(child)


def _left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise):
        return True
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "TypeVar":
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id in ("msg", "__all__") for t in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[Mutant]:
    if isinstance(node, ast.Compare):
        yield from _compare(node)
    elif isinstance(node, ast.BoolOp):
        yield _swap(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        yield _swap(node, "op", _OPERATORS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _replace(node, node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield _replace(node, ast.Pass())
    elif isinstance(node, ast.Dict):
        yield from _rows(node, (node.keys, node.values))
    elif isinstance(node, ast.Set):
        yield from _rows(node, (node.elts,))
    if isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        yield _swap(node, "test", ast.UnaryOp(ast.Not(), node.test))


def _compare(node: ast.Compare) -> Iterator[Mutant]:
    for place, op in enumerate(node.ops):
        ops = [*node.ops]
        ops[place] = _COMPARES[type(op)]()
        yield _swap(node, "ops", ops)


def _constant(node: ast.Constant) -> Iterator[Mutant]:
    value = node.value
    if isinstance(value, bool):
        yield _swap(node, "value", not value)
    elif isinstance(value, int):
        yield _swap(node, "value", value + 1)
    elif isinstance(value, float):
        yield _swap(node, "value", value + 1.0)
    elif isinstance(value, str) and " " not in value and "\n" not in value:
        yield _swap(node, "value", f"XX{value}XX")


def _rows(node: ast.Dict | ast.Set, lists: tuple[list[ast.expr | None] | list[ast.expr], ...]) -> Iterator[Mutant]:
    """Leave out one row of a table."""
    for place in range(len(lists[0])):
        row = "  ".join(ast.unparse(column[place]) for column in lists if column[place] is not None)  # type: ignore[arg-type]

        def leave_out(place: int = place) -> None:
            for column in lists:
                del column[place]

        if len(lists[0]) > 1:
            yield Mutant(node.lineno, f"row {row}", "left out", leave_out)


def _swap(node: ast.AST, field: str, value: object) -> Mutant:
    """Give one field of the node another value."""
    before, kept = _told(node), getattr(node, field)
    setattr(node, field, value)
    after = _told(node)
    setattr(node, field, kept)
    return Mutant(node.lineno, before, after, lambda: setattr(node, field, value))  # type: ignore[attr-defined]


def _replace(node: ast.AST, other: ast.AST) -> Mutant:
    """Put another node in the place of this one."""
    parent = node.parent  # type: ignore[attr-defined]

    def apply() -> None:
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, other)
            elif isinstance(value, list):
                value[:] = [other if child is node else child for child in value]

    ast.copy_location(other, node) if isinstance(other, ast.Pass) else None
    return Mutant(node.lineno, _told(node), _told(other), apply)  # type: ignore[attr-defined]


def _told(node: ast.AST) -> str:
    """A node as its own text; a constant with what it stands in, so that one can tell it from others."""
    shown = node
    if isinstance(node, ast.Constant):
        while not isinstance(shown, ast.stmt | ast.keyword | ast.Call | ast.Compare | ast.Dict):
            shown = shown.parent  # type: ignore[attr-defined]
        if isinstance(shown, ast.Dict | ast.ClassDef | ast.FunctionDef):
            shown = node
    if isinstance(shown, ast.If | ast.While | ast.IfExp):
        shown = shown.test
    return " ".join(ast.unparse(shown).split())[:160]
