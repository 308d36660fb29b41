"""A simulated casino, with real messages and signatures, a book of its own, and a behaviour drawn from the seed.

It keys its book on (bet, type) as the contract says and answers queries truthfully, unless it is a liar. Its witness records
violations by the hub. Owns: bookings and answers. Never: the hub's protocol code or its amounts: it
reads and writes the contract's JSON itself.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from croupier.kit.jwt import BadToken, verify
from croupier.simulator.book import RETURN, STAKE, TAKES, BookedPayment, Key
from croupier.simulator.casino_accepts import CasinoAccepts
from croupier.simulator.casino_answers import envelope, nonsense
from croupier.simulator.dials import CasinoCharacter, one_of
from croupier.simulator.witness import SKEW_S, VALID_S, Stated

STRAY = "88"
"""Amount of a second line that moved no money."""
BET_UNKNOWN = 103805
"""Code of a payment about a bet that it does not know."""
SHORT_NOW = 0.3
"""Share of first tries to take money back that such a casino refuses, and not for good."""


class SimCasino(CasinoAccepts):
    """One casino as an ASGI app and as a client of the hub."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request of the hub."""
        request = Request(scope, receive)
        known = await self._verified(await request.body())
        self.unverified += known is None
        answer = envelope(103753) if known is None else await self._answer(request.url.path, *known)
        await answer(scope, receive, send)

    async def _verified(self, body: bytes) -> tuple[Any, int] | None:
        """Return the data of the signed envelope and the second of its signature; fetch the key set again if needed."""
        token = json.loads(body)
        for attempt in range(2):
            try:
                claims = verify(token, self._hub.keys, now_s=self._clock.now_ms() // 1000, leeway_s=SKEW_S)
                signed_s, until_s = (int(str(claims[name])) for name in ("nbf", "exp"))
                if until_s - signed_s != VALID_S:
                    self.witness.complain("I17", 0, f"an envelope is valid for {until_s - signed_s} s")
                return json.loads(str(claims["data"])), signed_s
            except BadToken:
                if attempt == 0:
                    await self._hub.fetch_keys()
        return None

    async def _answer(self, path: str, data: Any, signed_s: int) -> Response:  # noqa: ANN401 - the contract's JSON
        if path == "/users/data":
            return envelope(200, {"Balance": self._balance(data["PartnerUserId"])})
        if path == "/payments/info":
            queued = self.character is CasinoCharacter.QUEUED and self._weather.rough
            if queued and self._happens(self.dials.info_down):
                return Response(status_code=500)
            return await self._list(data["BetId"])
        if path == "/payments/close":
            bet_id = data["BetId"]
            (self.book.closed.add if data["IsClosed"] else self.book.closed.discard)(bet_id)
            self.witness.close(bet_id, closed=data["IsClosed"], signed_s=signed_s)
            return await self._maybe_nonsense(envelope(200), [bet_id])
        if path == "/payments/make-list":
            for one in data:
                if not self._queues(one, signed_s, cashback=False):
                    self._receive(one, signed_s, cashback=False, tell=True)
            subjects = [one["BetId"] for one in data]
            return self._through_front_end(subjects) or await self._maybe_nonsense(envelope(200), subjects)
        return await self._make(data, signed_s, cashback=path.startswith("/cashback"))

    # --- makes ------------------------------------------------------------------------------------------------------

    async def _make(self, data: dict[str, Any], signed_s: int, *, cashback: bool) -> Response:
        inline = self._answers_at_once(data)
        if self._queues(data, signed_s, cashback=cashback):
            return envelope(200)
        stale = self._stale(data) if inline and not cashback else None
        if stale is not None:
            return envelope(200, stale)
        key, code, fresh = self._receive(data, signed_s, cashback=cashback, tell=not inline)
        refused_repeat = self.dials.short_takes and key in self.book.bookings
        if code != 200 and refused_repeat and self.character is CasinoCharacter.SILENT and self._happens(1 / 2):
            self._start(self._report(key, code, 0.3))
            return envelope(200)
        if code != 200 and (inline or code == 103753 or refused_repeat):
            self.witness.refused[key] += 1
            return envelope(code)
        if inline or not fresh:
            self.witness.spoke(key)
        if not fresh:
            if key[0] in self.book.given_back:
                return envelope(200)
            booking = self.book.bookings.get(key)
            return envelope(103804, None if booking is None else self._value(key, booking))
        if self._is(CasinoCharacter.SLOW) and self._weather.rough:
            self._weather.strike("slow", [key[0]])
            await self._clock.sleep(3 + self._chance.fraction() * 6)
        if inline:
            return envelope(200, self._yes(key, self.book.bookings[key]))
        return self._through_front_end([key[0]]) or await self._maybe_nonsense(envelope(200), [key[0]])

    def _stale(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return what the front end makes of an earlier yes, of this bet or another one, if it answers from memory.

        It says too little to be that other payment's yes: only an id that the hub knows, or whose yes it is.
        """
        if not self._weather.rough or not self._happens(self.dials.stale_answers):
            return None
        mine = data["BetId"], data["TransactionType"], False
        states = {key: self.witness.hub_state(key) for key in self.book.bookings if not key[2] and key != mine}
        heard = [key for key, state in states.items() if state == "accepted"]
        unheard = [key for key, state in states.items() if state in ("created", "sent") and key[0] != mine[0]]
        of_bet = [key for key in heard if key[0] == mine[0]]
        choice = one_of(self._chance, [keys for keys in (of_bet, heard, unheard) if keys] or [[]])
        if not choice:
            return None
        key = one_of(self._chance, choice)
        self._weather.strike("stale_answer", [mine[0]])
        value: dict[str, Any] = {"PartnerTransactionId": self.book.bookings[key].tx}
        value |= {"BetId": key[0], "TransactionType": key[1]} if choice is unheard else {}
        self.witness.said({"BetId": mine[0], "stale": value}, 200)
        return value

    def _answers_at_once(self, data: dict[str, Any]) -> bool:
        """Return whether its answer to this make is the outcome. An uneven casino says so of stakes alone."""
        uneven = self.character is CasinoCharacter.UNEVEN and data["TransactionType"] == STAKE[0]
        return uneven or self.character is CasinoCharacter.INLINE

    def _through_front_end(self, subjects: list[int]) -> Response | None:
        """Return the error that a front end makes of the answer to a booked payment, if it does so."""
        if self.character is not CasinoCharacter.MUTE or not self._weather.rough:
            return None
        self._weather.strike("rubbish", subjects)
        return Response(b"bad gateway", 502)

    def _queues(self, data: dict[str, Any], signed_s: int, *, cashback: bool) -> bool:
        """Return whether it books this stake later, and start that."""
        if self.character is not CasinoCharacter.QUEUED or not self._weather.rough or cashback:
            return False
        if data["TransactionType"] != STAKE[0] or self._happens(1 / 3):
            return False
        self._queue.setdefault(data["BetId"], []).append((data, signed_s))
        self._start(self._take_up(data["BetId"]))
        return True

    async def _take_up(self, bet_id: int) -> None:
        await self._clock.sleep(31 + self._chance.fraction() * 269)
        if self._queue[bet_id]:
            self._book_queued(bet_id)

    def _keep_order(self, bet_id: int) -> None:
        """Book what waits for this bet before the return of it that has just come; at times it does."""
        while self._queue.get(bet_id) and self._happens(1 / 2):
            self._book_queued(bet_id)

    def _book_queued(self, bet_id: int) -> None:
        data, signed_s = self._queue[bet_id].pop(0)
        self._weather.strike("queued", [bet_id])
        self._receive(data, signed_s, cashback=False, tell=not self._happens(self.dials.queued_unsaid))

    def _receive(self, data: dict[str, Any], signed_s: int, *, cashback: bool, tell: bool) -> tuple[Key, int, bool]:
        """CasinoBook or refuse a payment; return its key, the code, and whether it was not booked before."""
        key = (data["CashbackId" if cashback else "BetId"], data["TransactionType"], cashback)
        stated = self.witness.read(key, data)
        if stated is None:
            return key, 103753, True
        if key[1:] == RETURN:
            self._keep_order(key[0])
        self.witness.heard(key, data, stated, signed_s=signed_s)
        known = self.book.bookings.get(key)
        if known is not None and self._refuses_repeat(key, stated) and self._funds_first():
            # With this order of checks, a repeat of the payment that emptied the wallet is refused.
            return key, 103802, True
        if self.book.holds(key):
            if tell and self._chance.fraction() < 0.5:
                self._later(key, 200)
            return key, 200, False
        code = self._judge(key, stated)
        if code == 200:
            self._write(key, stated)
        if code == BET_UNKNOWN:
            self.witness.unknown.add(key)
        if tell:
            self._later(key, code)
        return key, code, True

    def _judge(self, key: Key, stated: Stated) -> int:
        """Return the code: a stake may lack funds, an unknown bet gets 103805, a closed bet is refused."""
        subject, kind, cashback = key
        if key in self.book.refused:
            return self.book.refused[key]
        if subject in self.book.closed and not cashback:
            return 102823
        if key[1:] == STAKE:
            short = self._short_of(key, stated) or self._happens(self.dials.no_funds)
            return self._for_good(key, 103802) if stated.amount and short else 200
        known = (subject, 1, True) if cashback else (subject, -1, False)
        if (kind != 1 if cashback else kind != 4) and known not in self.book.bookings:
            return BET_UNKNOWN
        if key[1:] in TAKES and (self._short_of(key, stated) or self._short_now()):
            return 103802
        if key[1:] in TAKES:
            return self._for_good(key, 103802) if self._happens(self.dials.keeps) else 200
        if self._weather.rough and self._happens(self.dials.not_yet):
            self._weather.strike("not_yet", [subject])
            return 102823
        return 200

    def _short_of(self, key: Key, stated: Stated) -> bool:
        """Return whether a small wallet does not hold this stake, or what is taken back."""
        left = self.purse + self.book.wallet(stated.player)
        takes = key[1:] in TAKES if self.dials.short_takes else key[1:] == STAKE
        return self.dials.purse is not None and takes and 0 <= left < stated.amount

    def _short_now(self) -> bool:
        """Return whether the money that it is to give back is in another bet at this moment."""
        return self.dials.short_takes and self._weather.rough and self._happens(SHORT_NOW)

    def _refuses_repeat(self, key: Key, stated: Stated) -> bool:
        """Return whether it finds a reason against a booked payment. What it gives back is spent already, for all it knows."""
        return (self.dials.short_takes and key[1:] in TAKES) or self._short_of(key, stated)

    def _funds_first(self) -> bool:
        return self._weather.rough and self._happens(self.dials.funds_first)

    def _for_good(self, key: Key, code: int) -> int:
        """Refuse the payment now and at every repeat."""
        self.book.refused[key] = code
        return code

    def _write(self, key: Key, stated: Stated) -> None:
        twice = self._is(CasinoCharacter.TWICE) and self._bad_moment()
        tx = f"tx-{key[1]}-{len(self.book.bookings)}"
        times = 2 if twice else 1
        if twice:
            self._weather.strike("twice", [key[0]])
        fresh = key not in self.book.bookings
        if self.dials.stray_lines and self._weather.rough and self._happens(self.dials.stray_lines):
            self.book.strays.add(key)
        self.book.write(key, BookedPayment(stated.player, stated.amount, tx, stated.currency, stated.tax, times))
        self.witness.booked(key)
        self._log("book", key[1], stated.amount, "twice" if twice else "")
        if self._is(CasinoCharacter.FORGETFUL) and self._bad_moment():
            self.book.bookings[key].forgotten = True
            self._weather.strike("forgotten", [key[0]])
        if fresh and self._is(CasinoCharacter.LYING) and key[1:] == STAKE and self._bad_moment():
            # Not a stake that it accepted before it forgot it: the hub would never query that one again.
            self.book.given_back.add(key[0])
            self._weather.strike("lie", [key[0]])

    # --- what it says -----------------------------------------------------------------------------------------------

    async def _list(self, bet_id: int) -> Response:
        """Answer a query about a bet. A list that was replaced by nonsense has shown nothing."""
        known, at_ms = list(filter(self.book.holds, self.book.of(bet_id))), self._clock.now_ms()
        listed = envelope(200, self._info(bet_id, known))
        answer = await self._maybe_nonsense(listed, [bet_id])
        if answer is listed:
            self.witness.listed(bet_id, known, at_ms)
        return answer

    def _info(self, bet_id: int, known: list[Key]) -> list[dict[str, Any]]:
        for key in known:
            self.witness.spoke(key)
        shown = [self.value_of(key) for key in known]
        for key in filter(self.book.lists_twice, known):
            second = self.value_of(key)
            amount = STRAY if key in self.book.strays else second["Amount"]
            second_tx = f"{second['PartnerTransactionId']}-again"
            shown.append({**second, "PartnerTransactionId": second_tx, "Amount": amount})
            self._weather.strike("listed_twice", [bet_id])
        if bet_id in self.book.given_back and (bet_id, *RETURN) not in self.book.bookings:
            self.witness.returns_by_itself(bet_id)
            shown.append(
                {
                    **self.value_of((bet_id, *STAKE)),
                    "TransactionType": RETURN[0],
                    "PartnerTransactionId": f"own-{bet_id}",
                }
            )
        if self._chance.fraction() < 0.5:
            shown.reverse()
        for value in shown:
            self.witness.said(value, 200)
        return [{**value, "DateTime": self._clock.now_ms() // 1000} for value in shown]

    async def _maybe_nonsense(self, answer: Response, subjects: list[int]) -> Response:
        """Replace or delay the answer as the casino's behaviour demands, while faults last."""
        if not self._weather.rough:
            return answer
        character = next((c for c in (CasinoCharacter.RUBBISH, CasinoCharacter.DRIP) if self._is(c)), None)
        if character is None or self._chance.fraction() < 0.5:
            return answer
        self._weather.strike(character.value, subjects)
        if character is CasinoCharacter.DRIP:
            await self._clock.sleep(60)
            return answer
        return nonsense(self._chance)
