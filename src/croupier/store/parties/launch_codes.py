"""Launch codes: each opens one launched game for its player at its casino once, within a minute.

Owns: the rows of `launch_codes`. Only the digest of a code is stored. Never: whether the player may play (flows.launch).
Spec: webframe.md 2.3.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.store.db import Db

CODE_S: Final = 60
CODE_BYTES: Final = 24
KEPT_MS: Final = 86_400_000
_NEW = """
insert into launch_codes (digest, casino_id, player_id, game_id, session_id, expires_ms) values ($1, $2, $3, $4, $5, $6)"""
_USE = """
update launch_codes set used_ms = $3 where digest = $1 and casino_id = $2 and used_ms is null and expires_ms > $3
and game_id = coalesce($4, game_id)
returning casino_id, player_id, game_id, session_id"""


@dataclass(frozen=True, slots=True)
class LaunchCode:
    """What a code opens."""

    casino_id: int
    player_id: int
    game_id: int
    session_id: str


class LaunchCodes:
    """The codes of all casinos."""

    def __init__(self, db: Db, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._clock = clock
        self._chance = chance

    async def issue(self, meant: LaunchCode) -> str:
        """Return a new code, which is never shown again."""
        code = self._chance.hex(CODE_BYTES)
        expires_ms = self._clock.now_ms() + CODE_S * 1000
        await self._db.execute(
            _NEW, _digest(code), meant.casino_id, meant.player_id, meant.game_id, meant.session_id, expires_ms
        )
        return code

    async def use(self, casino_id: int, code: str, game_id: int | None = None) -> LaunchCode | None:
        """Use the code up. None if it was used, is too old, is another casino's or game's, or was never issued."""
        row = await self._db.fetchrow(_USE, _digest(code), casino_id, self._clock.now_ms(), game_id)
        return None if row is None else LaunchCode(**row)

    async def purge(self) -> None:
        """Forget codes that ended a day ago."""
        await self._db.execute("delete from launch_codes where expires_ms < $1", self._clock.now_ms() - KEPT_MS)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
