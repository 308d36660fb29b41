"""`croupier audit --trail`: exit code 0 if the audit trail verifies, 1 with what is wrong if not."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from croupier.flows.keep_trail import sign
from croupier.kit.chance import SystemChance
from croupier.kit.metrics import Metrics
from croupier.kit.seal import Sealer, load_or_make_key
from croupier.kit.signed_lines import SignedLines
from croupier.store.oversight.incidents import Incidents
from croupier.store.oversight.trail import Trail
from tests.cli.conftest import Cli
from tests.views.world import World

pytestmark = pytest.mark.one_in(2)


@pytest.fixture
def kept(cli: Cli) -> Iterator[Cli]:
    """A home where something is bound and signed, as a hub that serves would do it; afterwards nothing of it is left."""
    cli.keep(cli.story().on())
    cli.world(bound_and_signed(cli.home))
    yield cli

    async def forget(world: World) -> None:
        async with world.lawless() as connection:
            await connection.execute("delete from trail")

    cli.world(forget)
    shutil.rmtree(cli.home / "trail")


def bound_and_signed(home: Path) -> Callable[[World], Awaitable[None]]:
    async def work(world: World) -> None:
        hub: Any = world
        hub.store = world
        hub.trail = Trail(world.db, world.clock, SystemChance())
        hub.incidents = Incidents(world.db, world.clock)
        hub.metrics = Metrics()
        hub.notary = SignedLines(home / "trail", Sealer(load_or_make_key(home / "key")).derive("trail"))
        await hub.trail.bind()
        assert await sign(hub, 60.0)

    return work


def test_a_trail_in_order(kept: Cli) -> None:
    report = kept.json("audit", "--trail")
    assert report["holds"] is True
    assert report["rows"] > 2
    assert report["signed"]["rows"] == report["rows"]
    assert report["breaks"] == []
    shown = kept.ok("audit", "--trail").out
    assert "The trail verifies." in shown
    assert "What is not as it was bound or signed: none" in shown
    trail = next(i for i in kept.json("audit")["invariants"] if i["name"] == "I12")
    assert (trail["checked"], trail["violations"]) == (True, [])


@pytest.mark.slow
def test_a_broken_trail_is_told_and_fails(kept: Cli) -> None:
    row = kept.world(lambda w: w.db.fetchval("select max(entry_id) from ledger"))
    kept.world(lambda w: w.break_by(f"update ledger set amount = amount + 1 where entry_id = {row}"))
    try:
        said = kept("audit", "--trail", "--json")
        assert (said.code, said.err) == (1, "")
        assert [(b["kind"], b["table"], b["row_id"]) for b in said.json()["breaks"]] == [("edited", "ledger", row)]
        said = kept("audit", "--trail")
        assert said.code == 1
        assert f"row {row} of ledger is not what it was when it was bound" in said.out
        assert "THE TRAIL IS BROKEN" in said.out
        assert kept("audit").code == 1
    finally:
        kept.world(lambda w: w.break_by(f"update ledger set amount = amount - 1 where entry_id = {row}"))


@pytest.mark.slow
def test_a_lost_folder_is_told_and_a_person_may_vouch(kept: Cli) -> None:
    (kept.home / "trail").rename(kept.home / "elsewhere")
    said = kept("audit", "--trail")
    assert said.code == 1
    assert f"there is no checkpoint in {kept.home / 'trail'}" in said.out
    assert "CROUPIER_TRAIL_DIR" in said.out
    assert kept.ok("audit", "--trail", CROUPIER_TRAIL_DIR=str(kept.home / "elsewhere"))
    shown = kept.ok("audit", "--trail", "--vouch", "the disk of the checkpoints died", "--author", "mia").out
    assert "mia vouched for the trail as it stood on" in shown
    assert "the disk of the checkpoints died" in shown
    shutil.rmtree(kept.home / "elsewhere")


def test_nothing_bound_yet_is_no_fault(cli: Cli) -> None:
    assert cli.json("audit", "--trail")["holds"] is True
    assert "nothing was signed" in cli.complaint("audit", "--trail", "--vouch", "why")


def test_vouching_goes_with_the_trail(cli: Cli) -> None:
    assert "goes with --trail" in cli.complaint("audit", "--vouch", "why", code=2)
    assert "say something" in cli.complaint("audit", "--trail", "--vouch", " ", code=2)
