"""`POST {casino}/users/data`: one question for a balance, whose answer is bounded and believed only if it is readable."""

import asyncio
import json

import pytest
from aiohttp import web

from tests.journeys.peers import Casino, Heard, say
from tests.journeys.stage import HOLD_S, Seat, Table, fresh


async def test_the_question_names_the_player_and_nothing_else(table: Table) -> None:
    assert (await table.line.balance(table.session)).code == 1
    (heard,) = (h for h in table.casino.heard if h.path == "users/data")
    assert json.loads(heard.text) == {"PartnerUserId": table.player}
    assert heard.raw == b'"' + heard.raw[1:-1] + b'"'
    assert heard.header["alg"] == "RS256"


@pytest.mark.parametrize("balance", ["7100.5", 7100.5, "7100.50"])
async def test_both_spellings_of_an_amount_are_read(table: Table, balance: object) -> None:
    table.casino.says["users/data"] = say(200, {"Balance": balance, "Extra": {"is": "ignored"}})
    assert b'"balance":7100.50' in (await table.line.balance(table.session)).raw


@pytest.mark.one_in(4)
@pytest.mark.parametrize("words", ["rubbish:html", "rubbish:huge", "rubbish:drip", "rubbish:redirect", "rubbish:empty"])
async def test_rubbish_is_no_balance_and_redirects_are_not_followed(seat: Seat, words: str) -> None:
    # Whoever follows the sandbox's redirect is complained about, and the world ends without complaints.
    await seat.behave(words, path="users/data")
    assert (await seat.call("balance")).outcome == (504, 99)


async def test_an_answer_of_64_kilobytes_is_read_and_one_byte_more_is_not(table: Table) -> None:
    def padded(length: int) -> web.Response:
        body = b'{"ErrorCode":200,"Message":"","Value":{"Balance":"1.00"}}'
        return web.Response(body=body + b" " * (length - len(body)), content_type="application/json")

    async def exactly(_casino: Casino, _heard: Heard) -> object:
        return padded(65536)

    async def more(_casino: Casino, _heard: Heard) -> object:
        return padded(65537)

    table.casino.says["users/data"] = exactly
    assert (await table.line.balance(table.session)).code == 1
    table.casino.says["users/data"] = more
    assert (await table.line.balance(table.session)).outcome == (504, 99)


@pytest.mark.slow
async def test_an_unknown_balance_is_left_out_of_a_bets_answer_and_never_holds_it_up(table: Table) -> None:
    async def hang(_casino: Casino, _heard: Heard) -> object:
        await asyncio.sleep(HOLD_S * 3)
        return web.Response()

    table.casino.says["users/data"] = hang
    told = await table.line.pay_in(table.session, fresh("b"))
    assert told.raw == b'{"_responseCode":1,"currency":"EUR"}'
