"""A balance informs: however a casino writes it, no game stays shut for it, and the operator learns of it once."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from croupier.core.commands import Answer
from croupier.core.readings import BalanceKnown, BalanceUnreadable, No, Unknown
from croupier.core.refusals import CasinoNo, Refusal
from croupier.flows.balance_query import balance
from tests.flows.desk import Desk


class Casino:
    """A gateway that says one thing of every balance."""

    def __init__(self, said: object) -> None:
        self.said = said

    async def balance(self, *_: object) -> Any:
        return self.said


async def asked(desk: Desk, said: object) -> tuple[Answer, list[dict[str, Any]]]:
    desk.hub.casino_gateways = {"betcore_v2": Casino(said)}  # type: ignore[dict-item] # only what a balance needs
    with structlog.testing.capture_logs() as lines:
        told = await balance(desk.hub, desk.cast.provider.provider_id, "s-2")
    return told, [dict(line) for line in lines if line["event"] == "balance.odd"]


@pytest.mark.parametrize(
    ("said", "minor", "what"),
    [
        (BalanceKnown("7100.5"), 710050, None),
        (BalanceKnown("7100.500000"), 710050, None),
        (BalanceKnown("7100.509999"), 710050, "finer"),
        (BalanceKnown("-12.50"), 0, "negative"),
        (BalanceUnreadable('"1,234.50"'), None, "unreadable"),
        (BalanceUnreadable("null"), None, "unreadable"),
        (BalanceKnown("9" * 15 + ".99999"), 99999999999999999, "finer"),
    ],
)
async def test_an_odd_balance_is_told_as_far_as_it_goes(
    desk: Desk, said: Any, minor: int | None, what: str | None
) -> None:
    told, lines = await asked(desk, said)
    assert told == Answer(None, minor, "EUR")
    if what is None:
        assert lines == []
    else:
        quoted = said.said if isinstance(said, BalanceUnreadable) else said.balance
        assert [(line["log_level"], line["what"], line["said"]) for line in lines] == [("warning", what, quoted)]
        assert f'what="{what}"}} 1.0' in desk.hub.metrics.render().decode()


@pytest.mark.parametrize("said", [Unknown("no answer"), No(CasinoNo.USER_UNKNOWN, 102145, "who?")])
async def test_a_casino_that_says_nothing_of_it_is_not_known(desk: Desk, said: object) -> None:
    told, lines = await asked(desk, said)
    assert (told.refusal, lines) == (Refusal.OUTCOME_UNKNOWN, [])


async def test_it_is_counted_each_time_and_said_once_a_minute(desk: Desk) -> None:
    said = [len((await asked(desk, BalanceUnreadable("null")))[1]) for _ in range(3)]
    desk.clock.ms += 61_000
    said.append(len((await asked(desk, BalanceUnreadable("null")))[1]))
    assert said == [1, 0, 0, 1]
    assert 'what="unreadable"} 4.0' in desk.hub.metrics.render().decode()
