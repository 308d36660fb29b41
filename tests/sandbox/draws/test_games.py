"""The rules of the four draw games, and the return to player of each bet, exactly.

The expected shares are counted here in another way than in the source: over all outcomes, or by another formula.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import comb

import pytest

from croupier.sandbox.draws import crash, keno, poker_draw
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.fairness import Stream
from croupier.sandbox.draws.game import BadChoice, multiplier_of, multiplier_text, win_of
from croupier.sandbox.draws.keno import Keno
from croupier.sandbox.draws.paytable import markdown, paytable, percent
from croupier.sandbox.draws.poker_draw import DECK, PokerDraw, strength
from croupier.sandbox.draws.wheel import SEGMENTS, Wheel


@cache
def returned(bet: str) -> Fraction:
    """What the paytables say of a bet."""
    rows = [row for game in DRAW_GAMES.values() for row in paytable(game)]
    (found,) = [row.returned for row in rows if row.bet == bet]
    return found


def hand(text: str) -> tuple[int, ...]:
    return tuple(DECK.index(card) for card in text.split())


class Fixed:
    """Numbers told beforehand."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def below(self, _limit: int) -> int:
        return self.numbers[0]

    def sample(self, _population: int, _size: int) -> tuple[int, ...]:
        return self.numbers


# --- all games --------------------------------------------------------------------------------------------------


def test_every_bet_returns_between_89_and_98_percent() -> None:
    """A studio that paid back more than it takes would be a bug in its paytable, and so would one that pays back little."""
    shares = {row.bet: row.returned for game in DRAW_GAMES.values() for row in paytable(game)}
    assert all(Fraction(89, 100) < share < Fraction(98, 100) for share in shares.values()), shares


def test_the_game_types_are_those_of_the_contract() -> None:
    assert sorted(DRAW_GAMES) == [3, 23, 24, 25]
    assert len({game.game_id for game in DRAW_GAMES.values()}) == 4


@pytest.mark.parametrize("game", DRAW_GAMES.values(), ids=lambda game: game.name)
def test_no_chance_of_a_bet_is_above_one(game: object) -> None:
    chances: Counter[str] = Counter()
    for line in game.lines():  # type: ignore[attr-defined]
        chances[line.bet] += line.chance
        assert 0 < line.chance < 1
        assert line.multiplier > 0
    assert all(chance <= 1 for chance in chances.values())


def test_a_paytable_shows_the_share_cut_and_not_rounded() -> None:
    assert percent(Fraction(94_999, 100_000)) == "94.99 %"
    assert percent(Fraction(1)) == "100.00 %"
    assert "| grey | drawn: 2.00 | 96.00 % |" in markdown(Wheel())


@pytest.mark.parametrize(
    ("stake", "multiplier", "win"),
    [
        (1000, 250, 2500),
        (1, 150, 1),
        (1, 199, 1),
        (3, 335, 10),
        (0, 500, 0),
        (10**17, 5_000_000, 5 * 10**21),
        (999, 0, 0),
    ],
)
def test_a_win_is_exact_and_rounded_down(stake: int, multiplier: int, win: int) -> None:
    assert win_of(stake, multiplier) == win


def test_neither_stake_nor_multiplier_is_negative() -> None:
    for wrong in ((-1, 100), (1, -100)):
        with pytest.raises(ValueError, match="negative"):
            win_of(*wrong)


@pytest.mark.parametrize(
    ("text", "hundredths"), [("1", 100), ("1.5", 150), ("2.05", 205), ("100.00", 10_000), ("0.01", 1)]
)
def test_a_multiplier_is_read_as_hundredths(text: str, hundredths: int) -> None:
    assert multiplier_of(text) == hundredths
    assert multiplier_of(multiplier_text(hundredths)) == hundredths


@pytest.mark.parametrize("text", ["", "x", "-1", "1.", ".5", "1.234", "1e3", "1,5", "١", "1 ", "9999999"])
def test_what_is_no_multiplier_is_refused(text: str) -> None:
    with pytest.raises(BadChoice):
        multiplier_of(text)


# --- keno -------------------------------------------------------------------------------------------------------


def keno_chance(picks: int, hits: int) -> Fraction:
    """The same by drawing number after number: the chance of each order, times the number of orders."""
    chance = Fraction(comb(20, hits))
    for drawn in range(20):
        of = picks - drawn if drawn < hits else 80 - picks - (drawn - hits)
        chance *= Fraction(of, 80 - drawn)
    return chance


