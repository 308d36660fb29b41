"""The limits per address count the caller behind a trusted proxy, and nobody else's word about where it comes from."""

from __future__ import annotations

import asyncio
import os

import aiohttp
import pytest

from croupier.apps.world import start_hub, stop
from croupier.casino_api.door import BURST_S
from tests.conftest import make_home, remove_home

PER_S = 5
ANNA, BEN = "198.51.100.7", "203.0.113.9"


@pytest.mark.parametrize(
    ("trusted", "shared"),
    [
        pytest.param("127.0.0.0/8", False, id="trusted"),
        pytest.param("10.0.0.0/8", True, id="another", marks=pytest.mark.slow),
        pytest.param("none", True, id="nobody", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
async def test_the_limit_counts_who_the_trusted_proxy_names(trusted: str, shared: bool) -> None:
    home = make_home()
    own = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
    hub, url = await start_hub(
        {
            **own,
            "CROUPIER_HOME": str(home),
            "CROUPIER_TRUSTED_PROXIES": trusted,
            "CROUPIER_API_ADDRESS_PER_S": str(PER_S),
        },
        1,
    )
    try:
        async with aiohttp.ClientSession() as client:

            async def enter(address: str) -> int:
                headers = {"X-Forwarded-For": address}
                async with client.post(
                    f"{url}/casino-api/v1/frame/session", json={"clientId": 1}, headers=headers
                ) as answer:
                    return answer.status

            anna = await asyncio.gather(*(enter(ANNA) for _ in range(PER_S * BURST_S * 4)))
            assert set(anna) == {401, 429}
            assert (429 in await asyncio.gather(*(enter(BEN) for _ in range(PER_S * BURST_S // 2)))) == shared
    finally:
        await stop([hub])
        remove_home(home)
