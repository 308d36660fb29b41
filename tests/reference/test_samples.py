"""Every sample of the reference runs as it is pasted, in each language, against a hub over HTTP, and its proof is accepted."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from croupier.apps.operations import openapi
from croupier.reference.operation_page import OperationEntry, OperationPage, operations
from croupier.reference.samples import SampleCall, samples
from croupier.store.db import Db

ENTRIES = [entry for entry in operations(openapi()) if entry.group != "operations"]
FILES = {"curl": "sh", "Python": "py", "JavaScript": "mjs", "PHP": "php"}
PROGRAMS = {"curl": "sh", "Python": sys.executable, "JavaScript": "node", "PHP": "php"}
AT_ONCE = 4


def call_of(entry: OperationEntry) -> SampleCall:
    return OperationPage(entry, openapi(), {}).sample_call()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_a_python_sample_compiles_and_names_its_variables(entry: OperationEntry) -> None:
    call = call_of(entry)
    for name, text in samples(call).items():
        assert all(variable in text for variable in call.variables), name
    compile(samples(call)["Python"], "sample.py", "exec")


def test_what_a_body_says_stays_text() -> None:
    """An example is written by us; a sample must hold whatever it is."""
    call = SampleCall("POST", "/v1/x", {"a": "it's $HOME `id` \\ \" <b>", "b": [True, None, 1.5]}, signed=True)
    made = samples(call)
    assert "'it'\\''s" in made["curl"] or "it'\\''s" in made["curl"]
    assert "'it\\'s $HOME" in made["PHP"]
    compile(made["Python"], "sample.py", "exec")


@pytest.mark.slow
@pytest.mark.parametrize("language", FILES)
async def test_every_sample_runs_and_is_believed(db: Db, tmp_path: Path, language: str) -> None:
    program = shutil.which(PROGRAMS[language])
    needed = [program, shutil.which("curl"), shutil.which("openssl")] if language == "curl" else [program]
    if None in needed:
        pytest.skip(f"{PROGRAMS[language]} is not on this machine")
    async with open_house(db) as house:
        told = await environment(house)
        places = asyncio.Semaphore(AT_ONCE)

        async def run(number: int, entry: OperationEntry) -> str | None:
            call = call_of(entry)
            path = tmp_path / f"{number}.{FILES[language]}"
            path.write_text(samples(call)[language])
            async with places:
                process = await asyncio.create_subprocess_exec(
                    str(program), str(path), env={**os.environ, **told},
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
                said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
            return None if process.returncode == 0 and answered(entry, said) else f"{entry.address}: {said[-300:]}"

        wrong = await asyncio.gather(*(run(number, entry) for number, entry in enumerate(ENTRIES)))
    assert [one for one in wrong if one] == []


def answered(entry: OperationEntry, said: str) -> bool:
    """The call was understood and believed: it names things that are not there, but its proof and its form are good."""
    if entry.path.endswith("/auth/token"):
        return "103752" in said or "unauthorized" in said
    if "playerBearer" in entry.schemes:
        return "unauthorized" in said or "token" in said  # a casino's token is none of a player
    refused = ("unauthorized", '"_responseCode":8', "wrong_type", "no such call", "method_not_allowed", "Error:")
    return said.strip() != "" and not any(words in said for words in refused)


async def environment(house: House) -> dict[str, str]:
    """The variables that the samples read."""
    provider = house.provider
    return {"HUB": house.url, "TOKEN": house.token, "COUNTERPARTY": provider.counterparty_id, "SECRET": provider.secret}
