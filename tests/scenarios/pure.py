"""The pure world as stories see it: the events of the language done on `PureHub`, the figures they ask for.

Owns: who the people, casinos and providers of the stories are, and the translation of each event. Never: a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from croupier.core import bet_requests, cashback_effects, person
from croupier.core.bet import IS_ON, Bet, Origin
from croupier.core.bet_requests import CannotDo, RequestContents, Ruling
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.commands import Order
from croupier.core.counterparty import Casino, LateAccept, Provider
from croupier.core.draft import Decision, Terms
from croupier.core.money import BadAmount, parse_amount
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.refusals import Refusal
from croupier.core.session import Game, Session, bet_limits, judge_new_bet
from tests.scenarios import words
from tests.scenarios.language import Ending, Story
from tests.scenarios.pure_hub import NOTHING, T0, PureHub, Ticket
from tests.scenarios.words import Event

PLAYERS = {"anna": (1, 1), "ben": (2, 1), "cleo": (3, 2)}
"""Player id and casino id."""
CASINOS = {"casino": 1, "casino2": 2}
PROVIDERS = {"p1": 1, "p2": 2}
UNKNOWN_ID = 999
LIMITS = ("0.01", "10000")
"""The hub's own bet limits."""
"""A BetId that nobody ever gave out."""


def casino_of(settings: dict[str, str], casino_id: int) -> Casino:
    """A casino with the story's settings."""
    return Casino(
        casino_id=casino_id,
        name=f"casino {casino_id}",
        protocol="betcore_v2",
        url="http://casino.test",
        currencies=(settings.get("currency", "EUR"),),
        late_accept=LateAccept(settings.get("late_accept", "return")),
        tax_bp=int(settings["tax_bp"]) if "tax_bp" in settings else None,
        info=settings.get("info") != "off",
        close=settings.get("close") != "off",
        skip_zero=settings.get("skip_zero") == "on",
        reuses_transaction_ids=settings.get("reuses_transaction_ids") == "on",
        in_flight=int(settings.get("in_flight", "200")),
    )


def provider_of(settings: dict[str, str], provider_id: int) -> Provider:
    """A provider with the story's settings."""
    return Provider(
        provider_id=provider_id,
        counterparty_id=f"p{provider_id}",
        name=f"provider {provider_id}",
        protocol="betcore_v1",
        url="http://studio.test",
        hold_s=float(settings.get("hold", "6")),
        claim_s=float(settings.get("claim", "15")),
        pay_out_waits=settings.get("pay_out_waits") == "on",
    )


