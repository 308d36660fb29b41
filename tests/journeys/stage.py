"""The stage of all journeys: the running world, an operator's desk at it, hand-made peers, windows into the books."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from croupier.flows.hub import Hub
from croupier.flows.launch import LaunchRequest, launch
from croupier.flows.sync_games import sync_games
from tests.journeys.by_hand import HandCasino, HandProvider, Told, ask
from tests.journeys.peers import GAME, Casino, Server, Studio

HOLDS_WITHIN_S = 1.0
"""A changed switch, limit or game holds in every worker so soon (provider.md 3.3)."""
HOLD_S = 1.5
CLAIM_S = 2.0
INFO_AT_S = (2.5, 3.5, 4.5)


def fresh(what: str) -> str:
    """A name that nobody else has."""
    return f"{what}-{secrets.token_hex(5)}"


@dataclass(frozen=True)
class Facts:
    """What every process of this test run has to know of the world."""

    home: str
    hub_url: str
    casino_url: str
    studio_url: str
    casino_id: int
    provider_id: int


@dataclass
class Seat:
    """A player of the sandbox casino with a game of the sandbox studio open."""

    stage: Stage
    player: str
    session: str

    async def call(self, verb: str, bet: str = "", **what: str) -> Told:
        """One call of the sandbox studio; status 0 is silence."""
        if verb not in {"balance", "refund"}:
            what.setdefault("round", "r-1")
        asked = {"verb": verb, "session": self.session, **({"bet": bet} if bet else {}), **what}
        told = (await self.stage.studio("call", asked)).said
        return Told(told["status"] or 0, {}, json.dumps(told["told"]).encode())

    async def behave(self, words: str, **rule: Any) -> None:
        """Turn the sandbox casino's dial for this player alone."""
        await self.stage.casino("behaviour", {"behaviour": words, "player": self.player, **rule})

    async def wallet(self) -> dict[str, Any]:
        return dict((await self.stage.casino(f"wallet/{self.player}")).said)

    async def heard(self, path: str) -> list[Any]:
        """The data of every call on this path that the sandbox casino got about this player."""
        entries = await self.stage.casino_log()
        datas = [e["data"] for e in entries if e["direction"] == "in" and e["path"] == path]
        flat = [d for data in datas for d in (data if isinstance(data, list) else [data])]
        return [d for d in flat if isinstance(d, dict) and d.get("PartnerUserId") == self.player]


@dataclass
class Table:
    """A player of a hand-made casino with a game of a hand-made studio open."""

    stage: Stage
    casino: Casino
    studio: Studio
    player: str
    session: str

    @property
    def line(self) -> HandProvider:
        return self.studio.line

    async def make(self, kind: int, *, count: int = 1, within_s: float = 8.0) -> Any:
        """The `count`-th make of this TransactionType that the casino hears."""
        await self.stage.until(lambda: len(self.casino.made(kind)) >= count, within_s)
        return self.casino.made(kind)[count - 1]

    async def call(self, path: str, *, count: int = 1, within_s: float = 8.0) -> Any:
        """The data of the `count`-th call on this path that the casino hears."""
        await self.stage.until(lambda: len(self.casino.calls(path)) >= count, within_s)
        return self.casino.calls(path)[count - 1]

    async def row(self, bet: str) -> dict[str, Any] | None:
        return await self.stage.bet(bet, self.line.provider_id)

    async def state(self, bet: str, *states: str, within_s: float = 8.0) -> dict[str, Any]:
        """The bet, once it is in one of these states."""
        return await self.stage.bet_in(bet, *states, provider_id=self.line.provider_id, within_s=within_s)


