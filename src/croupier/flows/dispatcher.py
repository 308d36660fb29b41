"""The dispatcher: makes calls to casinos, and commits their answers as decisions.

A call that a commit of this process leased to it is sent at once. Makes for one casino that were committed together are
sent in one list. The poller takes up all other calls. An answer is applied to the row as it is then: under an older fence
than the row's, only its statement about money counts.

Owns: performing calls. Never: opens a transaction around one, or decides what an answer means (pursuit).
Spec: money.md 2, 3.2 and 4.4, casino.md 2, 2.1 and 2.7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from croupier.core import pursuit
from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.payment import SLOT_CLOSE, Step
from croupier.core.readings import (
    CloseDone,
    InfoList,
    PaymentKind,
    Received,
    Unknown,
)
from croupier.core.records import evolve
from croupier.core.work import Work, work_of
from croupier.flows.advance import Contended, advance
from croupier.flows.balances import record_reported_balance
from croupier.flows.casino_call import Reading, call_casino
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.flows.reconcile import record_doubles
from croupier.flows.traced import call_traced
from croupier.kit.log import get
from croupier.kit.point import point
from croupier.kit.wire import TooLate
from croupier.store.db import DbError
from croupier.store.money.calls import Taken
from croupier.store.money.group_commit import Broken

log = get("dispatcher")

LISTS_OUT = 2
"""Calls with makes that are out to one casino before the next makes gather."""
GATHER_S = 0.01
"""The longest that a make gathers, so that a casino that answers slowly delays none by more."""
LISTS_STOPPED_AFTER = 3
LISTS_AGAIN_S = 60.0
GIVE_BACK_S = 1.0
"""The delay before a call is taken up again after a database error, so that a failing database is not queried in a loop."""


class NotSent(Exception):
    """The call was not sent, for a reason of the hub itself. It is given back and made a little later."""


@dataclass(frozen=True, slots=True)
class LeasedCall:
    """A call to perform: its subject, its slot and its fence."""

    subject_id: int
    slot: str
    fence: int
    cashback: bool
    before_ms: int = field(default=0, compare=False)
    """The instant before which it must be sent: the end of its lease or, for a stake, of its hold time."""
    own: bool = field(default=False, compare=False)
    """A commit of this process leased it, so what this process committed of the bet last is not older than the lease."""


@dataclass(slots=True)
class _MakeQueue:
    """The makes for one casino that leave together: those of one moment, or those gathered while two calls are out."""

    waiting: list[tuple[LeasedCall, Bet]] = field(default_factory=list)
    planned: asyncio.Handle | None = None
    """The next time that they leave."""
    out: int = 0
    """Calls with makes that have no answer yet."""
    gathers: bool = False
    """The casino takes lists, so makes may wait a moment for company."""
    lists_failed: int = 0
    alone_until_s: float = 0.0


class Dispatcher:
    """Performs calls as tasks of this process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._queues: dict[int, _MakeQueue] = {}
        self._maybe_sent: set[LeasedCall] = set()
        """Calls that may have been sent, and whose answers are not committed."""
        self.tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self.tasks)

    def committed(self, decision: Decision[Any]) -> None:
        """Send the calls that a commit of this process leased to it."""
        before = decision.before.calls if decision.before else {}
        for slot, call in decision.after.calls.items():
            mine = call.lease_owner == self._hub.process_settings.process and before.get(slot) != call
            if not mine or not call.lease_owner:
                continue
            cashback = isinstance(decision.after, Cashback)
            leased_call = LeasedCall(decision.after.subject_id, slot, call.fence, cashback, own=True)
            if call.step is Step.MAKE and not leased_call.cashback:
                self._enqueue(decision.after, leased_call)
            else:
                self._start(self._run, leased_call, decision.after, call.step)

    def perform(self, taken: Taken) -> asyncio.Task[None]:
        """Perform a call that the poller leased."""
        leased_call = LeasedCall(taken.subject_id, taken.slot, taken.fence, taken.cashback)
        return self._start(self._perform, leased_call)

    async def finish(self, within_s: float) -> None:
        """Let the calls in flight end within this time, then cancel the rest. None of them runs when this returns."""
        for casino_id, queue in self._queues.items():
            if queue.planned is not None:
                queue.planned.cancel()
                self._flush(casino_id)
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=within_s)
        self.die()
        stopped = list(self.tasks)
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)

    def die(self) -> None:
        """Drop the makes that wait to leave. Their leases end, or are given back."""
        for queue in self._queues.values():
            if queue.planned is not None:
                queue.planned.cancel()
            queue.waiting, queue.planned = [], None

    def _start(self, work: Callable[..., Awaitable[None]], *args: Any) -> asyncio.Task[None]:  # noqa: ANN401 - its own
        # The task outlives the request that happened to start it, and may serve others too.
        context = None if self._hub.tracer is None else self._hub.tracer.outside()
        task = asyncio.get_running_loop().create_task(self._guarded(work, *args), context=context)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _guarded(self, work: Callable[..., Awaitable[None]], *args: Any) -> None:  # noqa: ANN401 - its own
        """Run a call. One that fails is given back; if that fails too, it is taken up when its lease expires."""
        try:
            await work(*args)
        except NotSent as error:
            log.warning("call.left", problem=str(error))
            await self._give_back(args, GIVE_BACK_S)
        except DbError as error:
            self._hub.database_health.record(error)
            await self._give_back(args, GIVE_BACK_S)
        except TooLate as error:
            # The call was not sent, so nothing failed. Whoever takes it up decides anew what to do.
            log.warning("call.too_late", problem=error.why)
            self._maybe_sent.difference_update(_leased_calls(args))
            await self._give_back(args, 0)
        except Contended as error:
            log.warning("call.left", problem=str(error) or type(error).__name__)
            await self._give_back(args, GIVE_BACK_S)
        except Broken as error:
            log.warning("call.left", problem=str(error) or type(error).__name__)
        except Exception:  # a task must not end unseen
            log.exception("call.bug")
        finally:
            self._maybe_sent.difference_update(_leased_calls(args))

    async def _give_back(self, args: tuple[Any, ...], after_s: float) -> None:
        """Give calls back early after a failure. Without this, a stake could lose its hold time to the lease."""
        hub = self._hub
        until_ms = hub.waits.after_ms(hub.clock.now_ms(), after_s)
        for leased_call in _leased_calls(args):
            try:
                key = leased_call.subject_id, leased_call.slot, leased_call.fence
                await hub.store.calls.let_go(*key, until_ms=until_ms, left=leased_call in self._maybe_sent)
            except DbError:
                return
        if hub.state.poller is not None:
            hub.state.poller.planned(until_ms)

    # --- makes that leave together ----------------------------------------------------------------------

    def _enqueue(self, bet: Bet, leased_call: LeasedCall) -> None:
        queue = self._queues.setdefault(bet.casino_id, _MakeQueue())
        queue.waiting.append((leased_call, bet))
        if queue.planned is None:
            loop = asyncio.get_running_loop()
            busy = queue.gathers and queue.out >= LISTS_OUT
            later = partial(loop.call_later, GATHER_S) if busy else loop.call_soon
            queue.planned = later(self._flush, bet.casino_id)

    def _flush(self, casino_id: int) -> None:
        queue = self._queues[casino_id]
        ready, queue.waiting, queue.planned = queue.waiting, [], None
        self._start(self._send, casino_id, queue, ready)

    def _returned(self, casino_id: int, queue: _MakeQueue) -> None:
        """Note that a call with makes has its answer or has failed. Makes that gathered meanwhile leave now."""
        queue.out -= 1
        if queue.planned is not None and queue.out < LISTS_OUT:
            queue.planned.cancel()
            queue.planned = asyncio.get_running_loop().call_soon(self._flush, casino_id)

    async def _send(self, casino_id: int, queue: _MakeQueue, waiting: list[tuple[LeasedCall, Bet]]) -> None:
        casino = await self._hub.store.casinos.get(casino_id)
        assert casino is not None
        ready = [
            (await self._with_deadline(leased_call, bet, Step.MAKE), order_of(bet, PaymentKind(leased_call.slot)))
            for leased_call, bet in waiting
        ]
        most = 1 if self._hub.clock.monotonic_s() < queue.alone_until_s else max(casino.batch, 1)
        queue.gathers = most > 1
        for work in (Work.OWED, Work.STAKE):  # each has its own places: none waits behind the other
            together = [one for one in ready if work_of(Step.MAKE, one[0].slot) is work]
            for start in range(0, len(together), most):
                part = together[start : start + most]
                queue.out += 1
                self._start(self._make_alone if len(part) == 1 else self._make_list, casino, queue, part)

    async def _make_alone(self, casino: Casino, queue: _MakeQueue, part: list[tuple[LeasedCall, Order]]) -> None:
        ((leased_call, order),) = part
        try:
            await point(f"{leased_call.slot}.before_send")
            before_ms = leased_call.before_ms
            reading = await self._called(
                casino, lambda g: g.make(casino, order, before_ms=before_ms), step=Step.MAKE, leased_calls=[leased_call]
            )
        finally:
            self._returned(casino.casino_id, queue)
        await self._apply_answers([leased_call], Step.MAKE, reading)

    async def _make_list(self, casino: Casino, queue: _MakeQueue, part: list[tuple[LeasedCall, Order]]) -> None:
        orders = [order for _, order in part]
        before_ms = min(leased_call.before_ms for leased_call, _ in part)
        leased_calls = [leased_call for leased_call, _ in part]
        try:
            await point("list.before_send")
            reading = await self._called(
                casino,
                lambda g: g.make_list(casino, orders, before_ms=before_ms),
                step=Step.MAKE,
                leased_calls=leased_calls,
            )
        finally:
            self._returned(casino.casino_id, queue)
        if isinstance(reading, Received):
            queue.lists_failed = 0
        else:
            # The answer to the list says nothing about its elements: from here each make is sent alone (casino.md 2.1).
            queue.lists_failed += 1
            if queue.lists_failed >= LISTS_STOPPED_AFTER:
                queue.alone_until_s = self._hub.clock.monotonic_s() + LISTS_AGAIN_S
        await self._apply_answers(leased_calls, Step.MAKE, reading)

    # --- one call ---------------------------------------------------------------------------------------

    async def _perform(self, leased_call: LeasedCall) -> None:
        """Decide what a due call does now, and perform it if it is a network call."""
        step: list[Step] = []

        def rule(subject: Any, terms: Terms) -> Decision[Any] | Step | None:  # noqa: ANN401 - Bet or Cashback
            if not _holds_fence(subject, leased_call):
                return None
            draft: Draft[Any] = Draft(subject, terms)
            todo = pursuit.step_when_due(draft, leased_call.slot)
            step[:] = [todo] if todo else []
            return draft.finish("taken_up") if todo is None else todo

        ruling = await advance(self._hub, self._reader(leased_call), rule)
        if isinstance(ruling, Step):
            subject = await self._reader(leased_call)()
            if subject is not None and _holds_fence(subject, leased_call):
                await self._run(leased_call, subject, ruling)

    async def _run(self, leased_call: LeasedCall, subject: Bet | Cashback, step: Step) -> None:
        casino = await self._hub.store.casinos.get(subject.casino_id)
        assert casino is not None
        bounded = await self._with_deadline(leased_call, subject, step)
        await point(f"{leased_call.slot}.before_send")
        asked_ms = self._hub.clock.now_ms()
        reading = await self._called(
            casino, _gateway_call(casino, subject, bounded, step=step), step=step, leased_calls=[leased_call]
        )
        if isinstance(reading, InfoList):
            assert isinstance(subject, Bet)
            await record_doubles(self._hub, subject, reading)
        await self._apply_answers([leased_call], step, reading, asked_ms=asked_ms)

    async def _called(
        self,
        casino: Casino,
        ask: Callable[[CasinoGateway], Awaitable[Reading]],
        *,
        step: Step,
        leased_calls: Sequence[LeasedCall],
    ) -> Reading:
        """Make the call and return the reading. Raises NotSent if the hub could not send it, which is no answer."""
        self._maybe_sent.update(leased_calls)
        work = work_of(step, leased_calls[0].slot)
        if self._hub.tracer is None:
            reading = await call_casino(self._hub, casino, ask, step=step, work=work)
        else:
            reading = await call_traced(
                self._hub.tracer,
                casino,
                partial(call_casino, self._hub, casino, ask, step=step, work=work),
                step=step,
                subject_ids=[leased_call.subject_id for leased_call in leased_calls],
            )
        if isinstance(reading, Unknown) and reading.ours:
            self._maybe_sent.difference_update(leased_calls)
            raise NotSent(reading.why)
        return reading

    async def _with_deadline(self, leased_call: LeasedCall, subject: Bet | Cashback, step: Step) -> LeasedCall:
        """Set the instant before which the call must be sent: its lease, and for a stake its hold time (money.md 2.3)."""
        before_ms = subject.calls[leased_call.slot].lease_until_ms
        if step is Step.MAKE and leased_call.slot == PaymentKind.STAKE.value and isinstance(subject, Bet):
            providers = self._hub.store.providers
            provider = providers.at_hand(subject.provider_id) or await providers.get(subject.provider_id)
            assert provider is not None
            created_ms = subject.payments[PaymentKind.STAKE].created_ms
            before_ms = min(before_ms, self._hub.waits.after_ms(created_ms, provider.hold_s))
        return evolve(leased_call, before_ms=before_ms)

    async def _apply_answers(
        self, leased_calls: Sequence[LeasedCall], step: Step, reading: Reading, *, asked_ms: int = 0
    ) -> None:
        """Commit the answer to each of these calls. `asked_ms`: the instant at which the query was sent."""
        for leased_call in leased_calls:
            await point(f"{leased_call.slot}.after_send")
        left = leased_calls
        if step is Step.MAKE and isinstance(reading, Received):
            # An accept usually arrives within moments and makes this commit unnecessary.
            await self._hub.clock.sleep(self._hub.process_settings.ack_grace_s)
            left = [leased_call for leased_call in leased_calls if not self._is_over(leased_call)]
        if len(left) == 1:
            await self._apply_answer(left[0], step, reading, asked_ms=asked_ms)
        elif left:
            await asyncio.gather(*(self._apply_answer(one, step, reading, asked_ms=asked_ms) for one in left))

    async def _apply_answer(self, leased_call: LeasedCall, step: Step, reading: Reading, *, asked_ms: int) -> None:
        """Commit the answer to one call: all of it under the current fence, else only its statement about money."""

        async def read() -> Any:  # noqa: ANN401 - Bet or Cashback
            subject = await self._reader(leased_call)()
            if subject is not None and step is Step.MAKE:
                await record_reported_balance(self._hub, subject, PaymentKind(leased_call.slot), said=reading)
            return subject

        def rule(subject: Any, terms: Terms) -> Decision[Any] | None:  # noqa: ANN401 - Bet or Cashback
            draft: Draft[Any] = Draft(subject, terms)
            draft.note(step=step.value)
            if not _holds_fence(subject, leased_call):
                return _apply_stale_answer(draft, leased_call.slot, reading)
            _apply_reading(draft, leased_call.slot, reading, asked_ms=asked_ms)
            return draft.finish(f"{leased_call.slot}_{step.value}_answered")

        await advance(self._hub, read, rule)

    def _is_over(self, leased_call: LeasedCall) -> bool:
        """Return whether a commit of this process ended the call or passed it on: under this fence it never comes back."""
        bet = self._hub.store.bets.recall(leased_call.subject_id) if leased_call.own else None
        return bet is not None and not _holds_fence(bet, leased_call)

    def _reader(self, leased_call: LeasedCall) -> Callable[[], Awaitable[Any]]:
        store = self._hub.store
        if leased_call.cashback:
            return lambda: store.cashbacks.by_id(leased_call.subject_id)
        return lambda: store.bets.by_id(leased_call.subject_id)


