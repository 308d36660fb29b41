"""Proposals: decisions about money that wait for a second person.

Owns: the rows of `proposals`. A change of state is one conditional update, so of two persons who decide at once one wins.
Never: who may approve (core.proposal), or carries one out (flows.proposals). Spec: decision 0101.
"""

from __future__ import annotations

from croupier.core.proposal import VALID_MS, Act, PersonAct, Proposal, ProposalState
from croupier.core.readings import PaymentKind
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row
from croupier.store.storable import storable_id

_PUT = """
insert into proposals (act, subject_id, kind, win, above_limits, reason, made_by, made_ms, expires_ms, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open')
on conflict (subject_id, kind, act) where state in ('open', 'approved') do nothing returning *"""
_WAITING = "select * from proposals where subject_id = $1 and kind = $2 and act = $3 and state in ('open', 'approved')"
# What nobody approved in time makes room for the same act, proposed anew.
_EXPIRE = """
update proposals set state = 'failed', decided_ms = $4, outcome = 'nobody approved it in time'
where subject_id = $1 and kind = $2 and act = $3 and state = 'open' and expires_ms <= $4"""
_LIST = """
select * from proposals where ($1 or state in ('open', 'approved')) order by made_ms desc, proposal_id desc limit $2"""
_CARRIED_OUT = """
select exists(select from events where subject_id = $1 and (detail::jsonb -> 'proposal') = to_jsonb($2::bigint))"""
_MOVE = """
update proposals set state = $3, decided_by = coalesce($4, decided_by), decided_ms = $5, outcome = $6
where proposal_id = $1 and state = $2 returning *"""


class Proposals:
    """The stored proposals."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def put(self, what: PersonAct, made_by: str) -> tuple[Proposal, bool]:
        """Store a proposal; return it and True. If the same act waits already, return that one and False."""
        now_ms = self._clock.now_ms()
        key = (what.subject_id, "" if what.kind is None else what.kind.value, what.act.value)
        await self._db.execute(_EXPIRE, *key, now_ms)
        row = await self._db.fetchrow(
            _PUT,
            key[2],
            key[0],
            key[1],
            what.win or "",
            what.above_limits,
            what.reason,
            made_by,
            now_ms,
            now_ms + VALID_MS,
        )
        if row is not None:
            return _proposal(row), True
        waiting = await self._db.fetchrow(_WAITING, *key)
        # It was decided between the two statements: then this one may be stored.
        return await self.put(what, made_by) if waiting is None else (_proposal(waiting), False)

    async def get(self, proposal_id: int) -> Proposal | None:
        """Return a proposal."""
        if not storable_id(proposal_id):
            return None
        row = await self._db.fetchrow("select * from proposals where proposal_id = $1", proposal_id)
        return None if row is None else _proposal(row)

    async def newest(self, most: int, *, decided: bool = False) -> list[Proposal]:
        """Return the proposals that wait, and with `decided` the others too, newest first."""
        return [_proposal(row) for row in await self._db.fetch(_LIST, decided, most)]

    async def carried_out(self, proposal: Proposal) -> bool:
        """Return whether an event of the bet or cashback names the proposal: its act was committed."""
        return bool(await self._db.fetchval(_CARRIED_OUT, proposal.what.subject_id, proposal.proposal_id))

    async def move(
        self, proposal: Proposal, to: ProposalState, *, by: str | None = None, outcome: str | None = None
    ) -> Proposal | None:
        """Change the state if it is still that of `proposal`. Return the new row, or None if somebody was faster."""
        now_ms = self._clock.now_ms()
        row = await self._db.fetchrow(_MOVE, proposal.proposal_id, proposal.state.value, to.value, by, now_ms, outcome)
        return None if row is None else _proposal(row)


def _proposal(row: Row) -> Proposal:
    what = PersonAct(
        act=Act(row["act"]),
        subject_id=row["subject_id"],
        reason=row["reason"],
        kind=PaymentKind(row["kind"]) if row["kind"] else None,
        win=row["win"] or None,
        above_limits=row["above_limits"],
    )
    rest = ("proposal_id", "made_by", "made_ms", "expires_ms", "decided_by", "decided_ms", "outcome")
    return Proposal(what=what, state=ProposalState(row["state"]), **{name: row[name] for name in rest})
