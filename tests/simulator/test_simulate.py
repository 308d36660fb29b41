"""The simulator: a seed is a world, the same every time; honest rules survive it, a broken rule does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from croupier.core import effects
from croupier.kit import virtual
from croupier.simulator.campaign import one_seed
from croupier.simulator.run import Outcome
from croupier.store.embedded import Attached
from croupier.store.scratch import make_template

SEEDS = range(1, 9)
ONCE_FAILED = (20, 22, 107, 172, 176, 509)
"""Every seed that ever failed is played on each push."""


@pytest.fixture(scope="module")
def server(postgres: Attached) -> Attached:
    virtual.run(lambda _: make_template(postgres))
    return postgres


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """The hub inside complains of all that is done to it."""
    before = structlog.get_config()
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet, cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def played(server: Attached) -> list[Outcome]:
    return [one_seed(server, seed) for seed in SEEDS]


@pytest.mark.xdist_group("simulator")
def test_nothing_is_lost_doubled_or_left_open_in_rough_worlds(played: list[Outcome]) -> None:
    assert [o.verdict.violations for o in played] == [[] for _ in SEEDS]
    assert sum(o.payments for o in played) > 150


@pytest.mark.xdist_group("simulator")
def test_the_worlds_are_rough_indeed(played: list[Outcome]) -> None:
    faults = {name.partition(" at ")[0] for o in played for name in o.faults}
    assert faults >= {"crash", "loss_of_request", "loss_of_answer", "duplicate", "late_accept", "rotation", "skew"}
    states = {name for o in played for name in o.seen}
    assert states >= {"bet settled", "bet returned", "bet refused", "payout accepted", "bet_return accepted"}


@pytest.mark.xdist_group("simulator")
@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_a_seed_that_failed_once_holds(server: Attached, seed: int) -> None:
    assert one_seed(server, seed).verdict.violations == []


@pytest.mark.xdist_group("simulator")
@pytest.mark.parametrize("seed", [2, 6])
def test_a_seed_gives_the_same_log_byte_for_byte(server: Attached, played: list[Outcome], seed: int) -> None:
    first = played[seed - SEEDS.start]
    again = one_seed(server, seed)
    assert again.log == first.log
    assert again.log_sha256 == first.log_sha256


@pytest.mark.xdist_group("simulator")
def test_a_return_that_is_forgotten_is_found(server: Attached, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator itself can fail: a rule that forgets to send a late stake back is caught within a few seeds."""
    monkeypatch.setattr(effects, "owe_return", lambda _: None)
    assert any(one_seed(server, seed).verdict.violations for seed in SEEDS)
