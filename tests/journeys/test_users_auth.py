"""`POST {casino}/users/auth`: who is behind a refresh token, and the player that the hub knows from then on."""

import json

import pytest

from croupier.core.readings import No, Unknown
from croupier.core.refusals import CasinoNo
from croupier.flows.authorize import authorize
from croupier.store.parties.players import Player
from tests.journeys.peers import say
from tests.journeys.stage import Seat, Stage, fresh

GOOD = {"RefreshToken": "next", "PartnerUserId": "anna", "CurrencyCode": "EUR"}


async def test_the_sandbox_players_token_registers_the_player_with_the_balance(stage: Stage, seat: Seat) -> None:
    player = fresh("newcomer")
    await stage.casino("balance", {"player": player, "balance": "77.70"})
    token = (await stage.casino("token", {"player": player})).said["RefreshToken"]
    casino = await stage.desk.store.casinos.get(stage.facts.casino_id)
    assert casino is not None
    known = await authorize(stage.desk, casino, token)
    assert isinstance(known, Player)
    assert (known.player_ref, known.currency, known.language) == (player, "EUR", "en")
    balance = await stage.desk.store.balances.known(known.player_id)
    assert balance is not None
    assert balance.amount == 7770
    nobody = await authorize(stage.desk, casino, "no such token")
    assert isinstance(nobody, No)
    assert nobody.reason is CasinoNo.USER_UNKNOWN


async def test_the_question_carries_the_token_and_the_tag(stage: Stage) -> None:
    hand = await stage.new_casino()
    casino = await stage.desk.store.casinos.get(hand.line.client_id)
    assert casino is not None
    everything = {**GOOD, "IsTest": True, "Language": "de", "CountryCode": "AT", "Balance": 12.5, "Odd": [1]}
    hand.says["users/auth"] = say(200, everything)
    known = await authorize(stage.desk, casino, "first", tag_id=17)
    assert isinstance(known, Player)
    assert (known.is_test, known.language, known.country) == (True, "de", "AT")
    assert [json.loads(h.text) for h in hand.heard] == [{"RefreshToken": "first", "TagId": 17}]
    again = await authorize(stage.desk, casino, "second")
    assert isinstance(again, Player)
    assert again.player_id == known.player_id
    assert json.loads(hand.heard[-1].text) == {"RefreshToken": "second"}
    stored = await stage.desk.store.db.fetchval(
        "select refresh_token from players where player_id = $1", known.player_id
    )
    assert b"next" not in stored, "what renews an authorization is sealed"


@pytest.mark.parametrize(
    "value",
    [
        None, [], "anna", {**GOOD, "RefreshToken": None}, {**GOOD, "RefreshToken": "x" * 4097},
        {**GOOD, "PartnerUserId": 7.5}, {**GOOD, "PartnerUserId": "anna "}, {**GOOD, "PartnerUserId": "x" * 129}, {**GOOD, "PartnerUserId": ""},
        {**GOOD, "CurrencyCode": "USD"}, {**GOOD, "CurrencyCode": "eur"}, {**GOOD, "CurrencyCode": None},
        {**GOOD, "PartnerUserId": True}, {**GOOD, "PartnerUserId": "a\u0000b"},
    ],
)  # fmt: skip
async def test_an_answer_that_lacks_or_garbles_what_is_required_registers_nobody(stage: Stage, value: object) -> None:
    hand = await stage.new_casino()
    casino = await stage.desk.store.casinos.get(hand.line.client_id)
    assert casino is not None
    hand.says["users/auth"] = say(200, value)
    assert isinstance(await authorize(stage.desk, casino, "t"), Unknown)
    count = await stage.desk.store.db.fetchval("select count(*) from players where casino_id = $1", casino.casino_id)
    assert count == 0


async def test_a_casino_that_breaks_says_nothing_and_one_that_refuses_says_no(stage: Stage) -> None:
    hand = await stage.new_casino()
    casino = await stage.desk.store.casinos.get(hand.line.client_id)
    assert casino is not None
    for script in (say(500, status=500), say(500), say(31337), say(103804, GOOD)):
        hand.says["users/auth"] = script
        assert isinstance(await authorize(stage.desk, casino, "t"), Unknown)
    hand.says["users/auth"] = say(103779)
    told = await authorize(stage.desk, casino, "t")
    assert isinstance(told, No)
    assert told.reason is CasinoNo.USER_BLOCKED
