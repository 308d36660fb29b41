"""A casino's own bets, payments and days: exact amounts, pages, filters, and nothing of anybody else. Contract: casino.md 3.4."""

from __future__ import annotations

import pytest

from croupier.views import casino_books
from tests.casino_api.conftest import House, at
from tests.store.cast import NOW_MS

DAY_MS = 86_400_000
TODAY = "2025-10-09"


@pytest.mark.slow
async def test_a_bet_is_shown_with_its_payments(house: House) -> None:
    session = (await house.open())["sessionId"]
    bet_id = await house.play(session, "b-1", 1000, 2550)
    told = await house.get(f"bets/{bet_id}")
    payments = told.pop("payments")
    assert told == {
        "betId": bet_id, "providerBetId": "b-1", "roundId": "r-1", "playerId": "anna", "sessionId": session,
        "gameId": house.games["owl"], "game": "Night Owl", "provider": "Reelwright", "currency": "EUR", "stake": "10.00",
        "win": "25.50", "state": "settled", "createdAt": at(), "endedAt": at(),
    }  # fmt: skip
    assert [(p["kind"], p["amount"], p["state"], p["partnerTransactionId"]) for p in payments] == [
        ("payout", "25.50", "accepted", f"t-{bet_id}-payout"), ("stake", "10.00", "accepted", f"t-{bet_id}-stake"),
    ]  # fmt: skip


async def test_bets_come_newest_first_in_pages_and_by_filters(house: House) -> None:
    anna, eve = (await house.open())["sessionId"], (await house.open(player="eve"))["sessionId"]
    bets = [await house.play(anna, "b-1"), await house.play(eve, "b-2", win=0), await house.play(anna, "b-3", win=5)]
    house.clock.ms += 5000
    bets.append(await house.play(anna, "b-4"))

    async def ids(query: str) -> list[int]:
        return [one["betId"] for one in (await house.get(f"bets?{query}"))["bets"]]

    assert await ids("") == bets[::-1]
    first = await house.get("bets?limit=3")
    assert [one["betId"] for one in first["bets"]] == bets[:0:-1]
    second = await house.get(f"bets?limit=3&cursor={first['nextCursor']}")
    assert ([one["betId"] for one in second["bets"]], second["nextCursor"]) == (bets[:1], None)
    assert await ids("player=eve") == [bets[1]]
    assert await ids("player=nobody") == []
    assert await ids("state=settled") == [bets[2], bets[1]]
    assert await ids(f"from={at(1)}") == [bets[3]]
    assert await ids(f"to={at(5000)}") == bets[2::-1]
    assert await ids("round=r-2") == []
    assert await ids("player=anna&limit=1") == [bets[3]]


