"""Networks from which somebody may call: written in one form, and without any everybody may."""

from __future__ import annotations

import pytest

from croupier.kit.networks import may_call, plain_network


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("192.0.2.7/24", None),
        ("192.0.2", None),
        ("casino.example", None),
        ("", None),
        ("192.0.2.0/33", None),
    ],
)
def test_a_network_has_one_form(text: str, plain: str | None) -> None:
    assert plain_network(text) == plain


@pytest.mark.parametrize(
    ("networks", "address", "may"),
    [
        ((), "203.0.113.9", True),
        ((), "", True),
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.1", True),
        (("192.0.2.0/24",), "2001:db8::1", False),
        (("192.0.2.7/32", "2001:db8::/32"), "2001:db8:1::1", True),
        (("192.0.2.0/24",), "", False),
        (("192.0.2.0/24",), "unix", False),
    ],
)
def test_an_address_is_of_one_of_them(networks: tuple[str, ...], address: str, may: bool) -> None:
    assert may_call(networks, address) is may
