"""Hostile HTTP at the socket of the real hub: no 5xx, no request smuggled in, nobody else held up, nothing kept in memory."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from tests.journeys.stage import Stage, Table, fresh

PATIENCE_S = 20.0
TOKEN = b"POST /mis-api/api/v2/auth/token HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
CHUNKED = TOKEN + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: h\r\n"
SMUGGLED = b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n"
BAD = b"400"

REFUSED: dict[str, bytes] = {
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": b"GET /livez HTTP/3.0\r\nHost: h\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + b"\1" * 200,
    "CONNECT": b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
    "an absolute target that is no address": b"GET http://[::1/livez HTTP/1.1\r\nHost: h\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: h\r\n\r\n",
    "bytes outside ASCII in the target": b"GET /\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n",
    "NUL in the target": b"GET /li\0vez HTTP/1.1\r\nHost: h\r\n\r\n",
    "a method of 70 KB": b"A" * 70_000 + b" / HTTP/1.1\r\nHost: h\r\n\r\n",
    "line feeds alone": b"GET /livez HTTP/1.1\nHost: h\n\n",
    "carriage returns alone": b"GET /livez HTTP/1.1\rHost: h\r\r",
    "a folded header": GET + b"X-A: a\r\n b\r\n\r\n",
    "NUL in a header": GET + b"X-A: a\0b\r\n\r\n",
    "a blank in a name": GET + b"X A: b\r\n\r\n",
    "a header without colon": GET + b"abc\r\n\r\n",
    "a header without name": GET + b": b\r\n\r\n",
}
"""No HTTP/1.1: 400, and the connection ends."""

SMUGGLING: dict[str, bytes] = {
    "length and chunks": TOKEN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": TOKEN + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "another coding": TOKEN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked and identity": TOKEN + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": TOKEN + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a blank before the colon": TOKEN + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tab in the coding": TOKEN + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "two lengths": TOKEN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a list of lengths": TOKEN + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": TOKEN + b"Content-Length: +2\r\n\r\n{}",
    "a length in hexadecimal": TOKEN + b"Content-Length: 0x2\r\n\r\n{}",
    "a length beyond 64 bits": TOKEN + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a chunk size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\n{}xx\r\n0\r\n\r\n",
    "chunks by line feeds": CHUNKED + b"2\n{}\n0\n\n",
    "a length in the trailers": CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 7\r\n\r\n",
}
"""Where two readers could disagree on the end of a body: one answer at most, 400, and what stands behind is never read."""

SERVED: dict[str, tuple[bytes, bytes]] = {
    "HTTP/1.0": (b"GET /livez HTTP/1.0\r\n\r\n", b"200"),
    "HTTP/1.0 kept alive": (b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"200"),
    "HTTP/0.9": (b"GET /livez\r\n\r\n", b"200"),
    "an absolute target": (b"GET http://elsewhere.test/livez HTTP/1.1\r\nHost: h\r\n\r\n", b"200"),
    "an absolute target of a half": (b"GET http://x/v1/nothing HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
    "TRACE": (b"TRACE /livez HTTP/1.1\r\nHost: h\r\n\r\n", b"405"),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", b"200"),
    "dots in the path": (b"GET /v1/../livez HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
    "escaped dots and NUL": (b"GET /v1/%2e%2e/%ff%00 HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
    "a body on a GET": (GET + b"Content-Length: 5\r\n\r\nhello", b"200"),
    "an upgrade to a web socket": (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"200"),
    "an upgrade to h2c": (
        GET + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAM\r\n\r\n",
        b"200",
    ),
    "an expectation": (TOKEN + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", b"400"),
    "another expectation": (TOKEN + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", b"400"),
    "a long chunk extension": (CHUNKED + b"2;" + b"x" * 60_000 + b"\r\n{}\r\n0\r\n\r\n", b"400"),
    "a body declared as too long": (TOKEN + b"Content-Length: 10000000\r\n\r\n{}", b"413"),
    "another content type": (TOKEN.replace(b"application/json", b"text/xml") + b"Content-Length: 2\r\n\r\n{}", b"415"),
    "two content types": (TOKEN + b"Content-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}", b"415"),
    "a content type of 60 KB": (
        TOKEN.replace(b"/json", b"/json;" + b"x" * 60_000) + b"Content-Length: 2\r\n\r\n{}",
        b"400",
    ),
    "a head of a megabyte": (GET + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n", b"431"),
    "20,000 headers": (GET + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n", b"431"),
    "a target of 70 KB": (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"431"),
}
"""Odd and readable: the status that it gets."""

ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "a header": (b"GET /livez HTTP/1.1\r\nX-A: ", b"a" * 16_384),
    "headers": (b"GET /livez HTTP/1.1\r\n", b"X-Abc: defghijk\r\n" * 1024),
    "a target": (b"GET /", b"a" * 16_384),
    "blank lines": (b"", b"\r\n" * 8192),
    "a body": (TOKEN + b"Content-Length: 900000000\r\n\r\n", b"x" * 16_384),
    "chunks": (CHUNKED, b"4000\r\n" + b"x" * 16_384 + b"\r\n"),
    "a chunk extension": (CHUNKED + b"2;", b"x" * 16_384),
    "trailers": (CHUNKED + b"0\r\n", b"X-Abc: defghijk\r\n" * 1024),
}
MOST = 64 << 20


def place_of(stage: Stage) -> tuple[str, int]:
    host, _, port = stage.facts.hub_url.removeprefix("http://").rpartition(":")
    return host, int(port)


async def said(stage: Stage, raw: bytes, *, close: bool = True) -> bytes:
    """All that the hub says to these bytes, until it hangs up or says no more."""
    reader, writer = await asyncio.open_connection(*place_of(stage))
    heard = b""
    try:
        writer.write(raw)
        if close:
            with suppress(OSError):  # it may have answered and hung up before we said that we are done
                await writer.drain()
                writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            while piece := await reader.read(65536):
                heard += piece
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return heard


def statuses(heard: bytes) -> list[bytes]:
    """Of every answer but `100 Continue`, in order."""
    return [status for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard) if status != b"100"]


async def alive(stage: Stage) -> None:
    """Everybody else is served."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(4):  # both workers, most likely
            async with stage.http.get(f"{stage.facts.hub_url}/livez") as answer:
                assert answer.status == 200


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_http_is_400_and_the_end(stage: Stage, case: str) -> None:
    assert statuses(await said(stage, REFUSED[case] + SMUGGLED)) == [BAD]


