"""The balance that goes with an answer, and where it comes from.

Known means: the casino's last word plus the payments accepted since. What an answer decided is in its balance: a win
that is owed, a stake that goes back. Stale or unknown means: ask `users/data` beside whatever else is going on, never past
the hold time. The balance informs; it never decides.

Owns: money.md 7. Never: the answer's refusal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from croupier.core import pursuit
from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.commands import Answer
from croupier.core.counterparty import Casino
from croupier.core.draft import Draft
from croupier.core.money import BadAmount, balance_minor, parse_amount, same_amount
from croupier.core.payment import GIVES
from croupier.core.readings import BalanceKnown, BalanceReading, BalanceUnreadable, PaymentKind, Yes
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.flows import casino_call
from croupier.flows.advance import terms_of
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.kit.log import get
from croupier.store.db import DbError, assert_no_tx
from croupier.store.money.balances import Known

log = get("balance")

ANSWERS_WITH_BALANCE = (None, Refusal.NOT_ENOUGH_FUNDS)


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """What came of a question for a balance: minor units if it could be read."""

    answered: bool
    amount: int | None = None


async def query_balance_amount(hub: Hub, session: Session) -> int | None:
    """Ask the casino now; minor units, or None if it did not say. Its word becomes the base where it may."""
    return (await query_balance(hub, session)).amount


async def query_balance(hub: Hub, session: Session) -> BalanceResult:
    """The same, and whether it answered at all: a balance that cannot be read is left out, and no door is locked for it."""
    casino = await hub.store.casinos.get(session.casino_id)
    assert casino is not None
    assert_no_tx()
    asked_ms = 0

    async def ask(gateway: CasinoGateway) -> BalanceReading:
        nonlocal asked_ms
        asked_ms = hub.clock.now_ms()  # when it leaves, not when it began to wait for its place
        return await gateway.balance(casino, session.player_ref)

    reading = await casino_call.call_for_player(hub, casino, ask)
    if isinstance(reading, BalanceUnreadable):
        _report_odd(hub, casino, "unreadable", said=reading.said)
        return BalanceResult(answered=True)
    if not isinstance(reading, BalanceKnown):
        return BalanceResult(answered=False)
    try:
        amount = balance_minor(reading.balance, session.currency)
    except BadAmount:
        _report_odd(hub, casino, "unreadable", said=reading.balance)
        return BalanceResult(answered=True)
    if not same_amount(reading.balance, amount, session.currency):
        _report_odd(hub, casino, "negative" if reading.balance.startswith("-") else "finer", said=reading.balance)
    await hub.store.balances.base(session.player_id, amount, asked_ms)
    return BalanceResult(answered=True, amount=amount)


def _report_odd(hub: Hub, casino: Casino, what: str, *, said: str) -> None:
    """A casino tells balances that are told otherwise or not at all: counted each time, said once a minute."""
    hub.metrics.count("croupier_odd_balances_total", str(casino.casino_id), what)
    if hub.throttle.allows(("balance", casino.casino_id, what)):
        log.warning("balance.odd", casino=casino.name, what=what, said=said)


async def record_reported_balance(hub: Hub, subject: Bet | Cashback, kind: PaymentKind, *, said: object) -> None:
    """Take a Balance that came with a yes to this payment as the casino's last word, where it may be one.

    Call it before the yes is committed: whoever waits for the commit tells the balance at once. The word holds this
    payment already, less the tax that the casino withholds, so the base is what was there without it, as of when the
    payment was made: the commit moves it to exactly what was told. A contradiction is not believed. Never raises for
    the database: the payment goes on.
    """
    payment = subject.payments.get(kind)
    if payment is None or not isinstance(said, Yes) or said.balance is None:
        return
    try:
        terms = await terms_of(hub, subject)
        others = await hub.store.partner_transactions.of_others(subject.casino_id, payment, said.contents.partner_tx)
        if pursuit.differences(Draft(subject, replace(terms, held=others)), payment, said.contents):
            return
        told = parse_amount(said.balance, subject.currency)
        moved = payment.amount - (payment.tax or 0)
        without = told - moved if kind in GIVES else told + moved
        await hub.store.balances.base(subject.player_id, without, payment.created_ms, told_with=payment)
    except BadAmount:
        return
    except DbError as error:
        log.info("balance.not_kept", problem=str(error))


def balance_task(hub: Hub, session: Session) -> asyncio.Task[int | None]:
    """The question for this player's balance that is under way, or a new one."""
    running = hub.state.balance_queries.get(session.player_id)
    if running is not None:
        return running
    task = asyncio.get_running_loop().create_task(_query_quietly(hub, session))
    hub.state.balance_queries[session.player_id] = task
    task.add_done_callback(lambda _: hub.state.balance_queries.pop(session.player_id, None))
    return task


