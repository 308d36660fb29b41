"""The parameters of the world of one seed. Every dial is drawn from the seed, once, before the run begins.

Owns: the dials and their ranges. Never: turns a dial later (healing switches faults off as a whole).
Durations are seconds, rates are shares of 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from croupier.kit.chance import Chance, SeededChance
from croupier.simulator.book import JACKPOT, PAYOUT

T = TypeVar("T")


class CasinoCharacter(Enum):
    """The behaviour of a casino while faults last. All but the lying ones answer queries truthfully."""

    HONEST = "honest"
    INLINE = "inline"
    SLOW = "slow"
    LATE = "late"
    """Sends its accepts 31 to 300 s after the make."""
    SILENT = "silent"
    """Books and never sends an accept; its list contains the payment."""
    RUBBISH = "rubbish"
    DRIP = "drip"
    """Answers one byte at a time, so that no answer is complete in time."""
    LYING = "lying"
    TWICE = "twice"
    """Applies some makes twice."""
    FORGETFUL = "forgetful"
    """Forgets some bookings, as after a restore."""
    QUEUED = "queued"
    """Acknowledges a stake at once, and books it 31 to 300 s later, or just before a return of it that has come meanwhile."""
    MUTE = "mute"
    """Books behind a front end that answers with an error, and sends no accept; its list contains the payment."""
    UNEVEN = "uneven"
    """Answers a stake at once, and reports what the player received 31 to 300 s later."""
    MOODY = "moody"
    """Behaves like one of the faulty ones above, drawn for each message."""


TRUTHFUL = frozenset(CasinoCharacter) - {
    CasinoCharacter.LYING,
    CasinoCharacter.TWICE,
    CasinoCharacter.FORGETFUL,
    CasinoCharacter.MOODY,
}
"""Behaviours for which all books must agree exactly once faults have stopped."""


class WorldKind(Enum):
    """The class of a world."""

    MILD = "mild"
    HARSH = "harsh"
    """All faults at once and for long; no casino is honest."""
    LATE = "late"
    """Casinos book and answer after the hub has given up, and providers leave or refund. There are few other faults."""
    THIN = "thin"
    """Small wallets, and tries whose answer is lost: the repeat of a payment that emptied the wallet is refused."""
    CROWD = "crowd"
    """Many events in one instant."""


class ProviderCharacter(Enum):
    """The behaviour of a provider."""

    PATIENT = "patient"
    IMPATIENT = "impatient"
    """Stops waiting after 1 s."""
    REFUNDING = "refunding"
    DOUBLE = "double"
    """Sends everything twice at once."""
    CHANGING = "changing"
    """Repeats some requests with other amounts."""
    VANISHING = "vanishing"


@dataclass(frozen=True, slots=True)
class Dials:
    """The dials of one world."""

    bets: int
    rough_s: float
    """Length of the phase with faults."""
    placed_s: float
    """Length of the first part of that phase in which all bets are placed."""
    tick_s: float
    """All timers fire at multiples of this, so that a crowd has many events in one instant."""
    loss: float
    """Share of requests that never arrive, and of answers that never return."""
    duplicates: float
    delay_s: float
    """Longest delay of a message. Delays change the order of messages in flight."""
    delayed: float
    """Share of delayed messages. All others arrive at once, so that undisturbed bets occur too."""
    answer_delay_s: float
    """Longest delay of an answer that its sender has given already; 0 is none."""
    hold_s: float
    """Hold time of every provider."""
    cut_every_s: float
    """Mean time between one-way cuts of the network; 0 is none."""
    cut_s: float
    crash_every_s: float
    """Mean time between crashes of a hub process; 0 is none."""
    deaths: int
    """Number of processes that die one after the other at a named point."""
    pause_every_s: float
    lost_commits: float
    """Share of commits whose connection breaks before (a third) or after (two thirds) they took effect."""
    deaf: float
    """Share of commits that never arrived after which the next query fails too, so that nobody learns what became of them."""
    skew_ms: int
    """Largest skew of a hub's clock, in either direction."""
    rotations: int
    """Number of key rotations during the run."""
    workers: int
    casinos: tuple[CasinoCharacter, ...]
    providers: tuple[ProviderCharacter, ...]
    players: int
    """Number of players of each casino, 4 at most: one per currency."""
    no_funds: float
    late_refuse: bool
    """Whether casinos undo late accepts themselves (`late_accept=refuse`)."""
    not_yet: float
    """Share of gives that a casino refuses for now, while faults last."""
    keeps: float
    """Share of payouts and cashbacks that a casino refuses to take back, for good."""
    tax_bp: int | None
    """Tax that casinos withhold from a win, in basis points; None if no tax is agreed."""
    bad_moments: float
    """Share of bookings and reports with which a casino that lies, applies twice or forgets does so."""
    bets_per_cashback: int
    cancel_s: float
    """Longest time between a cashback and its cancel."""
    purse: int | None
    """Initial balance of every player at casinos with small wallets, in minor units; None: larger than any stake."""
    funds_first: float
    """Share of repeated stakes for which such a casino checks the wallet before its bookings, while faults last."""
    short_takes: bool
    """Whether it does the same with what it gives back (a payout, a cashback), and refuses a repeat at once."""
    operator_every_s: float
    """Mean time between acts of the operator: (un)blocking players, switching games off and on; 0 is none."""
    short_sessions: float
    """Share of the sessions that end during the run."""
    restart_every_s: float
    """Mean time between orderly stops of a hub process; 0 is none."""
    slow_db_s: float
    """Longest duration of a slow database statement."""
    told_balance: float
    """Share of a casino's accepts that contain the balance of the wallet."""
    insists: float
    """Share of outcomes that a casino resends many times after the hub has taken them: a refusal, a contradiction."""
    stale_answers: float
    """Share of makes that the front end of a casino which answers at once answers from an earlier yes; the casino never hears of them."""
    comes_back: float
    """Share of providers that had left a bet without an answer and ask for its refund minutes later."""
    restored: bool
    """Whether the hub recovers at the end, as after a restore."""
    queued_unsaid: float
    """Share of stakes that a casino with a queue books without a word."""
    in_flight: int
    """Number of stakes that each casino takes at once."""
    poison: int
    """TransactionType of the one payment that ends every process which sends it; 0: there is none."""
    stray_lines: float
    """Share of bookings that a casino's list shows beside a second line, of another amount."""
    info_down: float
    """Share of `payments/info` queries that a casino with a queue answers with an error, while faults last."""
    odd_acts: float
    """Share of points at which a provider violates the contract: other contents, sessions, too large, too late."""
    pots: int
    """Number of the hub's own jackpot pots."""
    volleys: float
    """Share of bets beside which their player places another one in the same instant."""

    @property
    def times_compare(self) -> bool:
        """Return whether times of different processes can be compared: no clock jumps, and no process sleeps."""
        return not (self.skew_ms or self.pause_every_s)


