"""Players, sessions, games, game types, cashbacks and comparisons over the admin API: what a person of some casinos or providers sees and changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from msgspec import UNSET

from croupier.admin_api import cashbacks, game_types, games, players, sessions
from croupier.admin_api.cashbacks import PayCashbackParams
from croupier.admin_api.command import Command, P, R
from croupier.admin_api.game_types import GameTypesParams
from croupier.admin_api.games import DescribeGameParams, DiffParams, DiffsParams, GamesParams, SwitchGameParams
from croupier.admin_api.players import BlockParams, PlayerParams, PlayersParams
from croupier.admin_api.sessions import OpenSessionParams
from croupier.cli.remote import ask_over_http
from croupier.core.account import Role, Scope
from croupier.core.commands import GameListing
from croupier.core.readings import Unknown
from croupier.kit.settings import Secret
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from croupier.store.parties.games import Games
from tests.casino_api.conftest import Answer, House, open_house

ROOT = "/admin-api/v1"
BLOCK = "casinos/Rialto/players/anna/block"


class Person:
    """Somebody with an account at the hub of a house."""

    def __init__(self, house: House, token: str) -> None:
        self._house = house
        self._token = token

    async def ask(self, call: str, body: Any = None) -> Answer:
        """The answer to one request, such as `GET games`."""
        method, _, path = call.partition(" ")
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._house.url}{ROOT}/{path}"
        async with self._house.http.request(method, url, json=body, headers=headers) as answer:
            return Answer(answer.status, answer.headers, json.loads(await answer.text()))

    async def get(self, path: str) -> Any:
        """What a good GET says."""
        return await self.does(f"GET {path}")

    async def does(self, call: str, body: Any = None) -> Any:
        """What a request says that is not refused."""
        answer = await self.ask(call, body)
        assert answer.status == 200, answer.body
        return answer.body

    async def refused(self, call: str, body: Any = None) -> str:
        """The code of a refusal."""
        return (await self.ask(call, body)).code[1]


async def person(
    house: House, name: str, role: Role, *, casinos: set[int] | None = None, providers: set[int] | None = None
) -> Person:
    scope = Scope(
        None if casinos is None else frozenset(casinos), None if providers is None else frozenset(providers)
    )  # fmt: skip
    _, token = await house.hub.store.accounts.add(name, role, "tests", scope=scope)
    return Person(house, token)


async def second_provider(house: House, **more: Any) -> int:
    """A provider with one game, `bat`."""
    provider, _ = await house.hub.store.providers.add("Otherworks", "https://otherworks.example", **more)
    listing = GameListing("bat", "Bat", "slots")
    await Games(house.hub.store.db, house.clock).take_listing(provider.provider_id, [listing], enabled_for_new=True)
    (game,) = await house.hub.store.games.all(provider.provider_id)
    house.games["bat"] = game.game_id
    return provider.provider_id


@pytest.mark.slow
async def test_a_person_of_one_casino_sees_and_changes_that_casino_alone(db: Db) -> None:
    async with open_house(db) as house:
        lido = await house.another()
        await house.open()
        await lido.open(player="otto")
        mia = await person(house, "mia", Role.ADMINISTER, casinos={house.casino.casino_id})
        assert [one["player"] for one in await mia.get("casinos/Rialto/players")] == ["anna"]
        assert await mia.refused("GET casinos/Lido/players") == "not_found"
        assert await mia.refused("GET casinos/Lido/players/otto") == "not_found"
        done = await mia.does(f"POST {BLOCK}", {"reason": "asked for it"})
        assert (done["blocked"], done["reason"], done["author"], "casino" in done) == (
            True, "asked for it", "mia", False,
        )  # fmt: skip
        assert (await mia.get("casinos/Rialto/players?blocked=true")) == [done]
        assert await mia.refused("POST casinos/Lido/players/otto/block", {"reason": "x"}) == "not_found"
        wish = {"player": "cleo", "currency": "EUR", "game": "owl"}
        assert set(await mia.does("POST sessions", {"casino": "Rialto", **wish})) == {"sessionId", "frameUri"}
        assert await mia.refused("POST sessions", {"casino": "Lido", **wish}) == "not_found"
        pay = {"player": "anna", "amount": "2.50", "currency": "EUR", "ref": "week 1"}
        assert (await mia.does("POST cashbacks", {"casino": "Rialto", **pay}))["state"] == "owed"
        assert await mia.refused("POST cashbacks", {"casino": "Lido", **pay}) == "not_found"
        whole = await person(house, "leo", Role.DECIDE)
        theirs = (await whole.does("POST cashbacks", {"casino": "Lido", **pay, "player": "otto"}))["CashbackId"]
        assert await mia.refused(f"POST cashbacks/{theirs}/cancel", {}) == "not_found"
        assert (await whole.does(f"POST cashbacks/{theirs}/cancel", {}))["state"] == "cancel_wanted"


@pytest.mark.slow
async def test_a_game_is_changed_for_all_casinos_by_a_person_of_all_of_them(db: Db) -> None:
    async with open_house(db) as house:
        await house.another()
        whole = await person(house, "leo", Role.OPERATE)
        await whole.does("POST games/owl/switch", {"casino": "Lido", "on": False, "reason": "licence"})
        mia = await person(house, "mia", Role.OPERATE, casinos={house.casino.casino_id})
        assert {tuple(one["off_for"]) for one in await mia.get("games")} == {()}, "Lido is not hers to see"
        off = await mia.does("POST games/Reelwright%2Fowl/switch", {"casino": "Rialto", "on": False})
        assert off == {"gameId": "owl", "PartnerClientId": house.casino.casino_id, "casino": "Rialto", "on": False}
        assert await mia.refused("POST games/owl/switch", {"casino": "Lido", "on": True}) == "not_found"
        assert await mia.refused("POST games/owl/switch", {"country": "DE", "on": False}) == "not_allowed"
        assert await mia.refused("POST games/owl/set", {"settings": {"enabled": "off"}}) == "not_allowed"
        assert await mia.refused("POST games/owl/describe", {"language": "de", "name": "Eule"}) == "not_allowed"
        assert await mia.refused("POST game-types/7/set", {"maintenance": True}) == "not_allowed"
        (diff,) = await mia.get("games/diffs")
        assert await mia.refused(f"POST games/diffs/{diff['diff_id']}/undo", {}) == "not_allowed"
        seen = {one["gameId"]: one["off_for"] for one in await whole.get("games")}
        assert (sorted(seen["owl"]), seen["fox"]) == (["Lido", "Rialto"], [])
        changed = await whole.does("POST games/owl/set", {"settings": {"enabled": "off", "min_bet": "0.50"}})
        assert (changed["enabled"], changed["min_bet"]) == (False, "0.50")
        undone = await whole.does(f"POST games/diffs/{diff['diff_id']}/undo", {})
        assert (undone["games"], undone["changed_since"]) == (3, [])
        rows = await db.fetch(
            "select author, reason from switchings where thing = 'game' and switch = 'enabled' order by author, reason"
        )
        assert [tuple(row.values()) for row in rows] == [("leo", "licence"), ("leo", None), ("mia", None)]
        first = (await house.hub.store.admin_uses.newest(2**62, 100, "leo"))[-1]
        assert json.loads(first.parameters) == {"game": "owl", "on": False, "casino": "Lido", "reason": "licence"}


@pytest.mark.slow
async def test_a_person_of_one_provider_sees_its_players_games_and_differences_alone(db: Db) -> None:
    async with open_house(db) as house:
        other = await second_provider(house)
        await house.play((await house.open("owl", "anna"))["sessionId"], "b-1")
        await house.play((await house.open("bat", "anna"))["sessionId"], "b-2")
        await house.open("owl", "otto")
        ada = await person(house, "ada", Role.ADMINISTER, providers={other})
        assert [one["player"] for one in await ada.get("casinos/Rialto/players")] == ["anna"]
        shown = await ada.get("casinos/Rialto/players/anna")
        assert [one["bet_ref"] for one in shown["bets"]] == ["b-2"]
        assert [one["provider"] for one in shown["sessions"]] == ["Otherworks"]
        assert await ada.refused("GET casinos/Rialto/players/otto") == "not_found"
        assert await ada.refused(f"POST {BLOCK}", {"reason": "x"}) == "not_allowed"
        assert [one["gameId"] for one in await ada.get("games")] == ["bat"]
        assert await ada.refused("GET games?provider=Reelwright") == "not_found"
        assert await ada.refused("POST games/owl/set", {"settings": {"enabled": "off"}}) == "not_found"
        assert (await ada.does("POST games/bat/set", {"settings": {"max_bet": "9"}}))["max_bet"] == "9"
        wish = {"casino": "Rialto", "player": "anna", "currency": "EUR"}
        assert await ada.refused("POST sessions", {**wish, "game": "owl"}) == "not_found"
        assert "sessionId" in await ada.does("POST sessions", {**wish, "game": "bat"})
        whole = await person(house, "leo", Role.DECIDE)
        numbers = {one["provider"]: one["diff_id"] for one in await whole.get("games/diffs")}
        assert [one["provider"] for one in await ada.get("games/diffs")] == ["Otherworks"]
        assert await ada.get(f"games/diffs?number={numbers['Reelwright']}") == []
        assert await ada.refused(f"POST games/diffs/{numbers['Reelwright']}/undo", {}) == "not_found"
        assert (await ada.does(f"POST games/diffs/{numbers['Otherworks']}/undo", {}))["games"] == 1
        pay = {"casino": "Rialto", "player": "anna", "amount": "1", "currency": "EUR", "ref": "r"}
        assert await ada.refused("POST cashbacks", pay) == "not_allowed"
        assert len((await whole.get("casinos/Rialto/players/anna"))["bets"]) == 2


@pytest.mark.slow
async def test_game_types_are_those_of_the_persons_providers(db: Db) -> None:
    async with open_house(db) as house:
        other = await second_provider(house, game_types=(8,))
        await house.hub.store.providers.add("Drumlin", "https://drumlin.example", game_types=(7,))
        ada = await person(house, "ada", Role.OPERATE, providers={other})
        assert [one["gameType"] for one in await ada.get("game-types")] == [8]
        on = {"maintenance": True}
        assert await ada.refused("POST game-types/7/set", on) == "not_found"
        assert await ada.refused("POST game-types/8/set", {"game": "owl"}) == "not_found"
        assert await ada.does("POST game-types/8/set", {**on, "game": "bat"}) == {
            "gameType": 8, "provider": "Otherworks", "maintenance": True, "gameId": house.games["bat"],
        }  # fmt: skip
        assert {one.game_type: one.maintenance for one in await house.hub.store.game_types.all()} == {7: False, 8: True}


@pytest.mark.slow
async def test_a_bet_is_compared_within_the_scope(db: Db) -> None:
    async def silent(*_: object) -> Unknown:
        return Unknown("away")

    async with open_house(db) as house:
        house.peers.info = silent  # type: ignore[attr-defined]
        bet_id = await house.play((await house.open())["sessionId"], "b-1", win=0)
        lido = await house.another()
        mia = await person(house, "mia", Role.OPERATE, casinos={house.casino.casino_id})
        found = await mia.does(f"POST bets/{bet_id}/reconcile", {})
        assert [(one["bet_id"], one["result"]) for one in found["compared"]] == [(bet_id, "unusable")]
        assert (found["not_asked"], found["findings"]) == (0, [])
        assert await mia.refused(f"POST bets/{bet_id}/reconcile", {"casino": "Lido"}) == "not_found"
        unknown = await mia.does(f"POST bets/{bet_id + 5000}/reconcile", {"casino": "Rialto"})
        assert [one["result"] for one in unknown["compared"]] == ["unusable"]
        otto = await person(house, "otto", Role.OPERATE, casinos={lido.casino.casino_id})
        assert await otto.refused(f"POST bets/{bet_id}/reconcile", {}) == "not_found"
        assert await otto.refused(f"POST bets/{bet_id}/reconcile", {"casino": "Lido"}) == "not_found"
        ada = await person(house, "ada", Role.OPERATE, providers={await second_provider(house)})
        assert await ada.refused(f"POST bets/{bet_id}/reconcile", {}) == "not_found"
        assert await ada.refused(f"POST bets/{bet_id + 5000}/reconcile", {"casino": "Rialto"}) == "not_allowed"


@pytest.mark.slow
async def test_roles_hold_and_a_token_is_in_no_record(db: Db) -> None:
    async with open_house(db) as house:
        await house.open()
        look = await person(house, "eve", Role.LOOK)
        operate = await person(house, "mia", Role.OPERATE)
        assert [one["player"] for one in await look.get("casinos/Rialto/players")] == ["anna"]
        for call, body in (
            (BLOCK, {"reason": "x"}), ("sessions", {"casino": "Rialto", "game": "owl", "token": "t-1"}),
            ("games/owl/set", {"settings": {"enabled": "off"}}), ("bets/1/reconcile", {}), ("cashbacks/1/cancel", {}),
        ):  # fmt: skip
            assert await look.refused(f"POST {call}", body) == "not_allowed"
        assert await operate.refused("POST cashbacks/1/cancel", {}) == "not_allowed"
        wish = {"casino": "Rialto", "game": "owl", "token": "hush-hush"}
        assert await operate.refused("POST sessions", wish) == "not_allowed"
        opened = await (await person(house, "leo", Role.ADMINISTER)).does("POST sessions", wish)
        assert opened["frameUri"].endswith(opened["sessionId"])
        assert house.peers.tokens == ["hush-hush"]
        told = [one.parameters for one in await house.hub.store.admin_uses.newest(2**62, 100)]
        assert "hush-hush" not in "".join(told)
        assert sum('"token":"..."' in one for one in told) == 3


@pytest.mark.slow
async def test_the_command_line_reads_every_answer_and_ids_hold_slashes(db: Db) -> None:
    async with open_house(db) as house:
        await second_provider(house, game_types=(8,))
        await house.play((await house.open("owl", "a/players"))["sessionId"], "b-1")
        token = (await house.hub.store.accounts.add("leo", Role.ADMINISTER, "tests"))[1]
        there = settings_for(hub_url=house.url, token=Secret(token))

        async def ask(asked: Command[P, R], params: P) -> R:
            return cast("R", await asyncio.to_thread(ask_over_http, there, asked, params))

        rialto, owl = "Rialto", "Reelwright/owl"
        (listed,) = await ask(players.players, PlayersParams(casino=rialto))
        story = await ask(players.player, PlayerParams(casino=rialto, player="a/players"))
        assert (listed.player, listed.casino, story.casino) == ("a/players", UNSET, rialto)
        assert [one.bet_ref for one in story.bets] == ["b-1"]
        why = BlockParams(casino=rialto, player="a/players", reason="x")
        assert (await ask(players.block, why)).blocked
        assert not (await ask(players.unblock, why)).blocked
        assert len(await ask(games.games, GamesParams())) == 4
        named = DescribeGameParams(game=owl, language="de", name="Eule")
        assert (await ask(games.describe, named)).texts == {"de": {"name": "Eule"}}
        off = await ask(games.switch, SwitchGameParams(game=owl, on=False, country="DE"))
        assert (off.game_ref, off.casino, off.country, off.on) == ("owl", UNSET, "DE", False)
        newest, oldest = await ask(games.diffs, DiffsParams())
        assert (newest.changes[0].before, len(oldest.changes)) == (None, 3)
        assert await ask(games.diffs, DiffsParams(number=newest.diff_id)) == [newest]
        assert (await ask(games.undo, DiffParams(number=newest.diff_id))).changed_since == ()
        assert (await ask(games.apply, DiffParams(number=newest.diff_id))).games == 1
        assert [one.game_type for one in await ask(game_types.game_types, GameTypesParams())] == [8]
        wish = OpenSessionParams(casino=rialto, game=owl, player="cleo", currency="EUR", demo=True)
        assert (await ask(sessions.open_, wish)).session_id
        pay = PayCashbackParams(casino=rialto, player="cleo", amount="1.50", currency="EUR", ref="r/1")
        paid = await ask(cashbacks.pay, pay)
        assert (paid.amount, paid.client_id, paid.ref) == ("1.50", house.casino.casino_id, "r/1")
        assert await ask(cashbacks.pay, pay) == paid


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("cashbacks", {"casino": "Rialto", "player": "anna", "amount": "0", "currency": "EUR", "ref": "r"}, "amount"),
        ("cashbacks", {"casino": "Rialto", "player": "anna", "amount": "1", "currency": "EUR", "ref": " r"}, "ref"),
        ("cashbacks", {"casino": "Rialto", "player": "anna", "amount": "1", "currency": "EUR"}, "ref"),
        ("sessions", {"casino": "Rialto", "game": "owl"}, "player"),
        ("sessions", {"casino": "Rialto", "game": "owl", "token": ""}, "token"),
        ("games/owl/set", {"settings": {}}, "settings"),
        ("games/owl/switch", {"on": True}, "casino"),
        ("games/owl/switch", {"on": True, "country": "de"}, "country"),
        ("games/owl/switch", {"on": True, "country": "DE", "reason": " "}, "reason"),
        ("games/owl/describe", {"language": "d_e"}, "language"),
        ("game-types/7/set", {}, "maintenance"),
    ],
)
async def test_a_wrong_parameter_is_named(db: Db, call: str, body: dict[str, Any], field: str) -> None:
    async with open_house(db) as house:
        answer = await (await person(house, "leo", Role.DECIDE)).ask(f"POST {call}", body)
        assert (*answer.code, answer.body["field"]) == (400, "usage", field)
