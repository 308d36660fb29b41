"""A Balance that comes with an outcome is the casino's last word, and nothing that goes wrong with it costs a payment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from croupier.core import bet_requests
from croupier.core.bet import Bet, BetState
from croupier.core.commands import PayOut, Refund
from croupier.core.draft import Decision
from croupier.core.pursuit import Verdict
from croupier.core.readings import Authorized, BalanceKnown, Contents, PaymentKind, Yes
from croupier.core.refusals import Refusal
from croupier.flows.accept_payment import accept_payment
from croupier.flows.advance import terms_of
from croupier.flows.authorize import authorize
from croupier.flows.balances import (
    ANSWERS_WITH_BALANCE,
    BalanceLookup,
    balance_task,
    query_balance_amount,
    record_reported_balance,
)
from croupier.flows.pay_out import pay_out
from croupier.flows.refund import refund
from croupier.store.db import DbDown
from tests.flows.desk import Desk

STAKE = PaymentKind.STAKE
TOLD = "123.45"


def yes(bet: Bet, balance: str | None = TOLD, **changes: Any) -> Yes:
    stated = {
        "kind": STAKE, "amount": "10.00", "tax": None, "partner_tx": f"t-{bet.bet_id}", "player_ref": bet.player_ref,
    }  # fmt: skip
    return Yes(Contents(subject_id=bet.bet_id, **{**stated, **changes}), balance)


async def accept(desk: Desk, bet: Bet, said: Yes, casino_id: int | None = None) -> Verdict:
    return (await accept_payment(desk.hub, casino_id or bet.casino_id, bet.bet_id, kind=STAKE, outcome=said)).verdict


async def known(desk: Desk) -> int | None:
    found = await desk.hub.store.balances.known(desk.cast.player.player_id)
    return None if found is None else found.amount


async def test_a_told_balance_has_this_payment_in_it_already(desk: Desk) -> None:
    bet = await desk.bet()
    desk.clock.ms += 40
    assert await accept(desk, bet, yes(bet)) is Verdict.OK
    assert await known(desk) == 12345


async def test_until_the_outcome_is_committed_the_balance_is_the_one_before_it(desk: Desk) -> None:
    bet = await desk.bet()
    await record_reported_balance(desk.hub, bet, STAKE, said=yes(bet))
    assert await known(desk) == 13345
    await accept(desk, bet, yes(bet, None))
    assert await known(desk) == 12345


async def test_a_repeat_tells_nothing_new_and_later_payments_move_it(desk: Desk) -> None:
    first = await desk.bet()
    await accept(desk, first, yes(first))
    desk.clock.ms += 5
    second = await desk.bet(1002)
    await accept(desk, second, yes(second, None))
    assert await accept(desk, first, yes(first, "999.00")) is Verdict.OK
    assert await known(desk) == 11345


async def test_beside_an_open_payment_it_is_not_known_what_the_balance_holds(desk: Desk) -> None:
    first, second = await desk.bet(), await desk.bet(1002)
    await accept(desk, first, yes(first))
    assert await known(desk) is None
    desk.clock.ms += 5
    await accept(desk, second, yes(second))
    assert await known(desk) is None, "the first was decided after the second was asked"


async def test_of_a_taxed_win_the_balance_holds_what_reached_the_wallet(desk: Desk) -> None:
    """The casino withholds the tax: 25.00 less 2.50 is what its Balance has grown by (money.md 7.1)."""
    await desk.hub.store.casinos.change(desk.cast.casino.casino_id, {"tax_bp": 1000})
    bet = await desk.bet()
    await accept(desk, bet, yes(bet, None))
    desk.clock.ms += 5
    bet = await desk.again(bet)
    won = bet_requests.settle_by_person(bet, 2500, await terms_of(desk.hub, bet), author="mia")
    assert await desk.hub.group_commit.commit(won)
    said = yes(bet, kind=PaymentKind.PAYOUT, amount="25.00", tax="2.50", partner_tx="t-win")
    heard = await accept_payment(desk.hub, bet.casino_id, bet.bet_id, kind=PaymentKind.PAYOUT, outcome=said)
    assert heard.verdict is Verdict.OK
    assert await known(desk) == 12345


async def test_an_older_word_does_not_replace_a_newer_one(desk: Desk) -> None:
    bet = await desk.bet()
    await accept(desk, bet, yes(bet, None))
    desk.clock.ms += 5
    player_id = desk.cast.player.player_id
    await desk.hub.store.balances.base(player_id, 50_000, desk.clock.now_ms())
    await accept(desk, bet, yes(bet))
    assert await known(desk) == 50_000


@pytest.mark.parametrize("balance", [None, "1.005", "-1.00", "much"])
async def test_what_is_no_balance_is_none(desk: Desk, balance: str | None) -> None:
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet, balance)) is Verdict.OK
    assert await known(desk) is None


async def test_a_contradiction_and_a_strangers_word_are_not_believed(desk: Desk) -> None:
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet, amount="11.00")) is Verdict.CONFLICT
    assert await accept(desk, bet, yes(bet), casino_id=bet.casino_id + 1) is Verdict.CONFLICT
    assert await known(desk) is None


async def test_a_balance_that_cannot_be_kept_costs_the_payment_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise DbDown("gone")

    monkeypatch.setattr(type(desk.hub.store.balances), "base", gone)
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet)) is Verdict.OK
    assert (await desk.again(bet)).state is BetState.ON


async def test_a_balance_is_as_old_as_its_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stake that was accepted while the question was under way may be in the answer or not: it is no base."""
    bet = await desk.bet()
    casino = await desk.hub.store.casinos.get(desk.cast.casino.casino_id)
    assert casino is not None

    class Slow:
        """Counts what is in the wallet, and is heard of a second later."""

        async def balance(self, *_: object) -> BalanceKnown:
            desk.clock.ms += 500
            await accept(desk, bet, yes(bet, None))
            desk.clock.ms += 500
            return BalanceKnown("500.00")

        async def auth(self, *_: object) -> Authorized:
            told = await self.balance()
            player = desk.cast.player
            return Authorized("r", player.player_ref, player.currency, balance=told.balance)

    monkeypatch.setitem(desk.hub.casino_gateways, casino.protocol, Slow())
    assert await query_balance_amount(desk.hub, desk.cast.session) == 50000
    assert await known(desk) is None
    bet = await desk.bet(1002)
    await authorize(desk.hub, casino, "token")
    assert await known(desk) is None


