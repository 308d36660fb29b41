"""The calls of casinos about sessions: launch, list, show, end.

Owns: their work. An address that leads out of the casino's origins is refused before anything is opened. Spec: casino.md 3.2.
"""

from __future__ import annotations

from typing import Final

from croupier.casino_api import bodies
from croupier.casino_api.bodies import LaunchBody
from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import Params
from croupier.casino_api.records import LaunchedForCasino, SessionList, iso, session_record
from croupier.core.availability import WORDS, Rule
from croupier.core.counterparty import Casino
from croupier.core.origins import belongs
from croupier.flows.launch import Launched, LaunchRefused, LaunchRequest, launch
from croupier.kit.strictjson import BadField
from croupier.store.parties.launch_codes import CODE_S, LaunchCode
from croupier.store.parties.sessions import SessionFacts, SessionQuery
from croupier.views.why import GameAsked, why_game

_REFUSED_PLAYER: Final = frozenset({Rule.PLAYER_BLOCKED, Rule.PLAYER_EXCLUDED, Rule.PLAYER_CURRENCY})
_CURSOR_PARTS: Final = 2


async def open_session(call: Call) -> Reply:
    """`POST /sessions`."""
    wanted = bodies.read_launch(call.body)
    done = await launched(call, wanted)
    meant = LaunchCode(call.casino.casino_id, done.player_id, wanted.game_id, done.session_id)
    code = await call.door.hub.store.launch_codes.issue(meant)
    told = LaunchedForCasino(
        sessionId=done.session_id, frameUri=done.frame_uri, expiresAt=iso(done.expires_ms), launchCode=code,
        launchCodeExpiresIn=CODE_S,
    )  # fmt: skip
    return Reply(told, 201, headers={"Cache-Control": "no-store"})


async def launched(call: Call, wanted: LaunchBody) -> Launched:
    """Open the game; raises Problem, BadField."""
    check_addresses(call.casino, wanted)
    wish = LaunchRequest(
        player_ref=wanted.player_ref,
        currency=wanted.currency,
        game_id=wanted.game_id,
        language=wanted.language or "en",
        demo=wanted.demo,
        mobile=wanted.mobile,
        tag_id=wanted.tag_id,
        country=wanted.country,
        limits=wanted.limits,
        lobby_url=wanted.lobby_url,
        exit_url=wanted.exit_url,
        visitor=None if call.player is None else call.player.claims.visitor,
    )
    try:
        return await launch(call.door.hub, call.casino, wish)
    except LaunchRefused as refused:
        raise _problem_of(await _exact_rule(call, wanted, refused.rule)) from refused


def check_addresses(casino: Casino, wanted: LaunchBody) -> None:
    """Raise BadField for an address that is no page of the casino's origins: the hub sends no player anywhere else."""
    for field, address in (("lobbyUrl", wanted.lobby_url), ("exitUrl", wanted.exit_url)):
        if address is not None and not belongs(address, casino.origins):
            raise BadField(field, "must be a page of the casino's origins (`croupier casino set ID origins=...`)")


async def sessions(call: Call) -> Reply:
    """`GET /sessions`."""
    params = Params(call.request.query_params, ("player", "state", "cursor", "limit"))
    hub, cut, count = call.door.hub, params.cursor(_CURSOR_PARTS), params.count()
    state, now_ms = params.one_of("state", ("open", "over")), hub.clock.now_ms()
    asked = SessionQuery(
        count + 1,
        params.name("player"),
        live=None if state is None else state == "open",
        after=None if cut is None else (int(cut[0]), cut[1]),
    )
    found = await hub.store.sessions.page(call.casino.casino_id, asked, now_ms)
    page = found[:count]
    more = f"{page[-1].opened_ms}.{page[-1].session_id}" if len(found) > count else None
    return Reply(SessionList(sessions=[session_record(one, now_ms) for one in page], nextCursor=more))


async def session(call: Call) -> Reply:
    """`GET /sessions/{sessionId}`."""
    return Reply(session_record(await _mine(call), call.door.hub.clock.now_ms()))


async def close_session(call: Call) -> Reply:
    """`DELETE /sessions/{sessionId}`: no new bets; what was bet is paid out and refunded. A repeat changes nothing."""
    hub, mine = call.door.hub, await _mine(call)
    await hub.store.sessions.end(
        call.casino.casino_id, mine.session_id, now_ms=hub.clock.now_ms(), author=f"casino {call.casino.name}",
        reason="closed by the casino",
    )  # fmt: skip
    return Reply(session_record(await _mine(call), hub.clock.now_ms()))


async def _mine(call: Call) -> SessionFacts:
    found = await call.door.hub.store.sessions.of_casino(call.casino.casino_id, call.path("sessionId"))
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such session")
    return found


async def _exact_rule(call: Call, wanted: LaunchBody, rule: Rule) -> Rule:
    """Return which switch keeps the game shut, where the launch only knows that one does."""
    if rule is not Rule.GAME_OFF_FOR_CASINO:
        return rule
    hub = call.door.hub
    asked = GameAsked(call.casino.casino_id, wanted.game_id, None, wanted.currency, wanted.country)
    found = await why_game(hub.store.db, asked, now_ms=hub.clock.now_ms(), recovering=False)
    return found[0].rule if found else rule


def _problem_of(rule: Rule) -> Problem:
    if rule is Rule.PROVIDER_UNANSWERED:
        return Problem(ProblemCode.PEER_UNANSWERED, WORDS[rule], rule=rule, retry_after_s=5)
    code = ProblemCode.PLAYER_REFUSED if rule in _REFUSED_PLAYER else ProblemCode.NOT_AVAILABLE
    field = {Rule.CURRENCY_NOT_PLAYED: "currency", Rule.PLAYER_CURRENCY: "currency", Rule.GAME_UNKNOWN: "gameId"}
    return Problem(code, WORDS[rule], field.get(rule), rule)
