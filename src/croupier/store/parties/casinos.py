"""Casinos: their data, quirks and secrets.

Owns: the rows of `casinos`. Never: tokens, keys (keys), or the meaning of a quirk. A secret is shown once, by `add`, and
stored sealed; during a rotation two are valid. Spec: operate.md 2 (`croupier casino`), casino.md 1.3.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from croupier.core.counterparty import Casino
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, Row, Tx
from croupier.store.money.standing import OPEN_PAYMENTS, STANDING_BETS, STANDING_CASHBACKS
from croupier.store.parties.counterparties import (
    SECRET_BYTES,
    Changes,
    Counterparties,
    CounterpartyKind,
    NameTaken,
    StillNeeded,
    check_columns,
)
from croupier.store.parties.profiles import CASINOS, read_profile, write_profile
from croupier.store.storable import storable_id
from croupier.store.ttl_cache import TtlCache

_COLUMNS = (
    "casino_id, name, protocol, url, currencies, enabled, closed_ms is not null as closed, tokens_from_s, kid,"
    " profile::text as profile"
)
_NEXT_ID = "select nextval(pg_get_serial_sequence('casinos', 'casino_id'))"
_INSERT = f"""
insert into casinos (casino_id, name, protocol, url, currencies, profile, secret, created_ms)
values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8)
on conflict (name) do nothing returning {_COLUMNS}"""
_UPDATE = f"""
update casinos set name = $2, url = $3, currencies = $4, enabled = $5, profile = $6::text::jsonb,
    kid = case when $7 then null else kid end
