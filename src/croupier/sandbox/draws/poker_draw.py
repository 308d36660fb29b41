"""The poker draw: two hands of three cards, red and black, are dealt from one deck; the stronger hand wins.

Owns: the strength of a hand, the bets with their fixed odds, and the exact chances. Never: a number of its own.

The chances are exact: deals are counted over ranks and suits, and by inclusion and exclusion over the cards that two hands could share.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import comb

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


def chance_of_tie() -> Fraction:
    """Return the chance that both hands have the same strength.

    Two hands of three ranks are equal if the ranks are, and both are of one suit or neither is. Of the 4 * 4 * 4 suits of one, 3 * 3 * 3 share
    no card with the other. Two pairs are equal if both ranks are; two hands of one rank have a card in common.
    """
    ranks, suits = len(RANKS), len(SUITS)
    flushes = suits * (suits - 1)
    others = (suits * (suits - 1)) ** HAND - 2 * suits * (suits - 1) ** HAND + flushes
    pairs = comb(suits, 2) * comb(suits - 2, 2) * suits * (suits - 1)
    return Fraction(comb(ranks, HAND) * (flushes + others) + ranks * (ranks - 1) * pairs, _DEALS)


def chance_of_category(name: str) -> Fraction:
    """Return the chance that the stronger hand has this category."""
    place = CATEGORIES.index(name)
    return _chance_of_at_most(place) - (_chance_of_at_most(place - 1) if place else 0)


@cache
def _chance_of_at_most(place: int) -> Fraction:
    """The chance that both hands are of this category or a weaker one, by inclusion and exclusion over the cards in common."""
    deals = 0
    for shared, alike, holding in _holdings():
        hands = sum(count for category, count in holding.items() if category <= place)
        deals += (-1) ** shared * alike * hands * hands
    whole = sum(count for category, count in _holdings()[0][2].items() if category <= place)
    return Fraction(deals - whole, _DEALS)  # three cards in common are one whole hand, held by itself alone


@cache
def _holdings() -> list[tuple[int, int, Counter[int]]]:
    """For no card, one and two: how many such sets of cards are alike, and the categories of the hands that hold one of them.

    Suits are alike, so one card stands for the four of its rank, and two cards for all of their ranks that are of one suit, or of two.
    """
    of_rank = range(0, len(DECK), len(SUITS))
    found = [(0, 1, Counter(_category(hand) for hand in combinations(range(len(DECK)), HAND)))]
    found += [(1, len(SUITS), _holding(card)) for card in of_rank]
    found += [(2, comb(len(SUITS), 2), _holding(card, card + 1)) for card in of_rank]
    for low, high in combinations(of_rank, 2):
        found.append((2, len(SUITS), _holding(low, high)))
        found.append((2, len(SUITS) * (len(SUITS) - 1), _holding(low, high + 1)))
    return found


def _holding(*cards: int) -> Counter[int]:
    """The categories of all hands with these cards."""
    rest = [card for card in range(len(DECK)) if card not in cards]
    return Counter(_category((*cards, *more)) for more in combinations(rest, HAND - len(cards)))


def _category(hand: Hand) -> int:
    return strength(hand)[0]


_DEALS = comb(len(DECK), HAND) * comb(len(DECK) - HAND, HAND)
"""In how many ways two hands can be dealt."""
