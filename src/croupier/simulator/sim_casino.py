"""A casino of the simulator: real bytes and signatures, a book of its own, a character.

It keys its book on (bet, type) as the contract says and tells the truth when asked, unless it is a liar. Its own
accepts go through the weather and are resent on an error answer, as casinos are told to. Owns: the book. Never:
the hub's protocol code: it reads and writes the contract's JSON itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from croupier.core.money import format_amount, parse_amount
from croupier.kit.jwt import BadToken, PublicKey, public_keys_from_jwks, verify
from croupier.kit.strictjson import loads
from croupier.kit.wire import PeerError, Wire, WireRequest
from croupier.simulator.dials import CasinoCharacter, one_of
from croupier.simulator.faults import Around

Key = tuple[int, int, bool]
"""(BetId or CashbackId, TransactionType, is it a cashback)."""
TAKES = ((-1, False), (-2, False), (-1, True))
RESEND_S = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
CURRENCY = "EUR"
SKEW_S = 10
"""How far it lets the hub's clock be off (money.md 2)."""
Log = Callable[..., None]


@dataclass(slots=True)
class Booking:
    """One payment in the casino's book. `times` is how often it moved money; `told` what it will say."""

    player: str
    amount: int
    tx: str
    times: int = 1
    forgotten: bool = False


@dataclass(slots=True)
class Book:
    """Everything the casino booked, and the bets it closed."""

    bookings: dict[Key, Booking] = field(default_factory=dict)
    refused: dict[Key, int] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)

    def net(self, subject_id: int, *, cashback: bool = False) -> int:
        """What one bet or cashback did to its player's wallet, minor units."""
        return sum(
            (-1 if (kind, of_cashback) in TAKES else 1) * b.amount * (0 if b.forgotten else b.times)
            for (subject, kind, of_cashback), b in self.bookings.items()
            if subject == subject_id and of_cashback is cashback
        )


@dataclass(frozen=True, slots=True)
class Access:
    """How the casino reaches the hub."""

    hub_url: str
    client_id: int
    secret: str


