"""Commands about the hub's own jackpot pots. Spec: operate.md 2, decision 0050.

Owns: the work, and a pot and its rounds as people see them. Never: a rule (core.jackpot), a payment: the serving hub feeds pots and pays
wins. A pot holds shares of all casinos and names casinos and games, so no command is for an account with a scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.casinos import SettingsField
from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError, NotFound
from croupier.admin_api.words import check_name
from croupier.core import jackpot
from croupier.core.account import Role
from croupier.core.jackpot import Pot
from croupier.core.money import BadAmount, exponent, format_amount, parse_amount
from croupier.flows.hub import Hub
from croupier.flows.jackpots import add_pot, change_pot
from croupier.store.money.jackpots import StoredPot, StoredRound

ALL: Final = "all"
SETTINGS: Final = ("share_bp", "seed", "ceiling", "casinos", "games")
MOST_ROUNDS: Final = 10_000
USUAL_ROUNDS: Final = 10


class PotParams(Params, frozen=True, kw_only=True):
    """A pot."""

    pot: Annotated[str, Meta(description="Name or id of the pot.")]


class ShowPotParams(PotParams, frozen=True, kw_only=True):
    """A pot and how much of its past is shown."""

    rounds: Annotated[int, Meta(ge=1, le=MOST_ROUNDS, description="How many of the last rounds to show.")] = USUAL_ROUNDS  # fmt: skip


class PotRoundParams(PotParams, frozen=True, kw_only=True):
    """A round of a pot."""

    number: Annotated[int, Meta(ge=1, le=2**53)]


class SetPotParams(PotParams, frozen=True, kw_only=True):
    """A pot and its new settings."""

    settings: SettingsField


class AddPotParams(Params, frozen=True, kw_only=True):
    """A new pot."""

    name: Annotated[str, Meta(description="The name that players see.")]
    currency: Annotated[str, Meta(description="Only stakes in this currency feed the pot.")]
    share_bp: Annotated[int, Meta(description="The share of each stake in basis points: 100 is 1 %.")]
    seed: Annotated[str, Meta(description="The amount with which each round begins, such as 100.00.")]
    ceiling: Annotated[str, Meta(description="The amount at which a round is won at the latest.")]
    casinos: Annotated[tuple[str, ...], Meta(description="The casinos whose stakes feed it. Empty: all.")] = ()
    games: Annotated[tuple[str, ...], Meta(description="The games whose stakes feed it. Empty: all.")] = ()

    def check(self) -> None:
        """Raise BadParameter for a name that could be mistaken for another one."""
        check_name("name", self.name)


class PotRecord(Struct, frozen=True, kw_only=True):
    """A pot and its current round. `casinos` and `games` are names, or `all`."""

    name: str
    meter_ref: str = field(name="JackpotId")
    state: str
    amount: str
    currency: str
    share_bp: int
    seed: str
    ceiling: str
    casinos: str | tuple[str, ...]
    games: str | tuple[str, ...]
    round: int
    round_seed: str
    round_ceiling: str
    contributed: str
    carry: str
    commitment: str
    changed_ms: int


class RoundRecord(Struct, frozen=True, kw_only=True):
    """A round of a pot. The secret is published when the round has ended."""

    pot: int
    round: int
    state: str
    currency: str
    seed: str
    ceiling: str
    amount: str
    commitment: str
    secret: str | None
    began_ms: int
    ended_ms: int | None
    won_by: int | None
    win: int | None
    player: str | None
    casino_id: int | None = field(name="PartnerClientId")
    payment: str | None


class PotWithRounds(PotRecord, frozen=True, kw_only=True):
    """A pot with its last rounds, newest first."""

    rounds: tuple[RoundRecord, ...]


class PotShare(Struct, frozen=True):
    """What one bet gave to a round, or took back."""

    bet: int
    direction: str
    stake: str
    share_bp: int
    amount: str


class RoundWithShares(Struct, frozen=True):
    """A round with its shares: the proof that `jackpot verify` reads."""

    name: str
    meter_ref: str = field(name="JackpotId")
    round: RoundRecord
    shares: tuple[PotShare, ...]


@dataclass(frozen=True, slots=True)
class PotNames:
    """The names of the casinos and games that pots are of."""

    casinos: Mapping[int, str]
    games: Mapping[int, str]


@command("GET jackpots", words="jackpot list", role=Role.LOOK, whole_hub=True)
async def jackpots(desk: Desk, _: NoParams) -> list[PotRecord]:
    """Show the pots and what they stand at."""
    names = await _names(desk.hub)
    return [PotRecord(**_facts(stored, names)) for stored in await desk.hub.store.jackpots.all()]


@command("GET jackpots/{pot}", words="jackpot show", role=Role.LOOK, whole_hub=True)
async def show(desk: Desk, asked: ShowPotParams) -> PotWithRounds:
    """Show a pot with its rounds."""
    stored = await pot_of(desk.hub, asked.pot)
    rounds = await desk.hub.store.jackpots.rounds(stored.pot.pot_id, most=asked.rounds)
    facts = _facts(stored, await _names(desk.hub))
    return PotWithRounds(**facts, rounds=tuple(_round(row) for row in rounds))


@command("GET jackpots/{pot}/rounds/{number}", words="jackpot show --round", role=Role.LOOK, whole_hub=True)
async def show_round(desk: Desk, asked: PotRoundParams) -> RoundWithShares:
    """Show one round of a pot with its shares."""
    return await round_of(desk.hub, (await pot_of(desk.hub, asked.pot)).pot, asked.number)


@command("POST jackpots", words="jackpot add", role=Role.ADMINISTER, whole_hub=True)
async def add(desk: Desk, wish: AddPotParams) -> PotRecord:
    """Open a pot. Stakes that are settled from now on feed it, and its first round is drawn."""
    exponent(wish.currency)
    rules: dict[str, Any] = {
        "seed": _amount("seed", wish.seed, wish.currency),
        "ceiling": _amount("ceiling", wish.ceiling, wish.currency),
        "casino_ids": await _casinos(desk, wish.casinos, wish.currency),
        "game_ids": await _games(desk, wish.games),
    }
    pot_id = await desk.hub.store.ids.take()
    pot = Pot(pot_id, wish.name, wish.currency, wish.share_bp, **rules)
    return await _shown(desk.hub, await add_pot(desk.hub, pot, desk.author))


@command("POST jackpots/{pot}/set", words="jackpot set", role=Role.ADMINISTER, whole_hub=True)
async def set_(desk: Desk, wish: SetPotParams) -> PotRecord:
    """Change a pot: share_bp seed ceiling casinos games. Once stakes have fed a round, its ceiling only rises."""
    pot = (await pot_of(desk.hub, wish.pot)).pot
    rule = partial(jackpot.changed, author=desk.author, **await _changes(desk, pot, wish.settings))
    return await _shown(desk.hub, await change_pot(desk.hub, pot.pot_id, rule))


@command("POST jackpots/{pot}/freeze", words="jackpot freeze", role=Role.DECIDE, whole_hub=True)
async def freeze(desk: Desk, wish: PotParams) -> PotRecord:
    """Freeze a pot at once: it takes no shares, is not won, and keeps what it holds."""
    pot = (await pot_of(desk.hub, wish.pot)).pot
    return await _shown(desk.hub, await change_pot(desk.hub, pot.pot_id, partial(jackpot.frozen, author=desk.author)))


@command("POST jackpots/{pot}/unfreeze", words="jackpot unfreeze", role=Role.DECIDE, whole_hub=True)
async def unfreeze(desk: Desk, wish: PotParams) -> PotRecord:
    """Unfreeze a pot: stakes that are settled from now on feed it. Those of the meantime are skipped."""
    pot = (await pot_of(desk.hub, wish.pot)).pot
    upto = await desk.hub.store.jackpots.written_upto()
    rule = partial(jackpot.unfrozen, author=desk.author, written_upto=upto)
    return await _shown(desk.hub, await change_pot(desk.hub, pot.pot_id, rule))


async def pot_of(hub: Hub, text: str) -> StoredPot:
    """Return the pot with this name or id. Raises NotFound."""
    found = await hub.store.jackpots.find(text)
    if found is None:
        raise NotFound(f"there is no pot {text[:128]!r}: `croupier jackpot list` shows them")
    return found


async def round_of(hub: Hub, pot: Pot, number: int) -> RoundWithShares:
    """Return a round with its shares. Raises CommandError."""
    rows = await hub.store.jackpots.rounds(pot.pot_id, number=number)
    if not rows:
        raise CommandError(f"pot {pot.name} has no round {number}: it is in round {pot.number}")
    shares = tuple(
        PotShare(
            row["bet_id"],
            row["direction"],
            format_amount(row["stake"], pot.currency),
            row["share_bp"],
            format_amount(row["amount"], pot.currency),
        )
        for row in await hub.store.jackpots.shares(pot.pot_id, number)
    )
    return RoundWithShares(pot.name, pot.meter_ref, _round(rows[0]), shares)


async def _shown(hub: Hub, stored: StoredPot) -> PotRecord:
    return PotRecord(**_facts(stored, await _names(hub)))


async def _names(hub: Hub) -> PotNames:
    casinos = {one.casino_id: one.name for one in await hub.store.casinos.all()}
    return PotNames(casinos, {one.game_id: one.game_ref for one in await hub.store.games.all()})


def _facts(stored: StoredPot, names: PotNames) -> dict[str, Any]:
    """Return the fields of a pot's record."""
    pot = stored.pot
    amounts = {
        "amount": pot.amount, "seed": pot.seed, "ceiling": pot.ceiling, "round_seed": pot.round_seed,
        "round_ceiling": pot.round_ceiling, "contributed": pot.contributed,
    }  # fmt: skip
    return {
        "name": pot.name,
        "meter_ref": pot.meter_ref,
        "state": pot.state.value,
        "currency": pot.currency,
        "share_bp": pot.share_bp,
        "casinos": _named(pot.casino_ids, names.casinos),
        "games": _named(pot.game_ids, names.games),
        "round": pot.number,
        "carry": f"{pot.carry}/{jackpot.PARTS} of a minor unit",
        "commitment": stored.commitment,
        "changed_ms": stored.changed_ms,
        **{name: format_amount(amount, pot.currency) for name, amount in amounts.items()},
    }


