"""Bets and cashbacks on real rows: the core decides them, the real group commit writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from croupier.core import cashback_effects, person
from croupier.core.bet import Origin
from croupier.core.bet_requests import open_jackpot, open_tombstone, return_by_person, settle_by_person
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision, Draft
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from croupier.store.db import Db
from croupier.store.money.group_commit import GroupCommit
from tests.core.samples import FUNDS, NOT_FOUND, T0, K, PaymentKind, Story, new_bet, new_cashback

DAY_MS = 86_400_000

_ROWS = """
insert into casinos (casino_id, name, protocol, url, currencies, secret, created_ms)
values (11, 'Aurora', 'betcore_v2', 'http://casino.test', '{EUR}', '', 0), (12, 'Borealis', 'p', 'u', '{EUR}', '', 0);
insert into providers (provider_id, counterparty_id, name, protocol, url, secret, created_ms)
values (22, 'cp', 'Fable', 'betcore_v1', 'http://studio.test', '', 0);
insert into players (player_id, casino_id, player_ref, currency, created_ms) values (33, 11, 'ann', 'EUR', 0);
insert into games (game_id, provider_id, game_ref, name, category, enabled, changed_ms)
values (44, 22, 'g-1', 'Fifty Owls', 'slots', true, 0);
insert into sessions (session_id, provider_id, casino_id, player_id, game_id, currency, demo, min_bet, max_bet,
    opened_ms, expires_ms) values ('s-1', 22, 11, 33, 44, 'EUR', false, 1, 1000000, 0, 9999999999999);
"""


class StillClock(SystemClock):
    """Stands at an instant until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ms = T0

    def now_ms(self) -> int:
        return self.at_ms


class Kept(Story):
    """A story that remembers its decisions."""

    def __init__(self, subject_id: int, **world: Any) -> None:
        super().__init__(**world)
        self.subject_id = subject_id
        self.decisions: list[Decision[Any]] = []

    def take(self, decision: Decision[Any]) -> str:
        self.decisions.append(decision)
        return super().take(decision)

    def opened(self, **changes: Any) -> Story:
        return super().opened(bet_id=self.subject_id, bet_ref=f"b-{self.subject_id}", **changes)

    def cashback(self) -> Story:
        row = new_cashback(cashback_id=self.subject_id, ref=f"week {self.subject_id}")
        draft: Draft[Cashback] = Draft(row, self.terms(), new=True)
        cashback_effects.decide(draft)
        self.take(draft.finish("cashback_decided"))
        return self

    def jackpot(self, win: int = 90_000) -> Story:
        bet = new_bet(bet_id=self.subject_id, bet_ref=f"b-{self.subject_id}", origin=Origin.JACKPOT, stake=0, win=win)
        self.take(open_jackpot(bet, self.terms()))
        return self

    def accepted_by_person(self, kind: PaymentKind) -> Kept:
        self.by_person(person.accept, kind)
        return self

    def settled_by_person(self, win: int = 2500) -> Kept:
        self.take(settle_by_person(self.subject, win, self.terms(), author="mia"))
        return self

    def returned_by_person(self) -> Kept:
        self.take(return_by_person(self.subject, self.terms(), "mia"))
        return self

    def tombstone(self) -> Story:
        bet = new_bet(bet_id=self.subject_id, bet_ref=f"b-{self.subject_id}", origin=Origin.TOMBSTONE, stake=0)
        self.take(open_tombstone(bet, self.terms()))
        return self


