"""The full world: the whole hub (routes, codecs, signatures, flows, store, PostgreSQL) on virtual time.

Owns: how each event of a story is done to a running hub, and where its figures are read. Never: a rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from croupier.core.bet import Bet
from croupier.core.bet_requests import CannotDo
from croupier.core.cashback import Cashback
from croupier.core.commands import GameListing, Order
from croupier.core.money import parse_amount
from croupier.core.payment import PaymentState
from croupier.core.proposal import Act, PersonAct
from croupier.core.readings import PaymentKind
from croupier.core.session import Session
from croupier.flows.cashback import CashbackRefused, cancel_cashback, pay_cashback
from croupier.flows.person import do
from croupier.simulator.stage import HUB_ORIGIN, START_MS, Running, Stage, settings_for
from tests.scenarios import words
from tests.scenarios.book import Book
from tests.scenarios.full_peers import DEAD, WireCasino, WireProvider
from tests.scenarios.language import Ending, Story
from tests.scenarios.pure import UNKNOWN_ID, casino_of, provider_of
from tests.scenarios.pure_hub import WORST_LUCK
from tests.scenarios.words import Event

PLAYERS = {"anna": "casino", "ben": "casino", "cleo": "casino2"}
PROVIDERS = ("p1", "p2")
GAME = "g"
LONG_MS = 10**12


class WorstChance:
    """Chance whose jitter never shortens a wait; everything else as the stage has it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def fraction(self) -> float:
        return WORST_LUCK

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class FullWorld:
    """A `play.World` of the whole hub."""

    def __init__(self, stage: Stage, story: Story) -> None:
        self.stage = stage
        self._settings = story.settings
        self._currency = story.currency
        self._casinos: dict[str, WireCasino] = {}
        self._providers: dict[str, WireProvider] = {}
        self._sessions: dict[tuple[str, str, str], str] = {}
        self._running: dict[str, tuple[asyncio.Task[str], list[int]]] = {}
        self._rounds: dict[str, str] = {}
        self._cashbacks: dict[str, int] = {}
        self._hub: Running | None = None
        self._since_ms = 0
        self._acts: dict[type, Callable[[Any], Awaitable[str]]] = {
            words.Wait: self._wait,
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
    async def of(cls, stage: Stage, story: Story) -> FullWorld:
        """The world of one story, its hub running."""
        world = cls(stage, story)
        stage.chance = WorstChance(stage.chance)  # type: ignore[assignment]
        await stage.prepare()
        await world._start()
        await world._people()
        stage.begin()
        return world

    async def _start(self) -> None:
        self._hub = await self.stage.start_hub(settings_for(), ack_grace_s=0.0)

    @property
    def _store(self) -> Any:
        return self.hub.store

    @property
    def hub(self) -> Any:
        """The running hub, or the last one."""
        assert self._hub is not None
        return self._hub.hub

    async def _people(self) -> None:
        for number, name in enumerate(("casino", "casino2"), 1):
            await self._casino(number, name)
        for number, name in enumerate(PROVIDERS, 1):
            await self._provider(number, name)
        await self._store.keys.load()

    async def _casino(self, number: int, name: str) -> None:
        wanted = casino_of(self._settings, number)
        origin = f"http://{name}.test"
        quirks = {
            q: getattr(wanted, q)
            for q in ("late_accept", "tax_bp", "info", "close", "skip_zero", "in_flight", "reuses_transaction_ids")
        }
        casino, secret = await self._store.casinos.add(
            name, origin, list(wanted.currencies), alg="EdDSA", batch=1, **quirks
        )
        book = Book(casino)
        told = WireCasino(book, self.stage.network, self.stage.clock, HUB_ORIGIN, secret, self._currency)
        self._casinos[name] = told
        self.stage.network.mount(origin, told)

    async def _provider(self, number: int, name: str) -> None:
        wanted = provider_of(self._settings, number)
        quirks = {q: getattr(wanted, q) for q in ("hold_s", "claim_s", "pay_out_waits")}
        provider, secret = await self._store.providers.add(name, f"http://{name}.test", **quirks)
        self._providers[name] = WireProvider(
            provider.counterparty_id, secret, self.stage.network, self.stage.clock, HUB_ORIGIN
        )
        await self._store.games.take_listing(
            provider.provider_id, [GameListing(GAME, "Game", "slots")], enabled_for_new=True
        )
        (game,) = await self._store.games.all(provider.provider_id)
        await self._store.games.set(game.game_id, jackpot_wins=self._settings.get("jackpot_wins") == "on")
        for player, casino in PLAYERS.items():
            await self._open(name, provider.provider_id, game.game_id, (player, casino))

    async def _open(self, by: str, provider_id: int, game_id: int, who: tuple[str, str]) -> None:
        player, casino_name = who
        casino_id = self._casinos[casino_name].book.casino.casino_id
        row = await self._store.players.register(casino_id, player, self._currency)
        for which in ("first", "second", "ended"):
            session = Session(
                session_id=f"{by}-{player}-{which}",
                provider_id=provider_id,
                casino_id=casino_id,
                player_id=row.player_id,
                player_ref=player,
                game_id=game_id,
                currency=self._currency,
                demo=False,
                min_bet=1,
                max_bet=parse_amount("10000", self._currency),
                opened_ms=START_MS - 90_000_000,
                expires_ms=START_MS if which == "ended" else START_MS + LONG_MS,
            )
            await self._store.sessions.open(session)

    # --- play.World -------------------------------------------------------------------------------------------------

    async def go_to(self, at_ms: int) -> None:
        await self._settled()
        left_s = at_ms / 1000 - self.stage.loop.time()
        if left_s > 0:
            await self.stage.clock.sleep(left_s)
        await self._settled()

    async def _settled(self) -> None:
        await self.stage.loop.settled()

    def now_ms(self) -> int:
        return self.stage.clock.now_ms() - START_MS

    async def do(self, event: Event) -> str:
        answer = await self._acts[type(event)](event)
        await self._settled()
        self._since_ms = self.now_ms()
        return answer

    async def figure(self, name: str) -> int:
        if name == "wallet":
            return sum(c.book.wallet for c in self._casinos.values())
        row = await self.stage.db.fetchrow(
            "select coalesce(sum(amount) filter (where split_part(target, '/', 1) = $1), 0)"
            " - coalesce(sum(amount) filter (where split_part(source, '/', 1) = $1), 0) as sum from ledger",
            name,
        )
        assert row is not None
        return int(row["sum"])

    async def _subjects(self) -> dict[str, Bet | Cashback]:
        names = {}
        for row in await self.stage.db.fetch(
            "select b.bet_id, b.bet_ref, p.name from bets b join providers p using (provider_id)"
        ):
            name = row["bet_ref"] if row["name"] == "p1" else f"{row['bet_ref']}_{row['name']}"
            names[name] = await self._store.bets.by_id(row["bet_id"])
        for row in await self.stage.db.fetch("select cashback_id, ref from cashbacks"):
            names[row["ref"]] = await self._store.cashbacks.by_id(row["cashback_id"])
        return names

    async def state(self, subject: str, kind: str | None = None) -> str:
        found = (await self._subjects()).get(subject)
        if found is None:
            return "none"
        if kind is None:
            return found.state.value
        payment = found.payments.get(PaymentKind(kind))
        return "none" if payment is None else _told(payment.state)

    async def endings(self) -> dict[str, Ending]:
        found = {}
        for name, subject in (await self._subjects()).items():
            closing = subject.closing.value if isinstance(subject, Bet) else None
            payments = {k.value: _told(p.state) for k, p in subject.payments.items()}
            found[name] = Ending(subject.state.value, closing, payments)
        return found

    async def incidents(self) -> frozenset[str]:
        names = {s.subject_id: name for name, s in (await self._subjects()).items()}
        rows = await self.stage.db.fetch("select subject_id, name from incidents")
        return frozenset(f"{names[row['subject_id']]} {row['name']}" for row in rows)

    async def undecided(self) -> frozenset[str]:
        return frozenset(
            f"{name} {kind.value}"
            for name, subject in (await self._subjects()).items()
            for kind, payment in subject.payments.items()
            if payment.undecided
        )

    async def unexplained(self) -> int:
        return await self.figure("wallet") - await self.figure("wallets")

    # --- a provider asks --------------------------------------------------------------------------------------------

    async def _wait(self, _: words.Wait) -> str:
        return ""

    async def _ask(self, event: words.Ask) -> str:
        name = event.bet if event.by == "p1" else f"{event.bet}_{event.by}"
        body = {"betId": event.bet}
        if event.verb != "refund":
            body["gameRoundId"] = event.round or self._rounds.get(name, "r1")
            self._rounds.setdefault(name, body["gameRoundId"])
        if event.stake is not None:
            body["betAmount"] = event.stake
        if event.win is not None:
            body["winAmount"] = event.win
        session = f"{event.by}-{event.player}-{event.session}"
        told: list[int] = []

        async def call() -> str:
            answer = await self._providers[event.by].call(session, event.verb, body)
            told.append(self.now_ms())
            return answer

        task = self.stage.loop.create_task(call())
        if event.label:
            self._running[event.label] = (task, told)
            return ""
        return await task

    async def _answers(self, event: words.Answers) -> str:
        task, told = self._running.pop(event.label)
        if not task.done():
            return "still waits"
        early = told[0] < self._since_ms
        return f"{task.result()} at {told[0] / 1000} s" if early else task.result()

    # --- the casino acts --------------------------------------------------------------------------------------------

    async def _treat(self, event: words.Treat) -> str:
        self._casinos[event.casino].book.treat(event.target, event.how)
        return ""

    async def _order(self, subject: str, kind: str) -> Order:
        found = (await self._subjects()).get(subject)
        key = (found.subject_id if found else UNKNOWN_ID, PaymentKind(kind))
        seen = [c.book.seen[key] for c in self._casinos.values() if key in c.book.seen]
        return seen[0] if seen else Order(*key, "anna", 1000, None, self._currency)

    async def _says(self, event: words.Says) -> str:
        order = await self._order(event.subject, event.kind)
        casino = self._casinos[event.casino]
        foreign = (order.subject_id, order.kind) not in casino.book.seen
        outcome = casino.book.said(replace(event, tx=event.tx or "t1") if foreign else event, order)
        return await casino.accept(order, outcome)

    async def _books(self, event: words.Books) -> str:
        order = await self._order(event.subject, event.kind)
        book = self._casinos[event.casino].book
        if event.how == "forgets":
            book.forget((order.subject_id, order.kind))
        else:
            book.book(order, again=event.how == "books again")
        return ""

    async def _count(self, event: words.Count) -> str:
        subject = (await self._subjects())[event.subject]
        key = (event.what, subject.subject_id, PaymentKind(event.kind) if event.kind else None)
        return str(sum(c.book.counts[key] for c in self._casinos.values()))

    # --- people and the process -------------------------------------------------------------------------------------

    async def _decides(self, event: words.Decides) -> str:
        subject_id = (await self._subjects())[event.subject].subject_id
        act = {
            "returns": Act.RETURN, "settles": Act.SETTLE, "accepts": Act.ACCEPT, "gives up": Act.GIVE_UP, "retries": Act.RETRY,
        }[event.how]  # fmt: skip
        kind = None if act in (Act.RETURN, Act.SETTLE) else PaymentKind(event.kind)
        win = (event.amount or "0") if act is Act.SETTLE else None
        try:
            await do(self.hub, PersonAct(act, subject_id, "asked the casino", kind, win), author="mia")
        except CannotDo:
            return "cannot"
        return "done"

    async def _pay_cashback(self, event: words.PayCashback) -> str:
        casino_id = self._casinos[PLAYERS[event.player]].book.casino.casino_id
        player = await self._store.players.find(casino_id, event.player)
        row = Cashback(
            cashback_id=await self._store.ids.take(),
            casino_id=casino_id,
            player_id=player.player_id,
            player_ref=event.player,
            currency=self._currency,
            amount=parse_amount(event.amount, self._currency),
            ref=event.name,
            created_ms=self.stage.clock.now_ms(),
        )
        try:
            self._cashbacks[event.name] = (await pay_cashback(self.hub, row)).cashback_id
        except CashbackRefused:
            return "cannot"
        return "done"

    async def _cancel_cashback(self, event: words.CancelCashback) -> str:
        try:
            await cancel_cashback(self.hub, self._cashbacks[event.name], "mia")
        except CashbackRefused:
            return "cannot"
        return "done"

    async def _hub_life(self, event: words.HubLife) -> str:
        assert self._hub is not None
        if event.alive:
            await self._start()
        else:
            await self.stage.kill(self._hub)
            self.stage.network.mount(HUB_ORIGIN, _nobody)
        return ""


async def _nobody(scope: Any, receive: Any, send: Any) -> None:
    """Where the hub was."""
    raise asyncio.CancelledError


def _told(state: PaymentState) -> str:
    return PaymentState.SENT.value if state is PaymentState.CREATED else state.value


__all__ = ["DEAD", "FullWorld"]
