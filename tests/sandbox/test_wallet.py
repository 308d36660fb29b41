"""The sandbox casino's books: every rule of booking, and that they always add up."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.sandbox.bookings import (
    Booked,
    Booking,
    BookingOutcome,
    BookKind,
    Declined,
    Demand,
    RefusalCode,
    Repeated,
    TransactionType,
    plain,
)
from croupier.sandbox.wallet import Wallet

START = 100_000


def _wallet() -> Wallet:
    return Wallet("EUR", "1000")


def _pay(bet: int, kind: int, amount: str, player: str = "anna", tax: str | None = None) -> Demand:
    return Demand(BookKind.PAYMENTS, bet, kind, player, amount, tax)


def _book(wallet: Wallet, demand: Demand, partner_tx: str = "t") -> BookingOutcome:
    return wallet.book(demand, partner_tx=partner_tx, now_ms=1)


def _balance(wallet: Wallet, player: str = "anna") -> int:
    account = wallet.account(player)
    assert account is not None
    return account.balance


def test_a_stranger_gets_demo_money_on_first_sight_and_none_behind_a_shut_door() -> None:
    wallet = _wallet()
    assert isinstance(_book(wallet, _pay(1, -1, "10")), Booked)
    assert _balance(wallet) == START - 1000
    wallet.open_door = False
    assert _book(wallet, _pay(2, -1, "10", "stranger")) == Declined(RefusalCode.USER_NOT_FOUND)


def test_the_same_make_again_gets_the_first_booking_and_moves_nothing_whatever_came_in_between() -> None:
    wallet = _wallet()
    first = _book(wallet, _pay(1, -1, "10"), "first")
    account = wallet.account("anna")
    assert account is not None
    account.blocked = True
    wallet.close(1, closed=True)
    again = _book(wallet, _pay(1, -1, "99"), "second")
    assert isinstance(first, Booked)
    assert again == Repeated(first.booking)
    assert _balance(wallet) == START - 1000


@pytest.mark.parametrize(
    ("before", "demand", "code"),
    [
        ([], _pay(1, -1, "1000.01"), RefusalCode.NOT_ENOUGH_FUNDS),
        ([], _pay(1, -1, "1.005"), RefusalCode.INCORRECT_AMOUNT),
        ([], _pay(1, -1, "-1"), RefusalCode.INCORRECT_AMOUNT),
        ([], _pay(1, 1, "5"), RefusalCode.BET_NOT_FOUND),
        ([], _pay(1, 2, "5"), RefusalCode.BET_NOT_FOUND),
        ([], _pay(1, -2, "5"), RefusalCode.BET_NOT_FOUND),
        ([_pay(1, -1, "5")], _pay(1, 2, "6"), RefusalCode.INCORRECT_AMOUNT),
        ([_pay(1, -1, "5")], _pay(1, -2, "5"), RefusalCode.NOT_ADDED),
        ([_pay(1, -1, "5")], _pay(1, 1, "5", "bert"), RefusalCode.REQUEST_DATA),
        ([_pay(1, -1, "5")], _pay(1, 1, "5", tax="5.01"), RefusalCode.INCORRECT_AMOUNT),
        ([_pay(1, -1, "5"), _pay(1, 1, "9")], _pay(1, 2, "5"), RefusalCode.NOT_ADDED),
        ([_pay(1, -1, "5"), _pay(1, 2, "5")], _pay(1, 1, "9"), RefusalCode.NOT_ADDED),
        ([_pay(1, -1, "5"), _pay(1, 1, "9"), _pay(2, -1, "1003")], _pay(1, -2, "9"), RefusalCode.NOT_ENOUGH_FUNDS),
        ([], Demand(BookKind.CASHBACK, 1, -1, "anna", "5"), RefusalCode.BET_NOT_FOUND),
    ],
)
def test_what_an_honest_casino_refuses(before: list[Demand], demand: Demand, code: RefusalCode) -> None:
    wallet = _wallet()
    for earlier in before:
        assert isinstance(_book(wallet, earlier), Booked)
    balance = _balance(wallet)
    assert _book(wallet, demand) == Declined(code)
    assert _balance(wallet) == balance


def test_a_blocked_player_stakes_nothing_but_is_paid() -> None:
    wallet = _wallet()
    _book(wallet, _pay(1, -1, "5"))
    account = wallet.account("anna")
    assert account is not None
    account.blocked = True
    assert _book(wallet, _pay(2, -1, "5")) == Declined(RefusalCode.USER_BLOCKED)
    assert isinstance(_book(wallet, _pay(1, 1, "9")), Booked)


def test_a_closed_bet_takes_no_payment_until_it_is_opened_again() -> None:
    wallet = _wallet()
    assert wallet.close(1, closed=True) is RefusalCode.BET_NOT_FOUND
    _book(wallet, _pay(1, -1, "5"))
    assert wallet.close(1, closed=True) is None
    assert wallet.close(1, closed=True) is None
    assert _book(wallet, _pay(1, 1, "9")) == Declined(RefusalCode.NOT_ADDED)
    assert wallet.close(1, closed=False) is None
    assert isinstance(_book(wallet, _pay(1, 1, "9")), Booked)


def test_a_jackpot_needs_no_stake_and_cashback_is_numbered_apart() -> None:
    wallet = _wallet()
    assert isinstance(_book(wallet, _pay(1, 4, "500")), Booked)
    assert isinstance(_book(wallet, Demand(BookKind.CASHBACK, 1, 1, "anna", "3")), Booked)
    assert isinstance(_book(wallet, Demand(BookKind.CASHBACK, 1, -1, "anna", "3")), Booked)
    assert _balance(wallet) == START + 50_000


def test_the_casino_withholds_the_tax_and_gives_back_exactly_what_it_credited() -> None:
    wallet = _wallet()
    _book(wallet, _pay(1, -1, "5"))
    _book(wallet, _pay(1, 1, "10", tax="1.5"))
    assert _balance(wallet) == START - 500 + 850
    _book(wallet, _pay(1, -2, "10"))
    assert _balance(wallet) == START - 500


def test_a_payout_of_nothing_need_not_be_taken_back_before_a_return() -> None:
    wallet = _wallet()
    _book(wallet, _pay(1, -1, "5"))
    _book(wallet, _pay(1, 1, "0"))
    assert isinstance(_book(wallet, _pay(1, 2, "5")), Booked)
    assert _balance(wallet) == START


def test_a_player_keeps_the_first_currency_and_a_set_balance_is_no_booking() -> None:
    wallet = _wallet()
    account = wallet.set_balance("kim", "1.234", "KWD")
    assert (account.balance, account.opening) == (1234, 1234)
    with pytest.raises(ValueError, match="first currency"):
        wallet.set_balance("kim", "1", "EUR")
    _book(wallet, _pay(1, -1, "0.234", "kim"))
    wallet.set_balance("kim", "5")
    assert account.balance - account.opening == -234


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(710050, "EUR", "7100.5"), (1200, "EUR", "12"), (0, "EUR", "0"), (100, "JPY", "100"), (-50, "EUR", "-0.5")],
)
def test_an_amount_is_written_in_its_shortest_form(minor: int, currency: str, text: str) -> None:
    assert plain(minor, currency) == text


_DEMANDS = st.builds(
    Demand,
    book=st.sampled_from(BookKind),
    subject_id=st.integers(1, 3),
    kind=st.sampled_from([int(kind) for kind in TransactionType]),
    player=st.sampled_from(["anna", "bert"]),
    amount=st.integers(0, 60_000).map(lambda minor: plain(minor, "EUR")),
    tax=st.none() | st.just("0.5"),
).filter(lambda demand: demand.book is BookKind.PAYMENTS or demand.kind in {1, -1})


@given(st.lists(_DEMANDS, max_size=40))
@pytest.mark.slow
def test_whatever_comes_each_thing_is_booked_once_and_the_sums_hold(demands: list[Demand]) -> None:
    wallet = _wallet()
    booked: list[Booking] = []
    for number, demand in enumerate(demands):
        outcome = _book(wallet, demand, f"t{number}")
        if isinstance(outcome, Booked):
            booked.append(outcome.booking)
        elif isinstance(outcome, Repeated):
            assert outcome.booking in booked
    assert max(Counter(booking.key for booking in booked).values(), default=1) == 1
    for player in wallet.players():
        assert _balance(wallet, player) == START + sum(one.net for one in booked if one.player == player)
        assert _balance(wallet, player) >= 0


@given(st.lists(_DEMANDS, max_size=30), st.data())
@pytest.mark.slow
def test_repeats_at_any_moment_change_no_balance(demands: list[Demand], data: st.DataObject) -> None:
    once, doubled = _wallet(), _wallet()
    for number, demand in enumerate(demands):
        _book(once, demand, f"t{number}")
        outcome = _book(doubled, demand, f"t{number}")
        earlier = data.draw(st.sampled_from(demands[: number + 1]))
        if any(booking.key == earlier.key for booking in doubled.bookings(earlier.book, earlier.subject_id)):
            assert isinstance(_book(doubled, earlier, "again"), Repeated)
        assert outcome is not None
    assert [_balance(once, player) for player in ("anna", "bert")] == [
        _balance(doubled, player) for player in ("anna", "bert")
    ]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_bets_that_are_returned_leave_nothing_behind(stakes: list[int]) -> None:
    wallet = _wallet()
    for bet, stake in enumerate(stakes, 1):
        _book(wallet, _pay(bet, -1, plain(stake, "EUR")))
    for bet, stake in enumerate(stakes, 1):
        _book(wallet, _pay(bet, 2, plain(stake, "EUR")))
    assert _balance(wallet) == START
