"""The check of balances: each balance in an answer is one that the player had, or will have by this decision.

It is the casino's last reported balance plus the payments accepted since or, without a base in the hub, the balance as
reported. Owns: the check of each first balance of a verb against both. Never: the hub's own sum. Spec: money.md 7.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate, combinations
from typing import NamedTuple

from croupier.core.bet import Bet
from croupier.core.payment import GIVES, Payment
from croupier.core.readings import PaymentKind
from croupier.simulator.amounts import minor_of
from croupier.simulator.book import CasinoBook
from croupier.simulator.judge import Case, Judgement, key_of
from croupier.simulator.payment_times import FOR_EVER, PaymentTimes
from croupier.simulator.scene import Scene
from croupier.simulator.sim_provider import ProviderBet

Span = tuple[float, float]
MOST_MOVING = 8
"""If more payments were accepted while an answer was on its way, nearly every sum is possible, so none is checked."""
UNCLEAR = {"contradiction", "foreign_return"}
"""Incidents after which the casino may have booked something without the hub's knowledge."""
QUERY_S = 10.0 + 1.0
"""Longest age of a balance query that a request may join: the longest call to a casino, and a slow database."""
UNDONE = (PaymentKind.BET_RETURN, PaymentKind.PAYOUT_RETURN)
TAKING = ("pay-in", "pay-in-out")
"""Verbs whose answer tells that a stake was accepted."""
WINS = (PaymentKind.PAYOUT, PaymentKind.JACKPOT)


class Move(NamedTuple):
    """An accepted payment. The amount is what reached the wallet, in minor units; negative if it was taken."""

    at_s: float
    subject_id: int
    amount: int


class ToldBalance(NamedTuple):
    """A balance that was told with the acceptance of a stake, in minor units, and the span from its request to its answer."""

    bet: Bet
    amount: int
    since_s: float
    at_s: float
    own: set[int]
    move: Move


class WalletHistory:
    """The history of one player's wallet, as the hub received it."""

    def __init__(self, purse: int, moves: list[Move], unclear_s: Collection[Span]) -> None:
        self._unclear_s = unclear_s
        """Times at which the casino may have booked a payment without the hub's knowledge."""
        self._purse = purse
        self._moves = sorted(moves)
        self._of: dict[int, list[Move]] = {}
        for move in self._moves:
            self._of.setdefault(move.subject_id, []).append(move)
        self._times = [move.at_s for move in self._moves]
        self._sums = [0, *accumulate(move.amount for move in self._moves)]

    def is_clear(self, since_s: float, until_s: float) -> bool:
        """Return whether the hub knew all bookings between these times."""
        return not any(first <= until_s and since_s <= last for first, last in self._unclear_s)

    def was_clear(self, until_s: float) -> bool:
        """Return whether the hub knew all bookings up to this time."""
        return self.is_clear(0.0, until_s)

    def may_be(
        self, since_s: float, until_s: float, subject_id: int, *, own: set[int], held: Move | None = None
    ) -> set[int] | None:
        """Return the possible balances between these times, with one of the bet's `own` movements. None: nearly all.

        `held`: a movement of another bet that is part of each of them.
        """
        first, last = bisect_left(self._times, since_s), bisect_right(self._times, until_s)
        if last - first > MOST_MOVING:
            return None
        earlier = sum(move.amount for move in self._of.get(subject_id, ()) if move.at_s < since_s)
        fixed = self._purse + self._sums[first] - earlier
        sums = {fixed + net for net in own}
        for move in self._moves[first:last]:
            if move == held:
                sums = {total + move.amount for total in sums}
            elif move.subject_id != subject_id:
                sums |= {total + move.amount for total in sums}
        return sums


def judge_balances(
    scene: Scene, cases: list[Case], told: Mapping[tuple[int, str], ProviderBet], *, verdict: Judgement
) -> None:
    """I3: check the balance of every first answer until a clock jumps, which makes the order of reports uncertain."""
    wallets = _wallets(scene, cases)
    at_once: dict[tuple[int, float], list[ToldBalance]] = {}
    for case in cases:
        bet = case.subject
        heard = told.get((bet.provider_id, bet.bet_ref)) if isinstance(bet, Bet) else None
        if heard is None or not isinstance(bet, Bet):
            continue
        for verb in heard.first_told:
            one = _judge_told(scene, case, (heard, verb), wallet=wallets[bet.player_id], verdict=verdict)
            if one is not None and verb in TAKING:
                at_once.setdefault((bet.player_id, one.move.at_s), []).append(one)
    for (player_id, _), told_at_once in at_once.items():
        _judge_at_once(wallets[player_id], told_at_once, verdict)
        scene.seen["balances told at once"] += len(told_at_once) > 1


