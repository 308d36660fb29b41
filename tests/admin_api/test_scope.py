"""An account that sees one casino, or one provider: nothing of the others is told or changed."""

from __future__ import annotations

from croupier.core.account import Role, Scope
from tests.admin_api.conftest import Office

REASON = {"reason": "asked"}


async def test_lists_hold_only_what_is_ones_own(office: Office) -> None:
    mine, theirs = await office.bet(win=500), await office.bet(office.other, win=500)
    token, everybody = await office.of_casino(), await office.person()
    assert {row["bet_id"] for row in (await office.good(everybody, "GET bets"))["rows"]} == {mine, theirs}
    assert [row["bet_id"] for row in (await office.good(token, "GET bets"))["rows"]] == [mine]
    for name in ("payments", "sessions"):
        rows = (await office.good(token, f"GET {name}"))["rows"]
        assert {row["casino"] for row in rows} == {"Rialto"}
    report = await office.good(token, "GET ggr?from=2000-01-01&to=2100-01-01&by=casino")
    assert [row["casino"] for row in report] == ["Rialto"]


async def test_another_casino_is_not_there(office: Office) -> None:
    token, theirs = await office.of_casino(), await office.bet(office.other)
    lido = office.other.casino.casino_id
    nowhere = await office.ask(token, "GET bets?casino=Nowhere")
    for call, body in (
        (f"GET bets?casino={lido}", None),
        ("GET bets?casino=Lido", None),
        ("GET findings?casino=Lido", None),
        (f"GET trace?bet={theirs}", None),
        ("GET trace?last=anna&casino=Lido", None),
        ("GET casinos/Lido/games/owl/why", None),
        (f"GET casinos/Rialto/bets/{theirs}/why", None),
        (f"POST bets/{theirs}/return", REASON),
        (f"POST bets/{theirs}/settle", {**REASON, "win": "5"}),
        (f"POST payments/{theirs}:stake/accept", REASON),
        (f"POST payments/{theirs}:stake/retry", REASON),
    ):
        answer = await office.ask(token, call, body)
        assert answer.code == nowhere.code == (404, "not_found"), (call, answer.body)
        assert "Lido" not in answer.body["detail"].replace("'Lido'", "")
    bet = await office.house.hub.store.bets.by_id(theirs)
    assert bet is not None
    assert bet.state.value == "on"


async def test_incidents_and_findings_of_others_are_neither_shown_nor_closed(office: Office) -> None:
    mine, theirs = await office.bet(), await office.bet(office.other)
    store, token = office.house.hub.store, await office.of_casino()
    for subject_id in (mine, theirs, 0):
        await store.incidents.raise_for(subject_id, "parked", "r")
    shown = (await office.good(token, "GET incidents?open_for=0"))["incidents"]
    assert [one["subject_id"] for one in shown] == [mine]
    ids = {one.subject_id: one.incident_id for one in await store.incidents.open_ones()}
    answer = await office.ask(token, "POST incidents/close", {**REASON, "ids": [ids[theirs]]})
    assert answer.code == (404, "not_found")
    closed = await office.good(token, "POST incidents/close", {**REASON, "name": "parked"})
    assert closed["closed"] == [ids[mine]]
    assert {one.subject_id for one in await store.incidents.open_ones()} == {theirs, 0}


async def test_a_proposal_about_anothers_bet_is_neither_shown_nor_approved(office: Office) -> None:
    theirs, token = await office.bet(office.other), await office.of_casino()
    made = await office.good(await office.person(), f"POST bets/{theirs}/return", {**REASON, "propose": True})
    number = made["proposal"]["proposal_id"]
    assert await office.good(token, "GET proposals") == []
    for verb in ("approve", "refuse"):
        answer = await office.ask(token, f"POST proposals/{number}/{verb}", REASON if verb == "refuse" else None)
        assert answer.code == (404, "not_found")


async def test_who_sees_one_provider_sees_no_bets_of_another(office: Office) -> None:
    store = office.house.hub.store
    other, _ = await store.providers.add("Otherworks", "https://otherworks.example")
    bet_id = await office.bet()
    own = await office.person(Role.DECIDE, Scope(None, frozenset({office.house.provider.provider_id})))
    foreign = await office.person(Role.DECIDE, Scope(None, frozenset({other.provider_id})))
    assert len((await office.good(own, "GET bets"))["rows"]) == 1
    assert (await office.good(own, f"GET trace?bet={bet_id}"))["subject"]["subject_id"] == bet_id
    assert (await office.good(foreign, "GET bets"))["rows"] == []
    assert (await office.good(foreign, "GET payments"))["rows"] == []
    assert (await office.ask(foreign, f"GET trace?bet={bet_id}")).status == 404
    assert (await office.ask(foreign, "GET casinos/Rialto/games/owl/why")).status == 404


async def test_several_that_fit_are_not_listed_to_who_may_not_see_them(office: Office) -> None:
    first, second = await office.bet(), await office.bet(office.other)
    everybody = await office.ask(await office.person(), "GET trace?last=anna")
    assert everybody.code == (409, "ambiguous")
    assert "Rialto" in everybody.body["detail"]
    provider = await office.person(Role.LOOK, Scope(None, frozenset({office.house.provider.provider_id})))
    answer = await office.ask(provider, "GET trace?last=anna")
    assert answer.body["detail"] == "several fit: give the id"
    assert first != second


async def test_the_books_name_the_account(office: Office) -> None:
    bet_id, token = await office.bet(), await office.of_casino()
    done = await office.good(token, f"POST bets/{bet_id}/return", REASON)
    assert done["BetId"] == bet_id
    moments = (await office.good(token, f"GET trace?bet={bet_id}"))["moments"]
    assert "person-1" in [one["author"] for one in moments]
