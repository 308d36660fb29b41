"""An address has one origin, whoever reads it; a doubtful one has none."""

from __future__ import annotations

import pytest

from croupier.core.origins import MOST, belongs, origin_of

CASINO = "https://casino.example"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        (CASINO, CASINO),
        ("https://Casino.Example:8443/lobby?tab=1#top", "https://casino.example:8443"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]"),
        (f"{CASINO}/" + "a" * (MOST - len(CASINO) - 1), CASINO),
        (f"{CASINO}/" + "a" * (MOST - len(CASINO)), None),
        ("https://casino.example\\@evil.example/", None),
        ("https://user@casino.example/", None),
        ("https://casino.example/a b", None),
        ("https://casino.example/\\evil", None),
        ("javascript:alert(1)", None),
        ("//casino.example/", None),
        ("https://", None),
        ("", None),
    ],
)
def test_the_origin_of_an_address(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    ("address", "known"),
    [(f"{CASINO}/x", True), ("https://casino.example.evil.example/", False), ("http://casino.example/", False)],
)
def test_a_page_belongs_to_its_own_origin_only(address: str, known: bool) -> None:
    assert belongs(address, (CASINO,)) is known
