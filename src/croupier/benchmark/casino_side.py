"""The casino of the benchmark: it books each payment of a make or a list once, and accepts each by a callback.

Owns: the players' wallets, and the counts of what the hub sent. Like every casino it answers a make at once and accepts it
afterwards, over connections of its own. Never: verifies the hub's signatures, whose cost is the casino's. Spec: casino.md 1.1 and 2.
"""

from __future__ import annotations

import os
import signal
from binascii import a2b_base64
from collections import Counter, deque
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from croupier.benchmark.lines import Line, Loop, Orders, answer, listen
from croupier.benchmark.processes import own_cpu_s

WALLET = 100_000_000
"""What each player has at the beginning, in minor units: enough for every run."""
LINES = 128
"""Connections of a casino for its accepts. An accept waits for a free one."""
STAKE = -1
_SUCCESS = b'{"ErrorCode":200,"Message":"Success"}'
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_SAMPLES = 5


class Make(msgspec.Struct, rename="pascal"):
    """One payment that the hub asks for."""

    bet_id: int
    partner_user_id: str
    transaction_type: int
    amount: str


class Claims(msgspec.Struct):
    """The contents of a JWT of the hub that the casino needs."""

    data: str


class AcceptOrder(msgspec.Struct):
    """Where accepts go to, the access token that they carry, and what must end if the benchmark is killed."""

    port: int
    token: str
    pid: int
    """The process of the hub."""


class WalletQuery(msgspec.Struct, rename="pascal"):
    """The contents of a balance query."""

    partner_user_id: str


_claims = msgspec.json.Decoder(Claims)
_make = msgspec.json.Decoder(Make)
_makes = msgspec.json.Decoder(list[Make])
_query = msgspec.json.Decoder(WalletQuery)


class CasinoSide:
    """Answers the hub's calls and sends accepts."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._port = self._pid = 0
        self._head = b""
        self._free: list[Line] = []
        self._open = 0
        self._waiting: deque[bytes] = deque()
        self._booked: set[int] = set()
        self._wallets: dict[str, int] = {}
        self._minor: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.listens_on = listen(loop, self._asked)

    def obey(self, order: bytes) -> None:
        """Begin with the address of the hub, tell the figures, or end."""
        if order.startswith(b"{"):
            self._begin(msgspec.json.decode(order, type=AcceptOrder))
        elif order == b"end":
            self._loop.end()
        answer(msgspec.json.encode(self.figures()))

    def end_hub(self) -> None:
        """End the hub of a benchmark that was killed and could not end it."""
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)

    def figures(self) -> dict[str, Any]:
        """Return the counts since the start, the processor time, and the accepts without an answer."""
        waiting = len(self._waiting) + self._open - len(self._free)
        return {"counts": self.counts, "cpu_s": own_cpu_s(), "waiting": waiting, "wrong": self.wrong}

    def _begin(self, order: AcceptOrder) -> None:
        self._port, self._pid = order.port, order.pid
        self._head = (
            "POST /mis-api/api/v2/payments/accept HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {order.token}\r\nContent-Length: "
        ).encode()
        # A server that is busy takes new connections slowly, and the accepts on them would wait for it.
        self._free = [self._connect() for _ in range(LINES)]

    def _asked(self, line: Line, first: bytes, body: bytes) -> None:
        name = first.split(b" ", 2)[1].rpartition(b"/")[2]
        part = body.split(b".", 2)[1].translate(_URL_SAFE)
        data = _claims.decode(a2b_base64(part + b"==")).data
        self.counts[name.decode()] += 1
        if name == b"data":
            balance = self._wallets.get(_query.decode(data).partner_user_id, WALLET)
            text = b'{"ErrorCode":200,"Message":"Success","Value":{"Balance":"%d.%02d"}}' % divmod(balance, 100)
            line.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
            )
            return
        line.send(_ACKNOWLEDGED)
        if name == b"make":
            self._book(_make.decode(data))
        elif name == b"make-list":
            for make in _makes.decode(data):
                self._book(make)

    def _book(self, make: Make) -> None:
        payment = make.bet_id * 8 + make.transaction_type
        if payment in self._booked:
            self.counts["repeats"] += 1
        else:
            self._booked.add(payment)
            amount = self._minor_of(make.amount)
            player, counts = make.partner_user_id, self.counts
            counts["payments"] += 1
            counts["stakes"] += make.transaction_type == STAKE
            # A stake leaves the wallet, a payout or a returned stake enters it, a payout that is taken back leaves it.
            move = -amount if make.transaction_type < 0 else amount
            self._wallets[player] = self._wallets.get(player, WALLET) + move
            counts["net"] += move
        body = (
            b'{"ErrorCode":200,"Message":"Success","Value":{"BetId":%d,"PartnerUserId":"%b","TransactionType":%d,'
            b'"Amount":"%b","PartnerTransactionId":"t%d"}}'
        ) % (make.bet_id, make.partner_user_id.encode(), make.transaction_type, make.amount.encode(), payment)
        message = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        line = self._line()
        if line is None:
            self._waiting.append(message)
        else:
            line.send(message)
            line.owed = message

    def _minor_of(self, amount: str) -> int:
        """Return an amount in minor units."""
        known = self._minor.get(amount)
        if known is None:
            known = self._minor[amount] = int(Decimal(amount).scaleb(2))
        return known

    def _line(self) -> Line | None:
        if self._free:
            return self._free.pop()
        return self._connect() if self._open < LINES else None

    def _connect(self) -> Line:
        self._open += 1
        return Line.to(self._loop, self._port, self._taken, lost=self._lost)

    def _taken(self, line: Line, first: bytes, body: bytes) -> None:
        if body == _SUCCESS and first[9:12] == b"200":
            self.counts["accepted"] += 1
        else:
            self._judge(first, body)
        if self._waiting:
            line.owed = self._waiting.popleft()
            line.send(line.owed)
        else:
            line.owed = None
            self._free.append(line)

    def _judge(self, first: bytes, body: bytes) -> None:
        """Look at an answer that is not spelled like most of them."""
        if first[9:12] == b"200" and msgspec.json.decode(body).get("ErrorCode") == 200:
            self.counts["accepted"] += 1
            return
        self.counts["wrong"] += 1
        if len(self.wrong) < _SAMPLES:
            self.wrong.append(f"accept: {first.decode('latin-1')} {body.decode(errors='replace')}"[:300])

    def _lost(self, line: Line) -> None:
        """Send an accept again whose connection was closed before its answer, as a casino does."""
        self._open -= 1
        if line in self._free:
            self._free.remove(line)
        if isinstance(line.owed, bytes):
            self.counts["sent again"] += 1
            again = self._line()
            if again is None:
                self._waiting.append(line.owed)
            else:
                again.owed = line.owed
                again.send(line.owed)


_ACKNOWLEDGED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_SUCCESS),
    _SUCCESS,
)


def main() -> None:
    """Run the casino until its orders end. The first line that it prints is its port."""
    loop = Loop()
    side = CasinoSide(loop)
    Orders(loop, side.obey, side.end_hub)
    answer(msgspec.json.encode({"port": side.listens_on}))
    loop.run()
