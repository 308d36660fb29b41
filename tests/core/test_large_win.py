"""A large win is paid like any other and calls for a person: whose threshold is judged, and what the incident says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core import bet_requests
from croupier.core.bet import Origin
from croupier.core.draft import Decision
from croupier.core.large_win import max_odd, max_win
from croupier.core.session import Game
from tests.core.samples import CASINO, PROVIDER, K, Story, new_bet, terms

GAME = Game(game_id=44, provider_id=22, game_ref="g-1", name="Fifty Owls", category="slots")


def settled(win: int, *, origin: Origin = Origin.PAY_IN, stake: int = 1000, **terms_of: Any) -> Decision[Any]:
    """The decision that owes a win of so many cents."""
    told = {"casino": CASINO, "provider": PROVIDER, "game": GAME} | terms_of
    if origin is Origin.JACKPOT:
        return bet_requests.open_jackpot(new_bet(origin=origin, stake=0, win=win), terms(**told))
    story = Story()
    story.on(stake=stake)
    bet = story.subject
    asked = bet_requests.RequestContents(bet.casino_id, bet.player_id, bet.round_ref, win=win)
    ruling = bet_requests.pay_out(bet, asked, terms(**told), waited=True)
    assert isinstance(ruling, Decision)
    return ruling


def said(decision: Decision[Any]) -> list[str]:
    return [incident.note for incident in decision.incidents if incident.name == "large_win"]


@pytest.mark.parametrize(
    ("casino", "provider", "game", "win", "setter"),
    [
        ({"large_win": "50"}, {}, {}, 4999, None),
        ({"large_win": "50"}, {}, {}, 5000, "the large_win 50 of casino Aurora"),
        ({"large_win": "50"}, {"large_win": "49.999"}, {}, 5000, "the large_win 49.999 of provider Fable"),
        ({"large_win": "50"}, {"large_win": "60"}, {"large_win": "40"}, 4000, "the large_win 40 of game Fifty Owls"),
        ({"max_win": "50"}, {}, {}, 5000, None),
        ({"max_win": "50"}, {}, {}, 5001, "the max_win 50 of casino Aurora"),
        ({}, {"max_win": "50"}, {"max_win": "70"}, 5001, "the max_win 50 of provider Fable"),
        ({"max_odd": "2.5"}, {}, {}, 2500, None),
        ({"max_odd": "2.5"}, {}, {}, 2501, "the max_odd 2.5 of casino Aurora"),
        ({"max_odd": "3"}, {}, {"own_max_odd": "2"}, 2001, "the max_odd 2 of game Fifty Owls"),
        ({}, {}, {"max_odd": "1e1"}, 10_001, "the max_odd 1e1 of what provider Fable lists"),
        ({}, {}, {"max_odd": "0"}, 10_001, None),
        ({}, {}, {}, 9_999_999, None),
        ({}, {}, {}, 10_000_000, "the large_win 100000 of the hub"),
        ({"large_win": "200000"}, {}, {}, 10_000_000, None),
        ({"large_win": "0", "max_win": "0"}, {}, {}, 0, None),
    ],
)
def test_the_narrowest_threshold_judges_and_its_setter_is_named(
    casino: dict[str, str], provider: dict[str, str], game: dict[str, str], win: int, setter: str | None
) -> None:
    decision = settled(
        win,
        casino=replace(CASINO, **casino),
        provider=replace(PROVIDER, **provider),
        game=replace(GAME, **game),
        large_win="100000",
    )
    assert decision.after.payments[K.PAYOUT].amount == win, "it is owed whatever was set"
    notes = said(decision)
    if setter is None:
        assert notes == []
    else:
        assert len(notes) == 1
        assert notes[0].endswith(setter)
        assert " EUR on a stake of 10.00: " in notes[0]


def test_every_threshold_that_was_passed_is_in_the_one_incident() -> None:
    casino = replace(CASINO, large_win="20", max_win="30", max_odd="2")
    assert said(settled(4000, casino=casino)) == [
        "40.00 EUR on a stake of 10.00: at least the large_win 20 of casino Aurora, "
        "above the max_win 30 of casino Aurora, above the max_odd 2 of casino Aurora"
    ]


def test_a_free_round_and_a_jackpot_have_no_odd() -> None:
    casino = replace(CASINO, max_odd="2", max_win="50")
    assert said(settled(5000, stake=0, casino=casino)) == []
    assert said(settled(5000, origin=Origin.JACKPOT, casino=casino)) == []
    assert said(settled(5001, origin=Origin.JACKPOT, casino=casino)) == [
        "50.01 EUR without a stake: above the max_win 50 of casino Aurora"
    ]


def test_a_person_who_settles_with_a_large_win_is_told_too() -> None:
    story = Story()
    story.on()
    ruling = bet_requests.settle_by_person(
        story.subject, 6000, terms(casino=replace(CASINO, large_win="60")), author="mia", above_limits=True
    )
    assert said(ruling) == ["60.00 EUR on a stake of 10.00: at least the large_win 60 of casino Aurora"]


def test_the_win_of_a_pay_in_out_is_judged_when_it_is_owed() -> None:
    story = Story(casino=replace(CASINO, large_win="25"))
    story.opened_both(2500)
    assert not story.incidents
    story.accept(K.STAKE)
    assert story.incidents == {"large_win": 1}


def test_a_launch_is_told_the_narrowest() -> None:
    casino, provider = replace(CASINO, max_win="500", max_odd="90"), replace(PROVIDER, max_win="400")
    game = replace(GAME, max_odd="100", own_max_odd="80")
    won, odd = max_win(casino, provider, game), max_odd(casino, provider, game)
    assert won is not None
    assert odd is not None
    assert (won.text, odd.text) == ("400", "80")
    assert (max_win(CASINO, PROVIDER, GAME), max_odd(CASINO, PROVIDER, GAME)) == (None, None)
