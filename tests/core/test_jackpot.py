"""The pots' rules: shares are exact for ever, a round is won once and by its ceiling, and anybody can recompute the draw."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core.jackpot import (
    BadPot,
    Contribution,
    Direction,
    Gathered,
    Pot,
    PotState,
    Stake,
    changed,
    commitment,
    frozen,
    gather,
    half_even,
    hit_amount,
    opened,
    pot_of,
    unfrozen,
    win_ref,
)

SECRET = bytes(range(32))
NEVER = 10**18


def pot(**changes: object) -> Pot:
    """A pot of 1 % with a seed of 10.00 and a ceiling of 50.00, in its first round."""
    made = Pot(7, "Harvest", "EUR", 100, 1_000, 5_000)
    return replace(opened(made, None).after, **changes)  # type: ignore[arg-type]


def stake(n: int, amount: int, direction: Direction = Direction.IN, *, bet_id: int | None = None) -> Stake:
    return Stake(n, n if bet_id is None else bet_id, 1, 2, 3, amount, direction)


def ledger_sum(done: Gathered, account: str) -> int:
    return sum(e.amount * ((e.target == account) - (e.source == account)) for e in done.entries)


# --- shares -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "whole"),
    [(0, 0), (4_999, 0), (5_000, 0), (5_001, 1), (15_000, 2), (25_000, 2), (-5_000, 0), (-5_001, -1), (-15_000, -2)],
)
def test_halves_go_to_the_even_unit(parts: int, whole: int) -> None:
    assert half_even(parts) == whole


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.integers(1, 10_000))
def test_no_cent_is_lost_or_invented_over_many_stakes(amounts: list[int], share_bp: int) -> None:
    begun = pot(share_bp=share_bp, ceiling=NEVER, round_ceiling=NEVER)
    done = gather(begun, [stake(n + 1, a) for n, a in enumerate(amounts)], upto_id=99, known={}, hit=NEVER)
    exact = Fraction(sum(amounts) * share_bp, 10_000)
    assert done.after.contributed + Fraction(done.after.carry, 10_000) == exact
    assert abs(done.after.contributed - exact) <= Fraction(1, 2)
    assert ledger_sum(done, begun.account) == done.after.contributed
    assert (done.after.upto_id, done.after.version) == (99, 1)


@st.composite
def courses(draw: st.DrawFn) -> list[Stake]:
    """Stakes, some of which go back later, in any order."""
    course: list[Stake] = []
    open_bets: dict[int, int] = {}
    for n in range(1, draw(st.integers(1, 60)) + 1):
        if open_bets and draw(st.booleans()):
            bet_id = draw(st.sampled_from(sorted(open_bets)))
            course.append(stake(n, open_bets.pop(bet_id), Direction.BACK, bet_id=bet_id))
        else:
            open_bets[n] = draw(st.sampled_from([50, 99, 100, 150, 10_000, 10_001, 20_000, 77_777]))
            course.append(stake(n, open_bets[n]))
    return course


@given(courses(), st.integers(1, 10_000), st.integers(-15_000, 15_000))
@pytest.mark.slow
def test_a_pot_holds_the_exact_shares_of_the_stakes_that_stand(course: list[Stake], share_bp: int, carry: int) -> None:
    begun = pot(share_bp=share_bp, round_ceiling=NEVER, carry=carry)
    done = gather(begun, course, upto_id=99, known={}, hit=NEVER)
    signs = {Direction.IN: 1, Direction.BACK: -1}
    stand = sum(s.stake * signs[s.direction] for s in course)
    assert done.after.contributed * 10_000 + done.after.carry == carry + stand * share_bp
    assert done.after.contributed >= 0
    assert ledger_sum(done, begun.account) == done.after.contributed


@given(courses(), st.integers(1, 10_000), st.integers(0, 60))
@pytest.mark.slow
def test_it_makes_no_difference_where_a_reading_ends(course: list[Stake], share_bp: int, cut: int) -> None:
    begun = pot(share_bp=share_bp, round_ceiling=NEVER)
    whole = gather(begun, course, upto_id=99, known={}, hit=NEVER)
    first = gather(begun, course[:cut], upto_id=cut, known={}, hit=NEVER)
    known: dict[int, Contribution] = {}
    for one in first.contributions:
        known[one.stake.bet_id] = one
        if one.stake.direction is Direction.BACK:
            del known[one.stake.bet_id]
    second = gather(first.after, course[cut:], upto_id=99, known=known, hit=NEVER)
    assert replace(second.after, version=0) == replace(whole.after, version=0)
    assert first.contributions + second.contributions == whole.contributions


def test_a_stake_feeds_a_pot_once() -> None:
    done = gather(pot(), [stake(1, 10_000), stake(2, 10_000, bet_id=1)], upto_id=2, known={}, hit=NEVER)
    assert done.after.contributed == 100


def test_only_stakes_of_the_scope_feed_a_pot() -> None:
    for narrow in (
        {"casino_ids": frozenset({9})},
        {"game_ids": frozenset({9})},
        {"state": PotState.FROZEN},
        {"fed_after": 1},
    ):
        done = gather(pot(**narrow), [stake(1, 10_000)], upto_id=1, known={}, hit=NEVER)
        assert not done.moves
        assert done.after == replace(done.before, upto_id=1), "the place is kept, and nothing else"


def test_a_stake_that_goes_back_leaves_a_frozen_pot_too() -> None:
    fed = gather(pot(), [stake(1, 10_000)], upto_id=1, known={}, hit=NEVER)
    back = [stake(2, 10_000, Direction.BACK, bet_id=1)]
    ice = frozen(fed.after, "ann").after
    done = gather(ice, back, upto_id=2, known={1: fed.contributions[0]}, hit=NEVER)
    assert done.after.contributed == 0
    assert [(e.source, e.target, e.amount) for e in done.entries] == [("jackpot/pot-7", "jackpot-share/1/2", 100)]


# --- the win ------------------------------------------------------------------------------------------------


def test_the_stake_that_fills_the_pot_wins_it_and_the_next_round_is_seeded() -> None:
    course = [stake(1, 100_000), stake(2, 200_000), stake(3, 500_000)]
    done = gather(pot(), course, upto_id=9, known={}, hit=3_500)
    assert done.win is not None
    assert (done.win.amount, done.win.bet_id, done.win.number) == (4_000, 2, 1)
    assert (done.after.number, done.after.amount, done.after.contributed) == (2, 1_000, 0)
    assert done.after.upto_id == 2, "the stakes behind it are read for the next round"
    assert ledger_sum(done, "jackpot/pot-7") == 3_000 + 1_000


def test_a_pot_never_stands_above_its_ceiling_and_the_rest_is_carried() -> None:
    done = gather(pot(), [stake(1, 1_000_000)], upto_id=1, known={}, hit=5_000)
    assert done.win is not None
    assert done.win.amount == 5_000
    assert done.after.carry == 6_000 * 10_000
    following = gather(done.after, [stake(2, 100)], upto_id=2, known={}, hit=NEVER)
    assert following.after.contributed == 4_000, "the carried share enters with the next stake, up to the ceiling"


def test_a_share_of_a_round_that_was_won_stays_with_the_winner() -> None:
    won = gather(pot(), [stake(1, 300_000)], upto_id=1, known={}, hit=2_000)
    back = [stake(2, 300_000, Direction.BACK, bet_id=1)]
    done = gather(won.after, back, upto_id=2, known={1: won.contributions[0]}, hit=NEVER)
    assert not done.moves


def test_the_hit_amount_is_above_the_seed_and_at_most_the_ceiling() -> None:
    small = pot(seed=10, ceiling=13, round_seed=10, round_ceiling=13)
    drawn = {hit_amount(small, n.to_bytes(32, "big")) for n in range(200)}
    assert drawn == {11, 12, 13}


def test_a_person_can_recompute_commitment_and_hit_amount() -> None:
    told = f"croupier-jackpot-v1:7:1:1000:5000:EUR:{SECRET.hex()}"
    assert commitment(pot(), SECRET) == hashlib.sha256(told.encode()).hexdigest()
    first = int.from_bytes(hmac.digest(SECRET, b"croupier-jackpot-v1:7:1:0", "sha256")[:8], "big")
    assert hit_amount(pot(), SECRET) == 1_000 + 1 + first % 4_000 == 3_909


def test_a_win_has_a_ref_that_no_provider_can_send() -> None:
    assert win_ref(7, 3) == " jackpot 7/3"
    assert pot_of(win_ref(7, 3)) == 7
    assert pot_of("jackpot 7/3") is None


# --- rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [{"share_bp": 0}, {"share_bp": 10_001}, {"seed": -1}, {"seed": 5_000}])
def test_rules_that_could_not_be_played_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(BadPot):
        opened(replace(pot(), **rules), None)  # type: ignore[arg-type]


def test_a_ceiling_only_rises_once_stakes_have_fed_the_round() -> None:
    fed = gather(pot(), [stake(1, 10_000)], upto_id=1, known={}, hit=NEVER).after
    with pytest.raises(BadPot, match="only rise"):
        changed(fed, "ann", ceiling=4_999)
    raised = changed(fed, "ann", ceiling=9_000).after
    assert (raised.ceiling, raised.round_ceiling, raised.number) == (9_000, 5_000, 1), "the drawn hit amount stays"


def test_a_round_without_shares_is_drawn_anew() -> None:
    done = changed(pot(), "ann", ceiling=2_000)
    assert done.voided
    assert (done.after.number, done.after.round_ceiling, done.after.amount) == (2, 2_000, 1_000)
    assert ledger_sum(done, "jackpot/pot-7") == 0, "one seed goes back, one comes"


def test_a_new_seed_waits_for_the_next_round() -> None:
    fed = gather(pot(), [stake(1, 10_000)], upto_id=1, known={}, hit=NEVER).after
    done = changed(fed, "ann", seed=2_000)
    assert (done.after.amount, done.entries) == (fed.amount, ())


def test_freezing_and_unfreezing() -> None:
    ice = frozen(pot(), "ann").after
    with pytest.raises(BadPot, match="frozen already"):
        frozen(ice, "ann")
    thawed = unfrozen(ice, "ann", written_upto=40).after
    assert (thawed.state, thawed.fed_after, thawed.version) == (PotState.OPEN, 40, 2)
    with pytest.raises(BadPot, match="open already"):
        unfrozen(thawed, "ann", written_upto=50)
