"""The balance in an answer to a provider, and its sources.

A balance is known if the casino reported one: it is that base plus the payments accepted since. An answer's balance
includes what the answer decided: a win that is owed, a stake that is returned. The group commit sums and stores it with the
decision; what it could not tell is looked up here, afterwards. If the base is stale or missing, the casino is queried
(`users/data`) in parallel with other work, never past the hold time. The balance informs; it decides nothing.

Owns: money.md 7. Never: the refusal of an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from croupier.core import pursuit
from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.commands import Answer
from croupier.core.counterparty import Casino
from croupier.core.draft import Decision, Draft
from croupier.core.money import BadAmount, balance_minor, parse_amount, same_amount
from croupier.core.payment import GIVES
from croupier.core.readings import BalanceKnown, BalanceReading, BalanceUnreadable, PaymentKind, Yes
from croupier.core.records import evolve
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.flows import casino_call
from croupier.flows.advance import terms_of
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.kit.log import get
from croupier.store.db import DbError, assert_no_tx
from croupier.store.money.balances import KnownBalance

log = get("balance")

NEXT_MS_S = 0.002
"""Long enough that the clock, which counts milliseconds, has moved on."""
GRACE_S = 0.1
"""So long after the hold time an answer may still wait for its balance: less than the grace of the request itself."""
ANSWERS_WITH_BALANCE = (None, Refusal.NOT_ENOUGH_FUNDS)


class WalletOwner(Protocol):
    """Whose balance is queried: a session or a player."""

    @property
    def casino_id(self) -> int:
        """The casino that keeps the wallet."""
        ...

    @property
    def player_id(self) -> int:
        """The player."""
        ...

    @property
    def player_ref(self) -> str:
        """The player's id at the casino."""
        ...

    @property
    def currency(self) -> str:
        """The player's currency."""
        ...


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """The result of a balance query; `amount` is minor units, or None if the balance could not be read."""

    answered: bool
    amount: int | None = None


async def query_balance_amount(hub: Hub, session: WalletOwner) -> int | None:
    """Query the casino for the balance. Return minor units, or None if it reported none. It becomes the base where it may."""
    return (await query_balance(hub, session)).amount


async def query_balance(hub: Hub, session: WalletOwner) -> BalanceResult:
    """Query the casino for the balance, and report also whether it answered at all.

    An unreadable balance is left out of the answer, and does not count as a failure of the casino.
    """
    casino = await hub.store.casinos.get(session.casino_id)
    assert casino is not None
    assert_no_tx()
    asked_ms = heard_ms = 0

    async def ask(gateway: CasinoGateway) -> BalanceReading:
        nonlocal asked_ms, heard_ms
        asked_ms = hub.clock.now_ms()  # when it leaves, not when it began to wait for its place
        heard = await gateway.balance(casino, session.player_ref)
        heard_ms = hub.clock.now_ms()
        return heard

    reading = await casino_call.call_for_player(hub, casino, ask, step="balance")
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
    await hub.store.balances.base(session.player_id, amount, asked_ms, heard_ms=heard_ms)
    return BalanceResult(answered=True, amount=amount)


def _report_odd(hub: Hub, casino: Casino, what: str, *, said: str) -> None:
    """Count a balance that is unreadable, negative or finer than the currency. Log it at most once a minute."""
    hub.metrics.count("croupier_odd_balances_total", str(casino.casino_id), what)
    if hub.throttle.allows(("balance", casino.casino_id, what)):
        log.warning("balance.odd", casino=casino.name, what=what, said=said)


