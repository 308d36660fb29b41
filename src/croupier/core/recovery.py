"""Detection of a restored database, and the next id after a restore: the rules behind recovery mode.

The hub stores the database's beat, a number that only rises, outside the database as well (the lifeline). A lifeline
ahead of the database shows that the database was restored from a backup. So does a database that was created at
another place.

Owns: these rules. Never: reads either side, begins or ends recovery mode. Spec: money.md 4.6.
"""

from __future__ import annotations

from dataclasses import dataclass

START_OF_2020_S = 1_577_836_800
IDS_PER_S = 10**6
"""Ids start at the seconds since 2020 times this (money.md 4.6), far more than the bets of a second."""
AHEAD_S = 3600
"""Seconds that ids jump ahead of the clock, so that a wrong clock does not reuse an id."""
LARGEST_ID = 2**53 - 1
BEATS_AHEAD = 10**9
"""The jump of the beat when recovery begins: past every lifeline that any machine may hold."""
SLACK_IDS = 1000
"""Ids that processes may have reserved; as many past the last known id are queried as well."""


@dataclass(frozen=True, slots=True)
class Life:
    """The database's own record of its identity and progress."""

    installation_id: str
    birthplace: str
    beat: int
    beat_ms: int
    last_id: int
    """The last id issued."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The lifeline: the database's progress as stored outside it."""

    beat: int
    beat_ms: int
    last_id: int


def evidence_of_restore(life: Life, here: str, mark: Mark | None) -> str | None:
    """Return the evidence that this database is a copy of an earlier state, as text; None if there is none.

    `here` is the database's actual location; `mark` is the lifeline of its installation, or None.
    """
    if mark is not None and mark.beat > life.beat:
        return f"the database stands at beat {life.beat}, and this home has seen beat {mark.beat}"
    if mark is not None and mark.last_id > life.last_id:
        return f"the database gave out ids up to {life.last_id}, and this home has seen {mark.last_id}"
    if life.birthplace != here:
        return f"the database was made as {life.birthplace} and is now {here}: its contents came from a copy"
    return None


def next_id(now_ms: int, last_id: int, seen_id: int) -> int:
    """Return the next id, past every id that may have been used and lost; raises OverflowError at 2^53."""
    seconds = now_ms // 1000 - START_OF_2020_S + AHEAD_S
    found = max(seconds * IDS_PER_S, last_id + SLACK_IDS, seen_id + SLACK_IDS) + 1
    if found > LARGEST_ID:
        raise OverflowError("ids have reached 2^53")
    return found
