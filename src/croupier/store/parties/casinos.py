"""Casinos: who they are, in what they differ, their secrets.

Owns: the rows of `casinos`. Never: tokens, keys (keys), or what a quirk means. A secret is shown once, by `add`, and
stored sealed; during a rotation two are valid. Spec: operate.md 2 (`croupier casino`), casino.md 1.3.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from croupier.core.counterparty import Casino
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, DbViolation, Row, Tx
from croupier.store.money.standing import OPEN_PAYMENTS, STANDING_BETS, STANDING_CASHBACKS
from croupier.store.parties.counterparties import (
    COLUMNS,
    SECRET_BYTES,
    CounterpartyUnknown,
    NameAmbiguous,
    NameTaken,
    StillNeeded,
    Undecided,
    check_columns,
)
from croupier.store.parties.profiles import CASINOS, read_profile, write_profile
from croupier.store.storable import id_of, storable_id, storable_text
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

# The newest key that it saw signs for it, and never an older one again: it may have forgotten that.
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
_CLOSE = "update casinos set closed_ms = coalesce(closed_ms, $2) where casino_id = $1"
_OPEN = "update casinos set closed_ms = null where casino_id = $1"
_SECRETS = "select secret, old_secret, old_secret_until_ms, tokens_from_s, closed_ms from casinos where casino_id = $1"
_ROTATE = """
update casinos set secret = $2, old_secret = $3, old_secret_until_ms = $4, tokens_from_s = greatest(tokens_from_s, $5)
where casino_id = $1"""
_HAS_HISTORY = """
select exists (select from bets where casino_id = $1) or exists (select from cashbacks where casino_id = $1)"""
_DELETE = (
    "delete from demo_bets b using sessions s where b.session_id = s.session_id and s.casino_id = $1",
    "delete from demo_balances b using sessions s where b.session_id = s.session_id and s.casino_id = $1",
    "delete from sessions where casino_id = $1",
    "delete from casino_games where casino_id = $1",
    "delete from balances b using players p where b.player_id = p.player_id and p.casino_id = $1",
    "delete from players where casino_id = $1",
    "delete from casinos where casino_id = $1",
)


class Casinos:
    """The casinos of this hub."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._chance = chance
        self._recent: TtlCache[int, Casino] = TtlCache(self._read, clock)
        # What an unknown casino's secret is compared with, so that it costs the same.
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
        """A new casino and its secret, which is never shown again. Raises BadSettings, NameTaken."""
        check_columns({"name": name, "url": url, "currencies": currencies})
        document = write_profile(CASINOS, "{}", {"alg": alg, **profile})
        casino_id: int = await self._db.fetchval(_NEXT_ID)
        secret = self._chance.hex(SECRET_BYTES)
        sealed = self._sealer.seal(secret.encode(), _place(casino_id))
        row = await self._db.fetchrow(
            _INSERT, casino_id, name, protocol, url, list(currencies), document, sealed, self._clock.now_ms()
        )
        if row is None:
            raise NameTaken("casino", name)
        return _casino(row), secret

    async def get(self, casino_id: int) -> Casino | None:
        """The casino as it was at most half a second ago."""
        return await self._recent.get(casino_id) if storable_id(casino_id) else None

    async def find(self, id_or_name: int | str) -> Casino | None:
        """The casino of this id or name, as it is now. Raises NameAmbiguous, as `Providers.find`."""
        text = str(id_or_name)
        if not storable_text(text):
            return None
        rows = await self._db.fetch(
            f"select {_COLUMNS} from casinos where casino_id = $1 or name = $2 order by casino_id", id_of(text), text
        )
        if len(rows) > 1:
            raise NameAmbiguous("casino", text, [f"{row['casino_id']} ({row['name']})" for row in rows])
        return _casino(rows[0]) if rows else None

    async def all(self) -> list[Casino]:
        """Every casino, oldest first."""
        return [_casino(row) for row in await self._db.fetch(f"select {_COLUMNS} from casinos order by casino_id")]

    async def change(self, casino_id: int, changes: Mapping[str, Any]) -> Casino:
        """Change name, url, currencies, enabled or quirks; see `profiles.write_profile`.

        Raises BadSettings, NameTaken, CounterpartyUnknown; then nothing is changed.
        """
        columns = {name: value for name, value in changes.items() if name in COLUMNS}
        check_columns(columns)
        quirks = {name: value for name, value in changes.items() if name not in COLUMNS}
        try:
            async with self._db.transaction() as tx:
                casino = _casino(await _write(tx, casino_id, columns, quirks))
        except DbViolation as refused:
            if refused.constraint == "casinos_name_key":
                raise NameTaken("casino", columns["name"]) from None
            raise
        finally:
            self._recent.forget()
        return casino

    async def enable(self, casino_id: int) -> Casino:
        """Let it launch and bet again. Raises CounterpartyUnknown."""
        return await self.change(casino_id, {"enabled": True})

    async def disable(self, casino_id: int) -> Casino:
        """Stop launches, new bets and new cashbacks; what is under way goes on. Raises CounterpartyUnknown."""
        return await self.change(casino_id, {"enabled": False})

    async def delete(self, casino_id: int) -> None:
        """Remove a casino that never had a bet or cashback. Raises StillNeeded, CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            await _locked(tx, casino_id)
            if await tx.fetchval(_UNDECIDED, casino_id):
                raise StillNeeded("something of this casino is undecided: disable it, and wait until all is decided")
            if await tx.fetchval(_HAS_HISTORY, casino_id):
                raise StillNeeded("this casino has bets or cashbacks, which are never deleted: disable it")
            for sql in _DELETE:
                await tx.execute(sql, casino_id)
        self._recent.forget()

    async def close(self, casino_id: int, *, force: bool = False) -> None:
        """Believe nothing any more that it sends: no token, no bearer. What is owed to it is still paid.

        Raises Undecided without `force` while something of it is undecided, CounterpartyUnknown.
        """
        async with self._db.transaction() as tx:
            row = await _locked(tx, casino_id)
            counts = await tx.fetchrow(_COUNTS, casino_id)
            if not force and counts is not None and any(counts.values()):
                raise Undecided("casino", row["name"], dict(counts))
            await tx.execute(_CLOSE, casino_id, self._clock.now_ms())
        self._recent.forget()

    async def open(self, casino_id: int) -> None:
        """Believe it again; whether it is enabled is as it was. Raises CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            await _locked(tx, casino_id)
            await tx.execute(_OPEN, casino_id)
        self._recent.forget()

    async def rotate_secret(self, casino_id: int, keep_old_s: float = 86400) -> str:
        """A new secret, never shown again; the one before stays valid beside it for so long.

        0: not at all, and the access tokens that were given out until now end too: somebody else may have them.
        Raises CounterpartyUnknown.
        """
        secret = self._chance.hex(SECRET_BYTES)
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            await _locked(tx, casino_id)
            row = await tx.fetchrow(_SECRETS, casino_id)
            assert row is not None
            kept = keep_old_s > 0
            before = self._sealer.open(row["secret"], _place(casino_id)) if kept else b""
            old = self._sealer.seal(before, _old_place(casino_id)) if kept else None
            until_ms = now_ms + round(keep_old_s * 1000) if kept else None
            tokens_from_s = 0 if kept else now_ms // 1000 + 1
            sealed = self._sealer.seal(secret.encode(), _place(casino_id))
            await tx.execute(_ROTATE, casino_id, sealed, old, until_ms, tokens_from_s)
        self._recent.forget()
        return secret

    async def check_secret(self, casino_id: int, secret: str) -> bool:
        """Whether this is a secret of the casino."""
        return await self.admit(casino_id, secret) is not None

    async def admit(self, casino_id: int, secret: str) -> int | None:
        """From which second (Unix) its tokens may be valid, if this is a secret of the casino, else None.

        An unknown casino costs the same question and the same work, and so does a closed one.
        """
        asked = casino_id if storable_id(casino_id) else 0
        row = await self._db.fetchrow(_SECRETS, asked)
        known = row is not None and row["closed_ms"] is None
        nobodys = self._sealer.seal(self._nobodys, _place(0))
        held = [(nobodys, _place(0)), (nobodys, _place(0))]
        if row is not None:
            held[0] = (row["secret"], _place(asked))
            if row["old_secret"] is not None and self._clock.now_ms() < row["old_secret_until_ms"]:
                held[1] = (row["old_secret"], _old_place(asked))
        given = _digest(secret.encode("utf-8", "surrogatepass"))
        matches = [hmac.compare_digest(given, _digest(self._sealer.open(*one))) for one in held]
        return row["tokens_from_s"] if row is not None and known and any(matches) else None

    async def saw_keys(self, casino_id: int, kid: str) -> None:
        """The casino itself fetched a key set whose newest key of its algorithm is `kid`: that one signs for it now."""
        casino = await self.get(casino_id)
        if casino is None or casino.kid == kid:
            return
        await self._db.execute(_SAW, casino_id, kid)
        self._recent.forget()

    async def _read(self, keys: Sequence[int]) -> dict[int, Casino]:
        rows = await self._db.fetch(f"select {_COLUMNS} from casinos where casino_id = any($1)", list(keys))
        return {row["casino_id"]: _casino(row) for row in rows}


async def _locked(tx: Tx, casino_id: int) -> Row:
    row = None
    if storable_id(casino_id):
        row = await tx.fetchrow(f"select {_COLUMNS} from casinos where casino_id = $1 for update", casino_id)
    if row is None:
        raise CounterpartyUnknown("casino", casino_id)
    return row


async def _write(tx: Tx, casino_id: int, columns: Mapping[str, Any], quirks: Mapping[str, Any]) -> Row:
    before = await _locked(tx, casino_id)
    after = {**before, **columns, "profile": write_profile(CASINOS, before["profile"], quirks)}
    # The key it is pinned to is of the old algorithm.
    unpin = _casino(after).alg != _casino(before).alg
    row = await tx.fetchrow(
        _UPDATE, casino_id, after["name"], after["url"], list(after["currencies"]), after["enabled"],
        after["profile"], unpin,
    )  # fmt: skip
    assert row is not None
    return row


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


def _place(casino_id: int) -> str:
    return f"casinos.secret.{casino_id}"


def _old_place(casino_id: int) -> str:
    return f"casinos.old_secret.{casino_id}"


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
