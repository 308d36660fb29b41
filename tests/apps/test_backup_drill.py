"""The drill of OPERATIONS on real processes: a backup under load, the machine's data lost, the restore, and the books agree.

The sandbox casino and studio live on and remember what the backup does not know. Nothing is lost, nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from croupier.apps.world import LocalWorld, local_world
from croupier.store.embedded.directory import find_place
from tests.apps.restoring import WAITS, Load, croupier, prove_nothing_lost_or_doubled, up, wallet
from tests.apps.test_restore_drill import down
from tests.conftest import make_home, remove_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
async def world() -> AsyncIterator[LocalWorld]:
    home = make_home()
    try:
        async with local_world(home, WAITS, workers=2, log=home / "hub.log") as made:
            yield made
    finally:
        remove_home(home)


def lose_all_but_the_keys(world: LocalWorld) -> None:
    """The machine's disk is gone; a person puts the two key files on a new one."""
    home = world.settings.home
    place = find_place(home)
    assert place is not None
    keys = {name: (home / name).read_bytes() for name in ("key", "backup.key")}
    shutil.rmtree(place)
    for path in home.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, data in keys.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)


async def test_backup_under_load_loss_of_the_data_and_restore(world: LocalWorld, tmp_path: Path) -> None:
    load = await Load.begin(world)
    await asyncio.sleep(3)
    made = await croupier(world, "backup", "--to", str(tmp_path))
    at_backup = len(load.answers)
    await asyncio.sleep(3)
    await load.stop()
    assert len(load.answers) > at_backup > 0, "bets went on behind the backup"
    await asyncio.sleep(2)
    before = await wallet(world)

    await down(world, killed=True)
    lose_all_but_the_keys(world)
    done = await croupier(world, "restore", str(made["path"]))
    assert (done["kept_as"], done["trail"], done["has_key"]) == (None, True, True)
    await up(world)
    await prove_nothing_lost_or_doubled(load, before)
