"""Who is told of incidents, what each was told, and the messages on their way.

Owns: the rows of `notification_targets`, `notified_incidents` and `notifications`. A message and the note of what it tells
commit together. Never: when a message is due, or what it says (flows.notify). Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db
from croupier.store.oversight.incidents import Incident

_TARGET = "target_id, name, kind, address, sender, recipients, enabled, told_ms, added_by, added_ms"
_ADD = f"""
insert into notification_targets (name, kind, address, sender, recipients, added_by, added_ms)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (name) do nothing returning {_TARGET}"""
_SEAL = "update notification_targets set secret = $2 where target_id = $1"
_NEWS = """
select i.incident_id, i.subject_id, i.name, i.note, i.times, i.first_ms, i.last_ms, coalesce(a.name, '') as casino
from incidents i left join notified_incidents n on n.target_id = $1 and n.incident_id = i.incident_id
left join bets b on b.bet_id = i.subject_id left join cashbacks k on k.cashback_id = i.subject_id
left join casinos a on a.casino_id = coalesce(b.casino_id, k.casino_id)
where i.closed_ms is null and (n.incident_id is null or (i.times > n.times and n.at_ms <= $2))
order by i.last_ms, i.incident_id limit $3"""
_TELL = """
insert into notified_incidents as n (target_id, incident_id, times, at_ms)
select $1, e.incident_id, e.times, $4 from unnest($2::bigint[], $3::integer[]) e(incident_id, times)
on conflict (target_id, incident_id) do update set times = excluded.times, at_ms = excluded.at_ms"""
_MAKE = """
insert into notifications (message_id, target_id, body, state, made_ms, due_ms) values ($1, $2, $3, 'waiting', $4, $4)"""
_DUE = """
select m.message_id, m.target_id, m.body, m.made_ms, m.tries
from notifications m join notification_targets t using (target_id)
where m.state = 'waiting' and m.due_ms <= $1 and t.enabled order by m.due_ms limit $2"""
_TRIED = """
update notifications set tries = tries + 1, problem = $2, state = $3, due_ms = $4,
    ended_ms = case when $3 = 'waiting' then null else $5::bigint end
where message_id = $1 and state = 'waiting'"""
_LAST = """
select distinct on (target_id) target_id, state, tries, problem, made_ms, due_ms from notifications
order by target_id, made_ms desc, message_id"""


class TargetNameTaken(Exception):
    """There is a target of this name."""


@dataclass(frozen=True, slots=True)
class NotificationTarget:
    """Who is told: a webhook's URL, or the recipients of mail and the server that carries it."""

    target_id: int
    name: str
    kind: str
    address: str
    sender: str | None
    recipients: tuple[str, ...]
    enabled: bool
    told_ms: int
    added_by: str
    added_ms: int


@dataclass(frozen=True, slots=True)
class NewsItem(Incident):
    """An open incident that a target has not been told of, or not since it was raised again."""

    casino: str
    """The casino's name; "" if it is about none."""


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """One message that is due."""

    message_id: str
    target_id: int
    body: str
    made_ms: int
    tries: int


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a target."""

    state: str
    tries: int
    problem: str | None
    made_ms: int
    due_ms: int


class Notifications:
    """The stored targets and messages."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock

    async def add(self, target: NotificationTarget, secret: str | None) -> NotificationTarget:
        """Add a target; its id and time are given here. Raises TargetNameTaken."""
        async with self._db.transaction() as tx:
            recipients = list(target.recipients) if target.kind == "mail" else None
            row = await tx.fetchrow(
                _ADD, target.name, target.kind, target.address, target.sender, recipients, target.added_by,
                self._clock.now_ms(),
            )  # fmt: skip
            if row is None:
                raise TargetNameTaken(target.name)
            made = _target(row)
            if secret is not None:
                sealed = await self._sealer.sealed(secret.encode(), _place(made.target_id))
                await tx.execute(_SEAL, made.target_id, sealed)
        return made

    async def targets(self) -> list[NotificationTarget]:
        """Return every target by name."""
        sql = f"select {_TARGET} from notification_targets order by name"
        return [_target(row) for row in await self._db.fetch(sql)]

    async def secret(self, target_id: int) -> str | None:
        """Return the secret of a target, None if it has none. Raises SealBroken."""
        sealed = await self._db.fetchval("select secret from notification_targets where target_id = $1", target_id)
        return None if sealed is None else (await self._sealer.opened(sealed, _place(target_id))).decode()

    async def switch(self, target_id: int, *, on: bool) -> None:
        """Switch a target on or off. Messages wait meanwhile."""
        await self._db.execute("update notification_targets set enabled = $2 where target_id = $1", target_id, on)

    async def remove(self, target_id: int) -> None:
        """Delete a target with its messages."""
        await self._db.execute("delete from notification_targets where target_id = $1", target_id)

    async def news(self, target_id: int, again_before_ms: int, most: int) -> list[NewsItem]:
        """Return what the target is to be told: new incidents, and told ones that were raised again."""
        return [NewsItem(**row) for row in await self._db.fetch(_NEWS, target_id, again_before_ms, most)]

    async def open_incidents(self) -> int:
        """Return the number of open incidents."""
        return int(await self._db.fetchval("select count(*) from incidents where closed_ms is null"))

    async def make(self, target_id: int, message_id: str, body: str, *, tells: Sequence[NewsItem]) -> None:
        """Store a message and what it tells, in one transaction."""
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            ids, times = [one.incident_id for one in tells], [one.times for one in tells]
            await tx.execute(_TELL, target_id, ids, times, now_ms)
            await tx.execute(_MAKE, message_id, target_id, body, now_ms)
            await tx.execute("update notification_targets set told_ms = $2 where target_id = $1", target_id, now_ms)

    async def due(self, most: int) -> list[WaitingMessage]:
        """Return the messages that are due, the oldest first."""
        return [WaitingMessage(**row) for row in await self._db.fetch(_DUE, self._clock.now_ms(), most)]

    async def tried(self, message_id: str, *, state: str, problem: str | None, due_ms: int = 0) -> None:
        """Note a try: `delivered`, `waiting` until `due_ms`, or `given_up`."""
        await self._db.execute(_TRIED, message_id, problem, state, due_ms, self._clock.now_ms())

    async def last(self) -> dict[int, LastMessage]:
        """Return the newest message of every target."""
        rows = await self._db.fetch(_LAST)
        return {row["target_id"]: LastMessage(*(row[k] for k in LastMessage.__slots__)) for row in rows}

    async def purge(self, before_ms: int) -> int:
        """Delete messages that ended before this time; return how many."""
        return await self._db.execute("delete from notifications where ended_ms < $1", before_ms)


def _place(target_id: int) -> str:
    return f"notification_targets.secret.{target_id}"


def _target(row: Any) -> NotificationTarget:  # noqa: ANN401 - a row
    return NotificationTarget(**{**row, "recipients": tuple(row["recipients"] or ())})
