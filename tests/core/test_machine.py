"""Anything in any order: requests, accepts, silence, lies, deaths and people, on the pure world, then peace.

While it goes on, the laws of money.md 5 hold at each step; `invariants` checks I1, I8, I10, I11, I13 and I15 at every
commit, this file adds I5, I9 and I17. When everybody is honest again, everything ends (I4) and every bet refused or
refunded stands at 0 at the casino (I7), unless the casino lied or a person was told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import croupier
from croupier.core.bet import NOT_WANTED, Bet, BetState, Closing
from croupier.core.payment import PaymentState, Step
from croupier.core.readings import PaymentKind
from tests.scenarios import words
from tests.scenarios.book import TAKES
from tests.scenarios.invariants import ledger_holds, stands_or_ended
from tests.scenarios.pure import PureWorld
from tests.scenarios.pure_hub import Errand, Ticket

BETS = ("b1", "b2", "b3")
CASHBACKS = ("c1", "c2")
WAYS = (
    "honest", "honest", "accepts after 3s", "accepts after 8s", "accepts first", "inline", "acks", "books",
    "books, answer lost", "answer lost, accepts after 2s", "down", "silent", "books, silent", "answers html",
    "books, answers 500", "refuses 103802", "refuses 102823 after 2s", "refuses 103805", "exists without value",
    "exists with amount 11.00", "inline with amount 11.00",
)  # fmt: skip
OTHER_WAYS = ("honest", "honest", "down", "answers 500")
LIES: tuple[dict[str, Any], ...] = ({}, {}, {"amount": "11.00"}, {"player": "ben"}, {"tx": "other"}, {"code": 103804})
ENDED_UNPAID = frozenset({BetState.REFUSED, BetState.EXPIRED, BetState.CANCELLED, BetState.RETURNED})
MIGRATION = Path(croupier.__file__).parent / "store" / "migrations" / "0001_hub.sql"

kinds = st.sampled_from(words.BET_KINDS)
ways = st.sampled_from(WAYS)


class Anything(RuleBasedStateMachine):
    """One casino, two providers, three betIds, two cashbacks."""

    @initialize(
        late=st.sampled_from(["return", "refuse"]), skip=st.booleans(), tax=st.booleans(),
        waits=st.booleans(), jackpots=st.booleans(), luck=st.sampled_from([0.0, 0.5, 1 - 1e-9]),
    )  # fmt: skip
    def begin(self, late: str, skip: bool, tax: bool, waits: bool, jackpots: bool, luck: float) -> None:
        chosen = {"late_accept": late, "skip_zero": "on" if skip else "off", "jackpot_wins": "on" if jackpots else "off"}
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
        stake=st.sampled_from(["10.00", "10.00", "0", "5.00"]), win=st.sampled_from(["25.00", "0"]),
        player=st.sampled_from(["anna", "anna", "anna", "ben"]), waits=st.booleans(),
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

    @rule(bet=st.sampled_from(BETS), kind=kinds, lie=st.sampled_from(LIES))
    def casino_accepts(self, bet: str, kind: str, lie: dict[str, Any]) -> None:
        if self._asked_for(bet, kind):
            self.world.act(words.Says("casino", bet, kind, **lie))

    @rule(bet=st.sampled_from(BETS), kind=kinds, code=st.sampled_from([103802, 103805, 987654]))
    def casino_refuses(self, bet: str, kind: str, code: int) -> None:
        if self._asked_for(bet, kind):
            self.world.act(words.Says("casino", bet, kind, code=code))

    @rule(name=st.sampled_from(CASHBACKS), kind=st.sampled_from(words.CASHBACK_KINDS), yes=st.booleans())
    def casino_says_of_cashback(self, name: str, kind: str, yes: bool) -> None:
        if self._asked_for(name, kind):
            self.world.act(words.Says("casino", name, kind, code=200 if yes else 103802))

    def _asked_for(self, name: str, kind: str) -> bool:
        return (self.world.names.get(name, 0), PaymentKind(kind)) in self.hub.books[1].seen

    # --- time, people, deaths ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.1, 0.3, 1, 4, 6, 16, 31, 70, 700, 4000]))
    def pass_time(self, seconds: float) -> None:
        self.hub.go_to(self.hub.now + round(seconds * 1000))

    @rule(again_s=st.sampled_from([0, 0.2, 5, 100]))
    def hub_dies(self, again_s: float) -> None:
        self.world.act(words.HubLife(alive=False))
        self.hub.go_to(self.hub.now + round(again_s * 1000))
        self.disturbed |= set(self.hub.subjects)
        self.world.act(words.HubLife(alive=True))

    @rule(
        name=st.sampled_from([*BETS, *CASHBACKS]), how=st.sampled_from(["retries", "gives up", "returns", "settles"]),
        kind=st.sampled_from(words.KINDS),
    )  # fmt: skip
    def person_decides(self, name: str, how: str, kind: str) -> None:
        found = self.hub.subjects.get(self.world.names.get(name, 0))
        of_bet = how in {"returns", "settles"}
        if found is None or (of_bet and not isinstance(found, Bet)):
            return
        if not of_bet and PaymentKind(kind) not in found.payments:
            return
        if self.world.act(words.Decides(how, name, None if of_bet else kind, "25.00")) == "done" and not of_bet:
            self.disturbed.add(found.subject_id)
            if how == "gives up":
                # What a person ends unpaid may well be booked at the casino: the person answers for the difference.
                self.hub.books[1].lied.add(found.subject_id)

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
        assert self.hub.moves <= DATABASE_MOVES | {m for m in self.hub.moves if not m[1]}, "I11"

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
        for at_ms, errand in self.hub.sends:
            if errand.step is Step.MAKE:
                sent[errand.subject_id, errand.slot].append(at_ms)
                self._stake_within_its_hold(at_ms, errand)
        for (subject_id, slot), times in sent.items():
            if subject_id in self.disturbed or slot in {"stake", "bet_return"}:
                continue
            for failures, (first, then) in enumerate(pairwise(times), 1):
                least = self.hub.waits.retry_ms(created_ms=first, now_ms=0, failures=failures, luck=self.hub.luck)
                assert least is not None
                assert then - first >= least, f"I17: {slot} was sent again too early"

    def _stake_within_its_hold(self, at_ms: int, errand: Errand) -> None:
        subject = self.hub.subjects[errand.subject_id]
        if errand.slot == "stake":
            assert at_ms < subject.created_ms + 6000, "I17: a stake was sent after its hold time"


def _fields(event: words.Ask) -> dict[str, Any]:
    return {name: getattr(event, name) for name in words.Ask.__slots__}


def _accepted(subject: Any) -> int:
    accepted = [p for p in subject.payments.values() if p.state is PaymentState.ACCEPTED]
    return sum(-p.amount if p.kind in TAKES else p.amount for p in accepted)


def _database_moves() -> set[tuple[str, str, str]]:
    """What the database's own table of moves allows: no decision may make another net move."""
    text = MIGRATION.read_text().partition("insert into state_moves values")[2].partition(";")[0]
    return {(m[1], m[2], m[3]) for m in re.finditer(r"\('(\w+)', '(\w+)', '(\w+)'\)", text)}


DATABASE_MOVES = _database_moves()

TestAnything = Anything.TestCase
TestAnything.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
