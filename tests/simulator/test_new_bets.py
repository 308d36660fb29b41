"""New bets at rest: a world in which a casino takes none after the faults is found, and one in which a player may be blocked is
not asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.flows.admission import Admission
from croupier.kit.chance import SeededChance
from croupier.simulator.arena import Arena
from croupier.simulator.judge import Judgement
from croupier.simulator.new_bets import APART_S, ASKED, judge_new_bets
from croupier.simulator.world import World
from tests.simulator.test_dials import dials_of

CASINOS = {11: "casino0", 12: "casino1"}
QUIET = World(31, 5, only=frozenset({1}), without=frozenset({"restore"}))
"""A thin world with one bet, two casinos that take two bets at a time, no operator, and sessions that last."""
NONE_TAKEN = "I3: casino{} took no new bet at rest"


def test_casinos_of_a_world_at_rest_take_new_bets(ring: Arena) -> None:
    result = ring.play(QUIET)
    assert (result.dials.operator_every_s, result.dials.short_sessions, result.dials.in_flight) == (0.0, 0.0, 2)
    assert result.verdict.violations == []
    assert result.seen["asked at rest"] == ASKED * len(result.dials.casinos)


def test_places_that_were_never_freed_are_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Admission, "leave", lambda *_: None)
    found = set(ring.play(QUIET).verdict.violations)
    assert found & {NONE_TAKEN.format(n) for n in range(2)}


# --- without a hub


@dataclass
class Place:
    """A world at rest, as far as the judge touches it: its casinos open the bets that they are told to open."""

    opens: dict[int, list[bool]]
    """Whether each bet that is asked for is opened, by casino, in order."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The betId and the session of each pay-in."""
    slept_s: list[float] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    async def ask_once(self, ref: str, session: str, _chance: object) -> int:
        self.asked.append((ref, session))
        return 1

    async def fetchval(self, _sql: str, ref: str) -> int:
        casino_id, n = map(int, ref.rsplit("-", 2)[1:])
        assert self.asked[-1][0] == ref, "it was asked for"
        return int(self.opens[casino_id][n])

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)

    async def violations(self, hubs: int = 1, **turned: Any) -> list[str]:
        calm = {"operator_every_s": 0.0, "short_sessions": 0.0}
        scene: Any = SimpleNamespace(
            dials=dials_of(**{**calm, **turned}),
            stage=SimpleNamespace(hubs=[object()] * hubs, db=self, clock=self),
            casinos=dict.fromkeys(CASINOS),
            casino_names=CASINOS,
            providers={23: None, 22: self},
            sessions={22: ["22-1-11-ann", "22-1-11-bob", "22-1-12-eve"], 23: []},
            chance=SeededChance(1),
            seen=self.seen,
        )
        verdict = Judgement()
        await judge_new_bets(scene, verdict)
        return verdict.violations


def place(**refused: list[int]) -> Place:
    """A world whose casinos open every bet, except those of these numbers."""
    return Place({id_: [n not in refused.get(name, ()) for n in range(ASKED)] for id_, name in CASINOS.items()})


async def test_each_casino_is_asked_several_times_in_turn() -> None:
    made = place()
    assert await made.violations() == []
    of_first = [(f"at-rest-11-{n}", "22-1-11-ann") for n in range(ASKED)]
    of_second = [(f"at-rest-12-{n}", "22-1-12-eve") for n in range(ASKED)]
    assert made.asked == of_first + of_second
    assert made.slept_s == [APART_S] * len(made.asked), "the first at a process may be the probe of an open breaker"
    assert made.seen["asked at rest"] == len(made.asked)


@pytest.mark.parametrize(
    ("refused", "found"),
    [
        ({"casino0": [0]}, [0]),
        ({"casino1": [ASKED - 1]}, [1]),
        ({"casino0": [1, 2], "casino1": [0]}, [0, 0, 1]),
    ],
    ids=str,
)
async def test_each_bet_that_is_not_opened_is_a_violation(refused: dict[str, list[int]], found: list[int]) -> None:
    assert await place(**refused).violations() == [NONE_TAKEN.format(n) for n in found]


@pytest.mark.parametrize("turned", [{"operator_every_s": 8.0}, {"short_sessions": 0.3}, {"hubs": 0}], ids=str)
async def test_a_world_is_not_asked_in_which_a_bet_may_be_forbidden_or_nobody_answers(turned: dict[str, Any]) -> None:
    made = place(casino0=[0, 1, 2, 3])
    assert (await made.violations(**turned), made.asked) == ([], [])
