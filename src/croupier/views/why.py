"""The answer to "why is this game, or this bet, not available": each rule that stands in the way, who set it and when.

Owns: those queries. Never: the decision itself (flows.launch, core.session): both read the same rows. A switch that was set before the hub
noted who sets one has no name. Spec: casino.md 3.7, operate.md 2 (`croupier why`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from croupier.core.availability import WORDS, Hindrance, Rule
from croupier.store.db import Db, Row, Tx

_GAME = """
select c.name as casino, c.enabled as casino_on, c.closed_ms as casino_closed_ms, c.currencies, p.provider_id,
    p.name as provider, p.enabled as provider_on, p.closed_ms as provider_closed_ms, g.enabled as game_on, g.listed,
    g.changed_ms, coalesce(o.enabled, true) as on_here, pl.player_id, pl.currency as player_currency, pl.blocked,
    pl.excluded_until_ms
from casinos c cross join games g join providers p using (provider_id)
left join casino_games o on o.casino_id = c.casino_id and o.game_id = g.game_id
left join players pl on pl.casino_id = c.casino_id and pl.player_ref = $3
where c.casino_id = $1 and g.game_id = $2"""
_OFF = """
select casino_id, currency, country from game_switches
where game_id = $2 and (casino_id is null or casino_id = $1)
and (currency is null or currency = $3) and (country is null or country = $4)
order by casino_id nulls first, currency, country"""
_SET = """
select author, at_ms, reason from switchings
where thing = $1 and thing_id = $2 and switch = $3 and casino_id is not distinct from $4
and currency is not distinct from $5 and country is not distinct from $6
order by switching_id desc limit 1"""
_BLOCKED = "select author, at_ms, reason from player_blocks where player_id = $1 order by block_id desc limit 1"
_EXCLUDED = (
    "select author, at_ms, reason from player_exclusions where player_id = $1 order by exclusion_id desc limit 1"
)
_STAKE = """
select b.bet_id, b.state, b.origin, c.name as casino, p.name as provider, s.state as stake, s.code, s.reason, s.message,
    s.decided_ms, e.event, e.author, e.at_ms, e.detail
from bets b join casinos c using (casino_id) join providers p using (provider_id)
left join payments s on s.subject_id = b.bet_id and s.kind = 'stake'
left join lateral (select event, author, at_ms, detail from events where subject_id = b.bet_id
    order by version desc limit 1) e on true
where b.bet_id = $1 and b.casino_id = $2"""
_WAITING = """
select kind, state, code, message, created_ms from payments
where subject_id = $1 and kind <> 'stake' and state in ('created', 'sent', 'parked') order by created_ms, kind"""

BET_WORDS: Final[Mapping[str, str]] = {
    "asked": "the casino has not said yet whether it takes the stake",
    "unwanted": "it was refunded before the casino said whether it takes the stake",
    "unclaimed": "the casino took the stake after the provider had stopped waiting; it is returned unless the provider repeats",
    "refused": "the casino did not take the stake",
    "expired": "the casino did not say in time whether it takes the stake",
    "cancelled": "it was refunded, and no stake was taken",
    "tombstone": "the refund arrived before the bet",
    "returned": "the stake went back to the player",
    "undoing": "it was refunded after it was settled; the payout must come back first",
    "disputed": "the casino did not give the payout back",
}
"""Why a bet in this state can neither win nor be claimed; states that are missing here hinder nothing."""


@dataclass(frozen=True, slots=True)
class GameAsked:
    """What is asked about a game. None: whatever it is."""

    casino_id: int
    game_id: int
    player_ref: str | None = None
    currency: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class BetHindrance:
    """One reason why a bet is as it is."""

    rule: str
    words: str
    set_by: str | None
    set_ms: int | None
    reason: str | None


async def why_game(db: Db, asked: GameAsked, *, now_ms: int, recovering: bool) -> list[Hindrance] | None:
    """Return every rule that keeps the game from the casino's player; none if it is available, None without such a game."""
    async with db.transaction(snapshot=True) as tx:
        facts = await tx.fetchrow(_GAME, asked.casino_id, asked.game_id, asked.player_ref)
        if facts is None:
            return None
        found = [*await _of_casino(tx, asked, facts), *await _of_game(tx, asked, facts)]
        found += await _of_player(tx, asked, facts, now_ms=now_ms)
    return [*found, *([_plain(Rule.RECOVERING)] if recovering else [])]


async def why_bet(db: Db, casino_id: int, bet_id: int) -> tuple[str, list[BetHindrance]] | None:
    """Return a bet's state and why it is so; None for another casino's bet."""
    row = await db.fetchrow(_STAKE, bet_id, casino_id)
    if row is None:
        return None
    found = [_of_state(row)] if row["state"] in BET_WORDS else []
    for one in await db.fetch(_WAITING, bet_id):
        parked = one["state"] == "parked"
        words = (
            f"the {one['kind']} is held for review" if parked else f"the casino has not accepted the {one['kind']} yet"
        )
        told = " ".join(str(x) for x in (one["code"], one["message"]) if x is not None) or None
        rule = f"{one['kind']}_{'parked' if parked else 'waits'}"
        found.append(BetHindrance(rule, words, f"casino {row['casino']}", one["created_ms"], told))
    return row["state"], found