# --- what the answer decided is in its balance -----------------------------------------------------------


def command(desk: Desk, bet: Bet) -> dict[str, Any]:
    return {"provider_id": bet.provider_id, "session_id": bet.session_id, "bet_ref": bet.bet_ref}


async def won(desk: Desk, bet: Bet, win: str = "25.00") -> int | None:
    answer = await pay_out(desk.hub, PayOut(**command(desk, bet), round_ref=bet.round_ref, win=win))
    assert answer.refusal is None
    return answer.balance


async def refunded(desk: Desk, bet: Bet) -> int | None:
    answer = await refund(desk.hub, Refund(**command(desk, bet)))
    assert answer.refusal is None
    return answer.balance


async def paid(desk: Desk, bet: Bet, kind: PaymentKind, amount: str, tax: str | None = None) -> None:
    said = yes(bet, None, kind=kind, amount=amount, tax=tax, partner_tx=f"t-{kind.value}")
    heard = await accept_payment(desk.hub, bet.casino_id, bet.bet_id, kind=kind, outcome=said)
    assert heard.verdict is Verdict.OK


async def a_bet_that_is_on(desk: Desk) -> Bet:
    """Of a player who had 100.00 and has staked 10.00 of it."""
    player_id = desk.cast.player.player_id
    await desk.hub.store.balances.base(player_id, 10_000, desk.clock.now_ms())
    desk.clock.ms += 5
    bet = await desk.bet()
    await paid(desk, bet, STAKE, "10.00")
    return await desk.again(bet)


