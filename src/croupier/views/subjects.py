"""Which bet or cashback a person means by a text: BetId, CashbackId, or `provider:betId`.

Owns: that reading. Never: reads more than the id. Spec: operate.md ("Every ID argument takes the id or the name").
"""

from __future__ import annotations

from croupier.store.db import Db
from croupier.store.storable import id_of, storable_text

_BY_ID = """
select $1::bigint as subject_id where exists (select from bets where bet_id = $1)
    or exists (select from cashbacks where cashback_id = $1)"""

# A provider's name and a betId may both have colons: every colon may be the one between them.
_BY_REF = """
select b.bet_id from unnest($1::text[], $2::text[]) k(provider, bet_ref)
join providers p on k.provider in (p.name, p.counterparty_id, p.provider_id::text)
join bets b on b.provider_id = p.provider_id and b.bet_ref = k.bet_ref
order by b.bet_id limit 1"""


async def find_subject(db: Db, text: str) -> int | None:
    """The BetId or CashbackId that is meant, or None if there is no such bet or cashback."""
    if not storable_text(text):
        return None
    number = id_of(text)
    if number is not None:
        found: int | None = await db.fetchval(_BY_ID, number)
        return found
    cuts = [at for at, c in enumerate(text) if c == ":"]
    bet_id: int | None = await db.fetchval(_BY_REF, [text[:at] for at in cuts], [text[at + 1 :] for at in cuts])
    return bet_id
