"""The people around the hub in the full world: a casino and a provider that speak the real protocols, bytes and all.

The casino is the same `Book` as in the pure world, behind HTTP. Owns: wire forms of what the book says, the accepts it
sends, the provider's signed calls. Never: the hub's protocol code: what is wrong there must not be wrong here too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from croupier.core.commands import Order
from croupier.core.money import parse_amount
from croupier.core.readings import (
    CloseDone,
    Contents,
    Exists,
    InfoList,
    No,
    PaymentKind,
    PaymentOutcome,
    Received,
    Unknown,
    Yes,
)
from croupier.kit.chance import SeededChance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from tests.scenarios.book import Book
from tests.scenarios.words import TIMEOUT_S

TYPES = {-1: PaymentKind.STAKE, 1: PaymentKind.PAYOUT, 2: PaymentKind.BET_RETURN, -2: PaymentKind.PAYOUT_RETURN,
         4: PaymentKind.JACKPOT}  # fmt: skip
CASHBACK_TYPES = {1: PaymentKind.CASHBACK, -1: PaymentKind.CASHBACK_CANCEL}
NUMBERS = {kind: n for n, kind in [*TYPES.items(), *CASHBACK_TYPES.items()]}
JSON = {"content-type": "application/json"}
DEAD = "nothing"


class WireCasino:
    """One casino of a story, as an ASGI app and as a client of the hub."""

    def __init__(self, book: Book, wire: Wire, clock: Clock, hub_url: str, secret: str, currency: str) -> None:
        self.book = book
        self.tasks: set[asyncio.Task[Any]] = set()
        self._wire = wire
        self._clock = clock
        self._hub = f"{hub_url}/mis-api/api/v2"
        self._secret = secret
        self._currency = currency
        self._bearer = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        path = request.url.path
        data = _data_of(await request.body())
        answer = await self._answer(path, data)
        await answer(scope, receive, send)

    async def _answer(self, path: str, data: Any) -> Response:
        if path == "/users/data":
            return _envelope(200, {"Balance": "1000"})
        if path == "/payments/info":
            listed = self.book.info(data["BetId"])
            await self._clock.sleep(self.book.info_slow_s)
            return await self._said(listed)
        if path == "/payments/close":
            return await self._said(self.book.close(data["BetId"], closed=data["IsClosed"]))
        if path == "/payments/make-list":
            for one in data:
                await self._made(one, TYPES)
            return _envelope(200)
        return await self._made(data, CASHBACK_TYPES if path.startswith("/cashback") else TYPES)

    async def _made(self, data: Any, types: dict[int, PaymentKind]) -> Response:
        order = self._order(data, types)
        reaction = self.book.make(order)
        if reaction.accept_after_s is not None:
            self._later(reaction.accept_after_s, order, lambda: self.book.outcome(order, reaction.how))
        if reaction.how.answer == "silent":
            await self._clock.sleep(10 * TIMEOUT_S)
        elif reaction.answer_after_s:
            await self._clock.sleep(reaction.answer_after_s)
        return await self._said(reaction.answer)

    def _order(self, data: Any, types: dict[int, PaymentKind]) -> Order:
        subject = data.get("BetId", data.get("CashbackId"))
        tax = None if "TaxAmount" not in data else parse_amount(data["TaxAmount"], self._currency)
        amount = parse_amount(data["Amount"], self._currency)
        return Order(subject, types[data["TransactionType"]], data["PartnerUserId"], amount, tax, self._currency)

    def _later(self, seconds: float, order: Order, outcome: Callable[[], PaymentOutcome]) -> None:
        async def say() -> None:
            if seconds:
                await self._clock.sleep(seconds)
            await self.accept(order, outcome())

        task = asyncio.get_running_loop().create_task(say())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _said(self, reading: Any) -> Response:
        if isinstance(reading, Unknown):
            return await _nonsense(reading.why, self._clock)
        if isinstance(reading, Received | CloseDone):
            return _envelope(200)
        if isinstance(reading, No):
            return _envelope(reading.code)
        if isinstance(reading, Exists):
            return _envelope(103804, None if reading.contents is None else _value(reading.contents))
        if isinstance(reading, InfoList):
            moment = {"DateTime": 1_760_000_000}
            return _envelope(200, [{**_value(p), **moment} for p in reading.payments])
        assert isinstance(reading, Yes)
        return _envelope(200, _value(reading.contents))

    async def accept(self, order: Order, outcome: PaymentOutcome) -> str:
        """Send an accept; the hub's ErrorCode, or `nothing` from a dead hub."""
        cashback = order.kind in CASHBACK_TYPES.values()
        path = "cashback-payments/accept" if cashback else "payments/accept"
        try:
            answer = await self._post(path, _accept_body(order, outcome))
        except PeerError:
            return DEAD
        return str(json.loads(answer.body)["ErrorCode"])

    async def _post(self, path: str, body: dict[str, Any]) -> WireAnswer:
        if not self._bearer:
            asked = {"PartnerClientId": self.book.casino.casino_id, "Secret": self._secret}
            told = await self._send("auth/token", asked, {})
            self._bearer = json.loads(told.body)["Value"]["AccessToken"]
        answer = await self._send(path, body, {"authorization": f"Bearer {self._bearer}"})
        if answer.status == 401:
            self._bearer = ""
            return await self._post(path, body)
        return answer

    async def _send(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> WireAnswer:
        text = json.dumps(body).encode()
        return await self._wire.send(WireRequest("POST", f"{self._hub}/{path}", {**JSON, **headers}, text))


def _data_of(body: bytes) -> Any:
    """The data of the JWT in the JSON string literal."""
    payload = json.loads(body).split(".")[1]
    return json.loads(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["data"])


def _envelope(code: int, value: Any = None) -> Response:
    said: dict[str, Any] = {"ErrorCode": code, "Message": "as the story says"}
    if value is not None:
        said["Value"] = value
    return Response(json.dumps(said), media_type="application/json")


def _value(said: Contents) -> dict[str, Any]:
    assert said.kind is not None
    subject = "CashbackId" if said.kind in CASHBACK_TYPES.values() else "BetId"
    value = {
        subject: said.subject_id,
        "PartnerUserId": said.player_ref,
        "PartnerTransactionId": said.partner_tx,
        "TransactionType": NUMBERS[said.kind],
        "Amount": said.amount,
    }
    return value if said.tax is None else {**value, "TaxAmount": said.tax}


def _accept_body(order: Order, outcome: PaymentOutcome) -> dict[str, Any]:
    subject = "CashbackId" if order.kind in CASHBACK_TYPES.values() else "BetId"
    known = {subject: order.subject_id, "TransactionType": NUMBERS[order.kind]}
    if isinstance(outcome, No):
        return {"ErrorCode": outcome.code, "Message": outcome.message, "Value": known}
    contents = outcome.contents
    code = 200 if isinstance(outcome, Yes) else 103804
    value = known if contents is None else _value(contents)
    return {"ErrorCode": code, "Message": "as the story says", "Value": value}


async def _nonsense(why: str, clock: Clock) -> Response:
    """What cannot be understood, in the form that the story names."""
    if why in {"the connection broke", "no connection"}:
        raise ConnectionResetError(why)
    if why in {"no answer in time", "dribble"}:
        await clock.sleep(10 * TIMEOUT_S)
    if why == "redirect":
        return Response(status_code=302, headers={"location": "http://elsewhere.test/"})
    if why == "error 999" or why.startswith("code "):
        return _envelope(int(why.rsplit(" ", 1)[1]))
    if why in {"500", "502"}:
        return Response(b"Internal error", int(why))
    body = {"html": b"<html><body>Maintenance</body></html>", "10MB": b"x" * 10_000_000}.get(why, b"\xff\xfe{]")
    return Response(body, media_type="text/html")


class WireProvider:
    """One provider of a story: signed calls on the hub."""

    def __init__(self, counterparty: str, secret: str, wire: Wire, clock: Clock, hub_url: str) -> None:
        self._counterparty = counterparty
        self._secret = secret
        self._wire = wire
        self._clock = clock
        self._hub = hub_url
        self._chance = SeededChance(counterparty)

    async def call(self, session: str, verb: str, body: dict[str, str]) -> str:
        """The response code, `99 busy` for "not taken on", or `nothing` where nobody answers."""
        text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        headers = {**JSON, **self._signed(text)}
        request = WireRequest("POST", f"{self._hub}/v1/sessions/{session}/bets/{verb}", headers, text, total_s=60.0)
        try:
            answer = await self._wire.send(request)
        except PeerError:
            return DEAD
        code = json.loads(answer.body)["_responseCode"]
        return f"{code} busy" if answer.status == 503 else str(code)

    def _signed(self, text: bytes) -> dict[str, str]:
        stamp, request_id = str(self._clock.now_ms()), self._chance.hex(16)
        signed = b".".join([text, self._counterparty.encode(), stamp.encode(), request_id.encode()])
        return {
            "X-Counterparty-Id": self._counterparty,
            "X-Timestamp": stamp,
            "X-Request-Id": request_id,
            "X-Sign": hmac.new(self._secret.encode(), signed, hashlib.sha256).hexdigest(),
        }
