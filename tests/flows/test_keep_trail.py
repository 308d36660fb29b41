"""Keeping the audit trail: a checkpoint a minute, by one process of a home, and never over a broken chain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from croupier.flows.keep_trail import keep_trail, sign, vouch
from croupier.kit.signed_lines import SignedLines
from croupier.store.db import DbDown
from croupier.views.trail.verify import verify_trail
from tests.flows.desk import Desk

SEED = bytes(range(32))


@pytest.fixture(autouse=True)
def notary(desk: Desk, tmp_path: Path) -> SignedLines:
    desk.hub.notary = SignedLines(tmp_path / "trail", SEED)
    return desk.hub.notary


@pytest.fixture
def said() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def signed(desk: Desk) -> list[tuple[str, int, int]]:
    found = [line.said for line in desk.hub.notary.lines() if line is not None]
    return [(line["what"], line["link"], line["rows"]) for line in found]


async def test_a_checkpoint_says_where_the_chain_stands(desk: Desk) -> None:
    await desk.bet()
    bound = await desk.hub.store.trail.bind()
    assert await sign(desk.hub, 60.0)
    assert signed(desk) == [("checkpoint", 1, bound)]
    assert b"croupier_trail_signed_seconds 1.76e+09" in desk.hub.metrics.render()


async def test_before_anything_is_bound_nothing_is_signed(desk: Desk) -> None:
    assert not await sign(desk.hub, 60.0)
    assert not await vouch(desk.hub, "mia", "why not")
    assert signed(desk) == []


async def test_of_all_processes_of_a_home_one_signs_in_a_minute(desk: Desk) -> None:
    await desk.hub.store.trail.bind()
    assert await sign(desk.hub, 60.0)
    assert not await sign(desk.hub, 60.0)
    desk.clock.ms += 60_000
    assert sorted(await asyncio.gather(*(sign(desk.hub, 60.0) for _ in range(4)))) == [False, False, False, True]
    assert len(signed(desk)) == 2


async def test_a_minute_without_anything_new_has_its_checkpoint_too(desk: Desk) -> None:
    """So that an idle night is vouched for as well."""
    await desk.hub.store.trail.bind()
    await sign(desk.hub, 60.0)
    desk.clock.ms += 60_000
    assert await sign(desk.hub, 60.0)
    assert signed(desk) == [("checkpoint", 0, 0)] * 2


async def broken(desk: Desk, url: str) -> None:
    await desk.bet()
    await desk.hub.store.trail.bind()
    await sign(desk.hub, 60.0)
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("update trail set head = sha256(head) where link = 1")
    await connection.close()
    desk.clock.ms += 60_000


async def test_a_chain_that_is_not_the_signed_one_is_not_signed_and_a_person_is_called_once(
    desk: Desk, database_url: str, said: list[Any]
) -> None:
    await broken(desk, database_url)
    for _ in range(3):
        assert not await sign(desk.hub, 60.0)
        desk.clock.ms += 60_000
    assert len(signed(desk)) == 1
    (incident,) = await desk.hub.store.incidents.open_ones()
    assert (incident.name, incident.times) == ("trail_broken", 1)
    assert "link 1 is not the one that was signed last" in incident.note
    assert [line["event"] for line in said] == ["trail.broken"] * 3


async def test_after_a_persons_word_checkpoints_go_on(desk: Desk, database_url: str) -> None:
    await broken(desk, database_url)
    assert await vouch(desk.hub, "mia", "restored")
    desk.clock.ms += 60_000
    assert await sign(desk.hub, 60.0)
    assert [what for what, _, _ in signed(desk)] == ["checkpoint", "vouched", "checkpoint"]


@pytest.mark.parametrize("seed", [bytes(32), b"\x01" * 32])
async def test_after_another_key_nothing_is_signed(desk: Desk, seed: bytes) -> None:
    await desk.hub.store.trail.bind()
    await sign(desk.hub, 60.0)
    desk.hub.notary = SignedLines(desk.hub.notary.folder, seed)
    assert not await sign(desk.hub, 60.0), "not even within the minute"
    assert await desk.open_incidents() == {"trail_broken"}


async def test_a_folder_that_cannot_be_written_is_told_once_and_tried_again(
    desk: Desk, tmp_path: Path, said: list[Any]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    desk.hub.notary = SignedLines(in_the_way / "trail", SEED)
    await desk.hub.store.trail.bind()
    for _ in range(2):
        assert not await sign(desk.hub, 60.0)
    (incident,) = await desk.hub.store.incidents.open_ones()
    assert (incident.name, incident.times) == ("trail_unsigned", 1)
    assert [line["event"] for line in said] == ["trail.not_signed"] * 2
    in_the_way.unlink()
    assert await sign(desk.hub, 60.0)


async def test_a_crash_between_binding_and_signing_loses_nothing(desk: Desk) -> None:
    """The next process signs what the dead one bound."""
    await desk.bet()
    rows = await desk.hub.store.trail.bind()
    desk.hub.notary = SignedLines(desk.hub.notary.folder, SEED)
    report = await verify_trail(desk.db, desk.hub.notary)
    assert [b.kind for b in report.breaks] == ["unsigned"]
    assert await sign(desk.hub, 60.0)
    report = await verify_trail(desk.db, desk.hub.notary)
    assert (report.holds, report.not_signed, report.rows) == (True, 0, rows)


async def test_the_loop_binds_often_and_signs_seldom(desk: Desk) -> None:
    started, turns = desk.clock.ms, 0
    sleep = desk.clock.sleep

    async def sleeps(seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 30:
            raise DbDown("enough")
        await sleep(seconds)
        await desk.bet(2000 + turns)

    desk.clock.sleep = sleeps  # type: ignore[method-assign]
    with pytest.raises(DbDown):
        await keep_trail(desk.hub, 5.0, 60.0)
    assert desk.clock.ms - started == 29 * 5000
    assert len(signed(desk)) == 3
    assert await desk.db.fetchval("select count(*) from trail where link > 0") >= 29
