"""What a process recalls of a bet proves nothing: another process may have changed it since (decision 0061)."""

from __future__ import annotations

from typing import Any

from croupier.apps.wiring import Seams, build
from croupier.core.bet import Bet, BetState
from croupier.core.commands import PayIn, PayOut, Refund
from croupier.core.pursuit import Verdict
from croupier.core.readings import Contents, PaymentKind, Yes
from croupier.core.refusals import Refusal
from croupier.flows.accept_payment import accept_payment
from croupier.flows.hub import Hub
from croupier.flows.pay_in import pay_in
from croupier.flows.pay_out import pay_out
from croupier.flows.refund import refund
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from tests.flows.desk import Desk
from tests.store.cast import SEALER


def another_process(desk: Desk) -> Hub:
    """A second hub over the same database, with a memory of its own."""
    clock: Any = desk.clock
    return build(settings_for(), Seams(clock, SeededChance(2), InProcessWire(SystemClock()), SEALER, desk.db), "")


def command(bet: Bet) -> dict[str, Any]:
    return {"provider_id": bet.provider_id, "session_id": bet.session_id, "bet_ref": bet.bet_ref}


def repeat_of(bet: Bet) -> PayIn:
    return PayIn(**command(bet), round_ref=bet.round_ref, stake="10.00")


async def accept(hub: Hub, bet: Bet, partner_tx: str = "t-1") -> Verdict:
    said = Yes(Contents(bet.bet_id, bet.player_ref, PaymentKind.STAKE, "10.00", None, partner_tx), None)
    return (await accept_payment(hub, bet.casino_id, bet.bet_id, kind=PaymentKind.STAKE, outcome=said)).verdict


async def a_bet_that_is_on(desk: Desk) -> Bet:
    bet = await desk.bet()
    assert await accept(desk.hub, bet) is Verdict.OK
    recalled = desk.hub.store.bets.recall(bet.bet_id)
    assert recalled is not None
    assert recalled == await desk.again(bet)
    return recalled


async def test_a_repeat_of_a_bet_that_another_process_returned_gets_7(desk: Desk) -> None:
    """In memory it is on, and the answer would be 1."""
    bet = await a_bet_that_is_on(desk)
    assert (await refund(another_process(desk), Refund(**command(bet)))).refusal is None
    assert (await pay_in(desk.hub, repeat_of(bet))).refusal is Refusal.CONFLICT


async def test_a_pay_out_of_a_bet_that_another_process_returned_settles_nothing(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    assert (await refund(another_process(desk), Refund(**command(bet)))).refusal is None
    asked = PayOut(**command(bet), round_ref=bet.round_ref, win="25.00")
    assert (await pay_out(desk.hub, asked)).refusal is Refusal.CONFLICT
    assert (await desk.again(bet)).state is BetState.RETURNED


async def test_an_accept_that_another_process_took_is_taken_once(desk: Desk) -> None:
    bet = await desk.bet()
    assert await accept(another_process(desk), bet) is Verdict.OK
    assert await accept(desk.hub, bet) is Verdict.OK
    entries = await desk.db.fetchval("select count(*) from ledger where subject_id = $1", bet.bet_id)
    assert entries == 1


async def test_an_accept_that_contradicts_what_another_process_took_is_refused(desk: Desk) -> None:
    """In memory the stake has no outcome, and the other id would be taken."""
    bet = await desk.bet()
    assert await accept(another_process(desk), bet) is Verdict.OK
    assert await accept(desk.hub, bet, "t-2") is Verdict.CONFLICT


async def test_a_bet_of_another_process_is_not_judged_as_a_new_one(desk: Desk) -> None:
    """Limits, switches and load are for unknown betIds alone (money.md 3.0)."""
    bet = await a_bet_that_is_on(desk)
    other = another_process(desk)
    await desk.hub.store.players.block(bet.player_id, True, reason="asked for", author="mia")
    assert (await pay_in(other, repeat_of(bet))).refusal is None
    new = PayIn(bet.provider_id, bet.session_id, "b-new", bet.round_ref, "10.00")
    assert (await pay_in(other, new)).refusal is Refusal.PLAYER_BLOCKED


async def test_a_bet_that_another_process_opened_is_found_by_the_commit(desk: Desk) -> None:
    bet = await a_bet_that_is_on(desk)
    other = another_process(desk)
    assert (await pay_in(other, repeat_of(bet))).refusal is None
    assert await desk.db.fetchval("select count(*) from bets") == 1


async def test_an_id_that_another_payment_has_is_found_by_the_commit(desk: Desk) -> None:
    """It is not looked up before; the decision is lost, and made anew with that knowledge."""
    await a_bet_that_is_on(desk)
    second = await desk.bet(1002)
    assert await accept(desk.hub, second, "t-1") is Verdict.CONFLICT
    assert (await desk.again(second)).state is BetState.ASKED