async def _query_quietly(hub: Hub, session: Session) -> int | None:
    """Nobody may be waiting any more when it fails: an answer without a balance is an answer."""
    try:
        return await query_balance_amount(hub, session)
    except DbError as error:
        log.info("balance.not_asked", problem=str(error))
        return None


def _open(bet: Bet | None) -> bool:
    return bet is not None and any(payment.undecided for payment in bet.payments.values())


class BalanceLookup:
    """A question for the balance that runs beside a bet, if one is needed at all."""

    def __init__(self, hub: Hub, session: Session, until_s: float) -> None:
        self._hub = hub
        self._session = session
        self._until_s = until_s
        self._question: asyncio.Task[int | None] | None = None

    async def start_if_unknown(self) -> None:
        """Ask beside the make if nothing is known of this player's balance."""
        if await self._hub.store.balances.known(self._session.player_id) is None:
            self._ask()

    async def answer(self, refusal: Refusal | None, bet: Bet | None = None, verb: str = "") -> Answer:
        """The answer with its balance; a repeat is told the balance of the first answer."""
        told = Answer(refusal, None, self._session.currency)
        if refusal not in ANSWERS_WITH_BALANCE:
            return told
        stored = getattr(bet, f"{verb}_balance") if bet is not None else None
        if stored is not None:
            return replace(told, balance=stored)
        balance = await self._now(bet)
        if balance is not None and bet is not None:
            balance = await self._hub.store.balances.keep(bet.bet_id, verb, balance)
        return replace(told, balance=balance)

    def _ask(self, *, anew: bool = False) -> asyncio.Task[int | None]:
        """This player's question: joined if one is under way, so that a player costs the casino one at a time."""
        if self._question is None or (anew and self._question.done()):
            self._question = balance_task(self._hub, self._session)
        return self._question

    async def _now(self, bet: Bet | None) -> int | None:
        hub = self._hub
        casino = await hub.store.casinos.get(self._session.casino_id)
        exact = casino is not None and casino.exact_balance
        known = await self._known(bet)
        # What the casino says now may or may not hold what is ahead: it is told as it came only where nothing is.
        if known is None or (exact and not known.ahead):
            asked = await self._in_time(self._ask())
            known = await self._known(bet)
            if known is None and asked is not None and not _open(bet):
                # It was asked while the stake was open. By now that has its outcome: what is said now is a base.
                asked = await self._in_time(self._ask(anew=True))
                known = await self._known(bet)
            return asked if known is None or (exact and asked is not None) else known.amount + known.ahead
        if hub.clock.now_ms() - known.base_ms > hub.process_settings.balance_stale_s * 1000:
            # Told as known; the next answer will stand on a fresh base.
            self._ask()
        return known.amount + known.ahead

    async def _known(self, bet: Bet | None) -> Known | None:
        decided = (0, 0) if bet is None else (bet.bet_id, bet.net)
        return await self._hub.store.balances.known(self._session.player_id, *decided)

    async def _in_time(self, question: asyncio.Task[int | None]) -> int | None:
        left = self._until_s - self._hub.clock.monotonic_s()
        if left <= 0 and not question.done():
            return None
        await asyncio.wait({question}, timeout=max(left, 0))
        return question.result() if question.done() else None
