"""One processor for a process that simulates and for its database sessions.

The two take turns: while one works, the other waits. On two processors each statement wakes a sleeping one, which costs
more than the statement. On one processor a world takes half the time.

Owns: the choice of a processor that no other simulating process of this machine has, and moving there. Never: a failure.
Where a processor cannot be chosen, as outside Linux or with a server of another account, everything stays where it is.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


class OneCpu:
    """A claimed processor, or none. It is free again when `release` is called or the process ends."""

    def __init__(self, cpu: int | None, claim: socket.socket | None = None) -> None:
        self.cpu = cpu
        self._claim = claim

    @classmethod
    def claimed(cls) -> OneCpu:
        """Claim the first free processor. With more simulating processes than processors, the rest claim none."""
        if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
            return cls(None)
        for cpu in sorted(os.sched_getaffinity(0)):
            # A name in the abstract namespace: held by one process of the machine, and gone with it.
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0croupier-simulator-cpu-{cpu}")
            except OSError:
                claim.close()
            else:
                return cls(cpu, claim)
        return cls(None)

    def release(self) -> None:
        """Give the processor back."""
        if self._claim is not None:
            self._claim.close()

    def keep(self, pids: Iterable[int]) -> None:
        """Move other processes there for the rest of their lives."""
        if self.cpu is not None:
            for pid in pids:
                with suppress(OSError):
                    os.sched_setaffinity(pid, {self.cpu})

    @contextmanager
    def here(self) -> Iterator[None]:
        """Run the block there, and return to the processors of before. Programs started in the block stay there."""
        if self.cpu is None:
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.cpu})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)