def _judge_told(
    scene: Scene, case: Case, what: tuple[ProviderBet, str], *, wallet: WalletHistory, verdict: Judgement
) -> ToldBalance | None:
    """Check the first balance told with a verb. Return it if it is a sum, and not a casino's word of its time."""
    (heard, verb), bet = what, case.subject
    assert isinstance(bet, Bet)
    at_s, text = heard.first_told[verb]
    based_s, since_s = scene.payment_times.based_s.get(bet.player_id, FOR_EVER), heard.asked_s[verb]
    if based_s <= at_s and not wallet.is_clear(since_s, at_s):
        return None
    own = set(_own(bet, verb, scene.payment_times, until_s=at_s))
    may_be = wallet.may_be(since_s, at_s, bet.bet_id, own=own)
    if may_be is None:
        return None
    # Below zero the sum is no balance, and after a late stake it is not known: the casino's word of that time is told.
    by_its_word = since_s < based_s or min(may_be, default=0) < 0 or not wallet.was_clear(at_s)
    if by_its_word:
        may_be |= case.casino.witness.balances(bet.player_ref, since_s - QUERY_S, at_s)
    scene.seen["balance judged"] += 1
    if text.startswith("-"):
        verdict.wrong("I3", f"{case.name} was told {text} with its {verb}: no wallet holds less than nothing")
        return None
    amount = minor_of(text, bet.currency)
    if amount not in may_be:
        verdict.wrong("I3", f"{case.name} was told {text} with its {verb}; it may be one of {sorted(may_be)}")
    accepted_s = scene.payment_times.accepted_s.get((bet.bet_id, PaymentKind.STAKE.value), FOR_EVER)
    move = Move(accepted_s, bet.bet_id, -bet.stake)
    return None if by_its_word else ToldBalance(bet, amount, since_s, at_s, own, move)


def _judge_at_once(wallet: WalletHistory, told: list[ToldBalance], verdict: Judgement) -> None:
    """Check stakes of a player that were accepted in one instant: of two, at least one balance holds the other stake."""
    for one, other in combinations(told, 2):
        if not _may_hold(wallet, one, other) and not _may_hold(wallet, other, one):
            verdict.wrong("I3", f"{one.bet.bet_ref} and {other.bet.bet_ref} were told balances without each other")


def _may_hold(wallet: WalletHistory, one: ToldBalance, other: ToldBalance) -> bool:
    """Return whether a balance may hold the stake of another bet."""
    may_be = wallet.may_be(one.since_s, one.at_s, one.bet.bet_id, own=one.own, held=other.move)
    return may_be is None or one.amount in may_be


def _own(bet: Bet, verb: str, payment_times: PaymentTimes, *, until_s: float) -> Iterator[int]:
    """Return the amounts by which the answer's decision, or a later one meanwhile, moves the wallet."""

    def begun(*kinds: PaymentKind) -> bool:
        return any(payment_times.created_s.get((bet.bet_id, kind.value), float("inf")) <= until_s for kind in kinds)

    won = sum(_moved(kind, payment) for kind, payment in bet.payments.items() if kind in WINS) - bet.stake
    if verb == "refund" or begun(*UNDONE):
        yield 0
    if verb in ("pay-out", "pay-in-out") or begun(*WINS):
        yield won
    if verb == "pay-in":
        yield -bet.stake


def _wallets(scene: Scene, cases: list[Case]) -> dict[int, WalletHistory]:
    moves: dict[int, list[Move]] = {player_id: [] for _, player_id, _ in scene.players}
    unclear_s: dict[int, set[Span]] = {player_id: {(scene.payment_times.skewed_s, FOR_EVER)} for player_id in moves}
    for case in cases:
        subject, player_id = case.subject, case.subject.player_id
        odd = not case.truthful or bool(UNCLEAR & case.incidents) or _booked_oddly(case.casino.book, subject.subject_id)
        for kind, payment in subject.payments.items():
            name = subject.subject_id, kind.value
            booked = key_of(case, kind) in case.casino.book.bookings
            if odd or (booked and name in scene.payment_times.odd):
                known_s = FOR_EVER if odd else scene.payment_times.accepted_s.get(name, FOR_EVER)
                unclear_s[player_id].add((scene.payment_times.created_s[name], known_s))
            if name in scene.payment_times.accepted_s:
                moves[player_id].append(
                    Move(scene.payment_times.accepted_s[name], subject.subject_id, _moved(kind, payment))
                )
    purses = {player_id: scene.casinos[casino_id].purse for casino_id, player_id, _ in scene.players}
    return {player_id: WalletHistory(purses[player_id], moves[player_id], unclear_s[player_id]) for player_id in moves}


def _moved(kind: PaymentKind, payment: Payment) -> int:
    amount = payment.amount - (payment.tax or 0)
    return amount if kind in GIVES else -amount


def _booked_oddly(book: CasinoBook, subject_id: int) -> bool:
    """Return whether the casino booked it twice, forgot it, or returned it by itself."""
    keys = (*book.of(subject_id), *book.of(subject_id, cashback=True))
    return subject_id in book.given_back or any(
        book.bookings[key].times > 1 or book.bookings[key].forgotten for key in keys
    )