@pytest.mark.parametrize("picks", range(1, 11))
def test_keno_returns_what_its_paytable_says(picks: int) -> None:
    assert sum(keno_chance(picks, hits) for hits in range(picks + 1)) == 1
    expected = sum(keno_chance(picks, hits) * Fraction(pays, 100) for hits, pays in keno.PAYS[picks].items())
    assert returned("1 pick" if picks == 1 else f"{picks} picks") == expected


def test_keno_draws_twenty_different_numbers_from_1_to_80() -> None:
    drawn = [Keno().results(Stream(bytes(32), 23, edition)) for edition in range(300)]
    assert all(len(set(results)) == 20 for results in drawn)
    assert set().union(*drawn) == set(range(1, 81))


@pytest.mark.parametrize(("text", "choice"), [("7", "7"), ("9,1,80", "1,9,80"), ("05,6", "5,6")])
def test_keno_reads_picks(text: str, choice: str) -> None:
    assert Keno().choice(text) == choice


@pytest.mark.parametrize(
    "text", ["", "0", "81", "1,1", "1,01", "a", "1,,2", "1, 2", ",1", "1,2,3,4,5,6,7,8,9,10,11", "-1", "1.5"]
)
def test_keno_refuses_other_picks(text: str) -> None:
    with pytest.raises(BadChoice):
        Keno().choice(text)


@pytest.mark.parametrize(
    ("choice", "pays"), [("1", 380), ("21", 0), ("1,21", 100), ("1,2", 950), ("1,2,3,4,5,6,7,8,9,10", 5_000_000),
                         ("21,22,23,24,25,26,27,28,29,30", 300), ("1,22,23,24,25,26,27,28,29,30", 0)],
)  # fmt: skip
def test_keno_pays_by_hits(choice: str, pays: int) -> None:
    assert Keno().multiplier(choice, tuple(range(1, 21))) == pays


# --- the wheel --------------------------------------------------------------------------------------------------


def test_every_colour_of_the_wheel_returns_96_percent_over_all_segments() -> None:
    wheel = Wheel()
    for colour in set(SEGMENTS):
        paid = sum(wheel.multiplier(colour, wheel.results(Fixed(place))) for place in range(50))
        assert Fraction(paid, 50 * 100) == returned(colour) == Fraction(96, 100)


def test_the_wheel_refuses_other_colours() -> None:
    for text in ("", "red", "Grey", "1"):
        with pytest.raises(BadChoice):
            Wheel().choice(text)
    assert Wheel().choice("gold") == "gold"


# --- the crash game ---------------------------------------------------------------------------------------------


def test_every_multiplier_of_the_crash_game_returns_at_most_97_percent() -> None:
    """The crash point falls as the outcome rises, so the last outcome that reaches a multiplier says how many do."""
    for multiplier in range(101, 10_001):
        last = crash.OUTCOMES * crash.SHARE // multiplier
        assert crash.crash_point(last) >= multiplier > crash.crash_point(last + 1)
        assert crash.chance(multiplier) == Fraction(last, crash.OUTCOMES)
        assert 9699 * 10_000 <= last * multiplier <= 9700 * 10_000


@pytest.mark.slow
def test_the_crash_game_returns_at_most_97_percent_at_every_multiplier_over_all_outcomes() -> None:
    """All million outcomes are counted, and of these sums every bet from 1.01 to 100.00 is computed."""
    points = Counter(map(crash.crash_point, range(1, crash.OUTCOMES + 1)))
    assert set(points) <= set(range(100, 10_001))
    shares, reached = {}, 0
    for multiplier in range(10_000, 100, -1):
        reached += points[multiplier]
        share = Fraction(reached * multiplier, crash.OUTCOMES * 100)
        assert Fraction(9699, 10_000) <= share <= Fraction(97, 100), multiplier
        assert crash.chance(multiplier) == Fraction(reached, crash.OUTCOMES)
        shares[f"leaves at {multiplier_text(multiplier)}"] = share
    assert all(shares[row.bet] == row.returned for row in paytable(DRAW_GAMES[25]))


@pytest.mark.parametrize(
    ("choice", "point", "pays"),
    [
        ("2.00", 200, 200),
        ("2.00", 199, 0),
        ("2.00", 9999, 200),
        ("1.01", 100, 0),
        ("100.00", 10_000, 10_000),
        ("stays", 10_000, 0),
    ],
)
def test_a_player_wins_who_leaves_no_later_than_the_crash(choice: str, point: int, pays: int) -> None:
    assert DRAW_GAMES[25].multiplier(choice, (point,)) == pays


@pytest.mark.parametrize("text", ["", "1.00", "0.5", "100.01", "x", "-2", "2.001"])
def test_a_multiplier_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(BadChoice):
        DRAW_GAMES[25].choice(text)


