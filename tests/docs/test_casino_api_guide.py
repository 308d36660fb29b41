"""The guide of the casino API runs: its blocks are pasted, in order, against a hub over HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from croupier.casino_api.problems import ProblemCode, status_of
from croupier.store.db import Db
from tests.casino_api.conftest import House, open_house

GUIDE = (Path(__file__).parents[2] / "docs/guides/casino_api.md").read_text("utf-8")


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL))


async def run(house: House, *command: str) -> str:
    """What the program prints; it must end well."""
    told = {**os.environ, "HUB": house.url, "CLIENT_ID": str(house.casino.casino_id), "SECRET": house.secret}
    process = await asyncio.create_subprocess_exec(
        *command, env=told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_the_python_blocks_run_in_order(db: Db) -> None:
    async with open_house(db) as house:
        said = await run(house, sys.executable, "-c", blocks("python"))
        assert "3 games" in said
        assert "show the player https://studio.example/play?session=" in said
        assert "True" in said
        session = (await house.get("sessions"))["sessions"][0]
        assert (session["playerId"], session["state"], session["device"]) == ("anna", "over", "mobile")


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not on this machine (Debian: apt install php-cli)")
async def test_the_php_blocks_run_in_order(db: Db, tmp_path: Path) -> None:
    program = tmp_path / "guide.php"
    program.write_text(blocks("php"), "utf-8")
    async with open_house(db) as house:
        said = await run(house, "php", str(program))
        assert "3 games" in said
        assert "show the player https://studio.example/play?session=" in said
        assert "bool(true)" in said
        session = (await house.get("sessions"))["sessions"][0]
        assert (session["playerId"], session["state"], session["device"]) == ("anna", "over", "mobile")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
async def test_the_curl_blocks_run_in_order(db: Db) -> None:
    async with open_house(db) as house:
        script = re.sub(r"^export HUB=.*$", "", blocks("bash"), flags=re.MULTILINE)
        said = await run(house, "bash", "-euo", "pipefail", "-c", script)
        assert '"providerGameId":"owl"' in said
        assert '"bets":[]' in said
        assert '"complete":true' in said or '"complete":false' in said


def test_the_table_of_what_goes_wrong_says_what_the_code_does() -> None:
    for line in re.findall(r"^\| ([0-9, ]+) \| (`[a-z_`, ]+) \|", GUIDE, re.MULTILINE):
        codes = [ProblemCode(code) for code in re.findall(r"[a-z_]+", line[1])]
        assert {str(status_of(code)) for code in codes} == set(line[0].split(", "))
