"""A simulated casino, with real messages and signatures, a book of its own, and a behaviour drawn from the seed.

It keys its book on (bet, type) as the contract says and answers queries truthfully, unless it is a liar. Its own
accepts are subject to faults and are resent after an error answer, as the contract demands. Its witness records
violations by the hub. Owns: bookings and statements. Never: the hub's protocol code or its amounts: it
reads and writes the contract's JSON itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from croupier.kit.jwt import BadToken, verify
from croupier.kit.wire import Wire
from croupier.simulator.amounts import text_of
from croupier.simulator.book import RETURN, STAKE, TAKES, BookedPayment, CasinoBook, Key
from croupier.simulator.casino_answers import envelope, nonsense
from croupier.simulator.dials import TRUTHFUL, CasinoCharacter, Dials, one_of
from croupier.simulator.faults import Around
from croupier.simulator.hub_client import Access, HubClient
from croupier.simulator.witness import SKEW_S, VALID_S, Stated, Witness

RESEND_S = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
CURRENCY = "EUR"
WALLET = 10**9
"""The initial balance of every player, in minor units."""
FOREIGN = 0.05
"""Share of its accepts after which it sends one about another casino's payment."""
MOOD = 1 / 3
"""Share of messages for which a moody casino behaves like one of the others."""
STRAY = "88"
"""Amount of a second line that moved no money."""
SHORT_NOW = 0.3
"""Share of first tries to take money back that such a casino refuses, and not for good."""
NOT_YET = 102823
"""Code of a temporary refusal."""
INSISTS = 30
"""Number of times that it resends an outcome which the hub has taken."""
REJECTED = 102823
"""The hub's final answer to an accept that contradicts its records (casino.md 1.2)."""
Log = Callable[..., None]


