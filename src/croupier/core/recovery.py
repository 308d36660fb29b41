"""When a database is older than what was, and where its ids go on: the judgement behind recovery mode.

A hub leaves a mark outside its database (the lifeline): a beat that only rises inside. A mark that is ahead of the
database tells that the database came back from a backup. So does a database that says it was made elsewhere.

Owns: those judgements. Never: reads either side, begins or ends anything. Spec: money.md 4.6.
"""

from __future__ import annotations

from dataclasses import dataclass

START_OF_2020_S = 1_577_836_800
IDS_PER_S = 10**6
"""Ids begin at the seconds since 2020 times this (money.md 4.6), far more than bets are made in a second."""
AHEAD_S = 3600
"""How far past the clock ids jump: a clock that is off must not bring back an id."""
LARGEST_ID = 2**53 - 1
BEATS_AHEAD = 10**9
"""How far the beat jumps when recovery begins: past every mark that any machine may hold."""
SLACK_IDS = 1000
"""Ids that processes may hold in hand; past the last one that anybody knows, so many more are asked after."""


@dataclass(frozen=True, slots=True)
class Life:
    """What the database says of itself."""

    installation_id: str
    birthplace: str
    beat: int
    beat_ms: int
    last_id: int
    """The last id that was given out."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was last seen of it from outside."""

    beat: int
    beat_ms: int
    last_id: int


def sign_of_restore(life: Life, here: str, mark: Mark | None) -> str | None:
    """Why this database must be a copy of an earlier moment, in words; None if nothing says so.

    `here` is where it really is; `mark` is the lifeline of its installation, None where there is none.
    """
    if mark is not None and mark.beat > life.beat:
        return f"the database stands at beat {life.beat}, and this home has seen beat {mark.beat}"
    if mark is not None and mark.last_id > life.last_id:
        return f"the database gave out ids up to {life.last_id}, and this home has seen {mark.last_id}"
    if life.birthplace != here:
        return f"the database was made as {life.birthplace} and is now {here}: its contents came from a copy"
    return None


def next_id(now_ms: int, last_id: int, seen_id: int) -> int:
    """Where ids go on, past every one that may have been used and lost; raises OverflowError at 2^53."""
    seconds = now_ms // 1000 - START_OF_2020_S + AHEAD_S
    found = max(seconds * IDS_PER_S, last_id + SLACK_IDS, seen_id + SLACK_IDS) + 1
    if found > LARGEST_ID:
        raise OverflowError("ids have reached 2^53")
    return found
