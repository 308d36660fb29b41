"""The code as the house tests see it: every module of src/croupier, read once, with its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "croupier"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False, repr=False)
class Module:
    """One file of the product."""

    name: str
    """From src/croupier on: `core/bet.py`."""
    text: str
    tree: ast.Module

    def __repr__(self) -> str:
        return self.name

    @property
    def floor(self) -> str:
        """The folder right under src/croupier."""
        return self.name.split("/")[0]

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        """Every function, however deep it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


@cache
def modules() -> tuple[Module, ...]:
    """All of them, in the order of their names."""
    return tuple(_read(path) for path in sorted(SOURCE.rglob("*.py")))


def _read(path: Path) -> Module:
    text = path.read_text()
    return Module(path.relative_to(SOURCE).as_posix(), text, ast.parse(text))


def docstrings(tree: ast.AST) -> set[int]:
    """The constants that are words for the reader, by identity: docstrings and texts under a name."""
    lonely = (node for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(node.value) for node in lonely if isinstance(node.value, ast.Constant)}


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; empty if it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def every_module(law: Callable[[Module], None]) -> Callable[[], None]:
    """One test that holds every module to the law and names each one that breaks it.

    One for each module would be 3,000 tests, and a third of what a run of them costs.
    """

    def test() -> None:
        broken = {}
        for module in modules():
            try:
                law(module)
            except AssertionError as fault:
                broken[module.name] = str(fault)
        assert not broken

    test.__name__, test.__doc__, test.__module__ = law.__name__, law.__doc__, law.__module__
    return test