async def record_reported_balance(hub: Hub, subject: Bet | Cashback, kind: PaymentKind, *, said: object) -> None:
    """Store the balance that came with the success of this payment as the casino's last reported one, where it may be.

    Call it before the success is committed: requests that wait for the commit answer with the balance at once. The reported
    balance already includes this payment, less the tax that the casino withholds. So the stored base is the balance without
    it, as of the creation of the payment, and the commit moves it to exactly the reported amount. Contents that contradict
    the payment are ignored. Never raises for the database: the payment goes on.
    """
    payment = subject.payments.get(kind)
    if payment is None or not isinstance(said, Yes) or said.balance is None:
        return
    try:
        terms = await terms_of(hub, subject)
        others = await hub.store.partner_transactions.of_others(subject.casino_id, payment, said.contents.partner_tx)
        if pursuit.differences(Draft(subject, evolve(terms, held=others)), payment, said.contents):
            return
        told = parse_amount(said.balance, subject.currency)
        moved = payment.amount - (payment.tax or 0)
        without = told - moved if kind in GIVES else told + moved
        heard_ms = hub.clock.now_ms()
        await hub.store.balances.base(
            subject.player_id, without, payment.created_ms, heard_ms=heard_ms, told_with=payment
        )
    except BadAmount:
        return
    except DbError as error:
        log.info("balance.not_kept", problem=str(error))


async def reported_balance(hub: Hub, owner: WalletOwner) -> int | None:
    """Return the balance as the hub knows it, in minor units. An old or missing one is queried in the background."""
    known = await hub.store.balances.known(owner.player_id)
    stale_ms = hub.process_settings.balance_stale_s * 1000
    if known is None or hub.clock.now_ms() - known.base_ms > stale_ms:
        balance_task(hub, owner, in_a_moment=True)
    return None if known is None else known.amount


def balance_task(hub: Hub, session: WalletOwner, *, in_a_moment: bool = False) -> asyncio.Task[int | None]:
    """Return the balance query in flight for this player, or start one.

    `in_a_moment`: nobody waits for it, so it leaves in a later millisecond than the decision that it follows. Their order is
    known then, and the answer may become the base.
    """
    running = hub.state.balance_queries.get(session.player_id)
    if running is not None:
        return running
    task = asyncio.get_running_loop().create_task(_query_quietly(hub, session, NEXT_MS_S if in_a_moment else 0.0))
    hub.state.balance_queries[session.player_id] = task
    task.add_done_callback(lambda _: hub.state.balance_queries.pop(session.player_id, None))
    return task


async def _query_quietly(hub: Hub, session: WalletOwner, after_s: float) -> int | None:
    """Query the balance; a database error is logged and gives None. The request that started it may have ended already."""
    if after_s:
        await hub.clock.sleep(after_s)
    try:
        return await query_balance_amount(hub, session)
    except DbError as error:
        log.info("balance.not_asked", problem=str(error))
        return None


def balance_committed(hub: Hub, decision: Decision[Any]) -> None:
    """Note a commit of this process: if a balance was stored with its answer, the casino is queried for the next one in time."""
    if decision.based_ms is not None:
        _note_known(hub, decision.after, decision.based_ms)


def _note_known(hub: Hub, owner: WalletOwner, base_ms: int) -> None:
    hub.state.balance_known.put(owner.player_id, None)
    _refresh_if_stale(hub, owner, base_ms)


def _refresh_if_stale(hub: Hub, owner: WalletOwner, base_ms: int) -> None:
    """Have the casino queried for the next answer if the base is stale, at most once per player and `balance_stale_s`."""
    stale = hub.clock.now_ms() - base_ms > hub.process_settings.balance_stale_s * 1000
    if stale and hub.balance_throttle.allows(owner.player_id):
        balance_task(hub, owner, in_a_moment=True)


def _open(bet: Bet | None) -> bool:
    return bet is not None and any(payment.undecided for payment in bet.payments.values())


