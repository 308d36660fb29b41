"""The hub's own jackpot pots: shares of settled stakes, the round that they fill, and the draw of the stake that wins it.

A pot is played in rounds. A round begins with the seed amount and a secret hit amount, drawn evenly from above the seed up
to the ceiling. The stake whose share fills the pot up to the hit amount wins all of it, and the next round begins. Shares are
exact: what is not a whole minor unit yet, or would lift the pot above its ceiling, is carried to the next stake.

Provably fair: the commitment is published when the round begins, the secret when it has ended. The commitment is SHA-256
over the ASCII text `croupier-jackpot-v1:<pot>:<round>:<seed>:<ceiling>:<currency>:<secret in hex>`, amounts in minor units.
Block `i` of the stream is HMAC-SHA256 with the secret as key over `croupier-jackpot-v1:<pot>:<round>:<i>`, counted from
0; its first 8 bytes are one big-endian number. Numbers of the incomplete last interval are rejected. The hit amount is the
seed plus 1 plus the number modulo (ceiling - seed).

Owns: the records and these rules. Never: a clock, a database, the payment of a win (bet_requests). Spec: decision 0050.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from croupier.core import ledger
from croupier.core.ledger import Entry
from croupier.core.words import Word

LABEL: Final = "croupier-jackpot-v1"
SECRET_BYTES: Final = 32
PARTS: Final = 10_000
"""A share of one basis point of one minor unit: the unit in which shares are exact."""
METER: Final = "pot-"
"""Begins the JackpotId of a pot. A provider's own meter may not have an id of this form."""
_WORDS: Final = 1 << 64
_WIN_REF: Final = " jackpot "
"""Begins the bet_ref of a win. No provider's betId begins with a blank (decision 0030)."""


class PotState(Word):
    """The states of a pot; the value is stored."""

    OPEN = "open"
    FROZEN = "frozen"
    """It takes no shares and is not won. Shares of stakes that go back still leave it."""


class RoundState(Word):
    """The states of a round; the value is stored."""

    OPEN = "open"
    WON = "won"
    VOID = "void"
    """Ended by a change of seed or ceiling before any stake had fed it."""


class Direction(Word):
    """Where a share moves; the value is stored."""

    IN = "in"
    """The share of a settled stake enters the pot."""
    BACK = "back"
    """The stake went back to the player, and its share leaves the pot."""


class BadPot(ValueError):
    """A rule of a pot that is not allowed. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Pot:
    """One pot and its current round. Amounts are minor units of `currency`."""

    pot_id: int
    name: str
    currency: str
    share_bp: int
    """The share of a stake, in basis points."""
    seed: int
    """The amount with which a new round begins."""
    ceiling: int
    """The amount at which a new round is won at the latest."""
    casino_ids: frozenset[int] | None = None
    """The casinos whose stakes feed it; None means all."""
    game_ids: frozenset[int] | None = None
    state: PotState = PotState.OPEN
    version: int = 0
    number: int = 1
    """The number of the current round."""
    round_seed: int = 0
    round_ceiling: int = 0
    """Seed and ceiling as they were when the round began: its draw follows from them."""
    contributed: int = 0
    """Shares in the current round."""
    carry: int = 0
    """Shares that are not in the pot yet, in ten-thousandths of a minor unit; a rounding up makes it negative."""
    upto_id: int = 0
    """The last ledger entry that was read for this pot."""
    fed_after: int = 0
    """Stakes of ledger entries up to this one do not feed it: they were settled before it was opened or unfrozen."""

    @property
    def amount(self) -> int:
        """The amount that the current round stands at."""
        return self.round_seed + self.contributed

    @property
    def meter_ref(self) -> str:
        """The JackpotId by which casinos and persons know the pot."""
        return f"{METER}{self.pot_id}"

    @property
    def account(self) -> str:
        """The pot's account in the ledger."""
        return ledger.jackpot(self.meter_ref)

    def is_at(self, casino_id: int) -> bool:
        """Return whether stakes at this casino feed the pot, and its players may win it."""
        return self.casino_ids is None or casino_id in self.casino_ids

    def takes(self, stake: Stake) -> bool:
        """Return whether a settled stake feeds this pot."""
        here = self.is_at(stake.casino_id)
        played = self.game_ids is None or stake.game_id in self.game_ids
        return self.state is PotState.OPEN and stake.entry_id > self.fed_after and here and played


@dataclass(frozen=True, slots=True)
class Stake:
    """A ledger entry that settles a bet or gives the stake of a settled one back, in a pot's currency."""

    entry_id: int
    bet_id: int
    casino_id: int
    provider_id: int
    game_id: int
    stake: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Contribution:
    """The share of one stake in one pot."""

    stake: Stake
    number: int
    """The round."""
    share_bp: int
    amount: int
    """Minor units that the pot gained, or lost for a stake that went back."""

    @property
    def parts(self) -> int:
        """The exact share in ten-thousandths of a minor unit."""
        return self.stake.stake * self.share_bp