class SimCasino:
    """One casino as an ASGI app and as a client of the hub."""

    def __init__(self, *, access: Access, wire: Wire, around: Around, character: CasinoCharacter, log: Log) -> None:
        self.book = CasinoBook()
        self.character = character
        self.dials: Dials = around.dials
        self.currencies: dict[str, str] = {}
        """Currencies of players, if not EUR."""
        self.witness = Witness(self.book, around.dials, currencies=self.currencies, hub=around.weather.matrix)
        self.unverified = 0
        """Number of calls whose signature it could not verify, or no longer."""
        self.neighbours: Callable[[], Sequence[SimCasino]] = tuple
        """The other casinos of the hub, whose payments it may name in an accept of its own."""
        self._hub = HubClient(access, wire)
        self._clock = around.clock
        self._chance = around.chance
        self._weather = around.weather
        self._log = log
        self._queue: dict[int, list[tuple[dict[str, Any], int]]] = {}
        """The stakes of each bet that it books later: the make, and the second of its signature."""
        self._named: list[tuple[int, str]] = []
        """Transaction ids that the hub has accepted, each with its bet or cashback."""
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def purse(self) -> int:
        """Return the initial balance of every player."""
        return WALLET if self.dials.purse is None else self.dials.purse

    @property
    def undoes_late(self) -> bool:
        """Return whether the casino undoes late stakes itself, as agreed with the hub."""
        return self.dials.late_refuse

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
            return await self._maybe_nonsense(envelope(200, self._info(data["BetId"])), [data["BetId"]])
        if path == "/payments/close":
            bet_id = data["BetId"]
            (self.book.closed.add if data["IsClosed"] else self.book.closed.discard)(bet_id)
            self.witness.close(bet_id, closed=data["IsClosed"])
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
        inline = self.character is CasinoCharacter.INLINE or self._at_once(data)
        if self._queues(data, signed_s, cashback=cashback):
            return envelope(200)
        key, code, fresh = self._receive(data, signed_s, cashback=cashback, tell=not inline)
        self.witness.refused[key] += code != 200
        refused_repeat = self.dials.short_takes and key in self.book.bookings
        if code != 200 and (inline or code == 103753 or refused_repeat):
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

    def _at_once(self, data: dict[str, Any]) -> bool:
        """Return whether it answers this make at once because it takes money."""
        return self.character is CasinoCharacter.UNEVEN and data["TransactionType"] == STAKE[0]

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
        self._receive(data, signed_s, cashback=False, tell=True)

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
        if known is not None and not known.forgotten:
            if tell and self._chance.fraction() < 0.5:
                self._later(key, 200)
            return key, 200, False
        code = self._judge(key, stated)
        if code == 200:
            self._write(key, stated)
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
            return 103805
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

    def _happens(self, share: float) -> bool:
        return self._chance.fraction() < share

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

    def _is(self, character: CasinoCharacter) -> bool:
        """Return whether it behaves like this now. A moody casino decides anew each time."""
        if self.character is not CasinoCharacter.MOODY:
            return self.character is character
        return self._weather.rough and self._happens(MOOD)

    def _bad_moment(self) -> bool:
        return self._weather.rough and self._chance.fraction() < self.dials.bad_moments

    # --- accepts ----------------------------------------------------------------------------------------------------

    def _later(self, key: Key, code: int) -> None:
        """Report the outcome later, as its behaviour demands."""
        if key[1:] == STAKE and key[0] in self.book.given_back:
            return
        mute = self.character is CasinoCharacter.MUTE
        if (mute or self._is(CasinoCharacter.SILENT)) and self._weather.rough:
            self._weather.strike("silent", [key[0]])
            return
        after_s = self._chance.fraction() * 0.3
        late = self._is(CasinoCharacter.LATE) or (self.character is CasinoCharacter.UNEVEN and key[1:] not in TAKES)
        if late and self._weather.rough:
            after_s = 31 + self._chance.fraction() * 269
            self._weather.strike("late_accept", [key[0]])
        self._start(self._report(key, code, after_s))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _report(self, key: Key, code: int, after_s: float) -> None:
        await self._clock.sleep(after_s)
        value: dict[str, Any] = {"CashbackId" if key[2] else "BetId": key[0], "TransactionType": key[1]}
        lie = None
        if code == 200:
            value = self._yes(key, self.book.bookings[key])
            if self._is(CasinoCharacter.LYING) and self._bad_moment():
                lie, value, code = self._lie(value)
        self.witness.spoke(key)
        for wait_s in (*RESEND_S, 0.0):
            said = await self._said(key[2], code, value)
            if said == 200 and lie not in (None, "refusal"):
                self.witness.complain("I2", key[0], f"type {key[1]} was accepted with another {lie}")
            if said == REJECTED and lie not in (None, "refusal"):
                self.witness.contradicted[key] = f"was accepted with another {lie}"
            if said == 102823 and code == 200 and self.dials.late_refuse and key[1:] == STAKE:
                # Agreed with the hub: a stake that the hub rejects is undone here (`late_accept=refuse`).
                self.book.bookings[key].forgotten = True
                return
            if said == 200:
                await self._insist(key, code, value)
                break
            await self._clock.sleep(wait_s)
        else:
            return
        if code == 200 and lie is None:
            self._named.append((key[0], value["PartnerTransactionId"]))
            await self._try(key, value)

    async def _insist(self, key: Key, code: int, value: dict[str, Any]) -> None:
        """Resend a "not yet" that was taken, until the payment is booked. It counts as one failure all the same."""
        insists = self._weather.rough and self._happens(self.dials.insists)
        if code != NOT_YET or key[1:] in TAKES or not insists:
            return
        self._weather.strike("resent", [key[0]])
        for _ in range(INSISTS):
            await self._clock.sleep(1 + self._chance.fraction() * 4)
            if not self._weather.rough or key in self.book.bookings:
                return
            await self._said(key[2], code, value)

    def _lie(self, value: dict[str, Any]) -> tuple[str, dict[str, Any], int]:
        self._weather.strike("lie", [value[name] for name in ("BetId", "CashbackId") if name in value])
        subject_id = value["CashbackId"] if "CashbackId" in value else value["BetId"]
        others = [tx for of, tx in self._named if of != subject_id]
        lie = one_of(self._chance, ("amount", "user", "refusal", "exists", "tax", *["number"][: len(others)]))
        if lie == "amount":
            return lie, {**value, "Amount": "77"}, 200
        if lie == "user":
            return lie, {**value, "PartnerUserId": "somebody"}, 200
        if lie == "exists":
            return lie, {**value, "Amount": "66"}, 103804
        if lie == "number":
            return lie, {**value, "PartnerTransactionId": one_of(self._chance, others)}, 200
        if lie == "tax":
            return lie, {**value, "TaxAmount": "55"}, 200
        return lie, value, 102823

    async def _try(self, key: Key, value: dict[str, Any]) -> None:
        """Send accepts that the hub must reject after it has taken the true one."""
        again = {**value, "PartnerTransactionId": f"{value['PartnerTransactionId']}-again"}
        if self.book.bookings[key].times > 1 and await self._said(key[2], 200, again) == 200:
            self.witness.complain("I5", key[0], f"type {key[1]} was booked twice, and both were accepted")
        if self._is(CasinoCharacter.LYING) and self._bad_moment():
            self._weather.strike("contradiction", [key[0]])
            said = await self._said(key[2], 102823, value)
            if said == REJECTED:
                self.witness.contradicted[key] = "was refused after it was accepted"
                for _ in range(INSISTS if self._happens(self.dials.insists) else 0):
                    await self._said(key[2], 102823, value)
            if said == 200:
                self.witness.complain(
                    "I5", key[0], f"type {key[1]} was refused after it was accepted, and that was taken"
                )
        if self._weather.rough and self._happens(FOREIGN):
            await self._try_foreign()
        odd = self.character not in TRUTHFUL  # a copy of it may be heard when a return was ordered meanwhile
        if odd and self._weather.rough and self._happens(FOREIGN) and key[1:] == STAKE:
            await self._try_own_return(key, value)

    async def _try_own_return(self, key: Key, value: dict[str, Any]) -> None:
        """Report a return of its own making. The hub must reject it if it never ordered one."""
        self._weather.strike("own_return", [key[0]])
        own = {**value, "TransactionType": RETURN[0], "PartnerTransactionId": f"{value['PartnerTransactionId']}-own"}
        self.witness.returns_by_itself(key[0])
        # The hub may have an order whose calls were all lost. That return may be reported.
        if await self._said(key[2], 200, own) == 200 and not self.witness.ordered(key[0], "bet_return"):
            self.witness.complain("I5", key[0], "a return that nobody ordered was taken")

    async def _try_foreign(self) -> None:
        """Report a payment of another casino, with its true contents."""
        others = [c for c in self.neighbours() if c is not self and c.book.bookings]
        if not others:
            return
        other = one_of(self._chance, others)
        key = one_of(self._chance, tuple(other.book.bookings))
        if key[1:] != STAKE:
            return
        self._weather.strike("foreign_accept", [key[0]])
        # The amounts are the other casino's. The hub's answer shows whether it checked whose payment it is.
        value = other.value_of(key)
        for code in (200, 102823):
            if await self._said(False, code, value) == 200:  # noqa: FBT003 - of a bet
                self.witness.complain("I14", key[0], f"type {key[1]} was decided by another casino")

    async def _said(self, cashback: bool, code: int, value: dict[str, Any]) -> int | None:  # noqa: FBT001 - a path
        """Return the hub's answer to an accept; None without one."""
        self.witness.said(value, code)
        self._weather.reported.add((value["CashbackId"] if cashback else value["BetId"], value["TransactionType"]))
        return await self._hub.report(code, value, cashback=cashback)

    # --- what it says -----------------------------------------------------------------------------------------------

    def _info(self, bet_id: int) -> list[dict[str, Any]]:
        known = [key for key in self.book.of(bet_id) if not self.book.bookings[key].forgotten]
        self.witness.listed(bet_id, known, self._clock.now_ms())
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

    def _yes(self, key: Key, booking: BookedPayment) -> dict[str, Any]:
        """Return the Value of a booking, at some casinos with the balance of the wallet."""
        value = self._value(key, booking)
        self.witness.said(value, 200)
        if self.dials.told_balance and self._happens(self.dials.told_balance):
            self._weather.strike("told_balance", [key[0]])
            value["Balance"] = self._balance(booking.player)
        return value

    def _balance(self, player: str) -> str:
        """Return the player's balance now, and record that it was reported."""
        left = max(self.purse + self.book.wallet(player), 0)
        self.witness.said_balance(player, left, self._clock.monotonic_s())
        return text_of(left, self.currencies.get(player, CURRENCY))

    def value_of(self, key: Key) -> dict[str, Any]:
        """Return a booking in the contract's form."""
        return self._value(key, self.book.bookings[key])

    @staticmethod
    def _value(key: Key, booking: BookedPayment) -> dict[str, Any]:
        tax = {} if booking.tax is None else {"TaxAmount": text_of(booking.tax, booking.currency)}
        return {
            "CashbackId" if key[2] else "BetId": key[0],
            "PartnerUserId": booking.player,
            "PartnerTransactionId": booking.tx,
            "TransactionType": key[1],
            "Amount": text_of(booking.amount, booking.currency),
            **tax,
        }

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
