"""The report of GGR is counted a second time, and secrets are looked for in all that is kept in words."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.simulator import reports
from croupier.simulator.arena import Arena
from croupier.simulator.world import World

WORLD = World(1, 50)


@pytest.mark.slow
def test_a_report_that_leaves_something_out_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    async def of_the_sums_alone(*args: Any, **more: Any) -> Any:
        return [row for row in await ggr(*args, **more) if row.provider is None]

    ggr = reports.ggr
    monkeypatch.setattr(reports, "ggr", of_the_sums_alone)
    assert any(text.startswith("I20: the report says None") for text in ring.play(WORLD).verdict.violations)


@pytest.mark.parametrize(("word", "where"), [('"step":"make"', "event"), ("told b", "the log")])
@pytest.mark.slow
def test_a_secret_in_words_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch, word: str, where: str) -> None:
    """What really stands there is taken for a secret, so that it must be found."""

    async def as_a_secret(scene: Any, verdict: Any, _: Any) -> None:
        await secrets(scene, verdict, [word])

    secrets = reports._secrets
    monkeypatch.setattr(reports, "_secrets", as_a_secret)
    found = ring.play(WORLD).verdict.violations
    assert found
    assert all(text.startswith("I19: a secret stands in ") and where in text for text in found)
