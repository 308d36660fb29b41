"""Anything in any order: requests, accepts, silence, lies, deaths and people, on the pure world, then peace.

While it goes on, the laws of money.md 5 hold at each step; `invariants` checks I1, I8, I10, I11, I13 and I15 at every
commit, this file adds I5, I9 and I17. When everybody is honest again, everything ends (I4) and every bet refused or
refunded stands at 0 at the casino (I7), unless the casino lied or a person was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from croupier.core.bet import NOT_WANTED, Bet, BetState, Closing
from croupier.core.payment import PaymentState, Step
from croupier.core.readings import PaymentKind
from tests.scenarios import words
from tests.scenarios.book import TAKES
from tests.scenarios.invariants import database_moves, ledger_holds, stands_or_ended
from tests.scenarios.pure import PureWorld
from tests.scenarios.pure_hub import LeasedCall, Ticket

BETS = ("b1", "b2")
CASHBACKS = ("c1",)
WAYS = (
    "honest", "honest", "accepts after 3s", "accepts after 8s", "accepts first", "inline", "acks", "books",
    "books, answer lost", "answer lost, accepts after 2s", "down", "silent", "books, silent", "answers html",
    "books, answers 500", "refuses 103802", "refuses 102823 after 2s", "refuses 103805", "exists without value",
    "exists with amount 11.00", "inline with amount 11.00",
)  # fmt: skip
OTHER_WAYS = ("honest", "honest", "down", "answers 500")
LIES: tuple[dict[str, Any], ...] = ({}, {}, {"amount": "11.00"}, {"player": "ben"}, {"tx": "other"}, {"code": 103804})
ENDED_UNPAID = frozenset({BetState.REFUSED, BetState.EXPIRED, BetState.CANCELLED, BetState.RETURNED})
DATABASE_MOVES = database_moves()

ways = st.sampled_from(WAYS)
seconds = st.sampled_from([0.1, 0.3, 1, 4, 6, 16, 31, 70, 700, 4000])
which = st.integers(0, 11)
"""Which of the payments there are."""


class Anything(RuleBasedStateMachine):
    """One casino, one provider, two betIds, a cashback."""

    @initialize(
        late=st.sampled_from(["return", "refuse"]), skip=st.booleans(), tax=st.booleans(),
        waits=st.booleans(), jackpots=st.booleans(), luck=st.sampled_from([0.0, 0.5, 1 - 1e-9]),
    )  # fmt: skip
    def begin(self, late: str, skip: bool, tax: bool, waits: bool, jackpots: bool, luck: float) -> None:
        chosen = {
            "late_accept": late,
            "skip_zero": "on" if skip else "off",
            "jackpot_wins": "on" if jackpots else "off",
        }
        chosen |= {"pay_out_waits": "on" if waits else "off"} | ({"tax_bp": "1000"} if tax else {})
        self.world = PureWorld(chosen)
        self.hub = self.world.hub
        self.hub.luck = luck
        self.answers: dict[words.Ask, str] = {}
        self.open_tickets: list[tuple[words.Ask, Ticket]] = []
        self.disturbed: set[int] = set()
        """Bets and cashbacks whose calls a person or a restart moved out of their schedule."""
        self.labels = 0

    # --- the provider -----------------------------------------------------------------------------------------------

    @rule(
        verb=st.sampled_from(["pay-in", "pay-in", "pay-in-out", "pay-out", "refund"]), bet=st.sampled_from(BETS),
        stake=st.sampled_from(["10.00"] * 5 + ["0", "5.00"]), win=st.sampled_from(["25.00", "25.00", "0"]),
        player=st.sampled_from(["anna"] * 7 + ["ben"]), waits=st.booleans(),
    )  # fmt: skip
    def ask(self, verb: str, bet: str, stake: str, win: str, player: str, waits: bool) -> None:
        staked = stake if verb in {"pay-in", "pay-in-out"} else None
        won = win if verb in {"pay-out", "pay-in-out"} else None
        event = words.Ask(verb, bet, None if verb == "refund" else "r1", staked, won, player=player)
        if waits:
            before, now_ms = self._bet(bet), self.hub.now
            answer = self.world.act(event)
            if answer == "7" and now_ms == self.hub.now and before is not None:
                assert self._bet(bet) == before, "I9: a conflict changed something"
            self._answered(event, answer)
            self._matches(event, answer)
        else:
            self._ask_aside(event)

    @rule(how=ways, bet=st.sampled_from(BETS), verb=st.sampled_from(["pay-in", "pay-in-out"]), seconds=seconds)
    def stake(self, how: str, bet: str, verb: str, seconds: float) -> None:
        """The usual beginning, in every way a casino can treat it."""
        self.treat("stake", how)
        self.ask(verb, bet, "10.00", "25.00", "anna", waits=True)
        self.pass_time(seconds)

    def _ask_aside(self, event: words.Ask) -> None:
        self.labels += 1
        label = f"L{self.labels}"
        answer = self.world.act(words.Ask(**{**_fields(event), "label": label}))
        if answer:
            self._answered(event, answer)
        else:
            self.open_tickets.append((event, self.world._running[label]))

    def _bet(self, name: str) -> Bet | None:
        found = self.hub.subjects.get(self.world.names.get(name, 0))
        assert found is None or isinstance(found, Bet)
        return found

    def _matches(self, event: words.Ask, answer: str) -> None:
        """A success is only ever told of what is so (I6, I8)."""
        bet = self._bet(event.bet)
        if answer != "1":
            return
        assert bet is not None
        if event.verb == "refund":
            assert bet.state in NOT_WANTED
        elif event.verb == "pay-out":
            assert bet.state is BetState.SETTLED
        else:
            assert bet.state in {BetState.ON, BetState.SETTLED}
            assert bet.stake_confirmed or bet.stake == 0

    def _answered(self, event: words.Ask, answer: str) -> None:
        """I9: the same answer, until a return."""
        if answer in {"99", "99 busy", "nothing", "5"}:
            return
        bet, first = self._bet(event.bet), self.answers.setdefault(event, answer)
        if first != answer:
            assert answer == "7", f"I9: {event} was answered {first}, then {answer}"
            assert bet is not None
            assert bet.state in NOT_WANTED | {BetState.EXPIRED}, f"I9: {event}: {first}, then 7 while {bet.state}"
            self.answers[event] = answer

    @invariant()
    def tickets_that_ended(self) -> None:
        for event, ticket in list(getattr(self, "open_tickets", [])):
            if ticket.answer is not None:
                self.open_tickets.remove((event, ticket))
                assert ticket.answered_ms <= ticket.until_ms, "I16: answered after the hold time"
                self._answered(event, ticket.answer)

    # --- the casino -------------------------------------------------------------------------------------------------

    @rule(target_kind=st.sampled_from(["all", *words.KINDS]), how=ways)
    def treat(self, target_kind: str, how: str) -> None:
        self.world.act(words.Treat("casino", target_kind, words.treatment(how)))

    @rule(call=st.sampled_from(words.CALLS), how=st.sampled_from(OTHER_WAYS))
    def treat_calls(self, call: str, how: str) -> None:
        self.world.act(words.Treat("casino", call, words.treatment(how)))

    @rule(which=which, lie=st.sampled_from(LIES))
    def casino_accepts(self, which: int, lie: dict[str, Any]) -> None:
        for name, kind in self._one_of(self.hub.books[1].seen, which):
            self.world.act(words.Says("casino", name, kind.value, **lie))

    @rule(which=which, code=st.sampled_from([103802, 103805, 987654]))
    def casino_refuses(self, which: int, code: int) -> None:
        for name, kind in self._one_of(self.hub.books[1].seen, which):
            self.world.act(words.Says("casino", name, kind.value, code=code))

    def _one_of(self, keys: Iterable[tuple[int, PaymentKind]], which: int) -> list[tuple[str, PaymentKind]]:
        """One of the payments, by number, with its bet's or cashback's name; none where there are none."""
        names = {subject_id: name for name, subject_id in self.world.names.items()}
        found = [(names[subject_id], kind) for subject_id, kind in keys]
        return [found[which % len(found)]] if found else []

    # --- time, people, deaths ---------------------------------------------------------------------------------------

    @rule(seconds=seconds)
    def pass_time(self, seconds: float) -> None:
        self.hub.go_to(self.hub.now + round(seconds * 1000))

    @rule(again_s=st.sampled_from([0, 0.2, 5, 100]))
    def hub_dies(self, again_s: float) -> None:
        self.world.act(words.HubLife(alive=False))
        self.hub.go_to(self.hub.now + round(again_s * 1000))
        self.disturbed |= set(self.hub.subjects)
        self.world.act(words.HubLife(alive=True))

    @rule(which=which, how=st.sampled_from(["retries", "gives up"]))
    def person_decides(self, which: int, how: str) -> None:
        payments = [(s.subject_id, kind) for s in self.hub.subjects.values() for kind in s.payments]
        for name, kind in self._one_of(payments, which):
            if self.world.act(words.Decides(how, name, kind.value)) == "done":
                subject_id = self.world.names[name]
                self.disturbed.add(subject_id)
                if how == "gives up":
                    # What a person ends may well be booked at the casino: the person answers for the difference.
                    self.hub.books[1].lied.add(subject_id)

    @rule(bet=st.sampled_from(BETS), how=st.sampled_from(["returns", "settles"]))
    def person_ends_a_game(self, bet: str, how: str) -> None:
        if bet in self.world.names:
            self.world.act(words.Decides(how, bet, amount="25.00"))

    @rule(name=st.sampled_from(CASHBACKS), amount=st.sampled_from(["5.00", "5.00", "6.00"]))
    def pay_cashback(self, name: str, amount: str) -> None:
        self.world.act(words.PayCashback(name, amount))

    @rule(name=st.sampled_from(CASHBACKS))
    def cancel_cashback(self, name: str) -> None:
        if name in self.world.names:
            self.world.act(words.CancelCashback(name))

    # --- what holds -------------------------------------------------------------------------------------------------

    @invariant()
    def ledger(self) -> None:
        if hasattr(self, "hub"):
            ledger_holds(self.hub.subjects.values(), self.hub.ledger)

    @invariant()
    def booked_once(self) -> None:
        """I5, as the casino sees it: whatever was repeated, reordered or lost, nothing moved twice."""
        if hasattr(self, "hub"):
            assert all(n <= 1 for n in self.hub.books[1].moved.values()), "I5"

    def teardown(self) -> None:
        if not hasattr(self, "hub"):
            return
        for target in ("all", *words.CALLS):
            self.world.act(words.Treat("casino", target, words.HONEST))
        self.hub.go_to(self.hub.now + 26 * 3600 * 1000)
        self.tickets_that_ended()
        assert not self.open_tickets, "I16"
        self._everything_ended()
        self._calls_kept_their_schedule()
        assert {move for move in self.hub.moves if move[1]} <= DATABASE_MOVES, "I11"

    def _everything_ended(self) -> None:
        """I4, I7, and I2 for every bet and cashback apart."""
        book = self.hub.books[1]
        for subject in self.hub.subjects.values():
            incidents = frozenset(name for subject_id, name in self.hub.incidents if subject_id == subject.subject_id)
            assert stands_or_ended(subject, incidents), f"I4: {subject}"
            if isinstance(subject, Bet):
                ended = subject.state in {BetState.SETTLED, BetState.RETURNED, BetState.DISPUTED}
                parked = any(p.state is PaymentState.PARKED for p in subject.payments.values())
                accepted = any(p.state is PaymentState.ACCEPTED for p in subject.payments.values())
                assert not (ended and accepted and not parked) or subject.closing is Closing.CLOSED, "3.9"
            if subject.subject_id in book.lied or incidents:
                continue
            assert book.net(subject.subject_id) == _accepted(subject), f"I2: {subject}"
            if subject.state in ENDED_UNPAID:
                assert book.net(subject.subject_id) == 0, f"I7: {subject}"

    def _calls_kept_their_schedule(self) -> None:
        """I17: a stake leaves within its hold time only; what is owed keeps its ladder."""
        sent: dict[tuple[int, str], list[int]] = defaultdict(list)
        for at_ms, leased_call in self.hub.sends:
            if leased_call.step is Step.MAKE:
                sent[leased_call.subject_id, leased_call.slot].append(at_ms)
                self._stake_within_its_hold(at_ms, leased_call)
        for (subject_id, slot), times in sent.items():
            if subject_id in self.disturbed or slot in {"stake", "bet_return"}:
                continue
            for tries, (first, then) in enumerate(pairwise(times), 1):
                # A first acknowledgement is no failure, but then the next try waits 30 s: at least every second counts.
                failures, luck = tries // 2, self.hub.luck
                least = self.hub.waits.retry_ms(created_ms=first, now_ms=0, failures=failures, luck=luck)
                assert least is not None
                assert then - first >= least, f"I17: {slot} was sent again too early"

    def _stake_within_its_hold(self, at_ms: int, leased_call: LeasedCall) -> None:
        subject = self.hub.subjects[leased_call.subject_id]
        if leased_call.slot == "stake":
            assert at_ms < subject.created_ms + 6000, "I17: a stake was sent after its hold time"


def _fields(event: words.Ask) -> dict[str, Any]:
    return {name: getattr(event, name) for name in words.Ask.__slots__}


def _accepted(subject: Any) -> int:
    accepted = [p for p in subject.payments.values() if p.state is PaymentState.ACCEPTED]
    return sum(-p.amount if p.kind in TAKES else p.amount for p in accepted)


def _played(examples: int) -> Any:
    case: Any = type("Played", (Anything.TestCase,), {})
    case.settings = settings(
        max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
    )
    return case


TestAnything = _played(15)
TestAnythingForLong = pytest.mark.slow(_played(300))
