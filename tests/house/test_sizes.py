"""Sizes to feel at home in (docs/STYLE.md, Files and Functions): small functions, short files, shallow nesting, few parameters.

What is older than the law stands in debts.txt, by file and function. The list only shrinks: a new debt fails here, and
so does a line whose debt is paid.
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.house.source import Function, Module, modules

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

LISTED = Path(__file__).with_name("debts.txt")
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def length(function: Function) -> int:
    """Lines from the first to the last statement; the docstring is for the reader and does not count."""
    said = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if said and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def depth(node: ast.AST, above: int = 0) -> int:
    """How many blocks stand in each other. An `elif` stands beside its `if`."""
    deepest = above
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        beside = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, above + (isinstance(child, BLOCKS) and not beside)))
    return deepest


def positional(function: Function) -> int:
    """Parameters that may be given by place; `self` and `cls` are not given."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def parameters(function: Function) -> int:
    return positional(function) + len(function.args.kwonlyargs)


def tenth_largest(sizes: Sequence[int]) -> int:
    """The 90th percentile."""
    return sorted(sizes)[int(len(sizes) * 0.9)]


def listed(law: str) -> set[str]:
    """The debts of one law."""
    lines = (line.split() for line in LISTED.read_text().splitlines() if line and not line.startswith("#"))
    return {name for of, name in lines if of == law}


def over(limit: int, measure: Callable[[Function], int]) -> set[str]:
    """Every function that measures more than the limit, as `file:function`."""
    return {f"{m.name}:{f.name}" for m in modules() for f in m.functions() if measure(f) > limit}


def owes_nothing_new(law: str, limit: int, measure: Callable[[Function], int]) -> None:
    found, debts = over(limit, measure), listed(law)
    assert not found - debts, f"{law}: more than {limit} in {sorted(found - debts)}"
    assert not debts - found, f"{law}: paid, take out of debts.txt: {sorted(debts - found)}"


def test_there_is_code_to_measure() -> None:
    assert len(modules()) > 50


def test_functions_are_small() -> None:
    """Median at most 8 lines, nine of ten at most 30."""
    sizes = [length(function) for module in modules() for function in module.functions()]
    assert statistics.median(sizes) <= 8
    assert tenth_largest(sizes) <= 30


def test_no_function_is_long() -> None:
    owes_nothing_new("length", 60, length)


def test_files_are_short() -> None:
    """Median at most 150 lines, nine of ten at most 300, none over 500."""
    sizes = [module.lines for module in modules()]
    assert statistics.median(sizes) <= 150
    assert tenth_largest(sizes) <= 300
    assert not [module.name for module in modules() if module.lines > 500]


def test_nothing_nests_deeper_than_four_blocks() -> None:
    owes_nothing_new("nesting", 4, depth)


def test_nothing_takes_more_than_seven_parameters() -> None:
    owes_nothing_new("parameters", 7, parameters)


def test_what_is_past_the_third_parameter_is_given_by_name() -> None:
    owes_nothing_new("positional", 3, positional)


def routes() -> list[tuple[Module, Function]]:
    """The functions of the protocols' routes that answer a request: those that await."""
    files = [m for m in modules() if m.name.endswith("/routes.py")]
    return [(m, f) for m in files for f in m.functions() if isinstance(f, ast.AsyncFunctionDef)]


def test_routes_are_about_ten_lines() -> None:
    """Read, verify, decode, call the flow, encode."""
    sizes = [length(function) for _, function in routes()]
    if sizes:
        assert statistics.median(sizes) <= 10


# --- the measures measure ---------------------------------------------------------------------------------


def function(text: str) -> Function:
    found = ast.parse(text).body[0]
    assert isinstance(found, Function)
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    return 1", 1),
        ('def f():\n    """Say.\n\n    More."""\n    a = 1\n    return a', 2),
        ('def f():\n    """Only said."""', 1),
        ("def f():\n    # why\n    a = (\n        1\n    )\n    return a", 4),
    ],
)
def test_the_docstring_does_not_count(text: str, lines: int) -> None:
    assert length(function(text)) == lines


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("def f():\n    return 1", 0),
        ("def f():\n    if a:\n        b\n    elif c:\n        d\n    elif e:\n        g", 1),
        ("def f():\n    for a in b:\n        if a:\n            with c:\n                d", 3),
        ("def f():\n    if a:\n        b\n    else:\n        for c in d:\n            e", 2),
        ("def f():\n    if a:\n        def g():\n            if b:\n                c", 1),
        ("async def f():\n    async with a:\n        async for b in c:\n            while d:\n                e", 3),
    ],
)
def test_depth_counts_blocks_in_each_other(text: str, blocks: int) -> None:
    assert depth(function(text)) == blocks


@pytest.mark.parametrize(
    ("text", "by_place", "all_of_them"),
    [("def f(self, a, b, *, c): ...", 2, 3), ("def f(a, /, b, c=1, *d, **e): ...", 3, 3), ("def f(): ...", 0, 0)],
)
def test_parameters_are_counted_without_self(text: str, by_place: int, all_of_them: int) -> None:
    assert (positional(function(text)), parameters(function(text))) == (by_place, all_of_them)
