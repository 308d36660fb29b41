"""simulator.one_cpu: each simulating process has a processor of its own, and nobody else is moved."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from croupier.simulator.one_cpu import OneCpu

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there are no two processors to choose from"
)


@contextmanager
def _claimed() -> Iterator[OneCpu]:
    """Claim one, which another test run may hold in the meantime."""
    claimed = OneCpu.claimed()
    try:
        yield claimed
    finally:
        claimed.release()


def test_no_two_have_the_same_and_the_last_have_none() -> None:
    with ExitStack() as stack:
        have = [stack.enter_context(_claimed()).cpu for _ in range(len(os.sched_getaffinity(0)) + 1)]
    chosen = [cpu for cpu in have if cpu is not None]
    assert len(set(chosen)) == len(chosen)
    assert have[-1] is None


def test_the_block_runs_there_and_the_rest_where_it_was() -> None:
    before = os.sched_getaffinity(0)
    cpu = min(before)
    with OneCpu(cpu).here():
        assert os.sched_getaffinity(0) == {cpu}
    assert os.sched_getaffinity(0) == before


def test_without_a_processor_nothing_moves() -> None:
    before = os.sched_getaffinity(0)
    with OneCpu(None).here():
        assert os.sched_getaffinity(0) == before
    OneCpu(None).keep([os.getpid()])
    assert os.sched_getaffinity(0) == before


def test_another_process_is_moved_and_one_that_is_gone_is_no_failure() -> None:
    cpu = max(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        OneCpu(cpu).keep([other.pid, 2**22 + 1])
        assert os.sched_getaffinity(other.pid) == {cpu}
        other.communicate(b"\n")
