"""What an id or a name may hold: one list for every Python, without the running Python's own Unicode."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import names

SRC = Path(__file__).parents[2] / "src" / "croupier"

GOOD = ["b-1001", "a b", "ünïcødé", "Иван", "玩家", "🎰", "a:b/c", "0", "x" * 128, "e\u0301", "\U0001fae8", "\u0378"]
"""U+1FAE8 came with Unicode 15, so Python 3.11 does not know it; U+0378 is not given out to this day."""

BAD = {
    "": "1 to 128",
    "x" * 129: "1 to 128",
    " a": "begin or end",
    "a ": "begin or end",
    " ": "begin or end",
    "a\n": "U+000A",
    "a\x00b": "U+0000",
    "a\tb": "U+0009",
    "a\x7f": "U+007F",
    "a\x85": "U+0085",
    "a\xa0": "U+00A0",
    "a\xa0b": "U+00A0",
    "\u3000a": "U+3000",
    "a\u2003": "U+2003",
    "a\u200b": "U+200B",
    "a\u200db": "U+200D",
    "\ufeffa": "U+FEFF",
    "a\xadb": "U+00AD",
    "a\u2060": "U+2060",
    "a\u202eb": "U+202E",
    "a\u2028": "U+2028",
    "a\ufe0f": "U+FE0F",
    "a\U000e0041": "U+E0041",
    "\ud800": "U+D800",
    "a\udc00": "U+DC00",
    "\ue000": "U+E000",
    "\ufffe": "U+FFFE",
    "\U0001ffff": "U+1FFFF",
    "\U0010ffff": "U+10FFFF",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_name_may_hold_what_can_be_seen(text: str) -> None:
    assert names.problem_of(text) is None


@pytest.mark.parametrize(("text", "says"), BAD.items(), ids=ascii)
def test_what_two_names_could_differ_in_unseen_is_refused_and_named(text: str, says: str) -> None:
    problem = names.problem_of(text)
    assert problem is not None
    assert says in problem
    assert problem.isascii(), "the text itself is never quoted"


@pytest.mark.slow
def test_the_list_has_every_control_format_and_space_character_that_this_python_knows() -> None:
    """The list is written down and not asked of Python; here the two are compared, for those characters alone."""
    wanted = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
    known = [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) in wanted]
    assert [f"U+{ord(c):04X}" for c in known if c != " " and names.forbidden_character(c) is None] == []


@pytest.mark.slow
def test_no_boundary_asks_the_running_python_what_a_character_is() -> None:
    """Two workers on two Pythons must not disagree about an id. What is only shown to a person may (`cli.show`)."""
    asks = {"isprintable", "isdecimal", "isalnum", "isspace", "isidentifier", "isalpha"}
    for folder in ("casinos", "providers", "core", "store", "flows"):
        for path in (SRC / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            judging = [node for node in tree.body if getattr(node, "name", "") != "_describe"]  # what a person is shown
            called = {node.attr for top in judging for node in ast.walk(top) if isinstance(node, ast.Attribute)}
            assert not called & asks, path.name
            assert "unicodedata" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(("words", "bad"), [("it was agreed, 玩家\u3000ok", False), ("a\nb", True), ("a\u202eb", True)])
def test_free_words_stay_on_one_line(words: str, bad: bool) -> None:
    assert names.unreadable(words) is bad


@given(st.text(st.characters(max_codepoint=0x7F) | st.sampled_from(" \x7f\x80\xa0é"), max_size=4))
def test_a_plain_name_is_a_valid_one(text: str) -> None:
    assert (names.plain(text) is not None) == (text.isascii() and names.problem_of(text) is None)


@pytest.mark.parametrize("text", [*GOOD, *BAD, "x" * 127 + " ", "~" * 128, "a\n", "\nb"])
def test_a_plain_name_is_a_valid_one_of_ascii(text: str) -> None:
    assert (names.plain(text) is not None) == (text.isascii() and names.problem_of(text) is None)