def _leased_calls(args: tuple[Any, ...]) -> list[LeasedCall]:
    """Return the leased calls in the arguments of a task: one call, or those of a list."""
    ready = [one for arg in args if isinstance(arg, list) for one, _ in arg]
    return [arg for arg in args if isinstance(arg, LeasedCall)] + ready


def order_of(subject: Bet | Cashback, kind: PaymentKind) -> Order:
    """Return the order for a payment. It has only fields that never change, so that every repeat is the same."""
    payment = subject.payments[kind]
    return Order(
        subject_id=subject.subject_id,
        kind=kind,
        player_ref=subject.player_ref,
        amount=payment.amount,
        tax=payment.tax,
        currency=subject.currency,
        tag_id=subject.tag_id,
    )


def _gateway_call(
    casino: Casino, subject: Bet | Cashback, leased_call: LeasedCall, *, step: Step
) -> Callable[[CasinoGateway], Awaitable[Reading]]:
    """Return the gateway call of a step."""
    before_ms = leased_call.before_ms
    if step is Step.INFO:
        return lambda g: g.info(casino, leased_call.subject_id, before_ms=before_ms)
    if step in (Step.CLOSE, Step.REOPEN):
        return lambda g: g.close(casino, leased_call.subject_id, step is Step.CLOSE, before_ms=before_ms)
    order = order_of(subject, PaymentKind(leased_call.slot))
    if leased_call.cashback:
        return lambda g: g.make_cashback(casino, order, before_ms=before_ms)
    return lambda g: g.make(casino, order, before_ms=before_ms)


