"""The calls of a frame in a browser: entry by refresh token or launch code, renewal, state, lobby, launch.

Owns: their work. No cookie is set or read: a token travels in a header that only a page that has it can send, so no other
page can act in a player's name. Spec: webframe.md 2.3 to 2.5, casino.md 3.3.
"""

from __future__ import annotations

from typing import Final

from croupier.casino_api import bodies
from croupier.casino_api.bodies import EntryBody
from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.catalogue import games as games_of_casino
from croupier.casino_api.door import Door, Guest, PlayerIn
from croupier.casino_api.frame_records import (
    Entry,
    FramePlayer,
    FrameState,
    FrameToken,
    HardStop,
    OpenedGame,
    RealityCheck,
)
from croupier.casino_api.player_tokens import LIFETIME_S, PlayerClaims
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import Params, path_id
from croupier.casino_api.records import LaunchedSession, iso, iso_end
from croupier.casino_api.sessions import launched
from croupier.core.availability import WORDS, Rule
from croupier.core.counterparty import Casino
from croupier.core.money import format_amount
from croupier.core.readings import No, Unknown
from croupier.flows.authorize import Identified, identify
from croupier.flows.balances import reported_balance
from croupier.flows.ports import Unauthorized
from croupier.store.parties.players import Player
from croupier.store.parties.sessions import SessionFacts

LONGEST_S: Final = 86_400
"""A player's token is renewed for a day; then the casino is asked again who it is."""
VISITOR_BYTES: Final = 16
NO_STORE: Final = {"Cache-Control": "no-store"}


async def enter(call: Call) -> Reply:
    """`POST /frame/session`. The casino is the one of the body; its origins were checked."""
    asked = bodies.read_entry(call.body)
    if asked.code is not None:
        return await _by_code(call, asked.code, asked.game_id)
    if asked.token is None:
        return await _admit(call, None)
    return await _by_token(call, asked)


def of_no_casino(asked: EntryBody) -> Exception:
    """Return what is answered under a number that is no casino's: the same as to a stranger's token or code at one."""
    if asked.code is not None:
        return _code_not_valid()
    return Unauthorized("no such casino") if asked.token is None else _token_refused()


async def renew(call: Call) -> Reply:
    """`POST /frame/session/renew`."""
    claims = _claims(call)
    if call.door.hub.clock.now_ms() // 1000 - claims.since_s >= LONGEST_S:
        raise Unauthorized("the player came a day ago: ask the casino anew")
    token = await _token(call.door, claims)
    return Reply(token, headers=NO_STORE)


async def state(call: Call) -> Reply:
    """`GET /frame/session`."""
    player = call.player.player if isinstance(call.player, PlayerIn) else None
    told = await _state(call, player, _claims(call).since_s)
    session_id = Params(call.request.query_params, ("sessionId",)).name("sessionId")
    if session_id is not None:
        told["balance"], told["currency"] = await _demo_balance(call, session_id)
    return Reply(told, headers=NO_STORE)


async def _demo_balance(call: Call, session_id: str) -> tuple[str, str]:
    """Return balance and currency of a demo game of the caller. A guest's is of the guest whose token opened it."""
    store, caller = call.door.hub.store, (_who(call)[0], _claims(call).visitor)
    facts = await store.sessions.of_casino(call.casino.casino_id, session_id)
    session = await store.sessions.get(session_id)
    if facts is None or session is None or not facts.demo or (facts.player_ref, facts.visitor) != caller:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such demo game of this player", "sessionId")
    return format_amount(await store.demo.balance(session), session.currency), session.currency


async def lobby(call: Call) -> Reply:
    """`GET /frame/games`: the catalogue as the casino would see it."""
    return await games_of_casino(call)


async def launch_game(call: Call) -> Reply:
    """`POST /frame/games/{gameId}/launch`. A guest may play for no money."""
    player_ref, currency = _who(call)
    wanted = bodies.read_frame_launch(
        call.body, game_id=path_id(call.path("gameId"), "gameId"), player_ref=player_ref, currency=currency
    )
    if isinstance(call.player, Guest) and not wanted.demo:
        raise Problem(ProblemCode.PLAYER_REFUSED, "a guest plays demo games alone: log in at the casino", "mode")
    done = await launched(call, wanted)
    told = LaunchedSession(sessionId=done.session_id, frameUri=done.frame_uri, expiresAt=iso(done.expires_ms))
    return Reply(told, 201, headers=NO_STORE)


def _token_refused() -> Problem:
    return Problem(ProblemCode.PLAYER_REFUSED, "the casino does not know this token: get a new one from it", "token")


def _code_not_valid() -> Problem:
    why = "it was used, is older than a minute, or is of another game or casino: launch the game again"
    return Problem(ProblemCode.CODE_NOT_VALID, why, "code")