def _of_state(row: Row) -> BetHindrance:
    if row["state"] == "refused" and row["author"] is None:
        told = " ".join(str(x) for x in (row["code"], row["reason"], row["message"]) if x is not None) or None
        return BetHindrance("refused", BET_WORDS["refused"], f"casino {row['casino']}", row["decided_ms"], told)
    by_provider = row["state"] in ("unwanted", "cancelled", "tombstone", "undoing")
    who = row["author"] or (f"provider {row['provider']}" if by_provider else "hub")
    return BetHindrance(row["state"], BET_WORDS[row["state"]], who, row["at_ms"], row["event"])


async def _of_casino(tx: Tx, asked: GameAsked, facts: Row) -> list[Hindrance]:
    found = []
    if facts["casino_closed_ms"] is not None:
        found.append(
            await _set(tx, Rule.CASINO_CLOSED, ("casino", asked.casino_id, "closed"), at_ms=facts["casino_closed_ms"])
        )
    if not facts["casino_on"]:
        found.append(await _set(tx, Rule.CASINO_DISABLED, ("casino", asked.casino_id, "enabled")))
    if asked.currency is not None and asked.currency not in facts["currencies"]:
        found.append(await _set(tx, Rule.CURRENCY_NOT_PLAYED, ("casino", asked.casino_id, "currencies")))
    provider = ("provider", facts["provider_id"])
    if facts["provider_closed_ms"] is not None:
        found.append(await _set(tx, Rule.PROVIDER_CLOSED, (*provider, "closed"), at_ms=facts["provider_closed_ms"]))
    if not facts["provider_on"]:
        found.append(await _set(tx, Rule.PROVIDER_DISABLED, (*provider, "enabled")))
    return found


async def _of_game(tx: Tx, asked: GameAsked, facts: Row) -> list[Hindrance]:
    found, game = [], ("game", asked.game_id)
    if not facts["game_on"]:
        found.append(await _set(tx, Rule.GAME_DISABLED, (*game, "enabled")))
    if not facts["listed"]:
        by_list = await _set(tx, Rule.GAME_NOT_LISTED, (*game, "listed"))
        found.append(
            by_list if by_list.set_by else _plain(Rule.GAME_NOT_LISTED, set_by=f"provider {facts['provider']}")
        )
    if not facts["on_here"]:
        found.append(await _set(tx, Rule.GAME_OFF_FOR_CASINO, (*game, "enabled"), of=(asked.casino_id, None, None)))
    for row in await tx.fetch(_OFF, asked.casino_id, asked.game_id, asked.currency, asked.country):
        rule = Rule.GAME_OFF_FOR_CURRENCY if row["currency"] is not None else Rule.GAME_OFF_FOR_COUNTRY
        of = (row["casino_id"], row["currency"], row["country"])
        found.append(await _set(tx, rule, (*game, "enabled"), of=of))
    return found


async def _of_player(tx: Tx, asked: GameAsked, facts: Row, *, now_ms: int) -> list[Hindrance]:
    if facts["player_id"] is None:
        return []
    found, player_id = [], facts["player_id"]
    if asked.currency is not None and asked.currency != facts["player_currency"]:
        found.append(_plain(Rule.PLAYER_CURRENCY, reason=f"it is {facts['player_currency']}"))
    if facts["blocked"]:
        found.append(_named(Rule.PLAYER_BLOCKED, await tx.fetchrow(_BLOCKED, player_id)))
    until_ms = facts["excluded_until_ms"]
    if until_ms is not None and now_ms < until_ms:
        found.append(_named(Rule.PLAYER_EXCLUDED, await tx.fetchrow(_EXCLUDED, player_id), until_ms=until_ms))
    return found


_Of = tuple[int | None, str | None, str | None]


async def _set(
    tx: Tx, rule: Rule, switch: tuple[str, int, str], *, of: _Of = (None, None, None), at_ms: int | None = None
) -> Hindrance:
    """Return the rule with who set the switch last."""
    row = await tx.fetchrow(_SET, *switch, *of)
    return _named(rule, row) if row is not None else Hindrance(rule, WORDS[rule], set_ms=at_ms)


def _named(rule: Rule, row: Mapping[str, Any] | None, *, until_ms: int | None = None) -> Hindrance:
    told = row or {"author": None, "at_ms": None, "reason": None}
    return Hindrance(rule, WORDS[rule], told["author"], told["at_ms"], told["reason"] or None, until_ms)


def _plain(rule: Rule, *, set_by: str | None = None, reason: str | None = None) -> Hindrance:
    return Hindrance(rule, WORDS[rule], set_by, reason=reason)
