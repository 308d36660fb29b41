"""The casino's own ids name players and payments: one that looks like another is taken nowhere, and the field is named."""

from __future__ import annotations

import pytest

from croupier.casinos.betcore_v2 import codec
from croupier.core.readings import Authorized, Unknown
from croupier.kit.strictjson import BadField
from tests.casinos.betcore_v2.samples import CASINO, STAKE, WHOLE, body

ODD = ["t-1 ", " t-1", "t-1\n", "t-1\u200b", "t\xa01", "\ufefft-1", "t-1\x85", "t\x7f1", "t-1\u3000"]
FIELDS = ["PartnerUserId", "PartnerTransactionId"]
AUTHORIZED: dict[str, object] = {"RefreshToken": "r-2", "PartnerUserId": "p-7", "CurrencyCode": "EUR"}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("odd", ODD)
def test_an_accept_is_refused_by_its_field(field: str, odd: str) -> None:
    """The casino is told, and sends it again: what it means is not guessed."""
    with pytest.raises(BadField) as caught:
        codec.read_accept(body(200, WHOLE | {field: odd}), CASINO)
    assert caught.value.field == field


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("odd", ODD)
def test_an_answer_that_cannot_be_refused_is_unknown_with_the_field_named(field: str, odd: str) -> None:
    for answer in (
        codec.read_ack(200, body(200, WHOLE | {field: odd}), CASINO, order=STAKE),
        codec.read_info(200, body(200, [WHOLE | {field: odd}]), CASINO, bet_id=5),
    ):
        assert isinstance(answer, Unknown)
        assert field in answer.why


@pytest.mark.parametrize("odd", ODD)
def test_a_player_whose_id_looks_like_another_is_not_registered(odd: str) -> None:
    """Two rows for one player would be two wallets to the hub."""
    answer = codec.read_auth(200, body(200, AUTHORIZED | {"PartnerUserId": odd}), CASINO)
    assert isinstance(answer, Unknown)
    assert "PartnerUserId" in answer.why


@pytest.mark.parametrize("field", ["Language", "CountryCode"])
def test_an_odd_word_on_which_nothing_depends_is_absent(field: str) -> None:
    answer = codec.read_auth(200, body(200, AUTHORIZED | {field: "e\nn"}), CASINO)
    assert answer == Authorized("r-2", "p-7", "EUR")


def test_a_blank_inside_and_every_script_may_stand_in_an_id() -> None:
    for good in ("a b", "игрок 1", "玩家", "🎰\U0001fae8"):
        assert codec.read_accept(body(200, WHOLE | {"PartnerUserId": good}), CASINO)
