"""The types of the embeddable client, read by the TypeScript compiler: right uses compile, wrong ones do not."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from croupier.webframe.client_files import CLIENT, versions

HERE = Path(__file__).parent / "types"
COMPILER = HERE / "node_modules/typescript/bin/tsc"
NODE = shutil.which("node")
FLAGS = (
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2022,dom",
    "--exactOptionalPropertyTypes",
)

pytestmark = pytest.mark.skipif(
    NODE is None or not COMPILER.exists(), reason="the TypeScript compiler is not there: make browser fetches it"
)


@pytest.mark.slow
@pytest.mark.parametrize("version", versions())
async def test_the_types_of_each_version_say_what_a_page_may_write(tmp_path: Path, version: str) -> None:
    shutil.copy(CLIENT / version / "frame.d.ts", tmp_path / "frame.d.mts")
    shutil.copy(HERE / "page.ts", tmp_path / "page.mts")
    process = await asyncio.create_subprocess_exec(
        str(NODE), str(COMPILER), *FLAGS, "page.mts", cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, said.decode()
