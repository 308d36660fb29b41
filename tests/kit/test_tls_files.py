"""Client certificates and private authorities, against a real TLS server on loopback that demands them."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from croupier.kit.http import HttpWire
from croupier.kit.tls_files import TlsFiles
from croupier.kit.wire import PeerError, WireRequest
from tests.kit.authority import BEGIN, Authority

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class TlsPeer:
    """A casino's server: the names on the client certificates of its requests."""

    url: str = ""
    clients: list[str | None] = field(default_factory=list)


@asynccontextmanager
async def tls_peer(context: ssl.SSLContext) -> AsyncIterator[TlsPeer]:
    there = TlsPeer()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                shown = writer.get_extra_info("ssl_object").getpeercert()
                subject = dict(part for (part,) in shown["subject"]) if shown else {}
                there.clients.append(subject.get("commonName"))
                writer.write(ANSWER)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    there.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/pay"
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


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def files_of(authority: Authority, name: str = "hub", **dates: dt.datetime) -> TlsFiles:
    cert, key = authority.certificate(name, **dates)
    return TlsFiles(str(cert), str(key), str(authority.ca))


async def fails(wire: HttpWire, url: str, files: TlsFiles) -> PeerError:
    with pytest.raises(PeerError) as failed:
        await wire.send(WireRequest("GET", url, tls=files))
    return failed.value


@pytest.mark.parametrize("tls12", [False, True])
async def test_a_casino_that_demands_a_certificate_gets_it(wire: HttpWire, authority: Authority, tls12: bool) -> None:
    async with tls_peer(authority.server(demands=True, tls12=tls12)) as there:
        answer = await wire.send(WireRequest("GET", there.url, tls=files_of(authority)))
        assert (answer.status, there.clients) == (200, ["hub"])


async def test_one_file_may_hold_certificate_and_key(wire: HttpWire, authority: Authority) -> None:
    files = files_of(authority)
    both = authority.folder / "both.pem"
    both.write_bytes(b"".join(Path(str(path)).read_bytes() for path in (files.cert, files.key)))
    both.chmod(0o600)
    async with tls_peer(authority.server(demands=True)) as there:
        await wire.send(WireRequest("GET", there.url, tls=TlsFiles(str(both), ca=files.ca)))
        assert there.clients == ["hub"]


async def test_a_changed_file_is_used_by_the_next_call(wire: HttpWire, authority: Authority) -> None:
    """A certificate is replaced in place. A kept connection of the old one is not used again."""
    async with tls_peer(authority.server(demands=True)) as there:
        files = files_of(authority)
        for _ in range(2):
            await wire.send(WireRequest("GET", there.url, tls=files))
        cert, key = authority.certificate("renewed")
        key.replace(str(files.key))
        cert.replace(str(files.cert))
        await wire.send(WireRequest("GET", there.url, tls=files))
        assert there.clients == ["hub", "hub", "renewed"]


async def test_a_private_authority_is_believed_where_it_is_named_alone(wire: HttpWire, authority: Authority) -> None:
    async with tls_peer(authority.server(demands=False)) as there:
        ca = TlsFiles(ca=str(authority.ca))
        assert (await wire.send(WireRequest("GET", there.url, tls=ca))).status == 200
        for other in (TlsFiles(), TlsFiles(ca=str(Authority(authority.folder, "another").ca))):
            failed = await fails(wire, there.url, other)
            assert "ertificate" in failed.why
            assert (failed.sent, failed.ours) == (False, False)
        assert there.clients == [None]


@pytest.mark.parametrize("tls12", [False, True])
async def test_a_certificate_that_the_peer_does_not_take_is_never_an_answer(
    wire: HttpWire, authority: Authority, tls12: bool
) -> None:
    """With TLS 1.3 the peer says so only after the request left: nothing is concluded of it."""
    stranger = replace(files_of(Authority(authority.folder, "another")), ca=str(authority.ca))
    async with tls_peer(authority.server(demands=True, tls12=tls12)) as there:
        for files in (stranger, TlsFiles(ca=str(authority.ca))):
            failed = await fails(wire, there.url, files)
            assert (failed.sent, failed.ours) == (not tls12, False)
        assert there.clients == []


def missing(files: TlsFiles) -> TlsFiles:
    Path(str(files.cert)).unlink()
    return files


def no_key(files: TlsFiles) -> TlsFiles:
    return replace(files, key="/nowhere/hub.key")


def no_authority(files: TlsFiles) -> TlsFiles:
    return replace(files, ca=files.key)


def rubbish(files: TlsFiles) -> TlsFiles:
    Path(str(files.cert)).write_text("rubbish")
    return files


def anothers_key(files: TlsFiles) -> TlsFiles:
    _, other = Authority(Path(str(files.key)).parent, "another").certificate("other")
    return replace(files, key=str(other))


def locked(files: TlsFiles) -> TlsFiles:
    cert, key = Authority(Path(str(files.key)).parent, "another").certificate("locked", password=b"secret")
    return replace(files, cert=str(cert), key=str(key))


def readable(files: TlsFiles) -> TlsFiles:
    Path(str(files.key)).chmod(0o644)
    return files


def expired(files: TlsFiles) -> TlsFiles:
    folder = Path(str(files.key)).parent
    return files_of(Authority(folder, "another"), "old", end=BEGIN + dt.timedelta(days=1))


def early(files: TlsFiles) -> TlsFiles:
    folder = Path(str(files.key)).parent
    return files_of(Authority(folder, "another"), "early", begin=dt.datetime(2089, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (missing, "hub.pem cannot be read: No such file"),
        (no_key, "/nowhere/hub.key cannot be read: No such file"),
        (no_authority, "hub.key holds no certificate of an authority"),
        (rubbish, "hub.pem holds no certificate in PEM"),
        (anothers_key, "other.key is no key without a password that belongs to the client certificate"),
        (locked, "locked.key is no key without a password"),
        (readable, "everybody on this machine may read the key"),
        (expired, "old.pem has expired: put a new one there"),
        (early, "early.pem is not valid yet"),
    ],
)
async def test_a_file_that_cannot_be_used_is_our_fault_and_nothing_is_sent(
    wire: HttpWire, authority: Authority, spoil: Callable[[TlsFiles], TlsFiles], says: str
) -> None:
    async with tls_peer(authority.server(demands=True)) as there:
        failed = await fails(wire, there.url, spoil(files_of(authority)))
        assert says in failed.why
        assert (failed.sent, failed.ours) == (False, True)
        assert there.clients == []


async def test_a_file_that_is_put_right_is_used_at_once(wire: HttpWire, authority: Authority) -> None:
    files = rubbish(files_of(authority))
    async with tls_peer(authority.server(demands=True)) as there:
        await fails(wire, there.url, files)
        files_of(authority)
        assert (await wire.send(WireRequest("GET", there.url, tls=files))).status == 200
