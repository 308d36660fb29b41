"""The documented defaults of every quirk: what a new casino or provider is until somebody sets otherwise."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from croupier.core.counterparty import Casino, LateAccept, Provider, UserId


def defaults(record: type[Any]) -> dict[str, object]:
    return {f.name: f.default for f in fields(record) if f.default is not MISSING}


def test_a_new_casino() -> None:
    """casino.md 2.6, 2.7 and money.md 4.3: calls end after 10 s, a line holds 200 stakes, lists carry 100, success is returned."""
    assert defaults(Casino) == {
        "enabled": True,
        "closed": False,
        "tokens_from_s": 0,
        "alg": "RS256",
        "kid": None,
        "late_accept": LateAccept.RETURN,
        "tax_bp": None,
        "batch": 100,
        "info": True,
        "close": True,
        "skip_zero": False,
        "reuses_transaction_ids": False,
        "connect_s": 2.0,
        "total_s": 10.0,
        "in_flight": 200,
        "exact_balance": False,
        "min_bet": None,
        "max_bet": None,
        "large_win": None,
        "max_win": None,
        "max_odd": None,
        "origins": (),
        "addresses": (),
        "requests_per_s": None,
        "client_cert": None,
        "client_key": None,
        "ca": None,
        "reality_check_s": None,
        "trace_header": False,
    }


def test_a_new_provider() -> None:
    """money.md 3.2 and 3.5: it waits 6 s for the casino, and 15 s may go by before an unclaimed stake goes back."""
    assert defaults(Provider) == {
        "enabled": True,
        "closed": False,
        "hold_s": 6.0,
        "claim_s": 15.0,
        "pay_out_waits": False,
        "user_id": UserId.CASINO_PLAYER,
        "fresh_s": 30.0,
        "min_bet": None,
        "max_bet": None,
        "large_win": None,
        "max_win": None,
        "max_odd": None,
        "games_enabled": True,
        "review_games": False,
        "game_types": (),
        "addresses": (),
        "requests_per_s": None,
        "client_cert": None,
        "client_key": None,
        "ca": None,
        "total_s": 10.0,
    }


PLAYERS = st.tuples(st.integers(1, 200), st.text("0123456789-x", min_size=1, max_size=6))


@given(PLAYERS, PLAYERS)
def test_no_two_players_are_one_user_of_a_provider(one: tuple[int, str], other: tuple[int, str]) -> None:
    """Also where a player is called "2-x" at casino 1, and another "x" at casino 12."""
    provider = Provider(1, "id", "Kite", "betcore_v1", "https://kite.example")
    assert (provider.user_of(*one) == provider.user_of(*other)) == (one == other)


def test_a_provider_that_needs_it_is_told_the_bare_id() -> None:
    bare = Provider(1, "id", "Kite", "betcore_v1", "https://kite.example", user_id=UserId.PLAYER)
    assert bare.user_of(7, "2-x") == "2-x"
