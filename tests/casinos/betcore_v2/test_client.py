"""The client sends exactly what casinos are promised, within the casino's bounds, and never raises for an answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.casinos.betcore_v2.client import CasinoClient
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.readings import (
    Authorized,
    BalanceKnown,
    CloseDone,
    InfoList,
    No,
    PaymentKind,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.kit import jwt
from croupier.kit.http import HttpWire
from croupier.kit.jwt import SigningKey
from croupier.kit.wire import PeerError, PeerForbidden, TooLate, WireAnswer, WireRequest
from tests.kit.authority import Authority
from tests.kit.test_tls_files import tls_peer

VECTORS = Path(__file__).parents[2] / "vectors" / "betcore_v2"
NOW_MS = 1_790_000_000_999
CASINO = Casino(2201, "Corner Bet", "betcore_v2", "https://casino.test/hub/", ("EUR",), connect_s=0.5, total_s=3.0)
STAKE = Order(5, PaymentKind.STAKE, "p-7", 1250, None, "EUR")
CASHBACK = Order(8, PaymentKind.CASHBACK, "p-7", 2500, None, "EUR")
OK = b'{"ErrorCode":200,"Message":"Success"}'


class Still:
    """A clock that stands."""

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


class Ring:
    """One key of each algorithm, chosen by the casino's."""

    def __init__(self) -> None:
        rows = json.loads((VECTORS / "keys.json").read_text("utf-8"))["keys"]
        self.keys = {row["alg"]: jwt.from_pem(row["alg"], row["kid"], row["pem"].encode()) for row in rows}
        self.changed: dict[str, SigningKey] = {}
        """What another process has changed and this one reads when it looks."""

    def signing_key(self, casino: Casino) -> SigningKey:
        return self.keys[casino.alg]

    async def ready(self, alg: str) -> None:
        self.keys |= self.changed
        assert alg in self.keys


class Line:
    """The far end of the wire: keeps what was sent, says what it was told to say."""

    def __init__(self, says: WireAnswer | PeerError) -> None:
        self.says = says
        self.sent: list[WireRequest] = []

    async def send(self, request: WireRequest) -> WireAnswer:
        self.sent.append(request.leaving())
        if isinstance(self.says, PeerError):
            raise self.says
        return self.says


RING = Ring()
PUBLIC = {key.kid: key.verifier() for key in RING.keys.values()}


def casino_that_says(body: bytes, status: int = 200) -> tuple[CasinoClient, Line]:
    line = Line(WireAnswer(status, {}, body))
    return CasinoClient(line, Still(), RING, issuer="hub.test"), line


def data_of(request: WireRequest) -> str:
    token = json.loads(request.body)
    return signing.verify_sent(token, PUBLIC, casino_id=2201, issuer="hub.test", now_s=NOW_MS // 1000).data


Call = Callable[[CasinoClient], Awaitable[object]]
CALLS: dict[str, tuple[Call, str, str]] = {
    "make": (
        lambda client: client.make(CASINO, STAKE),
        "/payments/make",
        '{"BetId":5,"PartnerUserId":"p-7","TransactionType":-1,"Amount":"12.50"}',
    ),
    "make-list": (
        lambda client: client.make_list(CASINO, [STAKE, replace(STAKE, subject_id=6)]),
        "/payments/make-list",
        (
            '[{"BetId":5,"PartnerUserId":"p-7","TransactionType":-1,"Amount":"12.50"},'
            '{"BetId":6,"PartnerUserId":"p-7","TransactionType":-1,"Amount":"12.50"}]'
        ),
    ),
    "info": (lambda client: client.info(CASINO, 5), "/payments/info", '{"BetId":5}'),
    "close": (lambda client: client.close(CASINO, 5, True), "/payments/close", '{"BetId":5,"IsClosed":true}'),
    "reopen": (lambda client: client.close(CASINO, 5, False), "/payments/close", '{"BetId":5,"IsClosed":false}'),
    "cashback": (
        lambda client: client.make_cashback(CASINO, CASHBACK),
        "/cashback-payments/make",
        '{"CashbackId":8,"PartnerUserId":"p-7","TransactionType":1,"Amount":"25.00"}',
    ),
    "auth": (lambda client: client.auth(CASINO, "r-1", 12), "/users/auth", '{"RefreshToken":"r-1","TagId":12}'),
    "balance": (lambda client: client.balance(CASINO, "p-7"), "/users/data", '{"PartnerUserId":"p-7"}'),
}


@pytest.mark.parametrize("name", CALLS)
async def test_each_call_posts_its_data_to_its_path_within_the_casinos_bounds(name: str) -> None:
    call, path, data = CALLS[name]
    client, line = casino_that_says(OK)
    await call(client)
    [request] = line.sent
    assert (request.method, request.url) == ("POST", f"https://casino.test/hub{path}")
    assert request.headers["Content-Type"] == "application/json"
    assert (request.connect_s, request.total_s, request.max_bytes) == (0.5, 3.0, 65536)
    assert data_of(request) == data


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "error", [PeerError("no answer in 3 s"), PeerForbidden("private address")], ids=["late", "ssrf"]
)
async def test_no_answer_is_unknown_and_says_why(name: str, error: PeerError) -> None:
    client = CasinoClient(Line(error), Still(), RING, issuer="hub.test")
    assert await CALLS[name][0](client) == Unknown(error.why, sent=error.sent)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("status", "body"), [(500, OK), (302, OK), (200, b"<html>"), (200, b"")])
