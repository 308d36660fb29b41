"""What tests share: databases are as the migrations leave them, and the end of a run may wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from croupier.store.db import Db
from tests.conftest import Databases


@pytest.fixture(scope="module")
def seen() -> list[str]:
    return []


@pytest.mark.parametrize("turn", [1, 2])
async def test_a_used_database_is_empty_for_the_next_test(db: Db, seen: list[str], turn: int) -> None:
    assert await db.fetchval("select count(*) from casinos") == 0
    seen.append(str(await db.fetch("select * from state_moves")))
    assert seen[0] == seen[-1]
    await db.execute("delete from schema_migrations")


@pytest.mark.slow
async def test_a_database_whose_schema_was_changed_is_not_used_again(_databases: Databases) -> None:
    name = await _databases.take()
    await _databases._run(name, "create table stray ()")
    await _databases.give_back(name)
    assert await _databases.take() != name


SHARED = """
import time, pytest

@pytest.fixture(scope="session")
def shared():
    yield
    time.sleep(1.5)

def test_first(shared): pass
def test_last(shared): {last}
"""


@pytest.mark.parametrize(("last", "code"), [("pass", 0), ("assert False", 1)])
@pytest.mark.slow
def test_what_a_run_shares_may_take_its_time_to_end(tmp_path: Path, last: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_protocol")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 1\n")
    (tmp_path / "test_it.py").write_text(SHARED.format(last=last))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "."],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
