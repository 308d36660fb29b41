"""What one bet costs in exact counts: statements, reads, calls and signatures. They are bounds that nothing may creep past.

Every call to a casino is signed once, so its calls are its signatures. Unlike time, these counts are the same on every machine.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from croupier.flows.balances import query_balance_amount
from croupier.sandbox.behaviour import BehaviourRule, parse
from tests.flows.hall import Hall, in_a_hall

KINDS = {
    "heads as": "group commit",
    "update bets b set": "balance told",
    "seen_requests": "replay protection",
    "json_agg(p order by p.kind)": "bet read",
    "from unnest($1::text[]) k(session_id)": "session read",
    "from balances b join": "balance read",
    "insert into balances": "balance base",
    "from partner_transactions t\njoin unnest": "transaction id read",
}
"""Parts of the statements of the payment path, the most telling first."""


class Count:
    """Counts statements by kind, and calls of the casino by path."""

    def __init__(self, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
        self._hall = hall
        self.statements: Counter[str] = Counter()
        for name in ("fetch", "fetchrow", "fetchval", "execute", "batch_fetch"):
            monkeypatch.setattr(hall.stage.db, name, self._counted(getattr(hall.stage.db, name)), raising=False)

    def _counted(self, plain: Any) -> Any:
        async def counted(sql: str, *args: object) -> Any:
            kind = next((kind for part, kind in KINDS.items() if part in sql), None)
            if kind is not None:
                self.statements[kind] += 1
            return await plain(sql, *args)

        return counted

    async def of(self, *work: Any) -> tuple[dict[str, int], dict[str, int]]:
        """What this work costs, once all that follows from it is done."""
        self.statements.clear()
        before = self._heard()
        for one in work:
            assert await one == "1"
        await self._hall.wait(0.4)
        return dict(self.statements), dict(self._heard() - before)

    def _heard(self) -> Counter[str]:
        return Counter(
            entry.path.rpartition("/")[2] for entry in self._hall.casino.journal.since() if entry.direction == "in"
        )


async def warm(hall: Hall) -> None:
    """The balance is known, as after a launch, the session is remembered, and bets come before the ones that are counted.

    Here a whole bet takes no time, and a query in the millisecond of an outcome is no base. Acknowledgements wait as usual.
    """
    hall.follow_sessions()
    session = await hall.hub.store.sessions.get(hall.session)
    assert session is not None
    assert await query_balance_amount(hall.hub, session) is not None
    await hall.wait(0.1)
    hall.hub.process_settings = replace(hall.hub.process_settings, ack_grace_s=0.3)
    for ref in ("warm-1", "warm-2"):
        assert await hall.pay_in(ref) == "1"
        await hall.wait(0.1)


def test_a_bet_is_two_decisions_and_one_call_and_is_not_read(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(hall: Hall) -> None:
        await warm(hall)
        statements, calls = await Count(hall, monkeypatch).of(hall.pay_in("b-1"))
        assert statements == {"group commit": 2, "replay protection": 1}
        assert calls == {"make": 1}

    in_a_hall(database_url, play)


def test_a_round_is_five_decisions_and_three_calls(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stake and its accept, settlement, the payout's accept with the plan of the close, and the close."""

    async def play(hall: Hall) -> None:
        await warm(hall)
        statements, calls = await Count(hall, monkeypatch).of(hall.pay_in("b-1"), hall.pay_out("b-1"))
        assert statements.pop("bet read", 0) <= 1, "the close's answer is applied to the row as it is"
        assert statements == {"group commit": 5, "replay protection": 2}
        assert calls == {"make": 2, "close": 1}

    in_a_hall(database_url, play)


def test_a_repeat_reads_the_bet_once_and_writes_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in memory proves nothing: the recorded answer is read."""

    async def play(hall: Hall) -> None:
        await warm(hall)
        await hall.pay_in("b-1")
        await hall.wait(0.4)
        statements, calls = await Count(hall, monkeypatch).of(hall.pay_in("b-1"))
        assert statements == {"bet read": 1, "replay protection": 1}
        assert calls == {}

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_player_who_plays_on_is_asked_for_once_in_five_seconds(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(hall: Hall) -> None:
        await warm(hall)
        count = Count(hall, monkeypatch)
        asked = 0
        for number in range(60):
            _, calls = await count.of(hall.pay_in(f"b-{number}"))
            asked += calls.get("data", 0)
        assert asked <= 5, "60 bets in 24 s"

    in_a_hall(database_url, play)


def test_makes_gather_while_two_calls_are_out(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty stakes, one in a millisecond, to a casino that answers after 30 ms: lists grow by themselves."""

    async def play(hall: Hall) -> None:
        bet = await hall.hub.store.casinos.find("Aurora")
        assert bet is not None
        await hall.hub.store.casinos.change(bet.casino_id, {"batch": 100})
        await warm(hall)
        hall.casino.dial.turn(BehaviourRule(parse("slow:0.03"), path=None, remaining=None))
        count = Count(hall, monkeypatch)
        before = count._heard()
        asked = []
        for number in range(40):
            asked.append(asyncio.ensure_future(hall.pay_in(f"b-{number}")))
            await hall.wait(0.001)
        assert await asyncio.gather(*asked) == ["1"] * 40
        calls = count._heard() - before
        assert calls["make"] + calls["make-list"] <= 10

    in_a_hall(database_url, play)
