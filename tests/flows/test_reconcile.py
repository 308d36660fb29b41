"""Reconciliation against the sandbox casino: what lies, doubles or forgets ends as a finding with an incident."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.flows.reconcile import ComparisonResult, query_unknown_bet
from croupier.sandbox.bookings import Booking, TransactionType
from tests.flows.hall import Hall, in_a_hall

pytestmark = pytest.mark.one_in(2)

K = PaymentKind


def rewrite(hall: Hall, booking: Booking, **changes: Any) -> None:
    """The casino's books say something else from now on."""
    mine = hall.casino.wallet._by_subject[booking.book, booking.subject_id]
    mine[mine.index(booking)] = replace(booking, **changes)


def test_an_honest_bet_agrees_and_leaves_nothing_behind(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        done = await hall.reconcile("b-1")
        assert (done.result, done.rules, done.found) == (ComparisonResult.AGREES, (), ())
        assert await hall.findings() == []
        assert await hall.incidents() == set()
        assert (await hall.bet("b-1")).version == bet.version, "agreement is no decision"

    in_a_hall(database_url, play)


@pytest.mark.parametrize(
    ("words", "kind", "named"),
    [
        ("forget", TransactionType.STAKE, "stake: forgotten"),
        ("forget", TransactionType.PAYOUT, "payout: forgotten"),
    ],
)
def test_a_casino_that_forgets_what_it_accepted_is_found(database_url: str, words: str, kind: int, named: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave(words, kind=kind)
        bet = await hall.settled("b-1", "0" if kind == TransactionType.STAKE else "25.00")
        if kind == TransactionType.STAKE:
            # It refuses the payout of a bet that it forgot, so the payout is still owed.
            assert bet.payments[K.PAYOUT].undecided
        assert (await hall.reconcile("b-1")).result is ComparisonResult.DIFFERS
        assert await hall.named() == {named}
        assert "difference" in await hall.incidents()
        (finding,) = await hall.findings()
        assert finding.evidence["casino"] == [e for e in finding.evidence["casino"] if e["kind"] != finding.about]
        assert finding.evidence["provider"]["pay_in"] == "ok"

    in_a_hall(database_url, play)


@pytest.mark.parametrize(
    ("kind", "named"),
    [(TransactionType.STAKE, "stake: booked_twice"), (TransactionType.PAYOUT, "payout: booked_twice")],
)
def test_a_casino_that_applies_a_make_twice_is_found(database_url: str, kind: int, named: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        first = hall.booking(bet.bet_id, kind)
        hall.casino.wallet.book_again(first, "sbx-again")
        assert (await hall.reconcile("b-1")).result is ComparisonResult.DIFFERS
        assert await hall.named() == {named}
        (finding,) = await hall.findings()
        assert "sbx-again" in finding.words
        assert await hall.incidents() == {"difference"}
        assert (await hall.bet("b-1")).version == bet.version, "no money is made of it"

    in_a_hall(database_url, play)


def test_a_make_that_was_repeated_and_doubled_is_found(database_url: str) -> None:
    """The casino's answer is lost, the hub repeats as it must, and the casino applies the repeat again."""

    async def play(hall: Hall) -> None:
        hall.casino.behave("answer_lost:cut+mute+double", kind=TransactionType.PAYOUT, times=1)
        hall.casino.behave("double", kind=TransactionType.PAYOUT)
        hall.casino.behave("error500:after", kind=TransactionType.PAYOUT, times=1)
        bet = await hall.settled("b-1")
        assert len([b for b in hall.booked(bet.bet_id) if b.kind == TransactionType.PAYOUT]) > 1
        await hall.reconcile("b-1")
        assert await hall.named() == {"payout: booked_twice"}

    in_a_hall(database_url, play)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"amount": 2501}, "amount_differs"),
        ({"player": "ben"}, "player_differs"),
        ({"tax": 100}, "tax_differs"),
        ({"partner_tx": "sbx-other"}, "number_differs"),
    ],
)
def test_a_casino_whose_books_say_something_else_is_found(
    database_url: str, changes: dict[str, Any], name: str
) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        rewrite(hall, hall.booking(bet.bet_id, TransactionType.PAYOUT), **changes)
        await hall.reconcile("b-1")
        assert await hall.named() == {f"payout: {name}"}

    in_a_hall(database_url, play)