USUAL_HOLD_S = 6.0
"""Hold time of most worlds; a longer one ends after the first query of a stake."""
OFTEN_S = 6.0
"""Shortest mean time between crashes of a mild world."""
DEADLY: Mapping[str, object] = {"placed_s": 300.0, "crash_every_s": 3.0, "deaths": 6, "info_down": 1.0}
"""The other dials of a world of late casinos in which processes die: its returns are made and fail while bets are still placed."""
POISONS = (PAYOUT[0], JACKPOT[0])
"""TransactionTypes of which one payment may end every process that sends it."""
PAYMENTS_PER_BET = 2.6
"""Average number of payments per bet, to compute the number of bets from a number of payments."""

OFF: dict[str, Mapping[str, object]] = {
    "loss": {"loss": 0.0},
    "duplicates": {"duplicates": 0.0},
    "delay": {"delay_s": 0.0, "answer_delay_s": 0.0},
    "cuts": {"cut_every_s": 0.0},
    "crashes": {"crash_every_s": 0.0},
    "pauses": {"pause_every_s": 0.0},
    "lost-commits": {"lost_commits": 0.0},
    "skew": {"skew_ms": 0},
    "rotations": {"rotations": 0},
    "workers": {"workers": 1},
    "no-funds": {"no_funds": 0.0},
    "late-refuse": {"late_refuse": False},
    "small-wallets": {"purse": None},
    "operator": {"operator_every_s": 0.0},
    "short-sessions": {"short_sessions": 0.0},
    "restarts": {"restart_every_s": 0.0},
    "slow-database": {"slow_db_s": 0.0},
    "told-balances": {"told_balance": 0.0},
    "resends": {"insists": 0.0},
    "stray-lines": {"stray_lines": 0.0},
    "stale-answers": {"stale_answers": 0.0},
    "poison": {"poison": 0},
    "restore": {"restored": False},
    "few-places": {"in_flight": 200},
    "pots": {"pots": 0},
    "volleys": {"volleys": 0.0},
}
"""Dials that can be turned off to make a failing world smaller, by the name that a person gives."""