class SimCasino:
    """One casino as an ASGI app and as a client of the hub."""

    def __init__(self, *, access: Access, wire: Wire, around: Around, character: CasinoCharacter, log: Log) -> None:
        self.book = Book()
        self.character = character
        self._access = access
        self._wire = wire
        self._clock = around.clock
        self._chance = around.chance
        self._dials = around.dials
        self._weather = around.weather
        self._log = log
        self._bearer = ""
        self._keys: Mapping[str, PublicKey] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def undoes_late(self) -> bool:
        """It and the hub agreed that it undoes late stakes itself."""
        return self._dials.late_refuse

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request of the hub."""
        request = Request(scope, receive)
        data = await self._verified(await request.body())
        answer = _envelope(103753) if data is None else await self._answer(request.url.path, data)
        await answer(scope, receive, send)

    async def _verified(self, body: bytes) -> Any:  # noqa: ANN401 - the contract's JSON
        """The data of the signed envelope; the key set is fetched again for a key that is not known."""
        token = json.loads(body)
        for attempt in range(2):
            try:
                claims = verify(token, self._keys, now_s=self._clock.now_ms() // 1000, leeway_s=SKEW_S)
                return json.loads(str(claims["data"]))
            except BadToken:
                if attempt == 0:
                    await self._fetch_keys()
        return None

    async def _fetch_keys(self) -> None:
        try:
            headers = {"authorization": f"Bearer {await self._token()}"}
            url = f"{self._access.hub_url}/mis-api/api/v2/auth/jwks"
            answer = await self._wire.send(WireRequest("GET", url, headers))
            if answer.status == 200:
                self._keys = public_keys_from_jwks(loads(answer.body))  # type: ignore[arg-type]
        except (PeerError, KeyError, ValueError):
            return

    async def _answer(self, path: str, data: Any) -> Response:  # noqa: ANN401 - the contract's JSON
        if path == "/users/data":
            return _envelope(200, {"Balance": "100000"})
        if path == "/payments/info":
            return await self._maybe_nonsense(_envelope(200, self._info(data["BetId"])))
        if path == "/payments/close":
            bet_id = data["BetId"]
            (self.book.closed.add if data["IsClosed"] else self.book.closed.discard)(bet_id)
            return await self._maybe_nonsense(_envelope(200))
        if path == "/payments/make-list":
            for one in data:
                self._receive(one, cashback=False, tell=True)
            return await self._maybe_nonsense(_envelope(200))
        return await self._make(data, cashback=path.startswith("/cashback"))

    # --- makes ------------------------------------------------------------------------------------------------------

    async def _make(self, data: dict[str, Any], *, cashback: bool) -> Response:
        inline = self.character is CasinoCharacter.INLINE
        key, code, fresh = self._receive(data, cashback=cashback, tell=not inline)
        if code != 200 and inline:
            return _envelope(code)
        if not fresh:
            booking = self.book.bookings.get(key)
            return _envelope(103804, None if booking is None else self._value(key, booking))
        if self.character is CasinoCharacter.SLOW and self._weather.rough:
            await self._clock.sleep(3 + self._chance.fraction() * 6)
        if inline:
            return _envelope(200, self._value(key, self.book.bookings[key]))
        return await self._maybe_nonsense(_envelope(200))

    def _receive(self, data: dict[str, Any], *, cashback: bool, tell: bool) -> tuple[Key, int, bool]:
        """Book or refuse a payment: its key, the code, and whether it was not booked before."""
        key = (data["CashbackId" if cashback else "BetId"], data["TransactionType"], cashback)
        known = self.book.bookings.get(key)
        if known is not None and not known.forgotten:
            if tell and self._chance.fraction() < 0.5:
                self._later(key, 200)
            return key, 200, False
        code = self._judge(key, data)
        if code == 200:
            self._write(key, data)
        if tell:
            self._later(key, code)
        return key, code, True

    def _judge(self, key: Key, data: dict[str, Any]) -> int:
        """A stake may lack funds; a give or take-back of an unknown bet is 103805; a closed bet is refused."""
        subject, kind, cashback = key
        if key in self.book.refused:
            return self.book.refused[key]
        if cashback:
            return 200 if kind == 1 or (subject, 1, True) in self.book.bookings else 103805
        if subject in self.book.closed:
            return 102823
        if kind == -1:
            if self._chance.fraction() < self._dials.no_funds and parse_amount(data["Amount"], CURRENCY):
                self.book.refused[key] = 103802
                return 103802
            return 200
        return 200 if (subject, -1, False) in self.book.bookings or kind == 4 else 103805

    def _write(self, key: Key, data: dict[str, Any]) -> None:
        amount = parse_amount(data["Amount"], CURRENCY)
        twice = self.character is CasinoCharacter.TWICE and self._bad_moment()
        tx = f"tx-{key[1]}-{len(self.book.bookings)}"
        self.book.bookings[key] = Booking(data["PartnerUserId"], amount, tx, 2 if twice else 1)
        self._log("book", key[1], amount, "twice" if twice else "")
        if self.character is CasinoCharacter.FORGETFUL and self._bad_moment():
            self.book.bookings[key].forgotten = True
            self._weather.seen["forgotten"] += 1

    def _bad_moment(self) -> bool:
        return self._weather.rough and self._chance.fraction() < 0.15

    # --- accepts ----------------------------------------------------------------------------------------------------

    def _later(self, key: Key, code: int) -> None:
        """Report the outcome after a while, as the character has it."""
        if self.character is CasinoCharacter.SILENT and self._weather.rough:
            self._weather.seen["silent"] += 1
            return
        after_s = self._chance.fraction() * 0.3
        if self.character is CasinoCharacter.LATE and self._weather.rough:
            after_s = 31 + self._chance.fraction() * 269
            self._weather.seen["late_accept"] += 1
        task = asyncio.get_running_loop().create_task(self._report(key, code, after_s))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _report(self, key: Key, code: int, after_s: float) -> None:
        await self._clock.sleep(after_s)
        value: dict[str, Any] = {"CashbackId" if key[2] else "BetId": key[0], "TransactionType": key[1]}
        if code == 200:
            value = self._value(key, self.book.bookings[key])
            if self.character is CasinoCharacter.LYING and self._bad_moment():
                value, code = self._lie(value)
        for wait_s in (*RESEND_S, 0.0):
            if await self._accepted(key, code, value):
                return
            await self._clock.sleep(wait_s)

    def _lie(self, value: dict[str, Any]) -> tuple[dict[str, Any], int]:
        self._weather.seen["lie"] += 1
        lie = one_of(self._chance, ("amount", "user", "refusal", "exists"))
        if lie == "amount":
            return {**value, "Amount": "77.77"}, 200
        if lie == "user":
            return {**value, "PartnerUserId": "somebody"}, 200
        if lie == "exists":
            return {**value, "Amount": "66.66"}, 103804
        return value, 102823

    async def _accepted(self, key: Key, code: int, value: dict[str, Any]) -> bool:
        path = "cashback-payments/accept" if key[2] else "payments/accept"
        body = {"ErrorCode": code, "Message": "sim", "Value": value}
        try:
            headers = {"authorization": f"Bearer {await self._token()}", "content-type": "application/json"}
            url = f"{self._access.hub_url}/mis-api/api/v2/{path}"
            answer = await self._wire.send(WireRequest("POST", url, headers, json.dumps(body).encode()))
            if answer.status == 401:
                self._bearer = ""
                return False
            said = json.loads(answer.body)["ErrorCode"]
            if said == 102823 and code == 200 and self._dials.late_refuse and key[1:] == (-1, False):
                # Agreed with the hub: a stake that it does not want any more is undone here (`late_accept=refuse`).
                self.book.bookings[key].forgotten = True
                return True
            return bool(said == 200)
        except (PeerError, KeyError, ValueError):
            return False

    async def _token(self) -> str:
        if not self._bearer:
            body = json.dumps({"PartnerClientId": self._access.client_id, "Secret": self._access.secret}).encode()
            url = f"{self._access.hub_url}/mis-api/api/v2/auth/token"
            answer = await self._wire.send(WireRequest("POST", url, {"content-type": "application/json"}, body))
            self._bearer = json.loads(answer.body)["Value"]["AccessToken"]
        return self._bearer

    # --- what it says -----------------------------------------------------------------------------------------------

    def _info(self, bet_id: int) -> list[dict[str, Any]]:
        return [
            {**self._value(key, booking), "DateTime": self._clock.now_ms() // 1000}
            for key, booking in self.book.bookings.items()
            if key[0] == bet_id and not key[2] and not booking.forgotten
        ]

    @staticmethod
    def _value(key: Key, booking: Booking) -> dict[str, Any]:
        return {
            "CashbackId" if key[2] else "BetId": key[0],
            "PartnerUserId": booking.player,
            "PartnerTransactionId": booking.tx,
            "TransactionType": key[1],
            "Amount": format_amount(booking.amount, CURRENCY),
        }

    async def _maybe_nonsense(self, answer: Response) -> Response:
        """The character shows in its answers too, while faults last."""
        if not self._weather.rough or self.character not in (CasinoCharacter.RUBBISH, CasinoCharacter.DRIP):
            return answer
        if self._chance.fraction() < 0.5:
            return answer
        self._weather.seen[self.character.value] += 1
        if self.character is CasinoCharacter.DRIP:
            await self._clock.sleep(60)
            return answer
        return one_of(
            self._chance,
            (
                Response(b"<html>maintenance</html>", 200),
                Response(b"{", 200),
                Response(b"", 500),
                Response(b"", 302, headers={"location": "http://elsewhere.test/"}),
                _envelope(999),
                Response(b"x" * 70_000, 200),
            ),
        )


def _envelope(code: int, value: Any = None) -> Response:  # noqa: ANN401 - the contract's JSON
    said: dict[str, Any] = {"ErrorCode": code, "Message": "sim"}
    if value is not None:
        said["Value"] = value
    return Response(json.dumps(said), media_type="application/json")