@pytest.mark.parametrize("case", SMUGGLING)
async def test_a_body_whose_end_is_in_doubt_smuggles_nothing_in(stage: Stage, case: str) -> None:
    heard = await said(stage, SMUGGLING[case] + SMUGGLED)
    assert statuses(heard) == [BAD]
    assert b"croupier" not in heard


@pytest.mark.parametrize("case", SERVED)
async def test_what_is_odd_and_readable_gets_its_status(stage: Stage, case: str) -> None:
    raw, status = SERVED[case]
    told = statuses(
        await said(
            stage,
            raw.replace(b"Host: h\r\n", b"Host: h\r\nConnection: close\r\n", 1) if b"Connection" not in raw else raw,
        )
    )
    assert told[:1] in ([status], []) if status == b"431" else told[:1] == [status]
    assert not [one for one in told if one >= b"500"]


@pytest.mark.parametrize("case", ENDLESS)
async def test_what_has_no_end_is_cut_off_and_not_kept(stage: Stage, case: str) -> None:
    begun, piece = ENDLESS[case]
    _, writer = await asyncio.open_connection(*place_of(stage))
    sent = 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(begun)
            while sent < MOST:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert sent < MOST
    await alive(stage)


async def test_pipelined_requests_are_answered_in_their_order(stage: Stage) -> None:
    names = [f"/no-{number}" for number in range(50)]
    raw = b"".join(f"GET {name} HTTP/1.1\r\nHost: h\r\n\r\n".encode() for name in names)
    heard = await said(stage, raw + GET + b"Connection: close\r\n\r\n", close=False)
    assert re.findall(rb'"path":"([^"]+)"', heard) == [name.encode() for name in names]
    assert statuses(heard) == [b"404"] * 50 + [b"200"]


async def test_behind_a_last_request_nothing_is_read(stage: Stage) -> None:
    heard = await said(stage, GET + b"Connection: close\r\n\r\n" + SMUGGLED)
    assert statuses(heard) == [b"200"]


@pytest.mark.slow
async def test_a_hundred_slow_peers_hold_nobody_up(stage: Stage, table: Table) -> None:
    """Half of a head, and half of a body, a hundred times over, while a bet is played."""
    slow = [await asyncio.open_connection(*place_of(stage)) for _ in range(100)]
    try:
        for number, (_, writer) in enumerate(slow):
            writer.write(GET if number % 2 else TOKEN + b"Content-Length: 60000\r\n\r\n{")
            await writer.drain()
        await alive(stage)
        assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1)
    finally:
        for _, writer in slow:
            writer.close()


@pytest.mark.slow
async def test_nothing_of_all_this_stays_in_memory(stage: Stage) -> None:
    """Each case some times over; after the first round what fills once is full."""
    cases = [*REFUSED.values(), *SMUGGLING.values(), *(raw for raw, status in SERVED.values() if status != b"431")]

    async def rounds(count: int) -> None:
        for _ in range(count):
            for start in range(0, len(cases), 8):
                await asyncio.gather(*[said(stage, raw + b"\r\n") for raw in cases[start : start + 8]])

    pids = [row["pid"] for row in await stage.desk.store.db.fetch("select pid from processes")]
    if not Path(f"/proc/{os.getpid()}/statm").exists():
        pytest.skip("this system tells no process's memory as a file")
    await rounds(2)
    before = {pid: _resident_kb(pid) for pid in pids}
    await rounds(6)
    grown = {pid: _resident_kb(pid) - size for pid, size in before.items()}
    assert grown
    assert max(grown.values()) < 16_384, grown
    await alive(stage)


def _resident_kb(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