async def _by_token(call: Call, asked: EntryBody) -> Reply:
    assert asked.token is not None
    found = await identify(call.door.hub, call.casino, asked.token, tag_id=asked.tag_id)
    match found:
        case Identified():
            return await _admit(call, found.player, refresh_token=found.refresh_token)
        case No():
            raise _token_refused()
        case Unknown():
            why = "the casino did not say who the player is: try again"
            raise Problem(ProblemCode.PEER_UNANSWERED, why, retry_after_s=2)


async def _by_code(call: Call, code: str, game_id: int | None) -> Reply:
    """A session that has ended since the launch opens nothing, as if the code had ended."""
    store = call.door.hub.store
    used = await store.launch_codes.use(call.casino.casino_id, code, game_id)
    opened = None if used is None else await store.sessions.of_casino(used.casino_id, used.session_id)
    player = None if used is None else await store.players.get(used.player_id)
    if opened is None or player is None or not opened.live(call.door.hub.clock.now_ms()):
        raise _code_not_valid()
    return await _admit(call, player, opened=opened)


async def _admit(
    call: Call, player: Player | None, *, refresh_token: str | None = None, opened: SessionFacts | None = None
) -> Reply:
    now_ms = call.door.hub.clock.now_ms()
    if player is not None and (player.blocked or player.excluded(now_ms)):
        rule = Rule.PLAYER_BLOCKED if player.blocked else Rule.PLAYER_EXCLUDED
        raise Problem(ProblemCode.PLAYER_REFUSED, WORDS[rule], rule=rule)
    since_s = now_ms // 1000
    casino_id = call.casino.casino_id
    claims = (
        PlayerClaims(casino_id, 0, since_s, call.door.hub.chance.hex(VISITOR_BYTES))
        if player is None
        else PlayerClaims(casino_id, player.player_id, since_s)
    )
    token = await _token(call.door, claims)
    told = Entry(
        **token, refreshToken=refresh_token, session=await _state(call, player, since_s),
        game=None if opened is None else _opened(opened),
    )  # fmt: skip
    return Reply(told, 201, headers=NO_STORE)


async def _token(door: Door, claims: PlayerClaims) -> FrameToken:
    return FrameToken(accessToken=await door.players.issue(claims), tokenType="Bearer", expiresIn=LIFETIME_S)


async def _state(call: Call, player: Player | None, since_s: int) -> FrameState:
    hub = call.door.hub
    if player is None:
        return FrameState(
            player=None, currency=call.casino.currencies[0], balance=None, since=iso(since_s * 1000), realityCheck=None,
            hardStop=None,
        )  # fmt: skip
    known = await reported_balance(hub, player)
    return FrameState(
        player=FramePlayer(
            playerId=player.player_ref, currency=player.currency, language=player.language, country=player.country,
            test=player.is_test,
        ),
        currency=player.currency,
        balance=None if known is None else format_amount(max(known, 0), player.currency),
        since=iso(since_s * 1000),
        realityCheck=await _reality_check(call, player, since_s),
        hardStop=_hard_stop(player, since_s, hub.clock.now_ms()),
    )  # fmt: skip


async def _reality_check(call: Call, player: Player, since_s: int) -> RealityCheck:
    hub = call.door.hub
    play = await hub.store.play_sums.since(player.player_id, since_s * 1000)
    net = play.returned - play.staked
    net_text = format_amount(abs(net), player.currency)
    return RealityCheck(
        everySeconds=_check_every_s(call.casino, player),
        playedSeconds=max(hub.clock.now_ms() // 1000 - since_s, 0),
        staked=format_amount(play.staked, player.currency),
        won=format_amount(play.returned, player.currency),
        net=f"-{net_text}" if net < 0 else net_text,
    )


def _check_every_s(casino: Casino, player: Player) -> int | None:
    told = [x for x in (casino.reality_check_s, player.limits.reality_check_s) if x is not None]
    return min(told, default=None)


def _hard_stop(player: Player, since_s: int, now_ms: int) -> HardStop | None:
    if player.blocked:
        return HardStop(reason="blocked", at=None, until=None)
    if player.excluded(now_ms):
        return HardStop(reason="excluded", at=None, until=iso_end(player.excluded_until_ms))
    if player.limits.session_s is None:
        return None
    return HardStop(reason="time", at=iso((since_s + player.limits.session_s) * 1000), until=None)


def _opened(session: SessionFacts) -> OpenedGame:
    return OpenedGame(
        sessionId=session.session_id, frameUri=session.frame_uri or "", expiresAt=iso(session.expires_ms),
        gameId=session.game_id, mode="demo" if session.demo else "real", lobbyUrl=session.lobby_url,
        exitUrl=session.exit_url,
    )  # fmt: skip


def _who(call: Call) -> tuple[str, str]:
    """Return the player's id and currency; guests of a casino share one per currency, and have no money."""
    if isinstance(call.player, PlayerIn):
        return call.player.player.player_ref, call.player.player.currency
    currency = call.casino.currencies[0]
    return f"guest-{currency}", currency


def _claims(call: Call) -> PlayerClaims:
    assert call.player is not None
    return call.player.claims
