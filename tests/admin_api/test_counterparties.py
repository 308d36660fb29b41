"""Casinos, providers, pots and notifications over the admin API: each role and scope sees and changes what is its own, and no secret is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from croupier.admin_api.desk import WHOLE_HUB
from croupier.admin_api.table import COMMANDS
from croupier.cli.remote import _request
from croupier.core.account import Role, Scope
from croupier.core.counterparty import Casino, Provider
from croupier.kit import webhook
from croupier.store.db import Db
from tests.casino_api.conftest import House, open_house

URL = "https://lido.example"
OWN = webhook.secret_of(b"s" * 24)


@dataclass
class Person:
    """Somebody with an account."""

    house: House
    token: str

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and JSON of a request."""
        url, headers = f"{self.house.url}/admin-api/v1/{path}", {"Authorization": f"Bearer {self.token}"}
        more = {} if body is None else {"json": body}
        async with self.house.http.request(method, url, headers=headers, **more) as answer:
            return answer.status, await answer.json(content_type=None)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """Return what is answered to a request that is carried out."""
        status, said = await self.ask(method, path, body)
        assert status == 200, str(said)
        return said

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Return status and code of a problem."""
        status, said = await self.ask(method, path, body)
        assert status >= 400, said
        return status, said["code"]


async def person(house: House, role: Role, scope: Scope = WHOLE_HUB) -> Person:
    """A new account."""
    name = f"p{len(await house.hub.store.accounts.all())}"
    _, token = await house.hub.store.accounts.add(name, role, "tests", scope=scope)
    return Person(house, token)


def of_casino(house: House) -> Scope:
    return Scope(frozenset({house.casino.casino_id}), None)


def of_provider(house: House) -> Scope:
    return Scope(None, frozenset({house.provider.provider_id}))


async def test_a_scope_hides_what_is_not_its_own(db: Db) -> None:
    async with open_house(db, admin_per_s=1000) as house:
        other, _ = await house.hub.store.casinos.add("Lido", URL, ["EUR"])
        studio, _ = await house.hub.store.providers.add("Kite", "https://kite.example")
        mine = await person(house, Role.ADMINISTER, of_casino(house))
        assert [one["name"] for one in await mine.done("GET", "casinos")] == ["Rialto"]
        assert (await mine.done("GET", "casinos/Rialto"))["casino"]["casino_id"] == house.casino.casino_id
        for method, path in (("GET", ""), ("POST", "/disable"), ("POST", "/close"), ("POST", "/secret/rotate")):
            for name in ("Lido", str(other.casino_id)):
                assert await mine.refused(method, f"casinos/{name}{path}") == (404, "not_found")
        theirs = await person(house, Role.ADMINISTER, of_provider(house))
        assert [one["name"] for one in await theirs.done("GET", "providers")] == ["Reelwright"]
        for name in ("Kite", studio.counterparty_id):
            assert await theirs.refused("GET", f"providers/{name}") == (404, "not_found")
            assert await theirs.refused("POST", f"providers/{name}/sync") == (404, "not_found")
        assert (await house.hub.store.casinos.find("Lido")).enabled  # type: ignore[union-attr]


@pytest.mark.slow
async def test_who_sees_one_side_in_part_changes_nothing_of_the_other(db: Db) -> None:
    """A casino that is disabled plays no provider's games: that is not for an account of one provider."""
    async with open_house(db, admin_per_s=1000) as house:
        of_one_provider = await person(house, Role.ADMINISTER, of_provider(house))
        of_one_casino = await person(house, Role.ADMINISTER, of_casino(house))
        changes: tuple[tuple[str, Any], ...] = (
            ("set", {"settings": {"batch": "1"}}),
            ("disable", None),
            ("enable", None),
            ("close", {"force": True}),
            ("open", None),
            ("secret/rotate", None),
        )
        for path, body in changes:
            assert await of_one_provider.refused("POST", f"casinos/Rialto/{path}", body) == (403, "not_allowed")
            told = {"settings": {"hold_s": "3"}} if path == "set" else body
            assert await of_one_casino.refused("POST", f"providers/Reelwright/{path}", told) == (403, "not_allowed")
        assert await of_one_casino.refused("POST", "providers/Reelwright/sync") == (403, "not_allowed")
        assert (await of_one_casino.done("POST", "casinos/Rialto/set", {"settings": {"batch": "7"}}))["batch"] == 7
        for name, value in (
            ("name", "Other"),
            ("client_key", "/etc/key"),
            ("ca", "/etc/ca"),
            ("in_flight", "90000"),
            ("total_s", "9"),
        ):
            body = {"settings": {name: value}}
            assert await of_one_casino.refused("POST", "casinos/Rialto/set", body) == (403, "not_allowed")