def test_the_curve_rises_and_tells_when_it_reaches_a_multiplier() -> None:
    assert [crash.multiplier_after(ms) for ms in (0, 2000, 5000, 41_000, 90_000)] == [100, 200, 425, 10_000, 10_000]
    for multiplier in range(100, 10_001, 7):
        first = crash.ms_until(multiplier)
        assert crash.multiplier_after(first) >= multiplier
        assert first == 0 or crash.multiplier_after(first - 1) < multiplier


# --- the poker draw ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cards", "category", "ranks"),
    [
        ("Ah Kh Qh", "straight flush", (12,)),
        ("Ah 3h 2h", "straight flush", (1,)),
        ("7c 7d 7h", "three of a kind", (5,)),
        ("4c 3d 2h", "straight", (2,)),
        ("Ac 2d 3h", "straight", (1,)),
        ("Ac Kd 2h", "high card", (12, 11, 0)),
        ("9c 5c 2c", "flush", (7, 3, 0)),
        ("9c 9d 2c", "pair", (7, 0)),
        ("2c 9d 2h", "pair", (0, 7)),
    ],
)
def test_the_strength_of_a_hand(cards: str, category: str, ranks: tuple[int, ...]) -> None:
    assert strength(hand(cards)) == (poker_draw.CATEGORIES.index(category), *ranks)


def test_all_hands_of_three_cards_fall_into_the_known_numbers() -> None:
    names = Counter(poker_draw.CATEGORIES[strength(cards)[0]] for cards in combinations(range(52), 3))
    assert dict(names) == {
        "high card": 16_440, "pair": 3744, "flush": 1096, "straight": 720, "three of a kind": 52, "straight flush": 48,
    }  # fmt: skip


def test_sides_and_tie_return_what_the_chance_of_a_tie_leaves() -> None:
    tie = Fraction(1083, 978_775)
    assert poker_draw.chance_of_tie() == tie
    assert returned("tie") == tie * 850
    assert returned("red") == returned("black") == (1 - tie) / 2 * Fraction(190, 100) + tie


@pytest.mark.slow
def test_the_chance_of_a_tie_is_that_of_equal_ranks_counted_one_by_one() -> None:
    """Hands of equal strength are few: each pair of them is looked at."""
    equal: dict[tuple[int, ...], list[set[int]]] = {}
    for cards in combinations(range(52), 3):
        equal.setdefault(strength(cards), []).append(set(cards))
    ties = sum(not a & b for hands in equal.values() for a in hands for b in hands)
    tie = Fraction(ties, comb(52, 3) * comb(49, 3))
    assert poker_draw.chance_of_tie() == tie


def test_the_chances_of_the_winning_categories_are_those_of_counting_over_all_hands() -> None:
    """Pairs of hands of a category or a weaker one without a common card: here over each set of cards that hands hold."""
    hands = [(strength(cards)[0], cards) for cards in combinations(range(52), 3)]
    holding: Counter[tuple[int, ...]] = Counter()
    before, all_pairs = 0, comb(52, 3) * comb(49, 3)
    for place, name in enumerate(poker_draw.CATEGORIES):
        for cards in (cards for category, cards in hands if category == place):
            for size in range(4):
                holding.update(combinations(cards, size))
        pairs = sum((-1) ** len(shared) * count * count for shared, count in holding.items())
        assert poker_draw.chance_of_category(name) == Fraction(pairs - before, all_pairs), name
        before = pairs
    assert before == all_pairs


def test_the_chances_of_the_winning_categories_add_up_to_one() -> None:
    assert sum(map(poker_draw.chance_of_category, poker_draw.CATEGORIES)) == 1


@pytest.mark.parametrize(
    ("cards", "winner", "category"),
    [
        ("Ah Kh Qh 7c 7d 7h", "red", "straight flush"),
        ("2c 3d 5h 9c 9d 4c", "black", "pair"),
        ("Ac Kd 2h Ad Kh 2c", "tie", "high card"),
    ],
)
def test_a_deal_pays_the_winner_its_category_and_nobody_else(cards: str, winner: str, category: str) -> None:
    game = PokerDraw()
    results = game.results(Fixed(*hand(cards)))
    assert results == (*cards.split(), winner, category)
    paid = {choice: game.multiplier(choice, results) for choice in poker_draw.PAYS}
    expected = {winner: poker_draw.PAYS[winner], category: poker_draw.PAYS[category]}
    if winner == "tie":
        expected |= {"red": 100, "black": 100}
    assert {choice: pays for choice, pays in paid.items() if pays} == expected


def test_poker_refuses_other_bets() -> None:
    for text in ("", "green", "full house", "Red"):
        with pytest.raises(BadChoice):
            PokerDraw().choice(text)
    assert PokerDraw().choice("three of a kind") == "three of a kind"