@dataclass
class Stage:
    """What the journeys have in hand."""

    facts: Facts
    desk: Hub
    """The operator: it decides as a command does, and calls no casino by itself."""
    http: aiohttp.ClientSession
    peers: Server
    hand_studio: Studio = field(init=False)
    _log: list[Any] = field(default_factory=list)

    # --- the sandbox sides ------------------------------------------------------------------------------------

    async def sandbox(self, base: str, path: str, body: object = None) -> Told:
        raw = None if body is None else json.dumps(body).encode()
        told = await ask(self.http, "GET" if raw is None else "POST", f"{base}/_sandbox/{path}", raw)
        assert told.status == 200, told
        return told

    async def casino(self, path: str, body: object = None) -> Told:
        return await self.sandbox(self.facts.casino_url, path, body)

    async def studio(self, path: str, body: object = None) -> Told:
        return await self.sandbox(self.facts.studio_url, path, body)

    async def casino_log(self) -> list[Any]:
        """Everything the sandbox casino received and sent; only what is new is fetched."""
        since = self._log[-1]["number"] if self._log else 0
        self._log += (await self.casino(f"log?since={since}")).said["entries"]
        return self._log

    async def seat(self, game: str = "lantern-tumble", *, demo: bool = False, player: str | None = None) -> Seat:
        """A new player, or a known one, with a game of the sandbox studio open."""
        player = player or fresh("player")
        return Seat(
            self, player, await self.open(self.facts.casino_id, self.facts.provider_id, player, game, demo=demo)
        )

    async def open(
        self, casino_id: int, provider_id: int, player: str, game: str, *, demo: bool = False, currency: str = "EUR"
    ) -> str:
        """Launch a game; the session's id."""
        casino = await self.desk.store.casinos.get(casino_id)
        found = await self.desk.store.games.find(f"{provider_id}/{game}")
        assert casino is not None
        assert found is not None
        return (await launch(self.desk, casino, LaunchRequest(player, currency, found.game_id, demo=demo))).session_id

    # --- hand-made peers --------------------------------------------------------------------------------------

    async def new_casino(self, alg: str = "RS256", currencies: tuple[str, ...] = ("EUR",), **profile: Any) -> Casino:
        """A hand-made casino that the hub knows. It sends no `users/data` question past 2 s."""
        casino = Casino(self.peers, fresh("casino"), alg)
        self.peers.casinos[casino.name] = casino
        profile = {"total_s": 2.0, **profile}
        added, secret = await self.desk.store.casinos.add(casino.name, casino.url, currencies, alg=alg, **profile)
        casino.line = HandCasino(self.http, self.facts.hub_url, added.casino_id, secret)
        return casino

    async def new_studio(self, **profile: Any) -> Studio:
        """A hand-made studio that the hub knows, its games fetched."""
        studio = Studio(self.peers, fresh("studio"))
        self.peers.studios[studio.name] = studio
        # On the row and not by CROUPIER_HOLD_S, which would override the long hold of a test that is not about time.
        added, secret = await self.desk.store.providers.add(studio.name, studio.url, **{"hold_s": HOLD_S, **profile})
        studio.line = HandProvider(self.http, self.facts.hub_url, added.provider_id, added.counterparty_id, secret)
        await sync_games(self.desk, added)
        return studio

    async def table(
        self,
        casino: Casino | None = None,
        studio: Studio | None = None,
        *,
        player: str | None = None,
        game: str = GAME,
        demo: bool = False,
        currency: str = "EUR",
    ) -> Table:
        """A player with an open game between hand-made peers; a new casino unless one is given."""
        casino = casino or await self.new_casino()
        studio = studio or self.hand_studio
        player = player or fresh("player")
        session = await self.open(
            casino.line.client_id, studio.line.provider_id, player, game, demo=demo, currency=currency
        )
        return Table(self, casino, studio, player, session)

    # --- windows ----------------------------------------------------------------------------------------------

    async def bet(self, bet: str, provider_id: int | None = None) -> dict[str, Any] | None:
        """The bet's row, by the provider's betId."""
        sql = "select * from bets where provider_id = $1 and bet_ref = $2"
        row = await self.desk.store.db.fetchrow(sql, provider_id or self.facts.provider_id, bet)
        return None if row is None else dict(row)

    async def bet_in(
        self, bet: str, *states: str, provider_id: int | None = None, within_s: float = 8.0
    ) -> dict[str, Any]:
        """The bet, once it is in one of these states."""
        seen: list[dict[str, Any] | None] = [None]

        async def there() -> bool:
            seen[0] = await self.bet(bet, provider_id)
            return seen[0] is not None and seen[0]["state"] in states

        await self.until(there, within_s, lambda: f"{bet} is {seen[0] and seen[0]['state']}, not {states}")
        assert seen[0] is not None
        return seen[0]

    async def payments(self, subject_id: int) -> dict[str, str]:
        """State of each payment of a bet or cashback, by kind."""
        rows = await self.desk.store.db.fetch("select kind, state from payments where subject_id = $1", subject_id)
        return {row["kind"]: row["state"] for row in rows}

    async def paid(self, subject_id: int, kind: str, state: str = "accepted", within_s: float = 8.0) -> None:
        """Wait until the payment of this kind is in this state."""

        async def there() -> bool:
            return (await self.payments(subject_id)).get(kind) == state

        await self.until(there, within_s, lambda: f"{kind} of {subject_id} is not {state}")

    async def ledger(self, subject_id: int) -> dict[str, int]:
        """What the entries of a bet or cashback did to each account, by the account's first word; no zeros."""
        rows = await self.desk.store.db.fetch(
            "select acct, sum(amount)::bigint as amount from (select split_part(target, '/', 1) as acct, amount"
            " from ledger where subject_id = $1 union all select split_part(source, '/', 1), -amount from ledger"
            " where subject_id = $1) moves group by acct having sum(amount) <> 0",
            subject_id,
        )
        return {row["acct"]: row["amount"] for row in rows}

    async def incidents(self, subject_id: int) -> set[str]:
        """Names of the incidents of a bet or cashback."""
        rows = await self.desk.store.db.fetch("select name from incidents where subject_id = $1", subject_id)
        return {row["name"] for row in rows}

    async def until(
        self,
        holds: Callable[[], bool] | Callable[[], Awaitable[bool]],
        within_s: float = 8.0,
        otherwise: Callable[[], str] = lambda: "it did not happen",
    ) -> None:
        """Look again and again."""
        patience = asyncio.get_running_loop().time() + within_s
        while True:
            seen = holds()
            if seen if isinstance(seen, bool) else await seen:
                return
            if asyncio.get_running_loop().time() > patience:
                raise AssertionError(otherwise())
            await asyncio.sleep(0.02)
