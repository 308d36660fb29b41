"""Every sample of the reference runs as it is pasted, in each language, against a hub over HTTP, and its proof is accepted."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.operations import openapi
from croupier.reference.operation_page import OperationEntry, OperationPage, operations
from croupier.reference.samples import SampleCall, samples
from tests.feed.site import Site, open_site

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
    call = SampleCall(
        "POST",
        "/v1/x",
        {"a": "it's $HOME `id` \\ \" <b>", "b": [True, None, 1.5]},
        signed=("A-Who", "A-At", "A-Id", "A-Sign"),
    )
    made = samples(call)
    assert "'it'\\''s" in made["curl"] or "it'\\''s" in made["curl"]
    assert "'it\\'s $HOME" in made["PHP"]
    compile(made["Python"], "sample.py", "exec")


@pytest.mark.slow
@pytest.mark.parametrize("language", FILES)
async def test_every_sample_runs_and_is_believed(tmp_path: Path, language: str) -> None:
    program = shutil.which(PROGRAMS[language])
    needed = [program, shutil.which("curl"), shutil.which("openssl")] if language == "curl" else [program]
    if None in needed:
        pytest.skip(f"{PROGRAMS[language]} is not on this machine")
    async with open_site(tmp_path, workers=1) as site:
        tokens = {group: await token(site, path, body) for group, path, body in entrances(site)}
        places = asyncio.Semaphore(AT_ONCE)

        async def run(number: int, entry: OperationEntry) -> str | None:
            path = tmp_path / f"{number}.{FILES[language]}"
            path.write_text(samples(call_of(entry))[language])
            known = {
                "HUB": site.url,
                "TOKEN": tokens.get(entry.group, ""),
                "COUNTERPARTY": site.counterparty,
                "SECRET": site.secret,
            }
            async with places:
                process = await asyncio.create_subprocess_exec(
                    str(program), str(path), env={**os.environ, **known},
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
                said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
            return None if process.returncode == 0 and answered(entry, said) else f"{entry.address}: {said[-300:]}"

        wrong = await asyncio.gather(*(run(number, entry) for number, entry in enumerate(ENTRIES)))
    assert [one for one in wrong if one] == []


def entrances(site: Site) -> list[tuple[str, str, dict[str, Any]]]:
    """Each API with the call that gives its token, and the body of that call."""
    names = {"clientId": site.casino["PartnerClientId"], "secret": site.casino["Secret"]}
    return [
        ("casinos", "/mis-api/api/v2/auth/token", site.casino),
        ("feed", "/partnersmediator-service/api/v2/auth/token", site.casino),
        ("casino-api", "/casino-api/v1/auth/token", names),
    ]


async def token(site: Site, path: str, body: dict[str, Any]) -> str:
    async with site.http.post(site.url + path, json=body) as answer:
        told = await answer.json()
    return str(told["accessToken"] if "accessToken" in told else told["Value"]["AccessToken"])


def answered(entry: OperationEntry, said: str) -> bool:
    """The call was understood and believed: it names things that are not there, but its proof and its form are good."""
    if not entry.schemes:
        return (
            "103752" in said or "unauthorized" in said or '"keys"' in said
        )  # the id and the secret of the example are nobody's
    if "playerBearer" in entry.schemes:
        return "unauthorized" in said  # a casino's token is none of a player
    refused = ("unauthorized", '"_responseCode":8', "wrong_type", "no such call", "method_not_allowed", "Error:")
    return said.strip() != "" and not any(words in said for words in refused)