class BalanceLookup:
    """The balance lookup of one request. It runs in parallel with the bet, and only if a query is needed."""

    def __init__(self, hub: Hub, session: Session, until_s: float) -> None:
        self._hub = hub
        self._session = session
        self._until_s = until_s
        self._question: asyncio.Task[int | None] | None = None
        self._early: asyncio.Task[None] | None = None
        """Kept, because the loop holds its tasks weakly."""

    def start_if_unknown(self) -> None:
        """Start a query in parallel with the make if no balance of this player is known."""
        if self._session.player_id not in self._hub.state.balance_known:
            self._early = asyncio.get_running_loop().create_task(self._ask_if_unknown())

    async def _ask_if_unknown(self) -> None:
        try:
            if await self._hub.store.balances.known(self._session.player_id) is None:
                self._ask()
        except DbError as error:
            self._hub.database_health.log_trouble(error)

    async def answer(self, refusal: Refusal | None, bet: Bet | None = None, verb: str = "") -> Answer:
        """Return the answer with its balance. A repeat gets the balance of the first answer.

        The answer was decided before. A balance that the casino or the database does not tell within the hold time is left out.
        """
        told = Answer(refusal, None, self._session.currency)
        if refusal not in ANSWERS_WITH_BALANCE:
            return told
        stored = getattr(bet, f"{verb}_balance") if bet is not None else None
        if stored is not None:
            return evolve(told, balance=stored)
        try:
            async with asyncio.timeout(max(self._until_s - self._hub.clock.monotonic_s(), 0) + GRACE_S):
                return evolve(told, balance=await self._balance(bet, verb))
        except TimeoutError:
            return told
        except DbError as error:
            self._hub.database_health.log_trouble(error)
            return told

    async def _balance(self, bet: Bet | None, verb: str) -> int | None:
        balance = None if bet is None else await self._tell(bet, verb)
        if balance is None:
            balance = await self._now(bet)
            if balance is not None and bet is not None:
                balance = await self._hub.store.balances.keep(bet.bet_id, verb, balance)
        return balance

    async def _tell(self, bet: Bet, verb: str) -> int | None:
        """Return the known balance, stored with the answer; None if there is none, or if the casino is asked each time."""
        hub, player_id = self._hub, self._session.player_id
        casino = await hub.store.casinos.get(self._session.casino_id)
        if casino is None or casino.exact_balance:
            return None
        told = await hub.store.balances.tell(player_id, bet.bet_id, bet.net, verb=verb)
        if told is None:
            hub.state.balance_known.drop(player_id)
            return None
        _note_known(hub, self._session, told.base_ms)
        return told.amount

    def _ask(self, *, anew: bool = False) -> asyncio.Task[int | None]:
        """Return the balance query of this player. A query in flight is shared: each player has at most one."""
        if self._question is None or (anew and self._question.done()):
            self._question = balance_task(self._hub, self._session)
        return self._question

    async def _now(self, bet: Bet | None) -> int | None:
        hub = self._hub
        casino = await hub.store.casinos.get(self._session.casino_id)
        exact = casino is not None and casino.exact_balance
        known = await self._known(bet)
        # Whether a balance reported now includes the pending payments is unknown. It is used as reported only if none is pending.
        if known is None or (exact and not known.ahead):
            asked = await self._in_time(self._ask())
            known = await self._known(bet)
            if known is None and asked is not None and not _open(bet):
                # The query left while the stake was open. The stake has its outcome by now, so a new query gives a base.
                asked = await self._in_time(self._ask(anew=True))
                known = await self._known(bet)
            return asked if known is None or (exact and asked is not None) else known.amount + known.ahead
        _refresh_if_stale(hub, self._session, known.base_ms)
        return known.amount + known.ahead

    async def _known(self, bet: Bet | None) -> KnownBalance | None:
        decided = (0, 0) if bet is None else (bet.bet_id, bet.net)
        return await self._hub.store.balances.known(self._session.player_id, *decided)

    async def _in_time(self, question: asyncio.Task[int | None]) -> int | None:
        left = self._until_s - self._hub.clock.monotonic_s()
        if left <= 0 and not question.done():
            return None
        await asyncio.wait({question}, timeout=max(left, 0))
        return question.result() if question.done() else None