async def test_a_window_that_ends_among_others_rows_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small casino beside a large one: its page ends early, and its cursor leads on to its rows."""
    monkeypatch.setattr(casino_books, "WINDOW", 4)
    other = await house.another()
    theirs = (await other.open(player="bob"))["sessionId"]
    mine = [await house.play((await house.open())["sessionId"], "mine-1")]
    for n in range(10):
        await other.play(theirs, f"o-{n}")
    mine.append(await house.play((await house.open())["sessionId"], "mine-2"))
    for path, key, name in (("bets", "bets", "betId"), ("payments", "payments", "subjectId")):
        seen, cursor, pages = [], "", 0
        while True:
            page = await house.get(f"{path}?limit=2{cursor}")
            seen += [one[name] for one in page[key]]
            pages += 1
            assert pages < 20
            if page["nextCursor"] is None:
                break
            cursor = f"&cursor={page['nextCursor']}"
        assert seen == mine[::-1], path
        assert pages > 1


@pytest.mark.slow
async def test_payments_by_kind_state_player_and_bet(house: House) -> None:
    anna = (await house.open())["sessionId"]
    bet_id = await house.play(anna, "b-1", win=700)
    await house.play((await house.open(player="eve"))["sessionId"], "b-2")
    told = (await house.get("payments"))["payments"]
    assert [(p["kind"], p["playerId"], p["amount"]) for p in told] == [
        ("stake", "eve", "10.00"), ("stake", "anna", "10.00"), ("payout", "anna", "7.00"),
    ]  # fmt: skip
    assert (await house.get("payments?kind=payout"))["payments"][0]["subjectId"] == bet_id
    assert len((await house.get(f"payments?betId={bet_id}"))["payments"]) == 2
    assert len((await house.get("payments?player=anna&state=accepted"))["payments"]) == 2
    assert (await house.get("payments?state=parked"))["payments"] == []
    first = await house.get("payments?limit=2")
    second = await house.get(f"payments?limit=2&cursor={first['nextCursor']}")
    assert [p["kind"] for p in second["payments"]] == ["payout"]


async def test_a_day_holds_what_moved_in_the_wallets_by_the_ledger(house: House) -> None:
    anna = (await house.open())["sessionId"]
    await house.play(anna, "b-1", 1000, 2550)
    await house.play(anna, "b-2", 300, 0)
    yen = (await house.open(player="yuki", currency="JPY"))["sessionId"]
    await house.play(yen, "b-3", 500)
    house.clock.ms += DAY_MS
    await house.log_in()
    await house.play(anna, "b-4", 9900)
    told = await house.get(f"statements/{TODAY}")
    assert told == {
        "day": TODAY, "complete": True,
        "currencies": [
            {
                "currency": "EUR", "debits": "13.00", "credits": "25.50",
                "movements": [
                    {"what": "stake_accepted", "direction": "debit", "count": 2, "amount": "13.00"},
                    {"what": "paid", "direction": "credit", "count": 1, "amount": "25.50"},
                ],
            },
            {
                "currency": "JPY", "debits": "500", "credits": "0",
                "movements": [{"what": "stake_accepted", "direction": "debit", "count": 1, "amount": "500"}],
            },
        ],
    }  # fmt: skip
    after = await house.get("statements/2025-10-10")
    assert (after["complete"], after["currencies"][0]["debits"]) == (False, "99.00")
    for wrong in ("2025-13-01", "2025-1-1", "today", "2025-10-09T00:00:00Z"):
        assert (await house.ask("GET", f"statements/{wrong}")).code == (400, "bad_request")


async def test_nothing_of_another_casino_is_told(house: House) -> None:
    bet_id = await house.play((await house.open())["sessionId"], "b-1", win=100)
    other = await house.another()
    await other.open(player="anna")
    for path, key in (
        ("bets", "bets"),
        ("payments", "payments"),
        ("bets?player=anna", "bets"),
        (f"payments?betId={bet_id}", "payments"),
    ):
        assert (await other.get(path))[key] == []
    assert (await other.get(f"statements/{TODAY}"))["currencies"] == []
    theirs, nobodys = [await other.ask("GET", f"bets/{number}") for number in (bet_id, 17)]
    assert (theirs.code, theirs.body) == (nobodys.code, nobodys.body)


WRONG = {
    "bets?state=open": "state", "bets?from=yesterday": "from", "bets?from=2025-02-30T00:00:00Z": "from", "bets?cursor=1.2": "cursor",
    "bets?from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z": "to", "bets?players=anna": "players", "payments?kind=win": "kind",
    "payments?betId=x": "betId", "payments?cursor=5": "cursor", "payments?cursor=5.ff": "cursor", "payments?player=%00": "player",
    "statements/2025-10-09?x=1": "x", "bets/x": "betId", "bets/99999999999999999999": "betId",
}  # fmt: skip


async def test_a_wrong_query_is_refused_and_the_parameter_named(house: House) -> None:
    assert NOW_MS
    for path, field in WRONG.items():
        answer = await house.ask("GET", path)
        assert (path, answer.code, answer.body["field"]) == (path, (400, "bad_request"), field)