@dataclass(frozen=True, slots=True)
class Win:
    """A round that was won. `bet_id` is the bet whose stake won it."""

    number: int
    amount: int
    bet_id: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """A change of a pot that is committed as one, if the pot still has the version that was read."""

    before: Pot
    after: Pot
    event: str
    contributions: tuple[Contribution, ...] = ()
    entries: tuple[Entry, ...] = ()
    win: Win | None = None
    voided: bool = False
    """The round before ended without a stake."""
    author: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def new_round(self) -> bool:
        """Return whether another round begins."""
        return self.after.number != self.before.number

    @property
    def moves(self) -> bool:
        """Return whether there is more to commit than the place up to which entries were read."""
        return bool(self.contributions) or self.win is not None


# --- fairness ----------------------------------------------------------------------------------------------


def commitment(pot: Pot, secret: bytes) -> str:
    """Return the commitment to the current round's secret, in lower-case hex."""
    told = f"{LABEL}:{pot.pot_id}:{pot.number}:{pot.round_seed}:{pot.round_ceiling}:{pot.currency}:{secret.hex()}"
    return hashlib.sha256(told.encode("ascii")).hexdigest()


def hit_amount(pot: Pot, secret: bytes) -> int:
    """Return the amount at which the current round is won: above its seed, at most its ceiling, each equally likely."""
    room = pot.round_ceiling - pot.round_seed
    whole = _WORDS - _WORDS % room
    number, block = _WORDS, 0
    while number >= whole:
        label = f"{LABEL}:{pot.pot_id}:{pot.number}:{block}".encode("ascii")
        number = int.from_bytes(hmac.digest(secret, label, "sha256")[:8], "big")
        block += 1
    return pot.round_seed + 1 + number % room


# --- the rules of a pot ------------------------------------------------------------------------------------


def checked(pot: Pot) -> Pot:
    """Return the pot if its rules are allowed. Raises BadPot."""
    if not 1 <= pot.share_bp <= PARTS:
        raise BadPot(f"the share must be 1 to {PARTS} basis points of a stake")
    if pot.seed < 0 or pot.ceiling <= pot.seed:
        raise BadPot("the ceiling must be above the seed amount: a stake must be able to fill the pot")
    return pot


def opened(pot: Pot, author: str | None) -> Gathered:
    """Begin a new pot with its first round. Raises BadPot."""
    checked(pot)
    begun = replace(pot, number=1, round_seed=pot.seed, round_ceiling=pot.ceiling)
    return Gathered(pot, begun, "jackpot_opened", entries=_seeded(begun), author=author, detail=_rules(begun))


def changed(pot: Pot, author: str | None, *, ceiling: int | None = None, **rules: object) -> Gathered:
    """Change a pot's rules. Raises BadPot.

    Once a stake has fed the round, the ceiling only rises, and the round keeps the hit amount that it was drawn with. Before that
    a change of seed or ceiling ends the round as void, and the next one begins.
    """
    wanted = pot.ceiling if ceiling is None else ceiling
    if pot.contributed and wanted < pot.ceiling:
        raise BadPot("stakes have fed this round, so its ceiling can only rise: players were promised the present one")
    after = checked(replace(pot, ceiling=wanted, version=pot.version + 1, **rules))  # type: ignore[arg-type]
    redrawn = not pot.contributed and (after.seed, after.ceiling) != (pot.round_seed, pot.round_ceiling)
    if not redrawn:
        return Gathered(pot, after, "jackpot_changed", author=author, detail=_rules(after))
    begun = _next_round(after)
    back = _entries(pot.account, ledger.jackpot_seeds(), pot.round_seed, currency=pot.currency, why="unseeded")
    entries = (*back, *_seeded(begun))
    return Gathered(pot, begun, "jackpot_changed", entries=entries, voided=True, author=author, detail=_rules(begun))


def frozen(pot: Pot, author: str | None) -> Gathered:
    """Freeze a pot. Raises BadPot if it is frozen."""
    if pot.state is PotState.FROZEN:
        raise BadPot(f"pot {pot.name} is frozen already")
    after = replace(pot, state=PotState.FROZEN, version=pot.version + 1)
    return Gathered(pot, after, "jackpot_frozen", author=author)


def unfrozen(pot: Pot, author: str | None, *, written_upto: int) -> Gathered:
    """Unfreeze a pot: stakes of entries after `written_upto` feed it. Raises BadPot if it is open."""
    if pot.state is PotState.OPEN:
        raise BadPot(f"pot {pot.name} is open already")
    fed_after = max(pot.fed_after, written_upto)
    after = replace(pot, state=PotState.OPEN, version=pot.version + 1, fed_after=fed_after)
    return Gathered(pot, after, "jackpot_unfrozen", author=author)


# --- gathering ---------------------------------------------------------------------------------------------