class World:
    """A database with a casino, a provider, a player and a game, and the group commit that writes to it."""

    def __init__(self, db: Db, url: str) -> None:
        self.db = db
        self.clock = StillClock()
        self.group_commit = GroupCommit(db, self.clock, "p1", metrics=Metrics())
        self._url = url
        self._next = 1000

    async def furnish(self) -> None:
        await self.db.execute(_ROWS)

    def story(self, **world: Any) -> Kept:
        self._next += 1
        return Kept(self._next, **world)

    async def keep(self, *stories: Story, from_decision: int = 0) -> None:
        """Commit what the stories decided."""
        for story in stories:
            assert isinstance(story, Kept)
            for decision in story.decisions[from_decision:]:
                assert await self.group_commit.commit(decision)

    @asynccontextmanager
    async def lawless(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection on which no trigger and no foreign key holds: what an intruder or a bug would need."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("set session_replication_role = replica")
            yield connection
        finally:
            await connection.close()

    async def break_by(self, sql: str) -> None:
        async with self.lawless() as connection:
            changed = await connection.execute(sql)
        assert not changed.endswith(" 0"), f"nothing was broken by {sql}"


BY_PERSON = tuple(
    f"{name} by a person"
    for name in (
        "on", "both", "late", "late return", "settled", "returned", "undone", "lost and undone", "undone unpaid",
        "paid after all", "cashback", "cashback taken back", "cashback after all",
    )
)  # fmt: skip
"""Where persons decided what the protocols did not."""


def everything(world: World) -> dict[str, Kept]:
    """A bet or cashback in every state that rows can be in, and by the roads that lead there."""
    names = (
        "asked", "unclaimed", "on", "refused", "expired", "expired with return", "unwanted", "cancelled", "settled",
        "lost", "paying", "undoing", "undone", "disputed", "returned", "returning", "waiting return", "late", "given up",
        "returned by claim", "parked", "tombstone", "jackpot", "both", "cashback", "paid cashback", "cancelled cashback",
        "kept cashback", "given up cashback", "spent cashback", *BY_PERSON,
    )  # fmt: skip
    stories = {name: world.story() for name in names}
    _bets(stories)
    _more_bets(stories)
    _cashbacks(stories)
    _by_person({name.removesuffix(" by a person"): story for name, story in stories.items() if name in BY_PERSON})
    return stories


def _bets(s: dict[str, Kept]) -> None:
    s["asked"].opened()
    s["unclaimed"].opened().at(10).accept(K.STAKE)
    s["on"].on()
    s["refused"].opened().hear(K.STAKE, NOT_FOUND)
    s["expired"].opened().expired()
    s["expired with return"].opened().expired(with_return=True)
    s["unwanted"].opened().refund()
    s["cancelled"].opened().refund()
    s["cancelled"].hear(K.STAKE, NOT_FOUND)
    s["settled"].settled()
    s["lost"].settled(0)
    s["paying"].settled(paid=False)
    s["undoing"].settled().refund()
    s["undone"].settled().refund()
    s["undone"].accept(K.PAYOUT_RETURN)
    s["undone"].accept(K.BET_RETURN)


def _more_bets(s: dict[str, Kept]) -> None:
    s["disputed"].settled().refund()
    s["disputed"].hear(K.PAYOUT_RETURN, NOT_FOUND)
    s["returned"].on().refund()
    s["returned"].accept(K.BET_RETURN)
    s["returning"].on().refund()
    s["waiting return"].settled(0, paid=False).refund()
    s["late"].opened().expired()
    s["late"].accept(K.STAKE)
    s["given up"].settled(paid=False).give_up(K.PAYOUT)
    s["returned by claim"].opened().at(10).accept(K.STAKE)
    s["returned by claim"].at(26).due("claim")
    s["parked"].settled(paid=False).exists(K.PAYOUT, amount="1.00")
    s["tombstone"].tombstone()
    s["jackpot"].jackpot().accept(K.JACKPOT)
    s["both"].opened_both().accept(K.STAKE)


def _cashbacks(s: dict[str, Kept]) -> None:
    s["cashback"].cashback()
    s["paid cashback"].cashback().accept(K.CASHBACK)
    for name in ("cancelled cashback", "kept cashback"):
        s[name].cashback().accept(K.CASHBACK)
        s[name].cancel()
    s["cancelled cashback"].accept(K.CASHBACK_CANCEL)
    s["kept cashback"].hear(K.CASHBACK_CANCEL, NOT_FOUND)
    s["given up cashback"].cashback().give_up(K.CASHBACK)
    # Cancelled on a no to a call, of which a copy was booked and spent all the same (decision 0028).
    s["spent cashback"].cashback().cancel().made(K.CASHBACK, NOT_FOUND)
    s["spent cashback"].hear(K.CASHBACK_CANCEL, FUNDS)


def _by_person(s: dict[str, Kept]) -> None:
    for name in ("on", "settled", "returned"):
        s[name].opened()
        s[name].accepted_by_person(K.STAKE)
    s["both"].opened_both()
    s["both"].accepted_by_person(K.STAKE).accepted_by_person(K.PAYOUT)
    for name in ("late", "late return"):
        s[name].opened().expired()
        s[name].accepted_by_person(K.STAKE)
    s["late return"].accepted_by_person(K.BET_RETURN)
    s["settled"].settled_by_person().accepted_by_person(K.PAYOUT)
    s["returned"].returned_by_person().accepted_by_person(K.BET_RETURN)
    s["undone"].settled()
    s["undone"].returned_by_person().accepted_by_person(K.PAYOUT_RETURN).accepted_by_person(K.BET_RETURN)
    s["lost and undone"].settled(0)
    s["lost and undone"].returned_by_person()
    s["undone unpaid"].settled(paid=False).refund()
    s["undone unpaid"].give_up(K.PAYOUT)
    s["undone unpaid"].accepted_by_person(K.BET_RETURN)
    s["paid after all"].settled(paid=False).give_up(K.PAYOUT)
    s["paid after all"].accepted_by_person(K.PAYOUT)
    for name in ("cashback", "cashback taken back", "cashback after all"):
        s[name].cashback()
    s["cashback after all"].give_up(K.CASHBACK)
    for name in ("cashback", "cashback taken back", "cashback after all"):
        s[name].accepted_by_person(K.CASHBACK)
    s["cashback taken back"].cancel()
    s["cashback taken back"].accepted_by_person(K.CASHBACK_CANCEL)
