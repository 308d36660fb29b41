"""What an operator's command does reaches the running hub and the other sides: `player`, `game`, `session open --token`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

import croupier
from tests.journeys.stage import Seat, Stage, fresh

SOURCE = str(Path(croupier.__file__).parents[1])


async def run(stage: Stage, *words: str, typed: str = "") -> tuple[int, str, str]:
    """The command as a process of its own, in the home of the running hub: exit code, output, complaint."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")} | {
        "CROUPIER_HOME": stage.facts.home, "CROUPIER_ALLOW_PRIVATE_PEERS": "1", "PYTHONPATH": SOURCE,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "croupier.cli", *words, env=environ, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def ok(stage: Stage, *words: str, typed: str = "") -> str:
    code, out, err = await run(stage, *words, typed=typed)
    assert code == 0, err
    return out


@pytest.mark.slow
async def test_an_excluded_player_bets_no_more_and_gets_what_was_won_before(stage: Stage, seat: Seat) -> None:
    won, undone = fresh("b"), fresh("b")
    for bet in (won, undone):
        assert (await seat.call("pay-in", bet, amount="10.00")).outcome == (200, 1)
    whom = ("--casino", str(stage.facts.casino_id), "--player", seat.player)
    await ok(stage, "player", "block", *whom, "--reason", "a wish of the player")
    refused = fresh("b")
    assert (await seat.call("pay-in", refused, amount="10.00")).outcome == (403, 4)
    assert await stage.bet(refused) is None
    assert (await seat.call("pay-out", won, win="25.00")).outcome == (200, 1)
    assert (await seat.call("refund", undone)).outcome == (200, 1)
    for bet, kind in ((won, "payout"), (undone, "bet_return")):
        row = await stage.bet(bet)
        assert row is not None
        await stage.paid(row["bet_id"], kind)
    assert (await seat.wallet())["change"] == "15"
    await ok(stage, "player", "unblock", *whom, "--reason", "the pause is over")
    assert (await seat.call("pay-in", fresh("b"), amount="10.00")).outcome == (200, 1)


@pytest.mark.slow
async def test_a_game_that_a_casino_switched_off_takes_no_new_bet_and_pays_the_old_one(stage: Stage) -> None:
    table = await stage.table()
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1)
    game = f"{table.line.provider_id}/hand-reels"
    switch = ("game", "switch", game, "--casino", str(table.casino.line.client_id))
    await ok(stage, *switch, "--off")
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (403, 4)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    await ok(stage, *switch, "--on")
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1)


@pytest.mark.slow
async def test_a_session_is_opened_for_whoever_is_behind_a_token(stage: Stage) -> None:
    player = fresh("newcomer")
    token = (await stage.casino("token", {"player": player})).said["RefreshToken"]
    words = (
        "session",
        "open",
        "--casino",
        str(stage.facts.casino_id),
        "--game",
        "lantern-tumble",
        "--json",
        "--token",
        "-",
    )
    opened = json.loads(await ok(stage, *words, typed=token))
    session = await stage.desk.store.sessions.get(opened["sessionId"])
    assert session is not None
    assert (session.player_ref, session.currency, session.demo) == (player, "EUR", False)
    seat = Seat(stage, player, opened["sessionId"])
    assert (await seat.call("pay-in", fresh("b"), amount="10.00")).outcome == (200, 1)
    assert (await seat.wallet())["change"] == "-10"
    code, out, err = await run(stage, *words, typed="no such token")
    assert (code, out) == (1, "")
    assert "refused this token (user_unknown, 102145 User not found)" in err


@pytest.mark.slow
async def test_a_casino_that_does_not_say_who_it_is_opens_nothing(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says["users/auth"] = _broken
    name = str(casino.line.client_id)
    code, out, err = await run(
        stage, "session", "open", "--casino", name, "--game", "lantern-tumble", "--token", "-", typed="t"
    )
    assert (code, out) == (1, "")
    assert "did not say who the player is" in err
    assert await stage.desk.store.players.page(casino.line.client_id, 0, 10) == []


async def _broken(_casino: object, _heard: object) -> object:
    return {"ErrorCode": 500, "Message": "System error"}


@pytest.mark.slow
async def test_a_closed_casino_is_nobody_to_every_worker_until_it_is_opened(stage: Stage) -> None:
    """A disabled one may still say what it did."""
    casino = await stage.new_casino()
    await casino.line.new_token()
    number = str(casino.line.client_id)

    async def told(status: int) -> None:
        async def by_all() -> bool:
            answers = [await casino.line.call("auth/verify", "no token") for _ in range(6)]
            return {answer.status for answer in answers} == {status}

        await stage.until(by_all, 3)

    await ok(stage, "casino", "disable", number)
    await told(200)
    await ok(stage, "casino", "close", number)
    await told(401)
    assert (await casino.line.new_token()).status == 401
    await ok(stage, "casino", "open", number)
    assert (await casino.line.new_token()).status == 200
    await told(200)


@pytest.mark.slow
@pytest.mark.xdist_group("keys of the hub")
async def test_a_revoked_key_is_listed_no_more_and_signs_for_nobody(stage: Stage) -> None:
    casino = await stage.new_casino("ES256")
    await stage.desk.store.keys.ready("ES256")
    kid = stage.desk.store.keys.newest_kid("ES256")
    done = json.loads(await ok(stage, "keys", "revoke", kid, "--reason", "it leaked", "--json"))
    assert done["kid"] != kid
    for _ in range(6):
        listed = {key["kid"] for key in (await casino.line.jwks()).said["keys"]}
        assert kid not in listed
        assert done["kid"] in listed
    rows = {row["kid"]: row["state"] for row in json.loads(await ok(stage, "keys", "list", "--json"))}
    assert (rows[kid], rows[done["kid"]]) == ("revoked", "newest")
