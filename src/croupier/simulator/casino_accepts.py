"""The accepts of a simulated casino, true and false ones, as its behaviour demands.

It resends them after an error answer, as the contract demands. Owns: the statements that it sends by itself, their
times, and its book. Never: answers a call (sim_casino).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from croupier.kit.wire import Wire
from croupier.simulator.amounts import text_of
from croupier.simulator.book import RETURN, STAKE, TAKES, BookedPayment, CasinoBook, Key
from croupier.simulator.dials import TRUTHFUL, CasinoCharacter, Dials, one_of
from croupier.simulator.faults import Around
from croupier.simulator.hub_client import Access, HubClient
from croupier.simulator.witness import Witness

RESEND_S = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
CURRENCY = "EUR"
WALLET = 10**9
"""The initial balance of every player, in minor units."""
FOREIGN = 0.05
"""Share of its accepts after which it sends one about another casino's payment."""
MOOD = 1 / 3
"""Share of messages for which a moody casino behaves like one of the others."""
NOT_YET = 102823
"""Code of a temporary refusal."""
AGAIN_S = 120.0
"""Longest time after which it resends an accept that the hub has rejected for good."""
INSISTS = 30
"""Number of times that it resends an outcome which the hub has taken."""
REJECTED = 102823
"""The hub's final answer to an accept that contradicts its records (casino.md 1.2)."""
Log = Callable[..., None]


class CasinoAccepts:
    """One casino as a client of the hub."""

    def __init__(self, *, access: Access, wire: Wire, around: Around, character: CasinoCharacter, log: Log) -> None:
        self.book = CasinoBook()
        self.character = character
        self.dials: Dials = around.dials
        self.currencies: dict[str, str] = {}
        """Currencies of players, if not EUR."""
        self.witness = Witness(self.book, around.dials, currencies=self.currencies, hub=around.weather.matrix)
        self.unverified = 0
        """Number of calls whose signature it could not verify, or no longer."""
        self.neighbours: Callable[[], Sequence[CasinoAccepts]] = tuple
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
        self._statements = 0
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def purse(self) -> int:
        """Return the initial balance of every player."""
        return WALLET if self.dials.purse is None else self.dials.purse

    @property
    def undoes_late(self) -> bool:
        """Return whether the casino undoes late stakes itself, as agreed with the hub."""
        return self.dials.late_refuse

    def _happens(self, share: float) -> bool:
        return self._chance.fraction() < share

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
        self.witness.spoke(key)
        lie, value, code = await self._statement(key, code)
        calm, said, heard = 0, None, False
        for wait_s in (*RESEND_S, 0.0):
            calm += not self._weather.rough
            said = await self._said(key[2], code, value)
            heard = heard or said is not None
            if said == 200 and lie not in (None, "refusal"):
                self.witness.complain("I2", key[0], f"type {key[1]} was accepted with another {lie}")
            if said == REJECTED and lie not in (None, "refusal"):
                self.witness.contradicted[key] = f"was accepted with another {lie}"
            if said == REJECTED and code == 200 and self.dials.late_refuse and key[1:] == STAKE:
                await self._undo(key, value)
                return
            if said == 200:
                await self._insist(key, code, value)
                break
            await self._clock.sleep(wait_s)
        if said == 200 and code == 200 and lie is None:
            self._named.append((key[0], value["PartnerTransactionId"]))
            await self._try(key, value)
        if calm > 1 and not heard:  # in the instant in which faults stop no process may run yet
            self.witness.complain("I4", key[0], f"an outcome of type {key[1]} got no answer in calm weather")

    async def _statement(self, key: Key, code: int) -> tuple[str | None, dict[str, Any], int]:
        """Return what it says about this payment: the kind of lie, if it is one, the contents, and the code."""
        if code != 200:
            return None, {"CashbackId" if key[2] else "BetId": key[0], "TransactionType": key[1]}, code
        value = self._yes(key, self.book.bookings[key])
        if self._is(CasinoCharacter.LYING) and self._bad_moment():
            return self._lie(value)
        await self._report_twins(key, value)
        return None, value, code

    async def _report_twins(self, key: Key, value: dict[str, Any]) -> None:
        """Report this payment and another one with the same id, in one instant. At most one can be accepted."""
        if key[2] or not self._is(CasinoCharacter.LYING) or not self._bad_moment():
            return
        silent = {key[0], *self.book.given_back}
        others = [k for k in self.book.bookings if not k[2] and k[0] not in silent and k not in self.witness.spoken]
        if not others:
            return
        other = one_of(self._chance, others)
        self._weather.strike("lie", [key[0], other[0]])
        self.witness.spoke(other)
        twin = {**self.value_of(other), "PartnerTransactionId": value["PartnerTransactionId"]}
        both = await asyncio.gather(self._said(False, 200, value), self._said(False, 200, twin))  # noqa: FBT003 - of bets
        if list(both) == [200, 200]:
            self.witness.complain(
                "I5", key[0], f"type {key[1]} and type {other[1]} of another bet were accepted with one id"
            )

    async def _undo(self, key: Key, value: dict[str, Any]) -> None:
        """Undo a stake that the hub rejected, as agreed with it (`late_accept=refuse`)."""
        self.book.bookings[key].forgotten = True
        if self._happens(1 / 2):
            # By then the provider may have asked for a refund.
            await self._clock.sleep(self._chance.fraction() * AGAIN_S)
            if await self._said(key[2], 200, value) == 200:
                self.witness.complain("I5", key[0], "a stake that the hub had rejected was taken when it came again")

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
        self._statements += 1
        subject_id, number = value["CashbackId"] if cashback else value["BetId"], value["TransactionType"]
        self.witness.refused[subject_id, number, cashback] += code != 200
        self._weather.refusals[subject_id] += code != 200
        self._weather.reported.add((subject_id, number))
        return await self._hub.report(code, value, cashback=cashback, message=f"sim {self._statements}")

    # --- contents ---------------------------------------------------------------------------------------------------

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