def gather(pot: Pot, stakes: Iterable[Stake], *, upto_id: int, known: Mapping[int, Contribution], hit: int) -> Gathered:
    """Read ledger entries in their order, up to `upto_id` or to the stake that wins the round.

    `known` holds what bets of these entries contributed before, those already taken back left out. `hit` is the round's hit amount.
    """
    now, inside, found = pot, dict(known), list[Contribution]()
    win: Win | None = None
    for stake in stakes:
        one = _contribution(now, stake, inside)
        if one is None:
            continue
        found.append(one)
        now = _with(now, one)
        if one.stake.direction is Direction.BACK:
            del inside[stake.bet_id]
            continue
        inside[stake.bet_id] = one
        if now.amount >= hit:
            win, upto_id = Win(now.number, now.amount, stake.bet_id), stake.entry_id
            break
    entries = _moved(now, found)
    after = replace(now, upto_id=upto_id)
    if found:
        after = replace(after, version=pot.version + 1)
    if win is not None:
        after = _next_round(after)
        entries = (*entries, *_seeded(after))
    gained = sum(one.amount for one in found)
    event = "jackpot_fed" if win is None else "jackpot_hit"
    return Gathered(pot, after, event, tuple(found), entries, win, detail=_told(found, gained, win))


def _contribution(pot: Pot, stake: Stake, inside: Mapping[int, Contribution]) -> Contribution | None:
    """Return what a ledger entry means for the pot, or None."""
    before = inside.get(stake.bet_id)
    if stake.direction is Direction.IN:
        if before is not None or not pot.takes(stake):
            return None
        parts = pot.carry + stake.stake * pot.share_bp
        amount = min(max(half_even(parts), 0), pot.round_ceiling - pot.amount)
        return Contribution(stake, pot.number, pot.share_bp, amount)
    if before is None or before.number != pot.number:
        # The round of this share was won and is paid out: it stays with the winner, at the house's cost.
        return None
    amount = max(half_even(pot.carry - before.parts), -pot.contributed)
    return Contribution(stake, pot.number, before.share_bp, min(amount, 0))


def _with(pot: Pot, one: Contribution) -> Pot:
    """Return the pot after this share. Shares in the pot and the carry always add up to the exact shares."""
    parts = one.parts if one.stake.direction is Direction.IN else -one.parts
    carry = pot.carry + parts - one.amount * PARTS
    after = replace(pot, contributed=pot.contributed + one.amount, carry=carry)
    assert after.contributed >= 0, f"pot {pot.pot_id} holds less than its seed"
    assert after.amount <= after.round_ceiling, f"pot {pot.pot_id} stands above its ceiling"
    return after


def half_even(parts: int) -> int:
    """Return ten-thousandths of a minor unit as whole minor units, rounded half to even."""
    whole, rest = divmod(parts, PARTS)
    return whole + (2 * rest > PARTS or (2 * rest == PARTS and whole % 2 == 1))


def _next_round(pot: Pot) -> Pot:
    return replace(pot, number=pot.number + 1, round_seed=pot.seed, round_ceiling=pot.ceiling, contributed=0)


# --- ledger ------------------------------------------------------------------------------------------------


def _seeded(pot: Pot) -> tuple[Entry, ...]:
    return _entries(ledger.jackpot_seeds(), pot.account, pot.round_seed, currency=pot.currency, why="seeded")


def _moved(pot: Pot, found: Iterable[Contribution]) -> tuple[Entry, ...]:
    """Return one entry per casino, provider and direction, in a fixed order."""
    sums: dict[tuple[int, int, str], int] = {}
    for one in found:
        key = (one.stake.casino_id, one.stake.provider_id, one.stake.direction.value)
        sums[key] = sums.get(key, 0) + abs(one.amount)
    entries: list[Entry] = []
    for (casino_id, provider_id, direction), amount in sorted(
        sums.items(), key=lambda item: (item[0][2] == "back", item[0])
    ):
        share = ledger.jackpot_share(casino_id, provider_id)
        there = (share, pot.account) if direction == "in" else (pot.account, share)
        entries += _entries(*there, amount, currency=pot.currency, why="fed" if direction == "in" else "unfed")
    return tuple(entries)


def _entries(source: str, target: str, amount: int, *, currency: str, why: str) -> tuple[Entry, ...]:
    return (Entry(source, target, amount, currency, why),) if amount else ()


def _rules(pot: Pot) -> dict[str, str]:
    return {"share_bp": str(pot.share_bp), "seed": str(pot.seed), "ceiling": str(pot.ceiling), "round": str(pot.number)}


def _told(found: list[Contribution], gained: int, win: Win | None) -> dict[str, str]:
    told = {"stakes": str(len(found)), "amount": str(gained)}
    return told if win is None else {**told, "round": str(win.number), "win": str(win.amount), "bet": str(win.bet_id)}


# --- the win -----------------------------------------------------------------------------------------------


def win_ref(pot_id: int, number: int) -> str:
    """Return the bet_ref of the win of a round. It is unique per round, so that a round is paid once."""
    return f"{_WIN_REF}{pot_id}/{number}"


def is_pot_meter(jackpot_ref: str) -> bool:
    """Return whether a JackpotId has the form of those of the hub's pots."""
    number = jackpot_ref.removeprefix(METER)
    return number != jackpot_ref and number.isascii() and number.isdigit()


def pot_of(bet_ref: str) -> int | None:
    """Return the pot whose win this bet_ref names; None for a provider's bet."""
    return int(bet_ref[len(_WIN_REF) :].partition("/")[0]) if bet_ref.startswith(_WIN_REF) else None
