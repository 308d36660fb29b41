"""The endpoint of the sandbox casino: it answers a call of the hub and sends accepts in the background.

Owns: the steps of each call of casino.md 2, and the background tasks. Never: HTTP (casino_app), the rules of
booking (wallet), the names of faults (behaviour).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.strictjson import BadField, BadJson, Json
from croupier.sandbox import casino_envelopes, casino_reading
from croupier.sandbox.behaviour import AnswerForm, Behaviour, Dial, Repeat
from croupier.sandbox.bookings import (
    SUCCESS,
    Booked,
    BookingOutcome,
    BookKind,
    Declined,
    Demand,
    RefusalCode,
    Repeated,
    plain,
)
from croupier.sandbox.casino_envelopes import ACCEPT_PATH, SandboxEnvelope, envelope
from croupier.sandbox.casino_reply import OUTCOME_ANSWERS, CasinoReply, refused, reply_of, system_error
from croupier.sandbox.hub_connection import BadEnvelope, HubConnection, HubUnavailable
from croupier.sandbox.journal import Journal
from croupier.sandbox.wallet import Wallet


class CasinoEndpoint:
    """The endpoint of one casino. `handle` never raises: every call gets an answer, even a senseless one."""

    def __init__(self, *, wallet: Wallet, hub: HubConnection, journal: Journal, clock: Clock, chance: Chance) -> None:
        self.wallet = wallet
        self.hub = hub
        self.journal = journal
        self.dial = Dial()
        self.unix_times = False
        """True: info writes DateTime as Unix seconds. The contract allows both forms."""
        self.running: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._chance = chance
        self._refresh_tokens: dict[str, str] = {}
        self._paths: dict[str, Callable[[Json], Coroutine[None, None, tuple[Behaviour, SandboxEnvelope | None]]]] = {
            "users/auth": self._users_auth,
            "users/data": self._users_data,
            "payments/make": self._payments_make,
            "payments/make-list": self._payments_make_list,
            "payments/info": self._payments_info,
            "payments/close": self._payments_close,
            "cashback-payments/make": self._cashback_make,
        }

    @property
    def paths(self) -> list[str]:
        """Return every path of the contract, without a leading slash."""
        return list(self._paths)

    async def handle(self, path: str, body: bytes) -> CasinoReply:
        """Return the reply to one call of the hub."""
        data: Json = None
        words = "honest"
        try:
            data = await self.hub.open(body)
            behaviour, told = await self._paths[path](data)
            words = behaviour.words
            if behaviour.answer_after_s:
                await self._clock.sleep(behaviour.answer_after_s)
            reply = reply_of(behaviour, told)
        except BadEnvelope as problem:
            reply, words = refused(RefusalCode.REQUEST_DATA), problem.why
        except (BadField, BadJson) as problem:
            reply, words = refused(RefusalCode.REQUEST_DATA, f"Request data error: {problem}"), str(problem)
            self.journal.complain(f"{path}: {problem}")
        except HubUnavailable as problem:
            reply, words = system_error(), str(problem)
        self.journal.note("in", path, _redacted(data), status=reply.status, answer=_redacted(reply.told), note=words)
        return reply

    async def close(self) -> None:
        """Cancel every background task."""
        for task in tuple(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def new_refresh_token(self, player: str) -> str:
        """Return a new refresh token for a player, as the casino's page would pass it to the hub."""
        token = self._chance.hex(24)
        self._refresh_tokens[token] = player
        return token

    # --- users --------------------------------------------------------------------------------------------------

    async def _users_auth(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        token = casino_reading.refresh_token(data, self.journal.complain)
        player = self._refresh_tokens.get(token)
        return self._plain("users/auth", player, lambda: self._authorized(player, token))

    def _authorized(self, player: str | None, token: str) -> SandboxEnvelope:
        account = None if player is None else self.wallet.account(player)
        if account is None:
            return envelope(RefusalCode.USER_NOT_FOUND)
        for old in [known for known, owner in self._refresh_tokens.items() if owner == player and known != token]:
            del self._refresh_tokens[old]  # the one just used stays good: its answer may be lost
        value = {
            "RefreshToken": self.new_refresh_token(account.player),
            "PartnerUserId": account.player,
            "CurrencyCode": account.currency,
            "Language": "en",
            "Balance": plain(account.balance, account.currency),
        }
        return envelope(SUCCESS, value)

    async def _users_data(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        player = casino_reading.player_of(data, self.journal.complain)
        return self._plain("users/data", player, lambda: self._balance_envelope(player))

    def _balance_envelope(self, player: str) -> SandboxEnvelope:
        account = self.wallet.account(player)
        if account is None:
            return envelope(RefusalCode.USER_NOT_FOUND)
        return envelope(SUCCESS, {"Balance": plain(account.balance, account.currency)})

    # --- info and close -----------------------------------------------------------------------------------------

    async def _payments_info(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        bet_id = casino_reading.bet_id(data, self.journal.complain)
        bookings = self.wallet.bookings(BookKind.PAYMENTS, bet_id)
        lines = [casino_envelopes.listed(booking, unix_times=self.unix_times) for booking in bookings]
        player = bookings[0].player if bookings else None
        return self._plain("payments/info", player, lambda: envelope(SUCCESS, lines))

    async def _payments_close(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        bet_id, closed = casino_reading.closing(data, self.journal.complain)
        bookings = self.wallet.bookings(BookKind.PAYMENTS, bet_id)
        player = bookings[0].player if bookings else None
        return self._plain(
            "payments/close", player, lambda: envelope(self.wallet.close(bet_id, closed=closed) or SUCCESS)
        )

    def _plain(
        self, path: str, player: str | None, act: Callable[[], SandboxEnvelope]
    ) -> tuple[Behaviour, SandboxEnvelope | None]:
        """Handle a call that has no accept. It is carried out unless the behaviour prevents it."""
        behaviour = self.dial.choose(path, player)
        told = act() if behaviour.books else None
        if behaviour.answer is AnswerForm.REFUSE:
            told = envelope(behaviour.code)
        return behaviour, told

    # --- makes --------------------------------------------------------------------------------------------------

    async def _payments_make(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        return await self._make("payments/make", casino_reading.payment_demand(data, self.journal.complain))

    async def _cashback_make(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        return await self._make("cashback-payments/make", casino_reading.cashback_demand(data, self.journal.complain))

    async def _make(self, path: str, demand: Demand) -> tuple[Behaviour, SandboxEnvelope | None]:
        behaviour = self.dial.choose(path, demand.player, demand.kind)
        if behaviour.books_after_s:
            self._spawn(self._take_later(demand, behaviour))
            return behaviour, envelope(SUCCESS)
        reached = self._take(demand, behaviour)
        if reached is None:
            return behaviour, envelope(SUCCESS)
        if not isinstance(reached, Repeated):
            await self._send_accepts(demand, reached, behaviour)
        return behaviour, self._acknowledged(demand, reached, behaviour)

    async def _payments_make_list(self, data: Json) -> tuple[Behaviour, SandboxEnvelope | None]:
        demands = casino_reading.demand_list(data, self.journal.complain)
        chosen = [(demand, self.dial.choose("payments/make-list", demand.player, demand.kind)) for demand in demands]
        disturbed = [behaviour for _, behaviour in chosen if behaviour.answer not in OUTCOME_ANSWERS]
        if any(behaviour.partial_list for _, behaviour in chosen):
            chosen = chosen[: (len(chosen) + 1) // 2]
        if any(behaviour.reversed_list for _, behaviour in chosen):
            chosen.reverse()
        for demand, behaviour in chosen:
            await self._take_element(demand, behaviour)
        return (disturbed or [behaviour for _, behaviour in chosen])[0], envelope(SUCCESS)

    async def _take_element(self, demand: Demand, behaviour: Behaviour) -> None:
        """Book one element of a list. Its outcome is always sent by accept."""
        if behaviour.books_after_s:
            self._spawn(self._take_later(demand, behaviour))
            return
        reached = self._take(demand, behaviour)
        if reached is None:
            return
        if behaviour.answer in {AnswerForm.INLINE, AnswerForm.EXISTS, AnswerForm.REFUSE}:
            self._spawn(self._deliver(0.0, demand.book, [casino_envelopes.outcome(demand, reached, behaviour.repeat)]))
            return
        await self._send_accepts(demand, reached, behaviour)

    def _take(self, demand: Demand, behaviour: Behaviour) -> BookingOutcome | None:
        """Book the make as the behaviour demands. None means that nothing was decided."""
        if not behaviour.books:
            return Declined(behaviour.code) if behaviour.code and behaviour.answer is not AnswerForm.STATUS else None
        reached = self.wallet.book(demand, partner_tx=self._partner_tx(), now_ms=self._clock.now_ms())
        if isinstance(reached, Repeated) and behaviour.repeat is Repeat.AGAIN:
            reached = Booked(self.wallet.book_again(reached.booking, self._partner_tx()))
        if isinstance(reached, Booked) and behaviour.forgets:
            self.wallet.forget(reached.booking)
        return reached

    def _acknowledged(self, demand: Demand, reached: BookingOutcome, behaviour: Behaviour) -> SandboxEnvelope:
        if behaviour.answer is AnswerForm.REFUSE:
            return envelope(behaviour.code)
        if behaviour.answer is AnswerForm.EXISTS and not isinstance(reached, Declined):
            return casino_envelopes.exists(reached.booking, behaviour.repeat)
        if isinstance(reached, Repeated):
            plainly = behaviour.repeat is Repeat.PLAIN
            return envelope(SUCCESS) if plainly else casino_envelopes.outcome(demand, reached, behaviour.repeat)
        if behaviour.answer is AnswerForm.INLINE:
            return self._inline(demand, reached)
        return envelope(SUCCESS)

    def _inline(self, demand: Demand, reached: BookingOutcome) -> SandboxEnvelope:
        """Return the outcome in the answer itself, with the new balance."""
        if isinstance(reached, Declined):
            return envelope(reached.code)
        account = self.wallet.account(demand.player)
        assert account is not None
        value = {**casino_envelopes.contents(reached.booking), "Balance": plain(account.balance, account.currency)}
        return envelope(SUCCESS, value)

    # --- accepts ------------------------------------------------------------------------------------------------

    async def _take_later(self, demand: Demand, behaviour: Behaviour) -> None:
        await self._clock.sleep(behaviour.books_after_s)
        reached = self._take(demand, behaviour)
        if reached is not None:
            await self._send_accepts(demand, reached, behaviour)

    async def _send_accepts(self, demand: Demand, reached: BookingOutcome, behaviour: Behaviour) -> None:
        """Send the accepts of this behaviour, before the answer or in the background."""
        told = casino_envelopes.accepts(demand, reached, behaviour)
        if told and behaviour.accept_first:
            await self._deliver(behaviour.accept_after_s, demand.book, told)
        elif told:
            self._spawn(self._deliver(behaviour.accept_after_s, demand.book, told))

    async def _deliver(self, after_s: float, book: BookKind, told: list[SandboxEnvelope]) -> None:
        await self._clock.sleep(after_s)
        for accept in told:
            await self.hub.accept(ACCEPT_PATH[book], accept)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.journal.complain(f"the sandbox itself failed: {task.exception()!r}")

    def _partner_tx(self) -> str:
        return f"sbx-{self._chance.hex(8)}"


def _redacted(document: object) -> Json:
    """Hide refresh tokens, which give access to a player's account, from the journal."""
    if isinstance(document, dict):
        return {name: "(hidden)" if name == "RefreshToken" else _redacted(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_redacted(item) for item in document]
    return document  # type: ignore[return-value]  # ints of our own answers: the journal writes them as they are
