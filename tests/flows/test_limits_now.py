"""Limits and switches are those of now, in sessions that are open too, and a large win calls for a person.

A session lives 24 h. What the operator sets in another process must hold in it within a second, whichever way it is set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from croupier.apps.wiring import Seams, build, process_settings_of
from croupier.flows.hub import Hub
from croupier.flows.launch import LaunchRequest, launch
from croupier.simulator.stage import settings_for
from croupier.store.parties.session_memory import FOLLOW_S
from tests.flows.hall import Hall, in_a_hall

pytestmark = pytest.mark.one_in(2)

WITHIN_S = 0.9


def other_process(hall: Hall) -> Hub:
    """What a command has: the same database, and nothing of what the serving process remembers."""
    stage, told = hall.stage, settings_for()
    return build(
        told,
        Seams(stage.clock, stage.chance, stage.network, stage.sealer, stage.db),
        "",
        process_settings=process_settings_of(told, ""),
    )


async def casino_id(hub: Hub) -> int:
    return (await hub.store.casinos.all())[0].casino_id


async def provider_id(hub: Hub) -> int:
    return (await hub.store.providers.all())[0].provider_id


async def game_id(hub: Hub) -> int:
    return (await hub.store.games.all())[0].game_id


async def casino_disabled(hub: Hub) -> None:
    await hub.store.casinos.disable(await casino_id(hub))


async def casino_limit(hub: Hub) -> None:
    await hub.store.casinos.change(await casino_id(hub), {"max_bet": "9.99"})


async def casino_minimum(hub: Hub) -> None:
    await hub.store.casinos.change(await casino_id(hub), {"min_bet": "10.01"})


async def casino_currency(hub: Hub) -> None:
    await hub.store.casinos.change(await casino_id(hub), {"currencies": ["USD"]})


async def provider_disabled(hub: Hub) -> None:
    await hub.store.providers.disable(await provider_id(hub))


async def provider_limit(hub: Hub) -> None:
    await hub.store.providers.change(await provider_id(hub), {"max_bet": "9.99"})


async def game_limit(hub: Hub) -> None:
    await hub.store.games.set(await game_id(hub), max_bet="9.99")


async def game_off(hub: Hub) -> None:
    await hub.store.games.set(await game_id(hub), enabled=False)


async def game_off_there(hub: Hub) -> None:
    await hub.store.games.switch(await casino_id(hub), await game_id(hub), False)


async def player_blocked(hub: Hub) -> None:
    player = await hub.store.players.find(await casino_id(hub), "ann")
    assert player is not None
    await hub.store.players.block(player.player_id, True, reason="asked for it", author="mia")


async def player_excluded(hub: Hub) -> None:
    player = await hub.store.players.find(await casino_id(hub), "ann")
    assert player is not None
    await hub.store.exclusions.exclude(player.player_id, hub.clock.now_ms() + 60_000, reason="a wish", author="mia")


async def session_ended(hub: Hub) -> None:
    told = {"now_ms": hub.clock.now_ms(), "author": "mia", "reason": "closed"}
    assert await hub.store.sessions.end(await casino_id(hub), "s-ann", **told)  # type: ignore[arg-type] # a dict


ANSWERS = {player_excluded: "2", session_ended: "2"}
"""Where the session is over: the answer to a new bet is not that of a limit or switch."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "change",
    [
        casino_disabled, casino_limit, casino_minimum, casino_currency, provider_disabled, provider_limit, game_limit,
        game_off, game_off_there, player_blocked, player_excluded, session_ended,
    ],
)  # fmt: skip
def test_what_is_set_now_holds_in_an_open_session(database_url: str, change: Callable[[Hub], Awaitable[None]]) -> None:
    async def play(hall: Hall) -> None:
        hall.follow_sessions()
        await hall.wait(FOLLOW_S)
        assert await hall.pay_in("before") == "1"
        assert hall.hub.store.sessions.at_hand(hall.session) is not None
        await change(other_process(hall))
        await hall.wait(WITHIN_S)
        assert await hall.pay_in("after") == ANSWERS.get(change, "4")
        assert await hall.pay_in("before") == "1", "a known bet is judged by no limit"
        assert await hall.pay_out("before") == "1", "and neither is a win"

    in_a_hall(database_url, play)


def test_a_limit_that_is_raised_holds_too(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.follow_sessions()
        command = other_process(hall)
        await command.store.casinos.change(await casino_id(command), {"max_bet": "5"})
        await hall.wait(WITHIN_S)
        assert await hall.pay_in("b-1", "5.01") == "4"
        await command.store.casinos.change(await casino_id(command), {"max_bet": "20"})
        await hall.wait(WITHIN_S)
        assert await hall.pay_in("b-2", "20.00") == "1"
        await command.store.games.set(await game_id(command), max_bet="15")
        await hall.wait(WITHIN_S)
        assert await hall.pay_in("b-3", "15.01") == "4"
        assert await hall.pay_in("b-4", "15.00") == "1"

    in_a_hall(database_url, play)


def test_a_large_win_is_paid_and_a_person_is_called(database_url: str) -> None:
    """Each way to a win: pay-out, pay-in-out, jackpot. What was set in another process holds within a second."""

    async def play(hall: Hall) -> None:
        command = other_process(hall)
        assert await hall.settled("small", "60.00")
        assert await hall.incidents() == set()
        await command.store.games.set(await game_id(command), large_win="50", jackpot_wins=True)
        await hall.wait(WITHIN_S)
        bets = [await hall.settled("won", "50.00")]
        assert await hall.call("pay-in-out", "both", betAmount="10.00", winAmount="75.00") == "1"
        assert await hall.pay_out("pot", "80.00") == "1"
        await hall.wait(31)
        bets += [await hall.bet("both"), await hall.bet("pot")]
        assert [hall.hub.process_settings.large_win, *(b.state.value for b in bets)] == ["100000", *["settled"] * 3]
        opened = {i.subject_id: i.note for i in await hall.hub.store.incidents.open_ones() if i.name == "large_win"}
        assert opened == {
            bets[0].bet_id: "50.00 EUR on a stake of 10.00: at least the large_win 50 of game Game",
            bets[1].bet_id: "75.00 EUR on a stake of 10.00: at least the large_win 50 of game Game",
            bets[2].bet_id: "80.00 EUR without a stake: at least the large_win 50 of game Game",
        }
        assert await hall.pay_out("won", "50.00") == "1", "a repeat changes nothing"
        assert [i.times for i in await hall.hub.store.incidents.open_ones()] == [1, 1, 1]

    in_a_hall(database_url, play)


def test_a_launch_refuses_nothing_for_a_limit_that_is_no_number_of_ours(database_url: str) -> None:
    """What a provider lists as `maxOdd` informs; written as 1e3 it must not keep the game shut."""

    async def play(hall: Hall) -> None:
        hub = hall.hub
        await hub.store.db.execute("update games set max_odd = '1e3'")
        casino = await hub.store.casinos.get(await casino_id(hub))
        assert casino is not None
        orders = []

        class Gateway:
            async def launch(self, _provider: object, _secret: str, order: object) -> str:
                orders.append(order)
                return "https://studio.test/frame"

        hub.provider_gateways = {"betcore_v1": Gateway()}  # type: ignore[dict-item] # only what a launch needs
        await hub.store.providers.change(await provider_id(hub), {"max_win": "500"})
        assert await launch(hub, casino, LaunchRequest("ann", "EUR", await game_id(hub)))
        assert [(order.max_odd, order.max_win) for order in orders] == [(None, "500")]  # type: ignore[attr-defined]

    in_a_hall(database_url, play)