def draw(
    chance: SeededChance, payments: int, without: Collection[str] = (), *, kind: WorldKind = WorldKind.MILD
) -> Dials:
    """Draw the dials of a seed. Half of the worlds have few faults, so that undisturbed bets occur.

    A harsh world has all faults. Every dial is drawn, even one that is turned off: that changes no other.
    """
    dials = _usual(chance, payments, crowd=kind is WorldKind.CROWD)
    if kind is WorldKind.HARSH:
        dials = replace(dials, **_harsh(chance))  # type: ignore[arg-type] # see below
    if kind is WorldKind.LATE:
        dials = replace(dials, **_late(chance, dials))  # type: ignore[arg-type] # see below
    if kind is WorldKind.THIN:
        dials = replace(dials, **_thin(chance))  # type: ignore[arg-type] # see below
    told_balance = one_of(chance, (0.0, 0.0, 0.5, 1.0))
    dials = replace(dials, told_balance=dials.told_balance or told_balance, insists=one_of(chance, (0.0, 0.5, 1.0)))
    dials = replace(dials, pots=one_of(chance, (0, 0, 1, 2, 3)))
    if dials.poison == JACKPOT[0]:
        dials = replace(dials, pots=max(dials.pots, 2))
    together = (0.0, 0.4, 0.4) if kind is WorldKind.CROWD else (0.0, 0.0, 0.7)
    dials = replace(dials, volleys=one_of(chance.branch("volleys"), together))
    for name in sorted(without):
        dials = replace(dials, **OFF[name])  # type: ignore[arg-type] # the table's values fit their fields
    return dials


def one_of(chance: Chance, choices: Sequence[T]) -> T:
    """Return one of the choices."""
    return choices[int(chance.fraction() * len(choices))]


def _up_to(chance: Chance, most: float) -> float:
    return chance.fraction() * most


def _usual(chance: Chance, payments: int, *, crowd: bool) -> Dials:
    """Return the dials of a mild world or of a crowd."""
    rough = chance.fraction()
    return Dials(
        bets=max(round(payments / PAYMENTS_PER_BET), 1),
        rough_s=30.0 if crowd else 90.0,
        placed_s=min(30.0, max(payments / 50, 5.0)) if crowd else one_of(chance, (15.0, 90.0)),
        tick_s=one_of(chance, (0.1, 0.25)) if crowd else one_of(chance, (0.0, 0.01, 0.05)),
        loss=_up_to(chance, 0.30) * rough,
        duplicates=_up_to(chance, 0.50) * rough,
        delay_s=one_of(chance, (0.0, 0.05, 0.5, 3.0, 12.0, 40.0)) * rough,
        delayed=one_of(chance, (0.1, 0.2, 0.4) if crowd else (0.1, 0.3, 1.0)),
        answer_delay_s=0.0,
        hold_s=USUAL_HOLD_S,
        cut_every_s=one_of(chance, (0.0, 0.0, 60.0, 20.0)),
        cut_s=_up_to(chance, 30.0),
        crash_every_s=one_of(chance, (0.0, 40.0, 15.0, OFTEN_S)),
        deaths=1,
        pause_every_s=one_of(chance, (0.0, 0.0, 60.0)),
        lost_commits=one_of(chance, (0.0, 0.0, 0.02, 0.1)),
        deaf=0.0,
        skew_ms=round(one_of(chance, (0.0, 1.0, 60.0, 300.0)) * 1000),
        rotations=round(_up_to(chance, 2.0)),
        workers=1 + round(_up_to(chance, 1.4)),
        casinos=tuple(_casino(chance) for _ in range(1 + round(_up_to(chance, 2.0)))),
        providers=tuple(one_of(chance, tuple(ProviderCharacter)) for _ in range(1 + round(_up_to(chance, 2.0)))),
        players=4,
        no_funds=_up_to(chance, 0.2),
        late_refuse=chance.fraction() < 0.15,
        not_yet=_up_to(chance, 0.3) * rough,
        keeps=one_of(chance, (0.0, 0.0, 0.05, 0.3)),
        tax_bp=one_of(chance, (None, None, 0, 725, 1999)),
        bad_moments=0.15,
        bets_per_cashback=12,
        cancel_s=60.0,
        purse=one_of(chance, (None, None, 6_000, 30_000)),
        funds_first=one_of(chance, (0.0, 0.5)),
        short_takes=False,
        operator_every_s=one_of(chance, (0.0, 20.0, 8.0)),
        short_sessions=one_of(chance, (0.0, 0.3)),
        restart_every_s=one_of(chance, (0.0, 0.0, 12.0)),
        slow_db_s=one_of(chance, (0.0, 0.0, 0.2)),
        told_balance=0.0,
        insists=0.0,
        stale_answers=0.0,
        comes_back=0.0,
        restored=False,
        queued_unsaid=0.0,
        in_flight=200,
        poison=0,
        stray_lines=0.0,
        info_down=0.0,
        odd_acts=_up_to(chance, 0.4),
        pots=0,
        volleys=0.0,
    )


