"""The provider of the benchmark: it fires signed pay-ins, in rounds pay-outs too, and judges each answer.

Owns: the requests, the waits, the counts of answers. A closed loop keeps a number of requests in flight; an open loop sends by a schedule.
Never: a repeat: in the benchmark every answer but 1 is a fault. Spec: provider.md 1.1 and 4.
"""

from __future__ import annotations

import hmac
from array import array
from collections import Counter, deque
from typing import Any

import msgspec

from croupier.benchmark.lines import Line, Loop, Orders, answer
from croupier.benchmark.processes import own_cpu_s
from croupier.benchmark.schedule import Schedule, waits_ms
from croupier.kit.clock import SystemClock, monotonic_s

OPEN_FOR_S = 0.25
"""An open loop has connections at its beginning for the requests of this time; it opens more as it needs them."""
_SAMPLES = 5
_GOOD = b'{"_responseCode":1,'
_WIN = (b"0.50", b"0", b"2.00", b"0")
"""The payouts of rounds, in turn. 0 is a loss."""


class FireOrder(msgspec.Struct):
    """What the provider must know of the hub, and how it fires. `rate` 0: a closed loop."""

    port: int
    counterparty: str
    key: str
    sessions: tuple[str, ...]
    in_flight: int
    rate: float = 0
    rounds: bool = False


class Bet:
    """One bet: its number, its session, and the verb that is in flight."""

    __slots__ = ("number", "paying_out", "session")

    def __init__(self, number: int, session: int) -> None:
        self.number = number
        self.session = session
        self.paying_out = False


