"""A provider publishes draws and jackpot meters: all of a publication is taken, or nothing. Spec: feed.md 4.1.

Owns: the order of the questions: whose the game types are, what is known, what the rule says. Never: the rule
(core.draws), money.
"""

from __future__ import annotations

from collections.abc import Mapping

from croupier.core.commands import Answer
from croupier.core.draws import Change, Draw, DrawKey, DrawRefused, Publication, maybe_deleted, take_update
from croupier.core.jackpot import is_pot_meter
from croupier.core.refusals import Refusal
from croupier.flows.hub import Hub
from croupier.store.db import Tx
from croupier.store.feed.draws import digest_of
from croupier.store.feed.game_types import HeldType


class _NotTaken(Exception):
    """The transaction is undone, and the provider gets this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.why)
        self.answer = answer


async def publish_draws(hub: Hub, publication: Publication) -> Answer:
    """Take the publication; the answer names the field that is at fault, by its name in the records."""
    try:
        async with hub.store.draws.publication() as tx:
            await _take(hub, tx, publication)
    except _NotTaken as refused:
        return refused.answer
    return Answer(None)


async def _take(hub: Hub, tx: Tx, publication: Publication) -> None:
    types = sorted({draw.key.game_type for draw in publication.draws})
    held = await hub.store.game_types.lock(tx, types)
    for place, draw in enumerate(publication.draws):
        owner = held.get(draw.key.game_type)
        if owner is None or owner.provider_id != publication.provider_id:
            raise _conflict(f"draws[{place}].game_type", "does not belong to this provider")
    known = await hub.store.draws.known(tx, {draw.key for draw in publication.draws})
    before = await hub.store.draws.taken_before(tx, publication.draws)
    _refuse_deleted(publication, known, held)
    new = _judge(publication, known, before, now_ms=hub.clock.now_ms())
    if new:
        await hub.store.draws.put(tx, new)
        await hub.store.game_types.mark_changed(tx, sorted({draw.key.game_type for draw in new}))
    for place, meter in enumerate(publication.meters):
        if is_pot_meter(meter.jackpot_ref):
            raise _conflict(f"meters[{place}].jackpot_ref", "has the form of the hub's own jackpots")
        if not await hub.store.draws.put_meter(tx, publication.provider_id, meter):
            raise _conflict(f"meters[{place}].jackpot_ref", "belongs to another provider")


def _refuse_deleted(publication: Publication, known: Mapping[DrawKey, Draw], held: Mapping[int, HeldType]) -> None:
    for place, draw in enumerate(publication.draws):
        refused = maybe_deleted(known.get(draw.key), draw, held[draw.key.game_type].forgotten_ms)
        if refused is not None:
            raise _conflict(f"draws[{place}].{refused.field}", refused.why)


def _judge(
    publication: Publication, known: dict[DrawKey, Draw], before: Mapping[tuple[DrawKey, int], bytes], *, now_ms: int
) -> list[Draw]:
    """The updates that change something, in their order. What was taken before is a repeat, however late it comes."""
    new = []
    for place, draw in enumerate(publication.draws):
        digest = before.get((draw.key, draw.version))
        if digest == digest_of(draw):
            continue
        if digest is not None:
            raise _conflict(f"draws[{place}].version", "is known with other contents")
        told = take_update(known.get(draw.key), draw, now_ms)
        if isinstance(told, DrawRefused):
            refusal = Refusal.CONFLICT if told.conflict else Refusal.WRONG_DATA
            raise _NotTaken(Answer(refusal, field=f"draws[{place}].{told.field}", why=told.why))
        if told is Change.NEW:
            new.append(draw)
            known[draw.key] = draw
    return new


def _conflict(field: str, why: str) -> _NotTaken:
    return _NotTaken(Answer(Refusal.CONFLICT, field=field, why=why))