class PureWorld:
    """A `play.World` of core rules alone."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings
        self._currency = settings.get("currency", "EUR")
        self.hub = PureHub(
            [casino_of(settings, 1), casino_of(settings, 2)], [provider_of(settings, 1), provider_of(settings, 2)]
        )
        self.names: dict[str, int] = {}
        self._rounds: dict[str, str] = {}
        self._running: dict[str, Ticket] = {}
        self._since_ms = T0
        self._acts: dict[type[Event], Callable[[Any], str]] = {
            words.Wait: lambda _: "",
            words.Ask: self._ask,
            words.Answers: self._answers,
            words.Treat: self._treat,
            words.Says: self._says,
            words.Books: self._books,
            words.Decides: self._decides,
            words.PayCashback: self._pay_cashback,
            words.CancelCashback: self._cancel_cashback,
            words.HubLife: self._hub_life,
            words.Count: self._count,
        }

    @classmethod
    def of(cls, story: Story) -> PureWorld:
        """The world of one story."""
        return cls(story.settings)

    # --- play.World -------------------------------------------------------------------------------------------------

    async def go_to(self, at_ms: int) -> None:
        self.hub.go_to(T0 + at_ms)

    def now_ms(self) -> int:
        return self.hub.now - T0

    async def do(self, event: Event) -> str:
        return self.act(event)

    def act(self, event: Event) -> str:
        """Do it, and everything that happens in the same instant."""
        answer = self._acts[type(event)](event)
        self.hub.go_to(self.hub.now)
        self._since_ms = self.hub.now
        return answer

    async def figure(self, name: str) -> int:
        if name == "wallet":
            return sum(book.wallet for book in self.hub.books.values())
        return sum(amount for account, amount in self.hub.ledger.items() if account.split("/")[0] == name)

    async def state(self, subject: str, kind: str | None = None) -> str:
        if subject not in self.names:
            return "none"
        found = self.hub.subjects[self.names[subject]]
        if kind is None:
            return str(found.state.value)
        payment = found.payments.get(PaymentKind(kind))
        return "none" if payment is None else _told(payment.state)

    async def endings(self) -> dict[str, Ending]:
        found = {}
        for name, subject_id in self.names.items():
            subject = self.hub.subjects[subject_id]
            closing = subject.closing.value if isinstance(subject, Bet) else None
            payments = {k.value: _told(p.state) for k, p in subject.payments.items()}
            found[name] = Ending(subject.state.value, closing, payments)
        return found

    async def incidents(self) -> frozenset[str]:
        names = {subject_id: name for name, subject_id in self.names.items()}
        return frozenset(f"{names[subject_id]} {incident}" for subject_id, incident in self.hub.incidents)

    async def undecided(self) -> frozenset[str]:
        return frozenset(
            f"{name} {kind.value}"
            for name, subject_id in self.names.items()
            for kind, payment in self.hub.subjects[subject_id].payments.items()
            if payment.undecided
        )

    async def unexplained(self) -> int:
        return await self.figure("wallet") - await self.figure("wallets")

    # --- a provider asks --------------------------------------------------------------------------------------------

    def _ask(self, event: words.Ask) -> str:
        if not self.hub.alive:
            return NOTHING
        ticket = self._ticket(event)
        if isinstance(ticket, str):
            return ticket
        if event.label:
            self._running[event.label] = ticket
            return ""
        while ticket.answer is None:
            self.hub.step()
        return ticket.answer

    def _answers(self, event: words.Answers) -> str:
        ticket = self._running.pop(event.label)
        if ticket.answer is None:
            return "still waits"
        early = ticket.answered_ms < self._since_ms
        return f"{ticket.answer} at {(ticket.answered_ms - T0) / 1000} s" if early else ticket.answer

    def _ticket(self, event: words.Ask) -> Ticket | str:
        """The request, taken on; or its answer, where that needs no bet."""
        session = self._session(event)
        if session is None:
            return self._refused(Refusal.SESSION_UNKNOWN)
        try:
            stake, win = (None if x is None else parse_amount(x, self._currency) for x in (event.stake, event.win))
        except BadAmount:
            on = self.hub.by_ref.get((session.provider_id, event.bet))
            if event.verb == "pay-out" and on is not None and self.hub.subjects[on].state in IS_ON:
                self.hub.incidents[on, "win_refused"] += 1
            return self._refused(Refusal.WRONG_DATA)
        name = event.bet if event.by == "p1" else f"{event.bet}_{event.by}"
        asked = RequestContents(session.casino_id, session.player_id, self._round(event, name), stake, win)
        known = self.hub.by_ref.get((session.provider_id, event.bet))
        if known is not None:
            return self._known(event, session, asked, known)
        return self._new(event, session, asked, name)

    def _round(self, event: words.Ask, name: str) -> str:
        """A pay-out that names no round means its bet's."""
        self._rounds.setdefault(name, event.round or "r1")
        return event.round or self._rounds[name]

    def _refused(self, refusal: Refusal) -> str:
        ticket = Ticket(lambda *_: bet_requests.NOT_KNOWN, 0, 0)
        self.hub.answer(ticket, refusal)
        assert ticket.answer is not None
        return ticket.answer

    def _session(self, event: words.Ask) -> Session | None:
        if event.session not in {"first", "second", "ended"}:
            return None
        player_id, casino_id = PLAYERS[event.player]
        provider_id = PROVIDERS[event.by]
        game = Game(provider_id, provider_id, "g", "Game", "slots", jackpot_wins=self._on("jackpot_wins"))
        casino, provider = self.hub.casinos[casino_id], self.hub.providers[provider_id]
        low, high = bet_limits(casino, provider, game, currency=self._currency, defaults=LIMITS)
        return Session(
            session_id=f"{event.player}-{event.session}",
            provider_id=provider_id,
            casino_id=casino_id,
            player_id=player_id,
            player_ref=event.player,
            game_id=game.game_id,
            currency=self._currency,
            demo=False,
            min_bet=low,
            max_bet=high,
            opened_ms=T0 - 90_000_000,
            expires_ms=T0 if event.session == "ended" else T0 + 10**12,
            jackpot_wins=game.jackpot_wins,
        )

    def _on(self, setting: str) -> bool:
        return self._settings.get(setting) == "on"

    def _new(self, event: words.Ask, session: Session, asked: RequestContents, name: str) -> Ticket | str:
        """The first request of its betId (flows.pay_in, pay_out, refund)."""
        hub = self.hub
        if event.verb == "refund":
            born = self._born(event, session, asked, Origin.TOMBSTONE)
            return self._opened(event, session, asked, (name, born, bet_requests.open_tombstone))
        if event.verb == "pay-out":
            if not session.jackpot_wins:
                return self._refused(Refusal.BET_UNKNOWN)
            born = replace(self._born(event, session, asked, Origin.JACKPOT), win=asked.win)
            return self._opened(event, session, asked, (name, born, bet_requests.open_jackpot))
        casino, provider = hub.casinos[session.casino_id], hub.providers[session.provider_id]
        assert asked.stake is not None
        verdict = judge_new_bet(session, casino, provider, stake=asked.stake, now_ms=hub.now, defaults=LIMITS)
        if verdict is not None:
            return self._refused(verdict.refusal)
        if not hub.admission.admit(casino.casino_id, casino.in_flight):
            return self._refused(Refusal.NOT_TAKEN)
        origin = Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT
        until_ms = hub.waits.after_ms(hub.now, provider.hold_s)
        born = self._born(event, session, asked, origin)
        born = replace(born, stake=asked.stake, win=asked.win, waiting_until_ms=until_ms)
        admission = hub.admission
        return self._opened(
            event, session, asked, (name, born, bet_requests.open_bet), lambda: admission.leave(casino.casino_id)
        )

    def _born(self, event: words.Ask, session: Session, asked: RequestContents, origin: Origin) -> Bet:
        return Bet(
            bet_id=self.hub.new_id(),
            casino_id=session.casino_id,
            provider_id=session.provider_id,
            player_id=session.player_id,
            player_ref=session.player_ref,
            bet_ref=event.bet,
            round_ref="" if event.verb == "refund" else asked.round_ref,
            session_id=session.session_id,
            game_id=session.game_id,
            origin=origin,
            currency=session.currency,
            stake=0,
            created_ms=self.hub.now,
        )

    def _opened(
        self,
        event: words.Ask,
        session: Session,
        asked: RequestContents,
        birth: tuple[str, Bet, Callable[[Bet, Terms], Decision[Bet]]],
        done: Callable[[], None] = lambda: None,
    ) -> Ticket:
        name, born, rule = birth
        assert self.hub.commit(rule(born, self.hub.terms(born)))
        self.names[name] = born.bet_id
        return self._known(event, session, asked, born.bet_id, done=done, fresh=event.verb.startswith("pay-in"))

    def _known(
        self,
        event: words.Ask,
        session: Session,
        asked: RequestContents,
        bet_id: int,
        *,
        done: Callable[[], None] = lambda: None,
        fresh: bool = False,
    ) -> Ticket:
        provider = self.hub.providers[session.provider_id]
        until_ms = self.hub.waits.after_ms(self.hub.now, provider.hold_s)
        ticket = Ticket(_rule(event.verb, session, asked, until_ms), bet_id, until_ms, waiting=fresh, done=done)
        ticket.waits_for_the_casino = event.verb == "pay-out" and provider.pay_out_waits
        self.hub.wait_for(ticket)
        return ticket

    # --- the casino acts --------------------------------------------------------------------------------------------

    def _treat(self, event: words.Treat) -> str:
        self.hub.books[CASINOS[event.casino]].treat(event.target, event.how)
        return ""

    def _order(self, subject: str, kind: str) -> Order:
        """What the hub asked, or something nobody asked for."""
        key = (self.names.get(subject, UNKNOWN_ID), PaymentKind(kind))
        seen = [book.seen[key] for book in self.hub.books.values() if key in book.seen]
        return seen[0] if seen else Order(*key, "anna", 1000, None, self._currency)

    def _says(self, event: words.Says) -> str:
        order = self._order(event.subject, event.kind)
        casino_id = CASINOS[event.casino]
        true_one = self.hub.books[casino_id]
        foreign = (order.subject_id, order.kind) not in true_one.seen
        outcome = true_one.said(replace(event, tx=event.tx or "t1") if foreign else event, order)
        return self.hub.accept(casino_id, order.subject_id, order.kind, outcome)

    def _books(self, event: words.Books) -> str:
        book, order = self.hub.books[CASINOS[event.casino]], self._order(event.subject, event.kind)
        if event.how == "forgets":
            book.forget((order.subject_id, order.kind))
        else:
            book.book(order, again=event.how == "books again")
        return ""

    def _count(self, event: words.Count) -> str:
        key = (event.what, self.names[event.subject], PaymentKind(event.kind) if event.kind else None)
        return str(sum(book.counts[key] for book in self.hub.books.values()))

    # --- people and the process -------------------------------------------------------------------------------------

    def _decides(self, event: words.Decides) -> str:
        subject = self.hub.subjects[self.names[event.subject]]
        try:
            assert self.hub.commit(self._by_person(event, subject))
        except CannotDo:
            return "cannot"
        return "done"

    def _by_person(self, event: words.Decides, subject: Any) -> Decision[Any]:
        terms = self.hub.terms(subject)
        if event.how == "returns":
            return bet_requests.return_by_person(subject, terms, "mia")
        if event.how == "settles":
            assert event.amount is not None
            return bet_requests.settle_by_person(
                subject, parse_amount(event.amount, self._currency), terms, author="mia"
            )
        deed = {"accepts": person.accept, "gives up": person.give_up, "retries": person.retry}[event.how]
        return deed(self.hub.draft(subject), PaymentKind(event.kind), author="mia", reason="asked the casino")

    def _pay_cashback(self, event: words.PayCashback) -> str:
        amount = parse_amount(event.amount, self._currency)
        player_id, casino_id = PLAYERS[event.player]
        if event.name in self.names:
            first = self.hub.subjects[self.names[event.name]]
            assert isinstance(first, Cashback)
            return "done" if (first.player_id, first.amount) == (player_id, amount) else "cannot"
        row = Cashback(self.hub.new_id(), casino_id, player_id, event.player, self._currency, amount, event.name,
                       self.hub.now)  # fmt: skip
        d = self.hub.draft(row, new=True)
        cashback_effects.decide(d)
        assert self.hub.commit(d.finish("cashback_decided"))
        self.names[event.name] = row.cashback_id
        return "done"

    def _cancel_cashback(self, event: words.CancelCashback) -> str:
        row = self.hub.subjects[self.names[event.name]]
        if row.state in {CashbackState.KEPT, CashbackState.GIVEN_UP}:
            return "cannot"
        if row.state in {CashbackState.OWED, CashbackState.PAID}:
            d = self.hub.draft(row)
            cashback_effects.cancel(d)
            assert self.hub.commit(d.finish("cancelled_by_person", author="mia"))
        return "done"

    def _hub_life(self, event: words.HubLife) -> str:
        if event.alive:
            self.hub.start()
        else:
            self.hub.die()
        return ""


def _rule(verb: str, session: Session, asked: RequestContents, until_ms: int) -> Callable[[Bet, Terms, bool], Ruling]:
    def rule(bet: Bet, terms: Terms, over: bool) -> Ruling:
        if verb == "refund":
            return bet_requests.refund(bet, terms, casino_id=session.casino_id, player_id=session.player_id)
        if verb == "pay-out":
            return bet_requests.pay_out(bet, asked, terms, waited=over)
        return bet_requests.pay_in(bet, asked, terms, until_ms=until_ms, waited=over)

    return rule


def _told(state: PaymentState) -> str:
    """`created` counts as `sent`: both mean that the casino may have it."""
    return PaymentState.SENT.value if state is PaymentState.CREATED else state.value
