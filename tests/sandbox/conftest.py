"""A sandbox casino and a fake hub in one process, joined by the in-process wire on a clock that does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.sandbox.casino import SandboxCasino
from croupier.simulator.in_process_http import InProcessWire
from tests.sandbox.fake_hub import CLIENT_ID, HUB, SECRET, FakeHub


class QuickClock(SystemClock):
    """Sleeps a hundredth of what it is asked, and remembers what that was."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds / 100)


@dataclass
class Table:
    """Everything a test of the casino needs."""

    hub: FakeHub
    casino: SandboxCasino
    clock: QuickClock
    wire: InProcessWire

    async def quiet(self) -> None:
        """Wait until every accept is delivered or given up."""
        while self.casino.endpoint.running:
            await asyncio.wait(self.casino.endpoint.running)

    def balance(self, player: str = "anna") -> int:
        account = self.casino.wallet.account(player)
        assert account is not None
        return account.balance


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    clock = QuickClock()
    wire = InProcessWire(SystemClock())
    casino = SandboxCasino(
        wire=wire, clock=clock, chance=SeededChance(1), hub_url=HUB, client_id=CLIENT_ID, secret=SECRET
    )
    hub = FakeHub(wire, clock)
    wire.mount(HUB, hub.app)
    wire.mount("http://casino.test", casino.app)
    yield Table(hub, casino, clock, wire)
    await casino.close()
    await wire.close()