async def test_each_command_asks_for_its_role(db: Db) -> None:
    async with open_house(db, admin_per_s=1000) as house:
        looks, operates = await person(house, Role.LOOK), await person(house, Role.OPERATE)
        assert (await looks.done("GET", "casinos/Rialto"))["casino"]["name"] == "Rialto"
        assert await looks.refused("POST", "casinos/Rialto/disable") == (403, "not_allowed")
        assert (await operates.done("POST", "casinos/Rialto/disable"))["enabled"] is False
        assert (await operates.done("POST", "casinos/Rialto/enable"))["enabled"] is True
        synced = await operates.done("POST", "providers/Reelwright/sync")
        assert (synced["CounterpartyId"], synced["new"]) == (house.provider.counterparty_id, 0)
        for path in ("casinos/Rialto/close", "casinos/Rialto/secret/rotate", "keys/rotate", "recovery/end"):
            assert await operates.refused("POST", path, {"reason": "r"} if "recovery" in path else None) == (
                403,
                "not_allowed",
            )
        assert await operates.refused("GET", "notifications") == (403, "not_allowed")


async def test_what_is_about_the_whole_hub_is_not_for_a_scope(db: Db) -> None:
    async with open_house(db, admin_per_s=1000) as house:
        mine = await person(house, Role.ADMINISTER, of_casino(house))
        whole = [one for one in COMMANDS.values() if one.whole_hub and one.reads and not one.in_path]
        assert {"keys list", "jackpot list", "notify list", "recover status", "audit --last"} <= {
            w.words for w in whole
        }
        for one in whole:
            assert await mine.refused("GET", one.path) == (403, "not_allowed"), one.words
        for path, body in (
            ("casinos", {"name": "New", "url": URL, "currencies": ["EUR"]}),
            ("providers", {"name": "New", "url": URL}),
            ("keys/rotate", None),
            ("recovery/begin", {"reason": "r"}),
            ("notifications/webhooks", {"name": "pager", "url": URL}),
        ):
            assert await mine.refused("POST", path, body) == (403, "not_allowed"), path


@pytest.mark.slow
async def test_a_secret_is_answered_once_and_no_record_of_a_use_holds_it(db: Db) -> None:
    async with open_house(db, admin_per_s=1000) as house:
        boss = await person(house, Role.ADMINISTER)
        made = await boss.done("POST", "casinos", {"name": "Lido", "url": URL, "currencies": ["EUR", "JPY"]})
        turned = await boss.done("POST", "casinos/Lido/secret/rotate", {"keep_old_s": 60})
        assert (turned["PartnerClientId"], turned["Secret"] != made["Secret"]) == (made["PartnerClientId"], True)
        assert await house.hub.store.casinos.admit(made["PartnerClientId"], turned["Secret"]) is not None
        given = await boss.done("POST", "notifications/webhooks", {"name": "pager", "url": URL, "secret": OWN})
        assert given == {"name": "pager", "url": URL, "secret": None}
        mail = {"name": "night", "server": "smtp://a.example", "from": "a@b.example", "to": ["c@d.example"]}
        await boss.done("POST", "notifications/mails", {**mail, "password": "hush-hush"})
        mistaken = {"settings": {"secret": "typed-by-mistake", "batch": "1"}}
        assert await boss.refused("POST", "casinos/Lido/set", mistaken) == (409, "refused")
        shown = [await boss.done("GET", path) for path in ("casinos", "casinos/Lido", "notifications", "accounts/uses")]
        text = json.dumps(shown)
        for secret in (made["Secret"], turned["Secret"], OWN, "hush-hush", "typed-by-mistake"):
            assert secret not in text
        assert {"casino add", "casino secret rotate", "notify add mail"} <= {use["command"] for use in shown[-1]}


