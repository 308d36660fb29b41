"""The changes that mutation testing makes: each kind is made, exactly one at a time, and nothing else is touched.

Imports nothing of the hub: the run of mutants warms itself up with these tests.
"""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mutants.mutations import mutants


def changed(text: str) -> list[str]:
    """The module after each of its changes."""
    found = []
    for number in range(len(mutants(ast.parse(text)))):
        tree = ast.parse(text)
        mutants(tree)[number].apply()
        ast.fix_missing_locations(tree)
        compile(tree, "changed", "exec")
        found.append(ast.unparse(tree))
    return found


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a < b", ["a <= b"]),
        ("a is not b", ["a is b"]),
        ("a in b", ["a not in b"]),
        ("a < b < c", ["a <= b < c", "a < b <= c"]),
        ("a and b", ["a or b"]),
        ("x = not a", ["x = a"]),
        ("x = a + b", ["x = a - b"]),
        ("x = 3", ["x = 4"]),
        ("x = True", ["x = False"]),
        ("x = 'word'", ["x = 'XXwordXX'"]),
        ("f(a)", ["pass"]),
        ("if a:\n    b = c", ["if not a:\n    b = c"]),
        ("x = {a: b, c: d}", ["x = {c: d}", "x = {a: b}"]),
        ("x = {a, c}", ["x = {c}", "x = {a}"]),
        ("x += y", ["x -= y"]),
    ],
)
def test_each_kind_of_change_is_made(text: str, after: list[str]) -> None:
    assert changed(text) == after


@pytest.mark.parametrize(
    "text",
    [
        "import a",
        "'''what it is'''",
        "x: Literal['a'] = y",
        "@word(3)\ndef f(a: 3) -> 4:\n    return a",
        "raise A('no' + 3)",
        "msg = 'no' + 3",
        "x = 'text for people'",
        "x = {a}",
    ],
)
def test_what_tests_need_not_notice_is_left_alone(text: str) -> None:
    assert changed(text) == []


@given(st.lists(st.sampled_from(["a < b", "x = 1", "f()", "x = a + 1", "if a:\n    f(not b)"]), min_size=1, max_size=6))
@pytest.mark.slow
def test_one_change_at_a_time(lines: list[str]) -> None:
    text = ast.unparse(ast.parse("\n".join(lines)))
    for after in changed(text):
        differing = sum(one != other for one, other in zip(text.splitlines(), after.splitlines(), strict=True))
        assert differing == 1
