"""Which bet or cashback a person means by a text: BetId, CashbackId, or `provider:betId`.

Owns: that reading. Never: reads more than the id. Spec: operate.md 3 ("Every ID argument takes the id or the name").
"""

from __future__ import annotations

from collections.abc import Sequence

from croupier.store.db import Db
from croupier.store.storable import id_of, storable_text

_BY_ID = """
select $1::bigint as subject_id where exists (select from bets where bet_id = $1)
    or exists (select from cashbacks where cashback_id = $1)"""

# A provider's name and a betId may both have colons: every colon may be the one between them.
_BY_REF = """
select distinct b.bet_id, p.name as provider, b.bet_ref from unnest($1::text[], $2::text[]) k(provider, bet_ref)
join providers p on k.provider in (p.name, p.counterparty_id, p.provider_id::text)
join bets b on b.provider_id = p.provider_id and b.bet_ref = k.bet_ref
order by b.bet_id"""


class SubjectAmbiguous(LookupError):
    """Several bets are meant by this; the words name each with its BetId."""

    def __init__(self, text: str, bets: Sequence[tuple[int, str, str]]) -> None:
        named = [f"{bet_id} (betId {bet_ref!r} of provider {provider!r})" for bet_id, provider, bet_ref in bets]
        super().__init__(f"{text:.80} may be bet {' or '.join(named)}: give the BetId")
        self.bet_ids = tuple(bet_id for bet_id, _, _ in bets)


async def find_subject(db: Db, text: str) -> int | None:
    """The BetId or CashbackId that is meant, or None if there is no such bet or cashback. Raises SubjectAmbiguous."""
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
