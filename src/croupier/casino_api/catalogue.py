"""The calls about games.

Owns: their work. Never: SQL. Spec: casino.md 3.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import MAX_ID, WORD, Params, path_id
from croupier.casino_api.records import GameList, game_record, game_with_texts
from croupier.kit.strictjson import BadField
from croupier.store.parties.catalogue import GamesQuery

FILTERS: Final = (
    "provider", "category", "type", "features", "currency", "country", "language", "text", "since", "cursor", "limit",
    "unavailable",
)  # fmt: skip
_CURSOR_PARTS: Final = 2


async def games(call: Call) -> Reply:
    """`GET /games`."""
    params = Params(call.request.query_params, FILTERS)
    asked, language = _asked(call, params), params.language()
    catalogue = call.door.hub.store.catalogue
    now = await catalogue.positions()
    if asked.since is not None and asked.since > now.newest:
        raise BadField("since", "is not of this hub's books: read the whole list anew")
    found = await catalogue.games(replace(asked, count=asked.count + 1))
    cut = params.cursor(_CURSOR_PARTS)
    begun = now.oldest if cut is None else int(cut[1], 16)
    page = found[: asked.count]
    listed = [game_record(game, language) for game in page]
    more = f"{page[-1].game_id}.{begun:x}" if len(found) > asked.count else None
    told = GameList(games=listed, nextCursor=more, changesCursor=str(begun))
    # Where to begin again moves with every commit of the hub; an older one still misses nothing.
    return Reply(told, tagged=[listed, more is None])


async def game(call: Call) -> Reply:
    """`GET /games/{gameId}`."""
    params = Params(call.request.query_params, ("currency", "country", "language"))
    asked = GamesQuery(
        call.casino.casino_id, 1, game_id=path_id(call.path("gameId"), "gameId"), currency=params.currency(),
        country=params.country(), also_unavailable=True,
    )  # fmt: skip
    found = await call.door.hub.store.catalogue.games(asked)
    if not found:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such game")
    return Reply(game_with_texts(found[0], params.language()))


def _asked(call: Call, params: Params) -> GamesQuery:
    cut = params.cursor(_CURSOR_PARTS)
    return GamesQuery(
        casino_id=call.casino.casino_id,
        count=params.count(),
        after=0 if cut is None else int(cut[0]),
        provider=params.name("provider"),
        category=params.name("category"),
        kind=params.fitting("type", WORD, "a word such as live"),
        features=params.words("features"),
        currency=params.currency(),
        country=params.country(),
        text=params.search("text"),
        since=params.whole("since", MAX_ID),
        also_unavailable=params.flag("unavailable") or False,
    )
