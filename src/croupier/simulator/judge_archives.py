"""The judge of archives: the books of every bet and cashback that an archive would take must verify from its own rows.

Owns: that look at the end of a run. Never: a file: the rows are what matters here.
"""

from __future__ import annotations

import json
from typing import Final

from croupier.simulator.judge import Judgement
from croupier.store.db import Db
from croupier.views.archive.books import problems
from croupier.views.archive.rows import next_over, texts_of

_EVER: Final = 2**62
_PAGE: Final = 200


async def judge_archives(db: Db, verdict: Judgement) -> None:
    """Check each bet and cashback that is over as `croupier verify-archive` does."""
    async with db.transaction(snapshot=True) as tx:
        ids = await next_over(tx, 0, _EVER, most=_PAGE)
        while ids:
            for text in await texts_of(tx, ids):
                kept = json.loads(text)
                for problem in problems(kept):
                    verdict.wrong("archive", f"{kept['subject']}: {problem}")
            ids = await next_over(tx, ids[-1], _EVER, most=_PAGE)