async def test_a_pay_out_tells_the_balance_with_the_win_that_is_owed(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    assert await won(desk, bet) == 11_500
    assert await known(desk) == 9_000, "the casino has not booked it yet"
    assert await won(desk, bet) == 11_500
    await paid(desk, bet, PaymentKind.PAYOUT, "25.00")
    assert await won(desk, bet) == 11_500, "a repeat gets the first answer's balance"
    assert await known(desk) == 11_500


async def test_a_win_is_counted_once_whether_it_is_owed_or_paid(desk: Desk) -> None:
    """The casino may have booked it between the decision and the answer."""
    bet = await a_bet_that_is_on(desk)
    decision = bet_requests.settle_by_person(bet, 2500, await terms_of(desk.hub, bet), author="mia")
    assert await desk.hub.group_commit.commit(decision)
    await paid(desk, bet, PaymentKind.PAYOUT, "25.00")
    found = await desk.hub.store.balances.known(bet.player_id, bet.bet_id, decision.after.net)
    assert found is not None
    assert (found.amount, found.ahead) == (11_500, 0)


async def test_of_a_taxed_win_what_will_reach_the_wallet_is_told(desk: Desk) -> None:
    await desk.hub.store.casinos.change(desk.cast.casino.casino_id, {"tax_bp": 1000})
    bet = await a_bet_that_is_on(desk)
    assert await won(desk, bet) == 9_000 + 2_250


async def test_a_refund_tells_the_balance_with_the_stake_that_goes_back(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    assert await refunded(desk, bet) == 10_000
    await paid(desk, bet, PaymentKind.BET_RETURN, "10.00")
    assert await refunded(desk, bet) == 10_000


async def test_a_refund_of_a_settled_bet_tells_where_it_ends(desk: Desk) -> None:
    """Its payout is taken back first and its stake returned then: neither step is told for the whole."""
    bet = await a_bet_that_is_on(desk)
    await won(desk, bet)
    await paid(desk, bet, PaymentKind.PAYOUT, "25.00")
    assert await refunded(desk, bet) == 10_000
    await paid(desk, bet, PaymentKind.PAYOUT_RETURN, "25.00")
    assert await known(desk) == 9_000
    assert await refunded(desk, bet) == 10_000


async def test_a_refund_while_the_win_is_owed_tells_the_same(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    await won(desk, bet)
    assert await refunded(desk, bet) == 10_000


async def test_other_bets_are_told_as_the_casino_has_booked_them(desk: Desk) -> None:
    first = await a_bet_that_is_on(desk)
    await won(desk, first)
    second = await desk.bet(1002)
    await accept(desk, second, yes(second, None))
    assert await refunded(desk, await desk.again(second)) == 9_000


async def settled_together(desk: Desk, *bets: Bet) -> list[Bet]:
    """All of them settled in one group commit, each with a win of 25.00, as they were written."""
    asked = [bet_requests.RequestContents(b.casino_id, b.player_id, b.round_ref, win=2500) for b in bets]
    rulings = [
        bet_requests.pay_out(bet, contents, await terms_of(desk.hub, bet), waited=False)
        for bet, contents in zip(bets, asked, strict=True)
    ]
    written = await asyncio.gather(*(desk.hub.group_commit.commit(r) for r in rulings if isinstance(r, Decision)))
    return [decision.after for decision in written if decision is not None]


async def test_the_balance_is_written_with_the_decision_that_it_belongs_to(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    (after,) = await settled_together(desk, bet)
    assert after.pay_out_balance == 11_500
    assert (await desk.again(bet)).pay_out_balance == 11_500, "a crash before the answer changes nothing"
    desk.clock.ms += 5
    other = await desk.bet(1002)
    assert await accept(desk, other, yes(other, None)) is Verdict.OK
    assert await won(desk, after) == 11_500


async def test_of_two_decisions_of_a_player_in_one_group_commit_one_tells_the_balance(desk: Desk) -> None:
    """The sum of the other one would not hold the first: it is told after the commit, with both."""
    first, second = await a_bet_that_is_on(desk), await desk.bet(1002)
    desk.clock.ms += 5
    assert await accept(desk, second, yes(second, None)) is Verdict.OK
    both = await settled_together(desk, first, await desk.again(second))
    assert [bet.pay_out_balance for bet in both] == [10_500, None], "80.00 and one win of 25.00"
    await paid(desk, first, PaymentKind.PAYOUT, "25.00")
    assert await won(desk, both[1]) == 13_000


async def test_a_sum_that_no_bigint_holds_stops_no_decision(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    await desk.db.execute("update balances set amount = 9223372036854775000")
    (after,) = await settled_together(desk, bet)
    assert after.pay_out_balance == 9223372036854775000 + 1_500


@pytest.mark.parametrize("person", [True, False])
async def test_what_a_person_decides_is_no_answer_and_tells_no_balance(desk: Desk, *, person: bool) -> None:
    bet = await a_bet_that_is_on(desk)
    terms = await terms_of(desk.hub, bet)
    if person:
        decision = bet_requests.settle_by_person(bet, 2500, terms, author="mia")
    else:
        casino = replace(terms.casino, exact_balance=True)
        asked = bet_requests.RequestContents(bet.casino_id, bet.player_id, bet.round_ref, win=2500)
        ruling = bet_requests.pay_out(bet, asked, replace(terms, casino=casino), waited=False)
        assert isinstance(ruling, Decision)
        decision = ruling
    written = await desk.hub.group_commit.commit(decision)
    assert written is not None
    assert written.after.pay_out_balance is None


# --- how often the casino is queried (decision 0060) ------------------------------------------------------


class Asked:
    """A casino that counts its questions."""

    def __init__(self) -> None:
        self.times = 0

    async def balance(self, *_: object) -> BalanceKnown:
        self.times += 1
        return BalanceKnown("90.00")


async def test_a_stale_balance_is_asked_for_once_per_player_and_five_seconds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setitem(desk.hub.casino_gateways, desk.cast.casino.protocol, asked)
    bet = await a_bet_that_is_on(desk)
    await desk.bet(1002)  # it is open, so no report becomes the base
    desk.clock.ms += 6_000
    lookup = BalanceLookup(desk.hub, desk.cast.session, desk.clock.monotonic_s() + 600)
    for seconds, times in ((0, 1), (1, 1), (3, 1), (2, 2)):
        desk.clock.ms += seconds * 1_000
        await lookup.answer(None, replace(bet, pay_in_balance=None), "pay_in")
        await asyncio.gather(*desk.hub.state.balance_queries.values())
        lookup = BalanceLookup(desk.hub, desk.cast.session, desk.clock.monotonic_s() + 600)
        assert asked.times == times


async def test_a_query_after_an_outcome_leaves_in_a_later_millisecond(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stake was decided in the same millisecond: without the pause its order to the query would not be known."""
    monkeypatch.setitem(desk.hub.casino_gateways, desk.cast.casino.protocol, Asked())
    bet = await desk.bet()
    await accept(desk, bet, yes(bet, None))
    assert await balance_task(desk.hub, desk.cast.session, in_a_moment=True) == 9_000
    assert await known(desk) == 9_000


# --- an answer does not depend on its balance ----------------------------------------------------------------


async def hanging(*_: object, **__: object) -> None:
    await asyncio.sleep(3600)


async def failing(*_: object, **__: object) -> None:
    raise DbDown("gone")


@pytest.mark.parametrize("name", ["tell", "known"])
@pytest.mark.parametrize("trouble", [hanging, failing])
@pytest.mark.parametrize("refusal", ANSWERS_WITH_BALANCE)
async def test_a_decided_answer_leaves_out_a_balance_that_the_database_does_not_tell(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, *, trouble: Any, refusal: Refusal | None
) -> None:
    """The bet is on. Told 99, a provider that does not come back would leave it on for ever."""
    bet = await desk.bet()
    monkeypatch.setattr(type(desk.hub.store.balances), name, trouble)
    monkeypatch.setitem(desk.hub.casino_gateways, desk.cast.casino.protocol, Mute())
    lookup = BalanceLookup(desk.hub, desk.cast.session, desk.clock.monotonic_s() + 0.05)
    lookup.start_if_unknown()
    answer = await asyncio.wait_for(lookup.answer(refusal, bet, "pay_in"), 5)
    assert (answer.refusal, answer.balance) == (refusal, None)


async def test_a_casino_that_does_not_tell_its_balance_costs_no_look_at_the_database_after_the_hold_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator's world 10232: the query took the whole hold time, and a slow read after it made a 99 of a success."""
    bet = await desk.bet()
    reads = 0
    known_before = type(desk.hub.store.balances).known

    async def known_once(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await (known_before(*args) if reads == 1 else hanging())

    monkeypatch.setattr(type(desk.hub.store.balances), "known", known_once)
    monkeypatch.setitem(desk.hub.casino_gateways, desk.cast.casino.protocol, Mute())
    lookup = BalanceLookup(desk.hub, desk.cast.session, desk.clock.monotonic_s() + 0.05)
    answer = await asyncio.wait_for(lookup.answer(None, bet, "pay_in"), 5)
    assert (answer.refusal, answer.balance) == (None, None)


class Mute:
    """A casino that does not answer."""

    async def balance(self, *_: object) -> BalanceKnown:
        await asyncio.sleep(3600)
        raise AssertionError("unreachable")