def _holds_fence(subject: Bet | Cashback, leased_call: LeasedCall) -> bool:
    """Return whether the call still exists under our fence. Otherwise another process has it, or it is done."""
    call = subject.calls.get(leased_call.slot)
    return call is not None and call.fence == leased_call.fence


def _apply_stale_answer(draft: Draft[Any], slot: str, reading: Reading) -> Decision[Any] | None:
    """Apply an answer under an old fence: a fact about money counts, our next step does not."""
    if slot == SLOT_CLOSE or isinstance(reading, CloseDone):
        return None
    pursuit.apply_stale_answer(draft, PaymentKind(slot), reading)
    return draft.finish(f"{slot}_overheard") if draft.changed else None


def _apply_reading(draft: Draft[Any], slot: str, reading: Reading, *, asked_ms: int) -> None:
    step = draft.calls[slot].step
    if step is Step.INFO:
        assert isinstance(reading, InfoList | Unknown)
        pursuit.apply_info_answer(draft, PaymentKind(slot), reading, asked_ms=asked_ms)
    elif slot == SLOT_CLOSE or step is Step.REOPEN:
        assert isinstance(reading, CloseDone | Unknown)
        pursuit.apply_close_answer(draft, slot, reading)
    else:
        assert not isinstance(reading, InfoList | CloseDone)
        pursuit.apply_make_answer(draft, PaymentKind(slot), reading)