async def test_a_senseless_answer_is_unknown(name: str, status: int, body: bytes) -> None:
    client, _ = casino_that_says(body, status)
    assert isinstance(await CALLS[name][0](client), Unknown)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_the_casinos_algorithm_signs(alg: str) -> None:
    client, line = casino_that_says(OK)
    await client.make(replace(CASINO, alg=alg), STAKE)
    token = json.loads(line.sent[0].body)
    fetched = jwt.public_keys_from_jwks(jwt.jwks([RING.keys[alg]]))
    assert jwt.verify(token, fetched, now_s=NOW_MS // 1000, issuer="hub.test")["client_id"] == "PartnerClient-2201"


async def test_a_key_that_another_process_changed_is_read_before_it_signs() -> None:
    """A rotation that is forced holds at once, also here (operate.md 3: within 1 s)."""
    ring, line = Ring(), Line(WireAnswer(200, {}, OK))
    rotated = jwt.new_key("RS256", "rotated")
    ring.changed = {"RS256": rotated}
    await CasinoClient(line, Still(), ring, issuer="hub.test").make(CASINO, STAKE)
    fetched = {"rotated": rotated.verifier()}
    assert jwt.verify(json.loads(line.sent[0].body), fetched, now_s=NOW_MS // 1000)["client_id"] == "PartnerClient-2201"


async def test_a_repeat_carries_the_same_data_bytes() -> None:
    client, line = casino_that_says(b"")
    await client.make(CASINO, STAKE)
    await client.make(CASINO, STAKE)
    assert data_of(line.sent[0]) == data_of(line.sent[1])


async def test_a_make_is_received_booked_or_refused() -> None:
    client, line = casino_that_says(OK)
    assert await client.make(CASINO, STAKE) == Received()
    line.says = WireAnswer(200, {}, b'{"ErrorCode":200,"Message":"","Value":{"PartnerTransactionId":"t-1"}}')
    ack = await client.make(CASINO, STAKE)
    assert isinstance(ack, Yes)
    assert (ack.contents.partner_tx, ack.contents.amount, ack.contents.subject_id) == ("t-1", None, None)
    line.says = WireAnswer(400, {}, b'{"ErrorCode":103802,"Message":"no funds"}')
    no = No(CasinoNo.NOT_ENOUGH_FUNDS, 103802, "no funds")
    assert await client.make(CASINO, STAKE) == no
    assert await client.make_cashback(CASINO, CASHBACK) == no
    assert isinstance(await client.make_list(CASINO, [STAKE]), Unknown)


async def test_the_other_calls_bring_their_readings() -> None:
    client, line = casino_that_says(OK)
    assert await client.make_list(CASINO, [STAKE]) == Received()
    assert await client.close(CASINO, 5, True) == CloseDone()
    line.says = WireAnswer(200, {}, b'{"ErrorCode":200,"Message":"","Value":[]}')
    assert await client.info(CASINO, 5) == InfoList(())
    line.says = WireAnswer(200, {}, b'{"ErrorCode":200,"Message":"","Value":{"Balance":"7100.5"}}')
    assert await client.balance(CASINO, "p-7") == BalanceKnown("7100.5")
    line.says = WireAnswer(
        200,
        {},
        b'{"ErrorCode":200,"Message":"","Value":{"RefreshToken":"r-2","PartnerUserId":"p-7","CurrencyCode":"EUR"}}',
    )
    assert await client.auth(CASINO, "r-1", None) == Authorized("r-2", "p-7", "EUR")


class Slow:
    """A ring whose look at the keys takes its time, and a clock that says so."""

    def __init__(self, seconds: float) -> None:
        self.ms, self._took_ms = NOW_MS, round(seconds * 1000)

    def now_ms(self) -> int:
        return self.ms

    def signing_key(self, casino: Casino) -> SigningKey:
        return RING.keys[casino.alg]

    async def ready(self, alg: str) -> None:
        assert alg in RING.keys
        self.ms += self._took_ms


@pytest.mark.parametrize("name", ["make", "make-list", "info", "close", "cashback"])
async def test_what_is_bound_to_a_time_leaves_before_it_or_not_at_all(name: str) -> None:
    """The keys were read for 14 s: the stake's hold time, or the lease, is over (money.md 2.3)."""
    calls: dict[str, Callable[[CasinoClient, int], Awaitable[object]]] = {
        "make": lambda client, ms: client.make(CASINO, STAKE, before_ms=ms),
        "make-list": lambda client, ms: client.make_list(CASINO, [STAKE], before_ms=ms),
        "info": lambda client, ms: client.info(CASINO, 5, before_ms=ms),
        "close": lambda client, ms: client.close(CASINO, 5, True, before_ms=ms),
        "cashback": lambda client, ms: client.make_cashback(CASINO, CASHBACK, before_ms=ms),
    }
    slow, line = Slow(14), Line(WireAnswer(200, {}, OK))
    client = CasinoClient(line, slow, slow, issuer="hub.test")  # type: ignore[arg-type]
    with pytest.raises(TooLate):
        await calls[name](client, NOW_MS + 14_000)
    assert line.sent == []
    slow.ms = NOW_MS
    await calls[name](client, NOW_MS + 14_001)
    assert len(line.sent) == 1


async def test_an_envelope_is_dated_when_it_leaves() -> None:
    """What it waited for costs it none of its ten seconds, and lends it none."""
    slow, line = Slow(3.5), Line(WireAnswer(200, {}, OK))
    await CasinoClient(line, slow, slow, issuer="hub.test").make(CASINO, STAKE)  # type: ignore[arg-type]
    left_s = (NOW_MS + 3500) // 1000
    claims = jwt.verify(json.loads(line.sent[0].body), PUBLIC, now_s=left_s, issuer="hub.test")
    assert (claims["nbf"], claims["exp"]) == (str(left_s), str(left_s + 10))


async def test_a_make_to_a_casino_that_demands_a_certificate(tmp_path: Path) -> None:
    """A file that is wrong is the hub's fault: nothing was sent, and the casino said nothing."""
    authority = Authority(tmp_path)
    cert, key = authority.certificate("hub")
    wire = HttpWire(allow_private=True)
    async with tls_peer(authority.server(demands=True)) as there:
        casino = replace(CASINO, url=there.url, client_cert=str(cert), client_key=str(key), ca=str(authority.ca))
        client = CasinoClient(wire, Still(), RING, issuer="hub.test")
        assert await client.make(casino, STAKE) == Unknown("HTTP 200 without an envelope: ErrorCode is missing")
        cert.unlink()
        heard = await client.make(casino, STAKE)
        assert there.clients == ["hub"]
    await wire.close()
    assert isinstance(heard, Unknown)
    assert (heard.ours, heard.sent) == (True, False)
    assert heard.why == f"{cert} cannot be read: No such file or directory"
