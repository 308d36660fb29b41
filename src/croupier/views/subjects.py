"""Resolution of a person's text to a bet or cashback: BetId, CashbackId, `provider:betId`, round, player, casino's transaction.

Owns: that resolution. Never: reads more than the id. Spec: operate.md 3 ("Every ID argument takes the id or the name").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.store.db import Db
from croupier.store.storable import id_of, storable_text

_BY_ID = """
select $1::bigint as subject_id where exists (select from bets where bet_id = $1)
    or exists (select from cashbacks where cashback_id = $1)"""

# A provider's name and a betId may both contain colons, so every colon is tried as the separator.
_BY_REF = """
select distinct b.bet_id, p.name as provider, b.bet_ref from unnest($1::text[], $2::text[]) k(provider, bet_ref)
join providers p on k.provider in (p.name, p.counterparty_id, p.provider_id::text)
join bets b on b.provider_id = p.provider_id and b.bet_ref = k.bet_ref
order by b.bet_id"""


_PLAYERS = """
select pl.player_id, pl.casino_id, c.name as casino from casinos c join players pl using (casino_id)
where pl.player_ref = $1 and ($2::bigint[] is null or pl.casino_id = any($2)) order by pl.casino_id"""
_LAST = """
select b.bet_id from (select distinct subject_id from payments where player_id = $1) s
cross join lateral (select bet_id from bets x where x.bet_id = s.subject_id offset 0) b order by 1 desc limit 1"""
MOST_CANDIDATES = 20
_OF_ROUND = f"""
select b.bet_id as subject_id, format('player %s at %s, %s', b.player_ref, c.name, b.state) as what
from bets b left join casinos c using (casino_id)
where b.round_ref = $1 and ($2::bigint[] is null or b.casino_id = any($2)) order by 1 desc limit {MOST_CANDIDATES + 1}"""  # noqa: S608 - ours
_OF_TRANSACTION = f"""
select w.subject_id, min(format('%s at %s', w.kind, c.name)) as what
from payments w join players pl using (player_id) left join casinos c using (casino_id)
where w.partner_tx = $1 and ($2::bigint[] is null or pl.casino_id = any($2))
group by 1 order by 1 desc limit {MOST_CANDIDATES + 1}"""  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class NamedPlayer:
    """A player whom a casino knows by the id that was given."""

    player_id: int
    casino_id: int
    casino: str


class SeveralFound(LookupError):
    """The text matches several bets or players. The message lists them."""

    def __init__(self, text: str, candidates: Sequence[str], todo: str) -> None:
        more = ", and more" if len(candidates) > MOST_CANDIDATES else ""
        super().__init__(f"{text:.80} may be {' or '.join(candidates[:MOST_CANDIDATES])}{more}: {todo}")


class SubjectAmbiguous(LookupError):
    """The text matches several bets. The message names each with its BetId."""

    def __init__(self, text: str, bets: Sequence[tuple[int, str, str]]) -> None:
        named = [f"{bet_id} (betId {bet_ref!r} of provider {provider!r})" for bet_id, provider, bet_ref in bets]
        super().__init__(f"{text:.80} may be bet {' or '.join(named)}: give the BetId")
        self.bet_ids = tuple(bet_id for bet_id, _, _ in bets)


async def find_subject(db: Db, text: str) -> int | None:
    """Return the BetId or CashbackId that the text names, or None if it names nothing. Raises SubjectAmbiguous."""
    if not storable_text(text):
        return None
    number = id_of(text)
    if number is not None:
        found: int | None = await db.fetchval(_BY_ID, number)
        return found
    cuts = [at for at, c in enumerate(text) if c == ":"]
    rows = await db.fetch(_BY_REF, [text[:at] for at in cuts], [text[at + 1 :] for at in cuts])
    if len(rows) > 1:
        raise SubjectAmbiguous(text, [(row["bet_id"], row["provider"], row["bet_ref"]) for row in rows])
    return rows[0]["bet_id"] if rows else None


async def players_named(db: Db, player_ref: str, casino_ids: Sequence[int] | None = None) -> list[NamedPlayer]:
    """Return the players with this id, each at a casino of its own."""
    if not storable_text(player_ref):
        return []
    return [NamedPlayer(**row) for row in await db.fetch(_PLAYERS, player_ref, casino_ids)]


async def last_bet(db: Db, player_ref: str, casino_ids: Sequence[int] | None = None) -> int | None:
    """Return the player's last bet, or None. Raises SeveralFound if several casinos have a player of this id."""
    found = await players_named(db, player_ref, casino_ids)
    if len(found) > 1:
        raise SeveralFound(f"player {player_ref!r}", [f"one of casino {one.casino}" for one in found], "give --casino")
    bet_id: int | None = await db.fetchval(_LAST, found[0].player_id) if found else None
    return bet_id


async def bet_of_round(db: Db, round_ref: str, casino_ids: Sequence[int] | None = None) -> int | None:
    """Return the only bet of a round, or None. Raises SeveralFound."""
    return await _only(db, _OF_ROUND, (round_ref, casino_ids), what="round")


async def subject_of_transaction(db: Db, transaction_id: str, casino_ids: Sequence[int] | None = None) -> int | None:
    """Return the bet or cashback of a casino's own transaction id, or None. Raises SeveralFound."""
    return await _only(db, _OF_TRANSACTION, (transaction_id, casino_ids), what="transaction")


async def _only(db: Db, sql: str, asked: tuple[str, Sequence[int] | None], *, what: str) -> int | None:
    if not storable_text(asked[0]):
        return None
    rows = await db.fetch(sql, *asked)
    if len(rows) > 1:
        named = [f"{row['subject_id']} ({row['what']})" for row in rows]
        raise SeveralFound(f"{what} {asked[0]!r}", named, "give the BetId, or --casino")
    return rows[0]["subject_id"] if rows else None
