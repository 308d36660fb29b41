"""A casino's number has one meaning at that casino, and the hub's own answers are exactly the documented ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.casinos.betcore_v2 import outcomes
from croupier.casinos.betcore_v2.outcomes import DEFAULT_CODES, meaning_of
from croupier.core.counterparty import Casino
from croupier.core.refusals import CasinoNo

CASINO = Casino(2201, "Corner Bet", "betcore_v2", "https://casino.test/hub", ("EUR",))

DOCUMENTED = {
    102145: CasinoNo.USER_UNKNOWN,
    103801: CasinoNo.WRONG_AMOUNT,
    102823: CasinoNo.NOT_ADDED,
    103779: CasinoNo.USER_BLOCKED,
    103753: CasinoNo.WRONG_DATA,
    103802: CasinoNo.NOT_ENOUGH_FUNDS,
    103805: CasinoNo.BET_UNKNOWN,
}


def overriding(**codes: int) -> Casino:
    return replace(CASINO, codes={CasinoNo(name): code for name, code in codes.items()})


@pytest.mark.parametrize("code", DOCUMENTED)
def test_every_documented_refusal_has_its_reason(code: int) -> None:
    assert meaning_of(code, CASINO) is DOCUMENTED[code]


def test_every_reason_but_other_has_a_number() -> None:
    assert set(DEFAULT_CODES) == set(CasinoNo) - {CasinoNo.OTHER}
    assert len(set(DEFAULT_CODES.values())) == len(DEFAULT_CODES)


def test_the_two_successes() -> None:
    assert meaning_of(200, CASINO) == "yes"
    assert meaning_of(103804, CASINO) == "exists"


@pytest.mark.parametrize("code", [0, -1, 1, 201, 400, 401, 404, 500, 503, 103752, 103803, 103806, -200])
def test_a_number_of_no_row_has_no_meaning(code: int) -> None:
    assert meaning_of(code, CASINO) is None


def test_an_override_replaces_the_number_of_its_reason() -> None:
    casino = overriding(not_enough_funds=21)
    assert meaning_of(21, casino) is CasinoNo.NOT_ENOUGH_FUNDS
    assert meaning_of(103802, casino) is None
    assert meaning_of(103805, casino) is CasinoNo.BET_UNKNOWN


def test_an_override_may_repeat_the_default() -> None:
    assert meaning_of(103802, overriding(not_enough_funds=103802)) is CasinoNo.NOT_ENOUGH_FUNDS


def test_an_override_goes_before_the_default_of_another_reason() -> None:
    casino = overriding(not_enough_funds=102145)
    assert meaning_of(102145, casino) is CasinoNo.NOT_ENOUGH_FUNDS


def test_two_reasons_may_swap_their_numbers() -> None:
    casino = overriding(not_enough_funds=103805, bet_unknown=103802)
    assert meaning_of(103805, casino) is CasinoNo.NOT_ENOUGH_FUNDS
    assert meaning_of(103802, casino) is CasinoNo.BET_UNKNOWN


def test_no_override_turns_a_success_into_a_refusal() -> None:
    casino = overriding(user_blocked=200, wrong_data=103804)
    assert meaning_of(200, casino) == "yes"
    assert meaning_of(103804, casino) == "exists"


def test_a_casino_may_have_a_number_for_a_refusal_without_a_row() -> None:
    assert meaning_of(77, overriding(other=77)) is CasinoNo.OTHER


@pytest.mark.parametrize(
    ("answer", "status", "code", "message"),
    [
        (outcomes.OK, 200, 200, "Success"),
        (outcomes.NOT_ACCEPTED, 200, 102823, "Error accepting transaction"),
        (outcomes.UNREADABLE, 400, 103752, "Incorrect request parameters"),
        (outcomes.UNAUTHORIZED, 401, 103752, "Incorrect request parameters"),
        (outcomes.TOO_LARGE, 413, 103752, "Incorrect request parameters"),
        (outcomes.NOT_VERIFIED, 200, 103753, "Request data error"),
    ],
)
def test_the_hubs_own_answers(answer: outcomes.HubAnswer, status: int, code: int, message: str) -> None:
    assert (answer.status, answer.code, answer.message) == (status, code, message)
