"""The installation's row: its id, the place where it was made, and its beat; and the lifeline file outside.

Owns: the row of `installation` and the lifeline, a small file in the home of each machine, named by the installation.
Never: judges whether they fit (core.recovery). Spec: money.md 4.6.
"""

from __future__ import annotations

import json
from pathlib import Path

from croupier.core.recovery import Life, Mark
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.store.db import Db

_LIFE = """
select installation_id, birthplace, beat, beat_ms, (select last_value from money_ids) as last_id from installation"""
_MAKE = """
insert into installation (installation_id, birthplace, beat, beat_ms) values ($1, $2, 1, $3)
on conflict (one) do nothing"""
_BEAT = """
with old as (select beat, beat_ms from installation for update)
update installation i set beat = i.beat + 1, beat_ms = $1 from old
returning i.beat, old.beat as before, old.beat_ms as before_ms, (select last_value from money_ids) as last_id,
    i.installation_id"""
_MAY_ASK = "select has_function_privilege('pg_control_system()', 'execute')"
_SYSTEM = "select system_identifier::text from pg_control_system()"
_OID = "select oid::text from pg_database where datname = current_database()"


class Installation:
    """The row of the installation, and the location of the database."""

    def __init__(self, db: Db, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._clock = clock
        self._chance = chance

    async def here(self) -> str:
        """Return the actual location of this database: its server's system identifier and its oid, as text."""
        may_ask = await self._db.fetchval(_MAY_ASK)
        system = await self._db.fetchval(_SYSTEM) if may_ask else "server"
        return f"{system}/{await self._db.fetchval(_OID)}"

    async def life(self) -> Life:
        """Return the row; a database without one gets one."""
        row = await self._db.fetchrow(_LIFE)
        if row is None:
            await self._db.execute(_MAKE, self._chance.guid(), await self.here(), self._clock.now_ms())
            row = await self._db.fetchrow(_LIFE)
        assert row is not None
        return Life(**row)

    async def beat(self) -> tuple[str, Mark, Mark]:
        """Advance the beat by one. Return the installation, its previous beat, and the mark to write outside."""
        now_ms = self._clock.now_ms()
        row = await self._db.fetchrow(_BEAT, now_ms)
        assert row is not None
        before = Mark(row["before"], row["before_ms"], row["last_id"])
        return row["installation_id"], before, Mark(row["beat"], now_ms, row["last_id"])


class Lifeline:
    """The marks in a home, one file for each installation that was served from it."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def read(self, installation_id: str) -> Mark | None:
        """Return the mark, or None if there is none that can be read."""
        try:
            told = json.loads(self._path(installation_id).read_text(encoding="utf-8"))
            return Mark(int(told["beat"]), int(told["beat_ms"]), int(told["last_id"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, installation_id: str, mark: Mark) -> None:
        """Write a mark, unless a later one is there already: processes of a home do not coordinate."""
        standing = self.read(installation_id)
        if standing is not None and standing.beat >= mark.beat:
            return
        path = self._path(installation_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{mark.beat}")
        new.write_text(json.dumps({"beat": mark.beat, "beat_ms": mark.beat_ms, "last_id": mark.last_id}), "utf-8")
        new.replace(path)

    def _path(self, installation_id: str) -> Path:
        return self._home / f"lifeline-{installation_id}.json"
