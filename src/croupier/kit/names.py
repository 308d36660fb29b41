"""Characters allowed in ids and names: one fixed list, independent of the Unicode version of Python.

Owns: the list and its error messages. Never: the meaning of a name. Names are compared byte by byte, so two that look
alike must be equal: control characters, invisible characters, white space other than the blank, and blanks at the ends
are refused. Unassigned code points are allowed, because workers with different Unicode versions must agree.
Spec: operate.md 3 (names), money.md 2.2 and 3.1 (keys).
"""

from __future__ import annotations

import re

MOST = 128
"""The longest name, in code points."""

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_BLANKS = r"\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
"""White space other than the blank itself; U+2800 is a symbol without ink."""
_UNSEEN = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default ignorable code points (Unicode 16.0, closed by its stability rules), and the specials at the end of the plane."""
_FORMATS = r"\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"
"""The other format characters (general category Cf, Unicode 16.0)."""
_NOBODYS = r"\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff"
"""Surrogates, private use, and noncharacters."""
_PLANE_ENDS = "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 15))

_UNREADABLE = re.compile(rf"[{_CONTROLS}\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters refused in free text too: they break the line, change its direction, or cannot be stored."""
_ODD = re.compile(f"[{_CONTROLS}{_BLANKS}{_UNSEEN}{_FORMATS}{_NOBODYS}{_PLANE_ENDS}]")

plain = re.compile(rf"[!-~](?:[ -~]{{0,{MOST - 2}}}[!-~])?").fullmatch
"""`plain(text)`: a match if the text is a valid name of printable ASCII, as nearly all names are; `problem_of` knows the rest."""


def forbidden_character(text: str) -> str | None:
    """Return the first character that is not allowed in a name, as `U+200B`; None if there is none."""
    found = _ODD.search(text)
    return None if found is None else f"U+{ord(found.group()):04X}"


def unreadable(words: str) -> bool:
    """Return whether free text (a reason, a note) has characters that cannot be shown on one line."""
    return _UNREADABLE.search(words) is not None


def problem_of(text: str, most: int = MOST) -> str | None:
    """Return the problem of a name, as text to follow its field; None if it is valid. It never quotes the name."""
    if not 1 <= len(text) <= most:
        return f"must have 1 to {most} characters"
    odd = forbidden_character(text)
    if odd is not None:
        return f"must not have control characters, invisible ones, or white space other than blanks ({odd} is there)"
    if text[0] == " " or text[-1] == " ":
        return "must not begin or end with white space"
    return None