def _harsh(chance: Chance) -> dict[str, object]:
    """Return dials with all faults at once and for long, so that rare faults coincide. No casino is honest.

    Faults last until a late answer has arrived and a schedule of retries has ended.
    """
    odd = tuple(c for c in CasinoCharacter if c not in _CALM)
    moody = one_of(chance, (1, 2))
    rough_s = one_of(chance, (90.0, 900.0))
    return {
        "rough_s": rough_s, "placed_s": one_of(chance, (20.0, 90.0, rough_s)), "loss": _up_to(chance, 0.1), "duplicates": 0.5, "delay_s": one_of(chance, (0.5, 12.0, 40.0)), "delayed": one_of(chance, (0.2, 0.4, 0.8)),
        "cut_every_s": one_of(chance, (0.0, 20.0)), "cut_s": 45.0, "crash_every_s": one_of(chance, (0.0, 15.0)),
        "deaths": 6, "skew_ms": one_of(chance, (0, 300_000)), "workers": 2, "no_funds": 0.2, "not_yet": one_of(chance, (0.3, 1.0)),
        "keeps": 0.5, "bad_moments": 0.5, "bets_per_cashback": 3, "cancel_s": 10.0, "casinos": (CasinoCharacter.MOODY,) * moody + tuple(one_of(chance, odd) for _ in range(3 - moody)),
        "purse": one_of(chance, (None, 6_000, 30_000)), "operator_every_s": one_of(chance, (0.0, 10.0)), "odd_acts": 0.25,
        "funds_first": 0.5, "short_sessions": one_of(chance, (0.0, 0.3)), "restart_every_s": one_of(chance, (0.0, 12.0)),
        "providers": (ProviderCharacter.REFUNDING, one_of(chance, tuple(ProviderCharacter))),
    }  # fmt: skip


def _late(chance: SeededChance, drawn: Dials) -> dict[str, object]:
    """Return dials for an event that is rare among many faults: a payment is booked after its bet has ended.

    In a quarter of these worlds processes die all the time, so that a return is parked before its stake is booked.
    """
    late = (CasinoCharacter.QUEUED, CasinoCharacter.LATE, CasinoCharacter.SILENT)
    leaving = (ProviderCharacter.VANISHING, ProviderCharacter.REFUNDING, ProviderCharacter.IMPATIENT)
    drawn_here = {
        "rough_s": 900.0, "placed_s": one_of(chance, (20.0, 300.0)), "loss": 0.0, "duplicates": one_of(chance, (0.0, 0.3)),
        "delay_s": 0.5, "cut_every_s": 0.0, "crash_every_s": 0.0, "pause_every_s": 0.0, "skew_ms": 0, "lost_commits": 0.0,
        "restart_every_s": 0.0, "slow_db_s": 0.0, "late_refuse": chance.fraction() < 0.3, "no_funds": 0.1,
        "hold_s": one_of(chance.branch("hold"), (USUAL_HOLD_S, 15.0)), "answer_delay_s": one_of(chance.branch("answers"), (0.0, 8.0)), "queued_unsaid": one_of(chance.branch("words"), (0.0, 0.9)),
        "players": one_of(chance.branch("players"), (1, 1, 4)), "told_balance": 1.0,
        "not_yet": one_of(chance, (0.0, 0.5, 0.5)), "info_down": one_of(chance, (0.0, 1.0)), "casinos": (CasinoCharacter.QUEUED, one_of(chance, late)),
        "providers": (ProviderCharacter.VANISHING, one_of(chance, leaving)),
        **(DEADLY if drawn.crash_every_s == OFTEN_S else {}),
    }  # fmt: skip
    # A stake that its casino undid, and then a refund: the accept of that stake must stay rejected.
    return {**drawn_here, "comes_back": 0.7 if drawn_here["late_refuse"] else 0.0}


