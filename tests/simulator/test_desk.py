"""A person at the end of a world ends what is parked and what stands; a hub that books such an act wrongly is found."""

from __future__ import annotations

from collections import Counter

import pytest

from croupier.core import effects
from croupier.core.bet import BetState
from croupier.core.bet_requests import CannotDo
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator import desk
from croupier.simulator.arena import Arena
from croupier.simulator.reports import _revenue
from croupier.simulator.run import RunResult
from croupier.simulator.world import World
from tests.core.samples import new_bet

PARKED = World(28, 12)
"""A harsh world in which payments are parked that a person tries again, accepts and gives up."""
STANDING = World(337, 16)
"""A mild world with bets that their provider left: a person returns one and settles two."""


def acts(result: RunResult) -> Counter[str]:
    named = {name: times for name, times in result.seen.items() if name.startswith("person ")}
    return Counter({name.removeprefix("person "): times for name, times in named.items()})


@pytest.mark.parametrize(
    ("world", "done"),
    [(PARKED, {"payment retry", "payment accept", "payment give-up"}), (STANDING, {"bet return", "bet settle"})],
    ids=["parked", "standing"],
)
def test_a_person_ends_everything_and_the_books_hold(ring: Arena, world: World, done: set[str]) -> None:
    result = ring.play(world)
    assert result.verdict.violations == []
    assert set(acts(result)) == done


def test_a_win_that_is_given_up_and_stays_owed_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "given_up", lambda *_: None)
    assert any(text.startswith("audit owed") for text in ring.play(PARKED).verdict.violations)


def test_a_refused_act_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object, **__: object) -> None:
        raise CannotDo("no")

    monkeypatch.setattr(desk, "do", refuses)
    found = ring.play(STANDING).verdict.violations
    assert sum(text.startswith("I4: a person cannot end b") for text in found) == 3


def test_an_act_that_changes_nothing_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> None:
        return

    monkeypatch.setattr(desk, "do", nothing)
    found = ring.play(PARKED).verdict.violations
    assert {text.rpartition(" is ")[2] for text in found} == {"parked after a person ended it"}


@pytest.mark.parametrize(
    ("state", "refused", "revenue"),
    [
        (BetState.SETTLED, None, 1_000 - 300),
        (BetState.SETTLED, PaymentKind.PAYOUT, 1_000),
        (BetState.RETURNED, None, 0),
        (BetState.RETURNED, PaymentKind.BET_RETURN, 1_000),
        (BetState.RETURNED, PaymentKind.PAYOUT, 0),
        (BetState.ON, None, 0),
    ],
)
def test_what_a_person_gave_up_stays_with_the_house(state: BetState, refused: PaymentKind | None, revenue: int) -> None:
    payments = {} if refused is None else {refused: Payment(7, refused, 300, None, 0, state=PaymentState.REFUSED)}
    assert _revenue(new_bet(state=state, stake=1_000, win=300, was_on=True, payments=payments)) == revenue