@pytest.mark.slow
async def test_a_wrong_address_names_its_parameter_by_the_settings_of_the_hub(db: Db) -> None:
    async with open_house(db, admin_per_s=1000, allow_private_peers=False) as house:
        boss = await person(house, Role.ADMINISTER)
        for path, body in (("casinos", {"currencies": ["EUR"]}), ("providers", {})):
            told = {"name": "New", "url": "http://127.0.0.1:9", **body}
            status, said = await boss.ask("POST", path, told)
            assert (status, said["code"], said["field"]) == (400, "usage", "url")
        status, said = await boss.ask("POST", "jackpots", {
            "name": "Harvest", "currency": "EUR", "share_bp": 100, "seed": "1.001", "ceiling": "50.00",
        })  # fmt: skip
        assert (status, said["field"]) == (400, "seed")


@pytest.mark.slow
async def test_a_pot_is_opened_frozen_and_shown_with_its_rounds(db: Db) -> None:
    async with open_house(db, admin_per_s=1000) as house:
        boss, decides = await person(house, Role.ADMINISTER), await person(house, Role.DECIDE)
        pot = {"name": "Harvest", "currency": "EUR", "share_bp": 100, "seed": "10.00", "ceiling": "50.00"}
        assert await decides.refused("POST", "jackpots", pot) == (403, "not_allowed")
        made = await boss.done("POST", "jackpots", {**pot, "casinos": ["Rialto"]})
        assert (made["casinos"], made["games"], made["amount"]) == (["Rialto"], "all", "10.00")
        assert (await decides.done("POST", "jackpots/Harvest/freeze"))["state"] == "frozen"
        shown = await decides.done("GET", "jackpots/Harvest?rounds=1")
        assert [row["round"] for row in shown["rounds"]] == [1]
        assert shown["rounds"][0]["secret"] is None
        one = await decides.done("GET", "jackpots/Harvest/rounds/1")
        assert (one["JackpotId"], one["shares"]) == (made["JackpotId"], [])


@pytest.mark.slow
async def test_results_are_read_back_with_their_types(db: Db) -> None:
    """The command line decodes what the hub encoded. A path that goes on after a casino is not taken for its name."""
    async with open_house(db, admin_per_s=1000) as house:
        boss = await person(house, Role.ADMINISTER)
        words = {"batch": "7", "codes.other": "77", "late_accept": "refuse", "addresses": "10.0.0.0/8"}
        await boss.done("POST", "casinos/Rialto/set", {"settings": words})
        await boss.done("POST", "providers/Reelwright/set", {"settings": {"user_id": "player", "game_types": "7,8"}})
        casino = await house.hub.store.casinos.find("Rialto")
        provider = await house.hub.store.providers.find("Reelwright")
        assert (await decoded(boss, "casino show", "casinos/Rialto")).casino == casino
        assert await decoded(boss, "casino list", "casinos") == [casino]
        assert await decoded(boss, "provider show", "providers/Reelwright") == provider
        assert await decoded(boss, "provider list", "providers") == [provider]
        assert isinstance(casino, Casino)
        assert isinstance(provider, Provider)
        why = await decoded(boss, "why", "casinos/Rialto/games/Reelwright%2Fowl/why")
        assert why.state == "available"
        assert (await decoded(boss, "recover status", "recovery")).last is None
        begun = await boss.done("POST", "recovery/begin", {"reason": "restored", "last_id": 12})
        assert (begun["active"], begun["casinos"][0]["casino"]) == (True, "Rialto")
        shown = await decoded(boss, "recover status", "recovery")
        assert (shown.recovery.begun_by, shown.casinos[0].to_compare) == ("p0", 0)
        assert await boss.refused("POST", "recovery/begin", {"reason": "r", "last_id": 2**53 - 1}) == (400, "usage")
        assert await boss.done("POST", "recovery/end", {"reason": "compared"}) == {"active": False}
        for words_of, path in (("keys list", "keys"), ("audit --last", "audit"), ("notify list", "notifications")):
            await decoded(boss, words_of, path)


async def decoded(who: Person, words: str, path: str) -> Any:
    """What the command line makes of an answer."""
    return msgspec.json.decode(json.dumps(await who.done("GET", path)), type=COMMANDS[words].result)


def test_settings_travel_in_the_body_and_a_slash_in_a_name_in_the_path() -> None:
    asked = COMMANDS["casino set"]
    params = asked.params(casino="Rialto/West", settings={"batch": "1"})
    sent = _request("https://hub.example", asked, params, token="t")
    assert sent.url == "https://hub.example/admin-api/v1/casinos/Rialto%2FWest/set"
    assert json.loads(sent.body) == {"settings": {"batch": "1"}}
