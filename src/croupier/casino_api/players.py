"""The calls with which a casino protects its players: exclusion and limits.

Owns: their work. They are never refused for their number. Spec: casino.md 3.5.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from croupier.casino_api import bodies
from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import Params, path_name
from croupier.casino_api.records import Instant, Limits, iso, iso_end, limits_record
from croupier.flows import protect_player
from croupier.kit import strictjson
from croupier.kit.strictjson import BadField
from croupier.store.parties.players import CurrencyDiffers, Player

_NOBODY: Final = "there is no such player: name a currency to register one"


class ExclusionRequest(TypedDict):
    """`PUT /players/{playerId}/exclusion`."""

    until: NotRequired[Instant]
    reason: NotRequired[str]
    currency: NotRequired[str]


class LimitsRequest(Limits):
    """`PUT /players/{playerId}/limits`."""

    currency: NotRequired[str]


class ExclusionRecord(TypedDict):
    """Whether the casino excluded a player."""

    playerId: str
    excluded: bool
    until: str | None
    reason: str | None
    since: str | None
    sessionsEnded: NotRequired[int]


class LimitsRecord(TypedDict):
    """The casino's limits on every session of a player."""

    playerId: str
    currency: str
    limits: Limits


async def exclusion(call: Call) -> Reply:
    """`GET /players/{playerId}/exclusion`."""
    Params(call.request.query_params, ())
    return Reply(await _exclusion(call, await _player(call)))


async def exclude(call: Call) -> Reply:
    """`PUT /players/{playerId}/exclusion`."""
    until_ms, reason = bodies.read_exclusion(call.body, call.door.hub.clock.now_ms())
    player = await _player(call, register=True)
    ended = await protect_player.exclude(call.door.hub, call.casino, player, until_ms=until_ms, reason=reason)
    told = await _exclusion(call, await _player(call))
    told["sessionsEnded"] = ended
    return Reply(told)


async def readmit(call: Call) -> Reply:
    """`DELETE /players/{playerId}/exclusion`. A repeat changes nothing."""
    player = await _player(call)
    if player.excluded_until_ms is not None:
        await protect_player.readmit(call.door.hub, call.casino, player, reason="")
    return Reply(await _exclusion(call, await _player(call)))


async def limits(call: Call) -> Reply:
    """`GET /players/{playerId}/limits`."""
    Params(call.request.query_params, ())
    return Reply(_limits(await _player(call)))


async def limit(call: Call) -> Reply:
    """`PUT /players/{playerId}/limits`: these and no others, in open sessions too."""
    player = await _player(call, register=True)
    wanted = bodies.read_limits(bodies.read(call.body), player.currency)
    await call.door.hub.store.exclusions.limit(player.player_id, wanted)
    return Reply(_limits(await _player(call)))


async def _player(call: Call, *, register: bool = False) -> Player:
    """Return the casino's player; with `register` a new one, if the body names a currency. Raises Problem, BadField."""
    name = path_name(call.path("playerId"), "playerId")
    players = call.door.hub.store.players
    found = await players.find(call.casino.casino_id, name)
    if found is not None:
        return found
    currency = strictjson.optional_text(bodies.read(call.body), "currency", 16) if register else None
    if currency is None:
        raise Problem(ProblemCode.NOT_FOUND, _NOBODY if register else "there is no such player")
    if currency not in call.casino.currencies:
        raise BadField("currency", "is none that the casino plays in")
    try:
        return await players.register(call.casino.casino_id, name, currency)
    except CurrencyDiffers:
        raise BadField("currency", "is another than the player's") from None


async def _exclusion(call: Call, player: Player) -> ExclusionRecord:
    hub = call.door.hub
    last = await hub.store.exclusions.last(player.player_id)
    holds = player.excluded(hub.clock.now_ms())
    noted = last if holds else None
    return ExclusionRecord(
        playerId=player.player_ref, excluded=holds, until=iso_end(player.excluded_until_ms) if holds else None,
        reason=None if noted is None else noted.reason, since=None if noted is None else iso(noted.at_ms),
    )  # fmt: skip


def _limits(player: Player) -> LimitsRecord:
    told = limits_record(player.limits, player.currency)
    return LimitsRecord(playerId=player.player_ref, currency=player.currency, limits=told)
