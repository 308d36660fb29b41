"""`GET /mis-api/api/v2/auth/jwks`: the keys, and which of them signs for a casino that may keep them for ever."""

from typing import Any

import jwt
import pytest

from tests.journeys.by_hand import ask
from tests.journeys.stage import Stage, Table


async def test_it_is_a_bare_set_of_public_keys_that_may_be_cached(stage: Stage) -> None:
    for alg in ("RS256", "ES256", "EdDSA"):
        await (await stage.new_casino(alg)).line.new_token()
    own = {"RS256": {"n", "e"}, "ES256": {"crv", "x", "y"}, "EdDSA": {"crv", "x"}}

    async def all_listed() -> bool:
        told = await ask(stage.http, "GET", f"{stage.facts.hub_url}/mis-api/api/v2/auth/jwks")
        return {key["alg"] for key in told.said["keys"]} == set(own)

    await stage.until(all_listed, 2)
    told = await ask(stage.http, "GET", f"{stage.facts.hub_url}/mis-api/api/v2/auth/jwks")
    assert told.status == 200
    assert "max-age" in told.headers["cache-control"]
    assert set(told.said) == {"keys"}
    for key in told.said["keys"]:
        assert {"kty", "use", "alg", "kid"} | own[key["alg"]] <= set(key)
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert len({key["kid"] for key in told.said["keys"]}) == len(told.said["keys"])


@pytest.mark.slow
@pytest.mark.xdist_group("keys of the hub")
async def test_after_a_rotation_the_old_key_signs_until_the_casino_itself_has_fetched_the_new(
    stage: Stage, table: Table
) -> None:
    """A fetch without a bearer tells nothing: it may have been anybody's. The operator may force the new key."""
    patient = await stage.table()
    before = stage.desk.store.keys.newest_kid("RS256")
    await _signs_with(table, before)
    await _signs_with(patient, before)
    new = await stage.desk.store.keys.rotate("RS256")
    assert new != before

    async def listed() -> bool:
        kids = {key["kid"] for key in (await table.casino.line.jwks()).said["keys"]}
        return {before, new} <= kids

    await stage.until(listed)
    assert await _signing_kid(table) == before
    token = (await table.casino.line.new_token()).said["Value"]["AccessToken"]
    told = await table.casino.line.call("auth/verify", "no token", bearer=token)
    assert told.status == 200, "tokens of both keys are good"
    assert {key["kid"] for key in (await table.casino.line.jwks(with_bearer=True)).said["keys"]} >= {before, new}
    await _signs_with(table, new)
    await _signs_with(await stage.table(), new)
    assert await _signing_kid(patient) == before
    assert await stage.desk.store.keys.force(patient.casino.line.client_id) == 1
    await _signs_with(patient, new)


@pytest.mark.slow
async def test_what_is_told_to_one_casino_is_kept_by_no_cache_for_others(table: Table) -> None:
    """It looks the same, but a shared cache that answers in the hub's place would keep a casino from being seen."""
    told = {
        bearer: (await table.casino.line.jwks(with_bearer=bearer)).headers["cache-control"] for bearer in (True, False)
    }
    assert told[True].startswith("private")
    assert told[False].startswith("public")


async def test_a_bad_bearer_is_refused_here_too(stage: Stage) -> None:
    url = f"{stage.facts.hub_url}/mis-api/api/v2/auth/jwks"
    told = await ask(stage.http, "GET", url, None, {"Authorization": "Bearer no.such.token"})
    assert told.outcome == (401, 103752)


async def _signing_kid(table: Table) -> str:
    await table.line.balance(table.session)
    return str(table.casino.heard[-1].header["kid"])


async def _signs_with(table: Table, kid: str) -> None:
    async def now() -> bool:
        return await _signing_kid(table) == kid

    await table.stage.until(now)


async def test_every_listed_key_can_be_loaded_by_another_library(stage: Stage) -> None:
    told: dict[str, Any] = (await (await stage.new_casino()).line.jwks()).said
    assert all(jwt.PyJWK(key).key_id for key in told["keys"])
