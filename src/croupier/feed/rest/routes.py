"""The REST calls of casinos to the feed. Read, verify, query, encode; every answer is an envelope.

Owns: the routes, and ETag with If-None-Match (RFC 9110 13.1.2). Never: a token's form (the casinos' protocol issues and
reads them, flows.ports.Tokens). Spec: feed.md 1 and 2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.core.draws import DrawKey
from croupier.feed.push import draw_record
from croupier.feed.rest import catalogue, messages, query
from croupier.feed.rest.messages import FeedAnswer
from croupier.feed.rest.operations import FEED
from croupier.flows.hub import Hub
from croupier.flows.inbound_limits import RateExceeded
from croupier.flows.ports import Tokens, Unauthorized
from croupier.kit import etags
from croupier.kit.inbound import TooLarge, WrongType, address_of, bearer_of, read_body, require_json
from croupier.kit.log import get
from croupier.kit.measured_routes import measured_routes
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson
from croupier.store.db import DbDown, DbError

log = get("feed")

ANSWER_S: Final = 5.0
"""So long after it was read a request is answered, whatever the database does."""
PLACES: Final = 4
"""So many requests of this process read the database at once: the feed takes no more of the connections."""
MOST_WORDS: Final = 200


class FeedDoor:
    """This half's state in one process."""

    def __init__(self, hub: Hub, tokens: Tokens) -> None:
        self.hub = hub
        self.tokens = tokens
        self.places = asyncio.Semaphore(PLACES)


FeedHandler = Callable[[FeedDoor, Request], Awaitable[object]]
"""Returns the Value; raises what `_answer` knows."""


class NoSuchDraw(Exception):
    """There is no draw of this number, or of this type and edition."""


def routes(hub: Hub, tokens: Tokens) -> list[Route]:
    """The routes of the feed: its operations, each with what does its work."""
    door = FeedDoor(hub, tokens)
    handles: dict[str, FeedHandler] = {
        "feed/auth/token": _token,
        "games/list": _list,
        "games/info": _info,
        "games/types/translations": _translations,
        "jackpots/accumulated": _jackpots,
    }

    async def answer_to(operation: Operation, request: Request) -> Response:
        return await _answer(door, request, handles[operation.name])

    return measured_routes(FEED.operations, answer_to, side="feed", measures=hub)


def not_found(status: int) -> Response:
    """The answer to an unknown path or method under this half."""
    why = "no such method of this path" if status == 405 else "no such path"
    return _say(FeedAnswer(status, messages.BAD_QUERY.code, messages.BAD_QUERY.message), headers=_problem(why))


async def _token(door: FeedDoor, request: Request) -> object:
    body = await read_body(request)
    require_json(request)
    casino_id, secret = messages.read_token_request(body)
    return messages.token_value(await door.tokens.issue(casino_id, secret, address_of(request)), door.tokens.token_s)


async def _list(door: FeedDoor, request: Request) -> object:
    asked = query.read_list(request.query_params)
    page = await door.hub.store.draws.page(
        asked.game_type, from_ms=asked.from_ms, until_ms=asked.until_ms, offset=asked.offset, count=asked.count
    )
    return messages.draws_value(page)


async def _info(door: FeedDoor, request: Request) -> object:
    which = query.read_which(request.query_params)
    draws = door.hub.store.draws
    page = await (draws.one(key=which) if isinstance(which, DrawKey) else draws.one(which))
    if not page.draws:
        raise NoSuchDraw
    (stored,) = page.draws
    return draw_record(stored, page.last.get(stored.draw.key.game_type))


async def _translations(door: FeedDoor, request: Request) -> object:
    tag = query.read_language(request.query_params)
    known = await door.hub.store.game_types.all()
    return catalogue.translations(tag, [one.game_type for one in known])


async def _jackpots(door: FeedDoor, request: Request) -> object:
    currency = query.read_currency(request.query_params)
    meters = await door.hub.store.draws.meters(currency)
    pots = [one for one in await door.hub.store.jackpots.all() if currency in (None, one.pot.currency)]
    own = [messages.pot_meter(one) for one in pots if one.pot.is_at(request.state.casino_id)]
    return messages.jackpots_value(meters + own)


async def _answer(door: FeedDoor, request: Request, handle: FeedHandler) -> Response:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await _value(door, request, handle)
    except Unauthorized as stranger:
        log.info("feed.unauthorized", path=request.url.path, client=stranger.client, why=stranger.why)
        told = "no good id and secret" if handle is _token else "no good bearer of scope feeds"
        return _say(messages.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer", **_problem(told)})
    except RateExceeded as busy:
        told = f"too many requests: ask again in {busy.wait_s} s"
        return _say(messages.RATE_LIMITED, headers={"Retry-After": str(busy.wait_s), **_problem(told)})
    except NoSuchDraw:
        return _say(messages.NO_SUCH_DRAW)
    except (TooLarge, WrongType, BadJson, BadField) as problem:
        return _unreadable(problem)
    except ClientDisconnect:
        return _say(messages.BAD_QUERY)
    except DbError as error:
        door.hub.database_health.record(error)
    except TimeoutError:
        door.hub.database_health.log_trouble(DbDown("a request of the feed was not through within the time for it"))
    except Exception:  # no traceback ever reaches a peer
        log.exception("feed.not_answered")
    return _say(messages.NOT_NOW, headers=_problem("not available now: ask again"))


async def _value(door: FeedDoor, request: Request, handle: FeedHandler) -> Response:
    if handle is _token:
        return _say(messages.OK, await handle(door, request), {"Cache-Control": "no-store"})
    token = bearer_of(request)
    if token is None:
        raise Unauthorized("no bearer")
    casino = (await door.tokens.admit(token)).casino
    door.hub.inbound_limits.check_feed(casino)
    request.state.casino_id = casino.casino_id
    async with door.places:
        value = await handle(door, request)
    answer = _say(messages.OK, value)
    tag = etags.tag_of(bytes(answer.body))
    kept = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if etags.is_current(request, tag):
        return Response(status_code=304, headers=kept)
    answer.headers.update(kept)
    return answer


def _unreadable(problem: Exception) -> Response:
    match problem:
        case TooLarge():
            return _say(messages.TOO_LARGE, headers=_problem("the body is too large"))
        case WrongType():
            return _say(messages.WRONG_TYPE, headers=_problem("Content-Type must be application/json, once"))
        case _:
            return _say(messages.BAD_QUERY, headers=_problem(str(problem)))


def _problem(text: str) -> dict[str, str]:
    """Why, beside the envelope."""
    return {"X-Problem": ascii(text)[1:-1][:MOST_WORDS]}


def _say(answer: FeedAnswer, value: object = None, headers: dict[str, str] | None = None) -> Response:
    return Response(messages.envelope(answer, value), answer.status, headers=headers, media_type="application/json")
