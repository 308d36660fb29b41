"""What the hub asks of a provider: signed, bounded, and nothing but a good answer is one (provider.md 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.core.commands import Catalogue, GameListing, LaunchOrder
from croupier.core.counterparty import Provider
from croupier.kit.chance import SeededChance
from croupier.kit.tls_files import TlsFiles
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.providers import PROTOCOLS
from croupier.providers.betcore_v1 import signing
from croupier.providers.betcore_v1.client import ProviderClient

SECRET = "demo-provider-secret"
NOW_MS = 1_760_000_000_123
PROVIDER = Provider(7, "p-7", "Invented Studio", "betcore_v1", "https://studio.example/api/", total_s=4.0)
ORDER = LaunchOrder("g 1/ü?", "p-9", "s-abc", "EUR", "en", min_bet="0.01", max_bet="10000")


class StillClock:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the client never waits")


class Studio:
    """The other side: gives the prepared answer, or none, and keeps what it was asked."""

    def __init__(self, body: bytes = b"", status: int = 200, failure: PeerError | None = None) -> None:
        self.asked: list[WireRequest] = []
        self._answer = WireAnswer(status, {}, body)
        self._failure = failure

    async def send(self, request: WireRequest) -> WireAnswer:
        self.asked.append(request)
        if self._failure is not None:
            raise self._failure
        return self._answer


def client(studio: Studio, *, allow_http: bool = False) -> ProviderClient:
    return ProviderClient(studio, StillClock(), SeededChance(1), allow_http=allow_http)


def assert_signed(request: WireRequest) -> None:
    """The provider, checking as the contract says, would believe this."""
    raw = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    claim = signing.read_claim(raw)
    assert isinstance(claim, signing.Claim)
    verdict = signing.verify([SECRET], claim, request.body, now_ms=NOW_MS, fresh_s=30)
    assert verdict == signing.Verified("p-7", claim.request_id, NOW_MS)


async def test_games_are_asked_without_a_body_and_signed_so() -> None:
    studio = Studio(b'[{"gameId":17,"name":"Seven","gameCategory":"slots"}]')
    assert await client(studio).catalogue(PROVIDER, SECRET) == Catalogue((GameListing("17", "Seven", "slots"),))
    (request,) = studio.asked
    assert (request.method, request.url, request.body) == ("GET", "https://studio.example/api/v1/games", b"")
    assert "Content-Type" not in request.headers
    assert (request.max_bytes, request.total_s) == (1_048_576, 4.0)
    assert_signed(request)


async def test_a_launch_is_posted_signed_and_its_game_stays_one_part_of_the_path() -> None:
    studio = Studio(b'{"_responseCode":1,"frameUri":"https://studio.example/f"}')
    assert await client(studio).launch(PROVIDER, SECRET, ORDER) == "https://studio.example/f"
    (request,) = studio.asked
    assert request.method == "POST"
    assert request.url == "https://studio.example/api/v1/games/g%201%2F%C3%BC%3F/launch"
    assert request.headers["Content-Type"] == "application/json"
    assert request.max_bytes == 65_536
    assert_signed(request)


async def test_every_call_has_a_request_id_of_its_own() -> None:
    studio = Studio(b"[]")
    caller = client(studio)
    await caller.catalogue(PROVIDER, SECRET)
    await caller.catalogue(PROVIDER, SECRET)
    assert len({request.headers["X-Request-Id"] for request in studio.asked}) == 2


async def test_skipped_games_are_told_beside_the_others() -> None:
    studio = Studio(b'[{"gameId":"a","name":"A","gameCategory":"live"},{"gameId":"b"},5]')
    catalogue = await client(studio).catalogue(PROVIDER, SECRET)
    assert [game.game_ref for game in catalogue.games] == ["a"]
    assert len(catalogue.skipped) == 2
    assert all(catalogue.skipped), "where and why"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"_responseCode":8}', "HTTP 401, _responseCode 8"),
        (503, b"", "HTTP 503, _responseCode none"),
        (500, b"<html>", "HTTP 500, _responseCode none"),
        (302, b"", "HTTP 302, _responseCode none"),
        (404, b'{"frameUri":"https://studio.example/f"}', "HTTP 404, _responseCode none"),
        (200, b'{"_responseCode":99,"frameUri":"https://studio.example/f"}', "HTTP 200, _responseCode 99"),
    ],
)
async def test_a_refusal_says_status_and_code(status: int, body: bytes, said: str) -> None:
    with pytest.raises(PeerError, match=said) as caught:
        await client(Studio(body, status)).launch(PROVIDER, SECRET, ORDER)
    assert caught.value.why.startswith("POST /games/g%201%2F%C3%BC%3F/launch: ")
    with pytest.raises(PeerError, match=said):
        await client(Studio(body, status)).catalogue(PROVIDER, SECRET)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"frameUri":"ftp://a.example/"}', b'{"frameUri":7}', b"[]"])
async def test_a_senseless_launch_answer_is_a_peer_error(body: bytes) -> None:
    with pytest.raises(PeerError, match="in the answer"):
        await client(Studio(body)).launch(PROVIDER, SECRET, ORDER)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[1]", b'"games"'])
async def test_a_senseless_games_answer_is_a_peer_error(body: bytes) -> None:
    with pytest.raises(PeerError, match="the answer is"):
        await client(Studio(body)).catalogue(PROVIDER, SECRET)


async def test_no_answer_passes_through_as_it_is() -> None:
    silence = PeerError("timed out", sent=False)
    with pytest.raises(PeerError) as caught:
        await client(Studio(failure=silence)).catalogue(PROVIDER, SECRET)
    assert caught.value is silence


async def test_a_plain_http_frame_needs_leave() -> None:
    body = b'{"frameUri":"http://127.0.0.1:9000/f"}'
    assert await client(Studio(body), allow_http=True).launch(PROVIDER, SECRET, ORDER) == "http://127.0.0.1:9000/f"
    with pytest.raises(PeerError, match="https"):
        await client(Studio(body)).launch(PROVIDER, SECRET, ORDER)


async def test_the_secret_is_in_no_request() -> None:
    studio = Studio(b'{"frameUri":"https://studio.example/f"}')
    await client(studio).launch(PROVIDER, SECRET, ORDER)
    assert SECRET not in repr(studio.asked)


async def test_the_registered_protocol_makes_this_client() -> None:
    gateway = PROTOCOLS[PROVIDER.protocol].gateway(Studio(b"[]"), StillClock(), SeededChance(1), allow_http=False)
    assert await gateway.catalogue(PROVIDER, SECRET) == Catalogue(())


def test_every_protocol_is_registered_under_its_own_name() -> None:
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())


async def test_every_call_shows_the_providers_client_certificate() -> None:
    studio = Studio(b"[]")
    provider = replace(PROVIDER, client_cert="/etc/hub.pem", client_key="/etc/hub.key", ca="/etc/ca.pem")
    await client(studio).catalogue(provider, SECRET)
    assert studio.asked[0].tls == TlsFiles("/etc/hub.pem", "/etc/hub.key", "/etc/ca.pem")