where casino_id = $1 returning {_COLUMNS}"""

# The newest key that it fetched signs for it, and never an older one again, which it may have dropped.
_SAW = """
update casinos c set kid = seen.kid from signing_keys seen
where c.casino_id = $1 and seen.kid = $2 and seen.retired_ms is null and c.kid is distinct from seen.kid
and seen.alg = coalesce(c.profile ->> 'alg', 'RS256')
and not exists (select from signing_keys held where held.kid = c.kid and held.alg = seen.alg
    and (held.created_ms, held.kid) > (seen.created_ms, seen.kid))"""

_UNDECIDED = f"""
select exists (select from calls where casino_id = $1)
    or exists (select from bets where casino_id = $1 and state in {STANDING_BETS})
    or exists (select from cashbacks where casino_id = $1 and state in {STANDING_CASHBACKS})
    or exists (select from payments p join players using (player_id)
        where casino_id = $1 and p.state in {OPEN_PAYMENTS})"""
_COUNTS = f"""
select (select count(*) from bets where casino_id = $1
        and state in {STANDING_BETS}) as bets,
    (select count(*) from cashbacks where casino_id = $1
        and state in {STANDING_CASHBACKS}) as cashbacks,
    (select count(*) from payments p join players using (player_id)
        where casino_id = $1 and p.state in {OPEN_PAYMENTS}) as payments"""
_SECRETS = "select secret, old_secret, old_secret_until_ms, tokens_from_s, closed_ms from casinos where casino_id = $1"
_END_TOKENS = "update casinos set tokens_from_s = greatest(tokens_from_s, $2) where casino_id = $1"
_HAS_HISTORY = """
select exists (select from bets where casino_id = $1) or exists (select from cashbacks where casino_id = $1)"""
_DELETE = (
    "delete from demo_bets b using sessions s where b.session_id = s.session_id and s.casino_id = $1",
    "delete from demo_balances b using sessions s where b.session_id = s.session_id and s.casino_id = $1",
    "delete from sessions where casino_id = $1",
    "delete from casino_games where casino_id = $1",
    "delete from game_switches where casino_id = $1",
    "delete from launch_codes where casino_id = $1",
    "delete from balances b using players p where b.player_id = p.player_id and p.casino_id = $1",
    "delete from players where casino_id = $1",
    "delete from casinos where casino_id = $1",
)


class Casinos(Counterparties[Casino]):
    """The casinos of this hub."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock, *, chance: Chance) -> None:
        super().__init__(_CASINO, db, sealer, clock=clock, chance=chance)
        self._recent: TtlCache[int, Casino] = TtlCache(self._read, clock)
        self.at_hand = self._recent.at_hand
        """The casino of this id if it was read in the last half second, else None: then `get` reads it."""
        # Compared with an unknown casino's secret, so that the work is the same.
        self._nobodys = chance.hex(SECRET_BYTES).encode()

    async def add(
        self,
        name: str,
        url: str,
        currencies: Sequence[str],
        *,
        alg: str = "RS256",
        protocol: str = "betcore_v2",
        **profile: Any,  # noqa: ANN401 - any quirk of Casino, checked by profiles
    ) -> tuple[Casino, str]:
        """Add a casino and return it with its secret, which is never shown again. Raises BadProfile, NameTaken."""
        check_columns({"name": name, "url": url, "currencies": currencies})
        document = write_profile(CASINOS, "{}", {"alg": alg, **profile})
        casino_id: int = await self._db.fetchval(_NEXT_ID)
        secret = self._chance.hex(SECRET_BYTES)
        sealed = await self._sealer.sealed(secret.encode(), self._place(casino_id))
        row = await self._db.fetchrow(
            _INSERT, casino_id, name, protocol, url, list(currencies), document, sealed, self._clock.now_ms()
        )
        if row is None:
            raise NameTaken("casino", name)
        return _casino(row), secret

    async def get(self, casino_id: int) -> Casino | None:
        """Return the casino, at most half a second old."""
        return self.at_hand(casino_id) or (await self._recent.get(casino_id) if storable_id(casino_id) else None)

    async def delete(self, casino_id: int) -> None:
        """Remove a casino that never had a bet or cashback. Raises StillNeeded, CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            await self._locked(tx, casino_id, "casino_id")
            if await tx.fetchval(_UNDECIDED, casino_id):
                raise StillNeeded("something of this casino is undecided: disable it, and wait until all is decided")
            if await tx.fetchval(_HAS_HISTORY, casino_id):
                raise StillNeeded("this casino has bets or cashbacks, which are never deleted: disable it")
            for sql in _DELETE:
                await tx.execute(sql, casino_id)
        self._forget()

    async def admit(self, casino_id: int, secret: str) -> int | None:
        """Return the Unix second from which its tokens may be valid if this is a secret of the casino, else None.

        An unknown or closed casino costs the same query and the same work.
        """
        asked = casino_id if storable_id(casino_id) else 0
        row = await self._db.fetchrow(_SECRETS, asked)
        known = row is not None and row["closed_ms"] is None
        nobodys = self._sealer.encrypt(self._nobodys, self._place(0))
        held = [(nobodys, self._place(0)), (nobodys, self._place(0))]
        if row is not None:
            held[0] = (row["secret"], self._place(asked))
            if row["old_secret"] is not None and self._clock.now_ms() < row["old_secret_until_ms"]:
                held[1] = (row["old_secret"], self._old_place(asked))
        given = _digest(secret.encode("utf-8", "surrogatepass"))
        matches = [hmac.compare_digest(given, _digest(await self._sealer.opened(*one))) for one in held]
        return row["tokens_from_s"] if row is not None and known and any(matches) else None

    async def saw_keys(self, casino_id: int, kid: str) -> None:
        """Sign with `kid` from now on: the casino itself fetched a key set in which it is the newest of its algorithm."""
        casino = await self.get(casino_id)
        if casino is None or casino.kid == kid:
            return
        await self._db.execute(_SAW, casino_id, kid)
        self._forget()

    async def _write(self, tx: Tx, party_id: int, changes: Changes) -> Row:
        before = await self._locked(tx, party_id, _COLUMNS)
        after = {**before, **changes.columns, "profile": write_profile(CASINOS, before["profile"], changes.quirks)}
        # The key it is pinned to is of the old algorithm.
        unpin = _casino(after).alg != _casino(before).alg
        row = await tx.fetchrow(
            _UPDATE, party_id, after["name"], after["url"], list(after["currencies"]), after["enabled"],
            after["profile"], unpin,
        )  # fmt: skip
        assert row is not None
        return row

    async def _end_tokens(self, tx: Tx, party_id: int, now_ms: int) -> None:
        await tx.execute(_END_TOKENS, party_id, now_ms // 1000 + 1)

    def _forget(self) -> None:
        self._recent.forget()

    async def _read(self, keys: Sequence[int]) -> dict[int, Casino]:
        rows = await self._db.fetch(f"select {_COLUMNS} from casinos where casino_id = any($1)", list(keys))
        return {row["casino_id"]: _casino(row) for row in rows}


def _casino(row: Mapping[str, Any]) -> Casino:
    return Casino(
        casino_id=row["casino_id"],
        name=row["name"],
        protocol=row["protocol"],
        url=row["url"],
        currencies=tuple(row["currencies"]),
        enabled=row["enabled"],
        closed=row["closed"],
        tokens_from_s=row["tokens_from_s"],
        kid=row["kid"],
        **read_profile(CASINOS, row["profile"]),
    )


_CASINO: Final = CounterpartyKind("casino", _COLUMNS, _casino, found_by="casino_id = $1 or name = $2", counts=_COUNTS)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
