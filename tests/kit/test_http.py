"""The real network, on loopback sockets: limits, honesty about what was sent, and no way into our own network."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from croupier.kit.http import HttpWire
from croupier.kit.resolver import Address
from croupier.kit.wire import PeerError, PeerForbidden, WireRequest

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@dataclass
class Peer:
    """A raw server: what it got, request by request, and how often somebody connected."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pay"


@asynccontextmanager
async def peer(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    there = Peer()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.connections += 1
        writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                there.requests.append(head + await reader.readexactly(int(lengths[0]) if lengths else 0))
                await answer(reader, writer, there.requests[-1])
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    there.port = server.sockets[0].getsockname()[1]
    try:
        yield there
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
async def wire() -> AsyncIterator[HttpWire]:
    made = HttpWire(allow_private=True, rest_s=0)
    yield made
    await made.close()


def says(whole: bytes) -> Answer:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(whole)
        await writer.drain()

    return answer


def ok(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def post(url: str, **changed: Any) -> WireRequest:
    return WireRequest("POST", url, {"Content-Type": "application/json"}, b'"x"', **{"total_s": 5.0, **changed})


async def fails(wire: HttpWire, request: WireRequest) -> PeerError:
    with pytest.raises(PeerError) as failed:
        await wire.send(request)
    return failed.value


# --- what is sent and read --------------------------------------------------------------------------------------


async def test_the_bytes_of_the_request_are_exactly_the_callers(wire: HttpWire) -> None:
    async with peer(says(ok(b"{}"))) as there:
        url = f"http://127.0.0.1:{there.port}/v1/games/a%2Fb%20c/launch?x=%41+1"
        answer = await wire.send(WireRequest("POST", url, {"X-Sign": "aa", "Content-Type": "application/json"}, b'"j"'))
    assert (answer.status, answer.body) == (200, b"{}")
    head, body = there.requests[0].split(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/games/a%2Fb%20c/launch?x=%41+1 HTTP/1.1"
    assert body == b'"j"'
    assert {
        b"X-Sign: aa",
        b"Content-Type: application/json",
        b"Accept-Encoding: identity",
        b"User-Agent: croupier",
    } < set(lines)


async def test_a_get_has_no_body_and_no_content_type(wire: HttpWire) -> None:
    async with peer(says(ok(b"[]"))) as there:
        await wire.send(WireRequest("GET", there.url))
    assert b"content-" not in there.requests[0].lower()


@pytest.mark.parametrize("status", [201, 302, 404, 500, 503])
async def test_every_status_is_an_answer_and_no_redirect_is_followed(wire: HttpWire, status: int) -> None:
    text = f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nno"
    async with peer(says(text.encode())) as there:
        answer = await wire.send(post(there.url))
        assert (answer.status, answer.body, answer.headers["location"]) == (status, b"no", "/elsewhere")
        assert len(there.requests) == 1


async def test_header_names_are_lowered_and_repeats_joined(wire: HttpWire) -> None:
    async with peer(says(ok(b"", b"X-One: a", b"x-one: b", b"Retry-After: 3"))) as there:
        answer = await wire.send(post(there.url))
    assert (answer.headers["x-one"], answer.headers["retry-after"]) == ("a, b", "3")


async def test_connections_are_kept(wire: HttpWire) -> None:
    async with peer(says(ok(b"{}"))) as there:
        for _ in range(5):
            await wire.send(post(there.url))
        assert there.connections == 1


async def test_cookies_are_not_kept(wire: HttpWire) -> None:
    async with peer(says(ok(b"{}", b"Set-Cookie: a=b; Path=/"))) as there:
        for _ in range(2):  # by name: a cookie jar takes nothing from a bare address anyway
            await wire.send(post(f"http://localhost:{there.port}/pay"))
    assert not any(b"cookie" in request.lower() for request in there.requests)


async def test_a_proxy_of_the_environment_is_not_used(wire: HttpWire, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(says(ok(b"proxy"))) as proxy, peer(says(ok(b"peer"))) as there:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{proxy.port}")
        assert (await wire.send(post(there.url))).body == b"peer"
        assert proxy.connections == 0


async def test_a_compressed_answer_is_not_unpacked(wire: HttpWire) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    async with peer(says(ok(bomb, b"Content-Encoding: gzip"))) as there:
        assert (await wire.send(post(there.url))).body == bomb


async def test_close_lets_a_later_call_begin_anew(wire: HttpWire) -> None:
    async with peer(says(ok(b"{}"))) as there:
        await wire.send(post(there.url))
        await wire.close()
        await wire.send(post(there.url))
        assert there.connections == 2


# --- limits -----------------------------------------------------------------------------------------------------


async def test_a_body_of_exactly_the_limit_is_read(wire: HttpWire) -> None:
    async with peer(says(ok(b"x" * 1000))) as there:
        assert len((await wire.send(post(there.url, max_bytes=1000))).body) == 1000


async def test_a_body_announced_as_too_long_is_not_read(wire: HttpWire) -> None:
    async with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\nx")) as there:
        failed = await fails(wire, post(there.url))
    assert "more than 65536" in failed.why
    assert failed.sent


async def test_a_body_without_end_is_cut_off_and_its_connection_dropped(wire: HttpWire) -> None:
    poured = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        nonlocal poured
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while poured < 500_000_000:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            poured += 65536
            await writer.drain()

    async with peer(pour) as there:
        failed = await fails(wire, post(there.url))
        assert "more than 65536" in failed.why
        await fails(wire, post(there.url))
        assert there.connections == 2
    assert poured < 100_000_000


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_the_limit_holds_for_the_whole_call_against_a_drip_of_bytes(wire: HttpWire, beginning: bytes) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(beginning)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with peer(drip) as there:
        failed = await fails(wire, post(there.url, total_s=0.4))
    assert failed.why == "no whole answer in time"
    assert failed.sent


async def test_a_call_given_up_leaves_no_connection_for_the_next_to_inherit(wire: HttpWire) -> None:
    turns = 0

    async def late_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            await asyncio.sleep(0.3)
        writer.write(ok(b"answer %d" % turns))

    async with peer(late_once) as there:
        await fails(wire, post(there.url, total_s=0.1))
        assert (await wire.send(post(there.url))).body == b"answer 2"
        assert there.connections == 2


async def test_a_handshake_that_never_ends_is_a_connect_time_out_with_nothing_sent(wire: HttpWire) -> None:
    async with peer(says(b"")) as there:
        failed = await fails(wire, post(f"https://127.0.0.1:{there.port}/", connect_s=0.2, total_s=30))
    assert not failed.sent


# --- was it sent? -----------------------------------------------------------------------------------------------


async def test_nobody_listening_means_nothing_sent(wire: HttpWire) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        failed = await fails(wire, post(f"http://127.0.0.1:{free.getsockname()[1]}/"))
    assert not failed.sent


async def test_a_name_that_does_not_exist_means_nothing_sent(wire: HttpWire, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch)
    assert not (await fails(wire, post("http://casino.example/"))).sent


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    (folder / "peer.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "peer.pem")
    return context


async def test_a_certificate_that_nobody_vouches_for_means_nothing_sent(wire: HttpWire, tmp_path: Path) -> None:
    async with peer(says(ok(b"{}")), self_signed(tmp_path)) as there:
        failed = await fails(wire, post(f"https://127.0.0.1:{there.port}/"))
    assert failed.why.startswith("its TLS certificate is not accepted (self")
    assert "signed by a known authority" in failed.why
    assert not failed.sent
    assert there.requests == []


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    ],
)
async def test_rubbish_is_a_peer_error_after_sending(wire: HttpWire, rubbish: bytes) -> None:
    async with peer(says(rubbish)) as there:
        failed = await fails(wire, post(there.url, total_s=2.0))
    assert failed.sent
    assert not any(raw in failed.why for raw in ("Error", "Invalid", "Expected"))


async def test_a_peer_that_does_not_run_is_named_in_words(wire: HttpWire) -> None:
    async with peer(says(ok(b"{}"))) as there:
        url = there.url
    failed = await fails(wire, post(url))
    assert failed.why == "nothing listens at this address; check host and port, and that it runs"
    assert not failed.sent


async def test_a_peer_without_tls_is_named_in_words(wire: HttpWire) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        failed = await fails(wire, post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
    assert failed.why.startswith("it does not speak TLS; check the port")


async def test_a_name_without_an_address_is_named_in_words(wire: HttpWire) -> None:
    failed = await fails(wire, post("http://casino.invalid/"))
    assert failed.why.startswith("casino.invalid: ")
    assert "DNS" in failed.why
    assert "Errno" not in failed.why


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"])
async def test_a_peer_that_hangs_up_is_a_peer_error_after_sending(wire: HttpWire, before: bytes) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(before)
        writer.close()

    async with peer(hang_up) as there:
        assert (await fails(wire, post(there.url))).sent
        assert len(there.requests) == 1


async def test_a_post_on_a_kept_connection_that_dies_is_not_sent_twice(wire: HttpWire) -> None:
    turns = 0

    async def once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _request: bytes) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            writer.write(ok(b"first"))
        else:
            writer.close()

    async with peer(once) as there:
        assert (await wire.send(post(there.url))).body == b"first"
        assert (await fails(wire, post(there.url))).sent
        assert (len(there.requests), there.connections) == (2, 1)


async def test_a_cancelled_call_stays_cancelled(wire: HttpWire) -> None:
    asked = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _request: bytes) -> None:
        asked.set()

    async with peer(silent) as there:
        call = asyncio.create_task(wire.send(post(there.url)))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: b"}, {"X\r\nEvil": "b"}])
async def test_a_header_cannot_smuggle_in_another(wire: HttpWire, headers: dict[str, str]) -> None:
    async with peer(says(ok(b"{}"))) as there:
        with pytest.raises(PeerError):
            await wire.send(WireRequest("POST", there.url, headers, b"x"))
    assert there.requests == []


# --- private addresses ------------------------------------------------------------------------------------------


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Stand in for DNS alone: each look-up gives these addresses, all at once. Returns what was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> tuple[Address, ...]:
        asked.append(host)
        if not answers:
            raise OSError("no such name")
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return tuple((kinds[":" in text], socket.SOCK_STREAM, 0, (text, port)) for text in answers)

    monkeypatch.setattr("croupier.kit.resolver.system_lookup", resolve)
    return asked


@pytest.fixture
async def public_wire() -> AsyncIterator[HttpWire]:
    made = HttpWire(allow_private=False)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"]
)
async def test_a_private_literal_is_forbidden(public_wire: HttpWire, host: str) -> None:
    async with peer(says(ok(b"inside"))) as there:
        failed = await fails(public_wire, post(f"http://{host}:{there.port}/"))
        assert isinstance(failed, PeerForbidden)
        assert not failed.sent
        assert there.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("::ffff:127.0.0.1",), ("127.0.0.1", "127.0.0.2"), ("::1", "127.0.0.1"), ("10.0.0.1", "fd00::1")],
)
async def test_a_name_that_leads_inside_is_forbidden(
    public_wire: HttpWire, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    asked = resolves(monkeypatch, *addresses)
    async with peer(says(ok(b"inside"))) as there:
        failed = await fails(public_wire, post(f"http://casino.example:{there.port}/"))
        assert isinstance(failed, PeerForbidden)
        assert not failed.sent
        assert there.connections == 0
    assert asked == ["casino.example"]


async def test_a_literal_is_checked_at_the_connection_too(
    public_wire: HttpWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the judgement of the URL had been fooled: the socket is still refused.
    monkeypatch.setattr("croupier.kit.http._check_url", lambda _url, **_: None)
    async with peer(says(ok(b"inside"))) as there:
        assert isinstance(await fails(public_wire, post(there.url)), PeerForbidden)
        assert there.connections == 0


async def test_a_name_that_changes_its_answer_is_checked_each_time(
    public_wire: HttpWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.kit.http.address_problem", lambda _text: None)
    monkeypatch.setattr("croupier.kit.resolver.FRESH_S", 0)
    resolves(monkeypatch, "127.0.0.1")
    async with peer(says(ok(b"public once", b"Connection: close"))) as there:
        assert (await public_wire.send(post(f"http://casino.example:{there.port}/"))).body == b"public once"
        monkeypatch.undo()
        resolves(monkeypatch, "127.0.0.1")
        assert isinstance(await fails(public_wire, post(f"http://casino.example:{there.port}/")), PeerForbidden)
        assert there.connections == 1


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://a@127.0.0.1/", "http://127.0.0.1/\r\nX: y", "unix:/run/x", ""]
)
async def test_an_odd_url_is_forbidden_even_where_private_peers_are_allowed(wire: HttpWire, url: str) -> None:
    assert isinstance(await fails(wire, post(url)), PeerForbidden)
