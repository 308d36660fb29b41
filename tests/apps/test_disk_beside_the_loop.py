"""A hub that serves touches the disk of its home in threads only: a disk that hangs must not stop a payment."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from croupier.apps import worker
from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.apps.worker import _loops, restart_forever
from croupier.core.jackpot import Pot
from croupier.flows.hub import Hub
from croupier.flows.jackpots import add_pot
from croupier.flows.recovery import detect_restore
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.config import Settings
from croupier.kit.key_file import Ring, write_ring
from croupier.kit.seal import Sealer
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from croupier.store.installation import Lifeline
from croupier.store.processes import Processes
from tests.flows.desk import HUB, Desk
from tests.store.cast import Cast, make_cast

PATIENCE_S = 30.0
AUDITED = ("open", "os.", "fcntl.", "shutil.")


@dataclass
class DiskWatch:
    """The accesses of this process under a place: what and by which function, in an event loop and elsewhere."""

    place: str = ""
    in_loop: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)

    def note(self, what: str, args: tuple[Any, ...]) -> None:
        if not self.place:
            return
        paths = [os.fsdecode(one) for one in args if isinstance(one, str | bytes | os.PathLike)]
        if any(path.startswith(self.place) for path in paths) and (by := _asker()):
            runs = asyncio._get_running_loop() is not None
            (self.in_loop if runs else self.elsewhere).add(f"{by} {what}")


def _asker() -> str:
    """The innermost function of the program on the stack; empty if there is none."""
    frame = sys._getframe(2)
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("croupier."):
        frame = frame.f_back  # type: ignore[assignment] # it ends with None
    return "" if frame is None else f"{frame.f_globals['__name__'].removeprefix('croupier.')}.{frame.f_code.co_name}"


WATCH = DiskWatch()
"""One for all tests: an audit hook is never taken away again. Without a place it notes nothing."""


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DiskWatch]:
    if not hasattr(sys, "_watches_the_disk"):
        sys._watches_the_disk = True  # type: ignore[attr-defined]
        sys.addaudithook(lambda event, args: WATCH.note(event, args) if event.startswith(AUDITED) else None)
    # Python audits no `stat`, and it is what hangs first on a disk that is gone.
    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, _looking(getattr(os, name)))
    yield WATCH
    WATCH.place = ""
    WATCH.in_loop.clear()
    WATCH.elsewhere.clear()


def _looking(look: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def looked(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        WATCH.note("stat", (path,))
        return look(path, *args, **kwargs)

    return looked


def settings_at(home: Path) -> Settings:
    return settings_for(home=home, bind_every_s=0.01, sign_every_s=0.01, audit_every_s=0.01)


@pytest.fixture
async def desk(db: Db, tmp_path: Path) -> Desk:
    """A hub with a home on a disk, as `serve` makes it; on the network is nobody."""
    settings = settings_at(tmp_path)
    write_ring(settings.key_path, Ring((bytes(range(32)),)))
    cast, line, clock = await make_cast(db), InProcessWire(SystemClock()), SystemClock()
    sealer = Sealer.of_file(settings.key_path, may_make=False)
    hub = build(settings, Seams(clock, SeededChance(1), InProcessWire(clock), sealer, db), "w-1")
    line.mount(HUB, hub_app(hub, settings))
    await hub.store.keys.load()
    await detect_restore(hub, Lifeline(tmp_path))
    return Desk(hub, cast, clock, db, line)  # type: ignore[arg-type] # its clock goes by itself


async def until(come: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not come():
            await asyncio.sleep(0.01)


async def test_the_loops_of_a_worker(
    desk: Desk, watch: DiskWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BEAT_S", 0.01)
    kept_up = _loops(desk.hub, Processes(desk.db, desk.hub.clock), settings_at(tmp_path))
    watch.place = str(tmp_path)
    loops = [asyncio.create_task(restart_forever(desk.hub, loop)) for loop in kept_up]
    wanted = {"store.installation.write open", "kit.signed_lines._write open", "kit.seal.refresh stat"}
    await until(lambda: wanted <= watch.elsewhere or bool(watch.in_loop))
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    assert watch.in_loop == set()


async def test_gauges_and_tokens(desk: Desk, watch: DiskWatch, tmp_path: Path) -> None:
    watch.place = str(tmp_path)
    assert (await desk.call("GET", "/metrics")).status == 200
    assert "apps.backup.last_backup_s stat" in watch.elsewhere
    casino = desk.cast.casino.casino_id
    body = b'{"PartnerClientId": %d, "Secret": "nobody\'s"}' % casino
    assert (await desk.call("POST", "/mis-api/api/v2/auth/token", body)).status == 401
    assert watch.in_loop == set()


async def seal_one_of_each(hub: Hub, cast: Cast) -> None:
    """What the hub seals while it serves."""
    await hub.store.players.keep_refresh_token(cast.player.player_id, "a token")
    await hub.store.casinos.rotate_secret(cast.casino.casino_id)
    await hub.store.providers.rotate_secret(cast.provider.provider_id)
    await hub.store.keys.rotate("EdDSA")
    await add_pot(hub, Pot(7, "Big", "EUR", 100, 1_000, 100_000), "eva")


async def test_what_is_sealed(desk: Desk, watch: DiskWatch, tmp_path: Path) -> None:
    watch.place = str(tmp_path)
    await seal_one_of_each(desk.hub, desk.cast)
    assert "kit.seal.refresh stat" in watch.elsewhere
    assert watch.in_loop == set()


@pytest.mark.parametrize("what", ["token", "studio", "casino", "keys", "pot"])
async def test_what_was_sealed_with_a_key_that_this_process_has_not_read_yet(
    desk: Desk, watch: DiskWatch, tmp_path: Path, what: str
) -> None:
    """`croupier keys reseal` replaced the file; another process has sealed with the new key already."""
    write_ring(tmp_path / "key", Ring((bytes(32), bytes(range(32)))))
    sealer = Sealer(bytes(32), bytes(range(32)))
    other = build(settings_for(), Seams(desk.hub.clock, SeededChance(2), desk.line, sealer, desk.db), "")
    await seal_one_of_each(other, desk.cast)
    store, cast = desk.hub.store, desk.cast
    watch.place = str(tmp_path)
    if what == "token":
        assert await store.players.refresh_token(cast.player.player_id) == "a token"
    if what == "studio":
        assert len(await store.providers.secrets(cast.provider.provider_id)) == 2
    if what == "casino":
        assert await store.casinos.admit(cast.casino.casino_id, "wrong") is None
    if what == "keys":
        await store.keys.load()
    if what == "pot":
        pot = await store.jackpots.get(7)
        assert pot is not None
        assert len(await store.jackpots.secret_of(pot)) == 32
    assert {"kit.seal.refresh stat", "kit.key_file.read_ring open"} <= watch.elsewhere
    assert watch.in_loop == set()