def _named(ids: frozenset[int] | None, names: Mapping[int, str]) -> str | tuple[str, ...]:
    return ALL if ids is None else tuple(sorted(names.get(one, str(one)) for one in ids))


def _round(row: StoredRound) -> RoundRecord:
    return RoundRecord(
        pot=row.pot_id,
        round=row.number,
        state=row.state.value,
        currency=row.currency,
        seed=format_amount(row.seed, row.currency),
        ceiling=format_amount(row.ceiling, row.currency),
        amount=format_amount(row.seed + row.contributed, row.currency),
        commitment=row.commitment,
        secret=row.secret,
        began_ms=row.began_ms,
        ended_ms=row.ended_ms,
        won_by=row.won_by,
        win=row.win_id,
        player=row.player_ref,
        casino_id=row.casino_id,
        payment=row.payment,
    )


async def _changes(desk: Desk, pot: Pot, told: Mapping[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, value in told.items():
        match key:
            case "seed" | "ceiling":
                changes[key] = _setting_amount(key, value, pot.currency)
            case "share_bp":
                if not (value.isascii() and value.isdigit() and len(value) <= 5):
                    raise CommandError("share_bp must be a whole number of basis points")
                changes[key] = int(value)
            case "casinos":
                changes["casino_ids"] = await _casinos(desk, _listed(value), pot.currency)
            case "games":
                changes["game_ids"] = await _games(desk, _listed(value))
            case _:
                raise CommandError(f"{key[:60]} is no setting of a pot: {', '.join(SETTINGS)}")
    return changes


def _listed(value: str) -> list[str]:
    """Return the ids of a setting; none for all."""
    return [] if value == ALL else [one.strip() for one in value.split(",")]


async def _casinos(desk: Desk, names: Sequence[str], currency: str) -> frozenset[int] | None:
    """Return the ids of these casinos, None for all. Raises NotFound, CommandError."""
    found = [await desk.casino(name) for name in names]
    for casino in found:
        if currency not in casino.currencies:
            raise CommandError(
                f"casino {casino.name} does not play in {currency}: it has {', '.join(casino.currencies)}"
            )
    return frozenset(casino.casino_id for casino in found) or None


async def _games(desk: Desk, names: Sequence[str]) -> frozenset[int] | None:
    """Return the ids of these games, None for all. Raises NotFound, GameAmbiguous."""
    return frozenset([(await desk.game(name)).game_id for name in names]) or None


def _amount(name: str, text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except BadAmount as bad:
        raise BadParameter(name, bad.why) from bad


def _setting_amount(key: str, text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except BadAmount as bad:
        raise CommandError(f"{key} {bad.why}") from bad