class ProviderSide:
    """Keeps its requests in flight, or sends them by the schedule."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._clock = SystemClock()
        self._order = FireOrder(0, "", "", (), 0)
        self._key = b""
        self._tag = b"%011x" % self._clock.now_ms()
        self._paths: list[tuple[bytes, bytes, bytes]] = []
        self._numbers = 0
        self._going = False
        self._free: list[Line] = []
        self._open = 0
        self._late: deque[float] = deque()
        self._schedule: Schedule | None = None
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.waits_s: dict[bool, array[float]] = {False: array("d"), True: array("d")}

    def obey(self, order: bytes) -> None:
        """Connect, `fire`, forget the waits so far (`mark`), send nothing more (`drain`), end, or only tell counts or figures."""
        if order.startswith(b"{"):
            self._connect_all(msgspec.json.decode(order, type=FireOrder))
        elif order == b"fire":
            self._begin()
        elif order == b"mark":
            self.waits_s = {False: array("d"), True: array("d")}
        elif order == b"drain":
            self._going = False
            self._late.clear()
        elif order == b"end":
            self._loop.end()
        answer(msgspec.json.encode(self.figures() if order == b"figures" else self.count()))

    def count(self) -> dict[str, Any]:
        """Return the counts since the start, and the requests without an answer."""
        waiting = self._open - len(self._free)
        return {"counts": self.counts, "cpu_s": own_cpu_s(), "waiting": waiting, "wrong": self.wrong}

    def figures(self) -> dict[str, Any]:
        """Return the same with the waits since the mark, which must be sorted for it."""
        pay_in, pay_out = waits_ms(self.waits_s[False]), waits_ms(self.waits_s[True])
        return {**self.count(), "pay_in": pay_in, "pay_out": pay_out}

    def _connect_all(self, order: FireOrder) -> None:
        """Open the connections. A server that is busy takes new ones slowly, so they are open before the first request."""
        self._order, self._key = order, order.key.encode()
        for session in order.sessions:
            path = b"POST /v1/sessions/%b/bets/" % session.encode()
            head = (
                b" HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nX-Counterparty-Id: %b\r\nX-Timestamp: "
                % order.counterparty.encode()
            )
            self._paths.append((path, head, session.encode()))
        lines = min(order.in_flight, int(order.rate * OPEN_FOR_S)) if order.rate else order.in_flight
        self._free = [self._connect() for _ in range(max(lines, 1))]

    def _begin(self) -> None:
        self._going = True
        if self._order.rate:
            self._schedule = Schedule(self._order.rate, monotonic_s())
            self._loop.due = self._send_due
            return
        while self._free:
            self._pay_in(self._free.pop(), monotonic_s())

    def _send_due(self) -> float:
        """Send what is due by the schedule; return the seconds until more is."""
        if self._schedule is None or not self._going:
            return 1.0
        now_s = monotonic_s()
        self._late.extend(self._schedule.take_due(now_s))
        while self._late and (line := self._line()) is not None:
            self._pay_in(line, self._late.popleft())
        return self._schedule.next_in_s(monotonic_s())

    def _line(self) -> Line | None:
        if self._free:
            return self._free.pop()
        return self._connect() if self._open < self._order.in_flight else None

    def _connect(self) -> Line:
        self._open += 1
        return Line.to(self._loop, self._order.port, self._answered, lost=self._lost)

    def _pay_in(self, line: Line, due_s: float) -> None:
        self._numbers = number = self._numbers + 1
        bet = Bet(number, number % len(self._paths))
        body = b'{"betAmount":1.00,"betId":"%b-%d","gameRoundId":"r%d","sessionId":"%b"}' % (
            self._tag, number, number, self._paths[bet.session][2],
        )  # fmt: skip
        self._fire(line, bet, b"pay-in", body=body, due_s=due_s)

    def _pay_out(self, line: Line, bet: Bet) -> None:
        bet.paying_out = True
        win = _WIN[bet.number % len(_WIN)]
        body = b'{"betId":"%b-%d","gameRoundId":"r%d","sessionId":"%b","winAmount":%b}' % (
            self._tag, bet.number, bet.number, self._paths[bet.session][2], win,
        )  # fmt: skip
        self._fire(line, bet, b"pay-out", body=body, due_s=monotonic_s())

    def _fire(self, line: Line, bet: Bet, verb: bytes, *, body: bytes, due_s: float) -> None:
        path, head, _ = self._paths[bet.session]
        stamp = b"%d" % self._clock.now_ms()
        request_id = b"%b%020x%d" % (self._tag, bet.number, bet.paying_out)
        signed = b"%b.%b.%b.%b" % (body, self._order.counterparty.encode(), stamp, request_id)
        sign = hmac.digest(self._key, signed, "sha256").hex().encode()
        line.owed, line.began_s = bet, due_s
        line.send(
            b"%b%b%b%b\r\nX-Request-Id: %b\r\nX-Sign: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (path, verb, head, stamp, request_id, sign, len(body), body)
        )

    def _answered(self, line: Line, first: bytes, body: bytes) -> None:
        bet = line.owed
        assert isinstance(bet, Bet)
        line.owed = None
        code = self._code_of(first, body)
        if code == 1:
            self.waits_s[bet.paying_out].append(monotonic_s() - line.began_s)
            self.counts["pay-outs" if bet.paying_out else "pay-ins"] += 1
            self.counts["without balance"] += b'"balance"' not in body
            if self._order.rounds and not bet.paying_out:
                self._pay_out(line, bet)
                return
        self._next(line)

    def _code_of(self, first: bytes, body: bytes) -> int:
        """Return 1 if the answer is right, and count what else it is."""
        if first[9:12] == b"200" and body.startswith(_GOOD):
            return 1
        code = _code(body)
        if first[9:12] == b"200" and code == 1:
            return 1
        if first[9:12] == b"503" and code == 99 and self._order.rate:
            # Nothing was written. Under a schedule that asks for too much this is what a hub has to answer.
            self.counts["refused"] += 1
            return 99
        self._note(f"{first.decode('latin-1')} {body.decode(errors='replace')}")
        return 0

    def _note(self, what: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < _SAMPLES:
            self.wrong.append(what[:300])

    def _next(self, line: Line) -> None:
        if self._going and not self._order.rate:
            self._pay_in(line, monotonic_s())
        elif self._late:
            self._pay_in(line, self._late.popleft())
        else:
            self._free.append(line)

    def _lost(self, line: Line) -> None:
        """Note a request whose connection was closed before its answer. An idle connection may be closed at any time."""
        self._open -= 1
        if line in self._free:
            self._free.remove(line)
        if line.owed is None:
            return
        self._note("the connection was closed before the answer")
        if self._going and not self._order.rate:
            again = self._line()
            assert again is not None
            self._pay_in(again, monotonic_s())


def _code(body: bytes) -> int | None:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return told.get("_responseCode") if isinstance(told, dict) else None


def main() -> None:
    """Run the provider until its orders end."""
    loop = Loop()
    side = ProviderSide(loop)
    Orders(loop, side.obey)
    answer(b"{}")
    loop.run()
