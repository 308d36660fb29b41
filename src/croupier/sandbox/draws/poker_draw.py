"""The poker draw: two hands of three cards, red and black, are dealt from one deck; the stronger hand wins.

Owns: the strength of a hand, the bets with their fixed odds, and the exact chances. Never: a number of its own.

The chances are exact: the number of pairs of hands without a common card is counted by inclusion and exclusion over the cards that
two hands could share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from itertools import combinations

from croupier.sandbox.draws.game import STAKE_BACK, BadChoice, Line, Numbers, Results

RANKS, SUITS = "23456789TJQKA", "cdhs"
DECK: tuple[str, ...] = tuple(rank + suit for rank in RANKS for suit in SUITS)
"""The deck in the order in which the cards are numbered: 2c, 2d, 2h, 2s, 3c, ... As."""
HAND = 3
CATEGORIES = ("high card", "pair", "flush", "straight", "three of a kind", "straight flush")
"""From the weakest to the strongest: with three cards a straight is rarer than a flush."""

SIDES = {"red": 190, "black": 190}
"""A side pays if its hand is the stronger one; a tie returns the stake."""
TIE = {"tie": 85_000}
WINNING = dict(zip(CATEGORIES, (170, 335, 1000, 1450, 20_000, 21_500), strict=True))
"""The category of the stronger hand, or of both at a tie."""
PAYS = {**SIDES, **TIE, **WINNING}

Hand = tuple[int, ...]
Strength = tuple[int, ...]
_LOW_STRAIGHT = [12, 1, 0]
"""Ace, 3, 2: the lowest straight."""


class PokerDraw:
    """Game type 3. The results are the three cards of red, the three of black, the winner, and the winning category."""

    game_type = 3
    game_id = "drift-poker"
    name = "Drift Poker"

    def results(self, numbers: Numbers) -> Results:
        """Return the six cards dealt and what they mean."""
        cards = numbers.sample(len(DECK), 2 * HAND)
        red, black = strength(cards[:HAND]), strength(cards[HAND:])
        winner = "tie" if red == black else "red" if red > black else "black"
        return (*(DECK[card] for card in cards), winner, CATEGORIES[max(red, black)[0]])

    def choice(self, text: str) -> str:
        """Return the bet. Raises BadChoice."""
        if text not in PAYS:
            raise BadChoice(f"a bet is one of {', '.join(PAYS)}")
        return text

    def multiplier(self, choice: str, results: Results) -> int:
        """Return what the bet pays."""
        winner, category = results[-2:]
        if choice in (winner, category):
            return PAYS[choice]
        return STAKE_BACK if choice in SIDES and winner == "tie" else 0

    def lines(self) -> list[Line]:
        """Return the paytable."""
        tie, side = chance_of_tie(), (1 - chance_of_tie()) / 2
        sides = [
            line
            for name, pays in SIDES.items()
            for line in (Line(name, "stronger hand", side, pays), Line(name, "tie", tie, STAKE_BACK))
        ]
        winning = [Line(name, "wins", chance_of_category(name), pays) for name, pays in WINNING.items()]
        return [*sides, Line("tie", "equal hands", tie, TIE["tie"]), *winning]


def strength(hand: Hand) -> Strength:
    """Return what compares hands: the category's place, then the ranks that decide. A card is its place in DECK."""
    ranks = sorted((card // len(SUITS) for card in hand), reverse=True)
    by_count = sorted(Counter(ranks).items(), key=lambda pair: (-pair[1], -pair[0]))
    if len(by_count) < HAND:
        category = "three of a kind" if len(by_count) == 1 else "pair"
        return (CATEGORIES.index(category), *(rank for rank, _ in by_count))
    flush = len({card % len(SUITS) for card in hand}) == 1
    if ranks == _LOW_STRAIGHT or ranks[0] - ranks[-1] == HAND - 1:
        top = 1 if ranks == _LOW_STRAIGHT else ranks[0]
        return (CATEGORIES.index("straight flush" if flush else "straight"), top)
    return (CATEGORIES.index("flush" if flush else "high card"), *ranks)


@cache
def chance_of_tie() -> Fraction:
    """Return the chance that both hands have the same strength."""
    equal: defaultdict[Strength, list[Hand]] = defaultdict(list)
    for hand in _hands():
        equal[strength(hand)].append(hand)
    return Fraction(sum(map(pairs_without_common_card, equal.values())), pairs_without_common_card(_hands()))


@cache
def chance_of_category(name: str) -> Fraction:
    """Return the chance that the stronger hand has this category."""
    place = CATEGORIES.index(name)
    return _chance_of_at_most(place) - (_chance_of_at_most(place - 1) if place else 0)


def pairs_without_common_card(hands: Iterable[Hand]) -> int:
    """Return the number of ordered pairs of these hands that share no card."""
    holding: Counter[Hand] = Counter()
    for hand in hands:
        for size in range(HAND + 1):
            holding.update(combinations(hand, size))
    return sum((-1) ** len(shared) * count * count for shared, count in holding.items())


@cache
def _chance_of_at_most(place: int) -> Fraction:
    hands = [hand for hand in _hands() if strength(hand)[0] <= place]
    return Fraction(pairs_without_common_card(hands), pairs_without_common_card(_hands()))


@cache
def _hands() -> tuple[Hand, ...]:
    return tuple(combinations(range(len(DECK)), HAND))