def test_a_payment_that_the_hub_never_ordered_is_found(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        assert await hall.pay_in("b-1") == "1"
        bet = await hall.bet("b-1")
        stake = hall.booking(bet.bet_id, TransactionType.STAKE)
        hall.casino.wallet._enter(
            replace(stake, kind=TransactionType.JACKPOT, net=stake.amount, partner_tx="sbx-alien")
        )
        await hall.wait(31)
        await hall.reconcile("b-1")
        assert await hall.named() == {"jackpot: not_in_hub"}
        assert (await hall.bet("b-1")).state is BetState.ON

    in_a_hall(database_url, play)


def test_a_silent_casino_is_healed_by_what_it_lists(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave("silent", kind=TransactionType.PAYOUT)
        bet = await hall.settled("b-1")
        assert bet.payments[K.PAYOUT].undecided
        done = await hall.reconcile("b-1")
        assert (done.result, done.rules) == (ComparisonResult.HEALED, ("booked_unheard",))
        assert (await hall.bet("b-1")).payments[K.PAYOUT].state is PaymentState.ACCEPTED
        assert await hall.findings() == []
        assert await hall.broken() == []

    in_a_hall(database_url, play)


def test_an_answer_that_says_nothing_proves_nothing_and_closes_nothing(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        hall.casino.wallet.forget(hall.booking(bet.bet_id, TransactionType.PAYOUT))
        await hall.reconcile("b-1")
        hall.casino.behave("rubbish:html", path="payments/info")
        done = await hall.reconcile("b-1")
        assert done.result is ComparisonResult.UNUSABLE
        assert done.why
        assert await hall.named() == {"payout: forgotten"}

    in_a_hall(database_url, play)


def test_a_casino_without_an_info_call_cannot_be_compared_and_says_so(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await hall.settled("b-1")
        done = await hall.reconcile("b-1")
        assert (done.result, done.why) == (ComparisonResult.UNUSABLE, "this casino has no info call")

    in_a_hall(database_url, play, info=False)


def test_what_is_put_right_at_the_casino_closes_with_the_next_comparison(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        again = hall.casino.wallet.book_again(hall.booking(bet.bet_id, TransactionType.PAYOUT), "sbx-again")
        await hall.reconcile("b-1")
        await hall.reconcile("b-1")
        (finding,) = await hall.findings()
        assert finding.times == 2, "seen again, it counts up"
        hall.casino.wallet._by_subject[again.book, bet.bet_id].remove(again)
        assert (await hall.reconcile("b-1")).result is ComparisonResult.AGREES
        assert await hall.findings() == []
        assert await hall.incidents() == set()
        (kept,) = await hall.hub.store.findings.of(bet.bet_id, bet.casino_id)
        assert (kept.closed_by, kept.close_note) == (None, "a later comparison agrees")
        hall.casino.wallet.book_again(hall.booking(bet.bet_id, TransactionType.PAYOUT), "sbx-again")
        await hall.reconcile("b-1")
        assert await hall.named() == {"payout: booked_twice"}, "and it opens again"
        assert await hall.incidents() == {"difference"}

    in_a_hall(database_url, play)


def test_what_a_person_settled_stays_closed_until_something_else_is_seen(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        hall.casino.wallet.book_again(hall.booking(bet.bet_id, TransactionType.PAYOUT), "sbx-2")
        await hall.reconcile("b-1")
        (finding,) = await hall.findings()
        assert await hall.hub.store.findings.close([finding], "mia", "paid back by hand")
        (incident,) = await hall.hub.store.incidents.open_ones()
        await hall.hub.store.incidents.close([incident], "mia", "paid back by hand")
        await hall.reconcile("b-1")
        assert (await hall.findings(), await hall.incidents()) == ([], set())
        hall.casino.wallet.book_again(hall.booking(bet.bet_id, TransactionType.PAYOUT), "sbx-3")
        await hall.reconcile("b-1")
        assert await hall.named() == {"payout: booked_twice"}
        assert await hall.incidents() == {"difference"}

    in_a_hall(database_url, play)


def test_a_bet_that_the_casino_knows_and_the_hub_does_not_is_found(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        bet = await hall.settled("b-1")
        casino = await hall.hub.store.casinos.get(bet.casino_id)
        assert casino is not None
        stake = hall.booking(bet.bet_id, TransactionType.STAKE)
        hall.casino.wallet._enter(replace(stake, subject_id=bet.bet_id + 7))
        assert (await query_unknown_bet(hall.hub, casino, bet.bet_id + 8)).result is ComparisonResult.NOWHERE
        assert (await query_unknown_bet(hall.hub, casino, bet.bet_id + 7)).result is ComparisonResult.DIFFERS
        (finding,) = await hall.findings()
        assert (finding.name, finding.subject_id) == ("unknown_bet", bet.bet_id + 7)
        assert finding.evidence["casino"][0]["amount"] == "10"
        assert await hall.incidents() == {"difference"}

    in_a_hall(database_url, play)


def test_a_finding_is_never_deleted(database_url: str) -> None:
    from croupier.store.db import DbViolation  # noqa: PLC0415 - the one test that needs it

    async def play(hall: Hall) -> None:
        with pytest.raises(DbViolation, match="never deleted"):
            await hall.stage.db.execute("delete from findings")

    in_a_hall(database_url, play)


def test_a_list_that_was_asked_for_a_stake_and_shows_it_twice_is_a_finding(database_url: str) -> None:
    """The question was not reconciliation's: the double booking is found all the same, and the bet goes on once."""

    async def play(hall: Hall) -> None:
        hall.casino.behave("answer_lost:cut+mute", kind=TransactionType.STAKE)
        await hall.pay_in("b-1")
        bet = await hall.bet("b-1")
        hall.casino.wallet.book_again(hall.booking(bet.bet_id, TransactionType.STAKE), "sbx-again")
        hall.casino.behave("honest", kind=TransactionType.STAKE)
        await hall.wait(31)
        assert (await hall.bet("b-1")).stake_confirmed
        assert await hall.named() == {"stake: booked_twice"}
        (finding,) = await hall.findings()
        first = hall.booking(bet.bet_id, TransactionType.STAKE).partner_tx
        assert first in finding.words
        assert "sbx-again" in finding.words
        assert len([line for line in finding.evidence["casino"] if line["kind"] == "stake"]) == 2
        assert await hall.incidents() == {"difference"}
        await hall.wait(60)
        assert (await hall.bet("b-1")).payments[K.BET_RETURN].state is PaymentState.ACCEPTED
        await hall.reconcile("b-1")
        assert (await hall.findings())[0].words == finding.words, "the same, whoever asks"

    in_a_hall(database_url, play)


def test_an_unknown_bet_that_is_listed_twice_is_found_as_both(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        assert await hall.pay_in("b-1") == "1"
        bet = await hall.bet("b-1")
        stake = hall.booking(bet.bet_id, TransactionType.STAKE)
        alien = replace(stake, subject_id=bet.bet_id + 5)
        hall.casino.wallet._enter(alien)
        hall.casino.wallet.book_again(alien, "sbx-again")
        casino = await hall.hub.store.casinos.get(bet.casino_id)
        assert casino is not None
        done = await query_unknown_bet(hall.hub, casino, bet.bet_id + 5)
        assert {one.difference.value for one in done.found} == {"unknown_bet", "booked_twice"}
        assert await hall.named() == {"bet: unknown_bet", "stake: booked_twice"}

    in_a_hall(database_url, play)
