"""Resolution of a person's text to a bet or cashback: BetId, CashbackId, or `provider:betId`.

Owns: that resolution. Never: reads more than the id. Spec: operate.md 3 ("Every ID argument takes the id or the name").
"""

from __future__ import annotations

from collections.abc import Sequence

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