def _thin(chance: SeededChance) -> dict[str, object]:
    """Return dials for the one order of events in which a refusal is no answer: booked, unanswered, repeated, refused.

    The network copies nothing: the refusal of a first try counts, so that its copy must not be what emptied the wallet.
    """
    unheard = (CasinoCharacter.MUTE, CasinoCharacter.SILENT, CasinoCharacter.RUBBISH)
    second = (*unheard, *(CasinoCharacter.UNEVEN, CasinoCharacter.INLINE) * 3)
    deadly = one_of(chance.branch("deaths"), (0.0, 5.0))
    return {
        "rough_s": 300.0, "placed_s": one_of(chance, (20.0, 90.0, 240.0)), "loss": one_of(chance, (0.0, 0.1)), "duplicates": 0.0,
        "answer_delay_s": one_of(chance, (0.0, 9.5)), "delay_s": one_of(chance, (0.5, 6.0, 40.0)), "delayed": one_of(chance, (0.3, 0.8)), "cut_every_s": 0.0, "crash_every_s": deadly,
        "deaths": 6, "pause_every_s": 0.0, "skew_ms": 0, "lost_commits": one_of(chance, (0.0, 0.2)) * (deadly > 0 or chance.branch("commits").fraction() < 0.25), "deaf": 0.5, "workers": 2,
        "restart_every_s": 0.0, "late_refuse": False, "no_funds": 0.0, "not_yet": 0.0, "keeps": 0.0,
        "purse": one_of(chance, (1_000, 3_000)), "funds_first": 1.0, "short_takes": True, "bets_per_cashback": 1, "cancel_s": 10.0,
        "casinos": (one_of(chance, unheard), one_of(chance, second)), "operator_every_s": 0.0, "odd_acts": 0.0,
        "stray_lines": one_of(chance.branch("lines"), (0.0, 0.3)), "hold_s": one_of(chance.branch("hold"), (USUAL_HOLD_S, USUAL_HOLD_S, 15.0)), "players": one_of(chance.branch("players"), (1, 1, 2)), "told_balance": one_of(chance.branch("balances"), (0.0, 0.5, 1.0)),
        "slow_db_s": one_of(chance.branch("database"), (0.0, 0.0, 6.0)), "stale_answers": one_of(chance.branch("front end"), (0.0, 0.3)),
        "restored": chance.branch("restore").fraction() < 0.5, "in_flight": one_of(chance.branch("places"), (200, 2, 2)), "poison": one_of(chance.branch("poison"), (0, *POISONS)) if deadly else 0,
        "providers": (ProviderCharacter.REFUNDING, one_of(chance, (ProviderCharacter.REFUNDING, ProviderCharacter.PATIENT))),
    }  # fmt: skip


_OF_KINDS = (CasinoCharacter.MOODY, CasinoCharacter.QUEUED, CasinoCharacter.MUTE, CasinoCharacter.UNEVEN)
"""Characters of casinos in some kinds of worlds only."""
_CALM = (CasinoCharacter.HONEST, CasinoCharacter.INLINE, *_OF_KINDS[1:])
"""Characters that no harsh world has."""


def _casino(chance: Chance) -> CasinoCharacter:
    characters = (
        CasinoCharacter.HONEST,
        CasinoCharacter.HONEST,
        *(c for c in CasinoCharacter if c not in _OF_KINDS),
    )
    return one_of(chance, characters)
