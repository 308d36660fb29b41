"""A provider of the simulator: plays bets with real signed calls, after its character, and remembers what it was told.

Owns: the life of a bet as the provider sees it, and the answers it will hold the hub to. Never: looks into the hub.
Live providers give up a stake for good on codes 2 to 8; on 99 or silence they repeat once, then refund; wins are
repeated until accepted (provider.md 2).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from croupier.core.money import format_amount
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireRequest
from croupier.simulator.dials import ProviderCharacter

HOLD_S = 6.0
LATEST_S = 0.25
"""I16: every answer is there within the hold time and this much."""
CURRENCY = "EUR"
WIN_TRIES = 200
Log = Callable[..., None]


@dataclass(slots=True)
class Told:
    """One bet as the provider knows it. Amounts are minor units."""

    ref: str
    session: str
    stake: int
    win: int | None = None
    at_once: bool = False
    pay_in: list[int] = field(default_factory=list)
    """Every answer to a pay-in, in order; 0 is silence."""
    pay_out: list[int] = field(default_factory=list)
    refund: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    """Answers to the same betId with other contents."""
    vanished: bool = False
    slowest_s: float = 0.0
    """The longest an answer took inside the hub."""

    @property
    def refunded(self) -> bool:
        """The hub said yes to a refund."""
        return 1 in self.refund


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the provider signs."""

    hub_url: str
    counterparty_id: str
    secret: str


class SimProvider:
    """One provider; `bets` is what it was told of each."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        wire: Wire,
        clock: Clock,
        chance: Chance,
        character: ProviderCharacter,
        log: Log,
    ) -> None:
        self.bets: dict[str, Told] = {}
        self.character = character
        self._credentials = credentials
        self._wire = wire
        self._clock = clock
        self._chance = chance
        self._log = log

    async def play(self, ref: str, session: str) -> None:
        """One bet from its stake to its end, as the character has it."""
        chance = self._chance
        bet = Told(ref, session, stake=1 + int(chance.fraction() * 5000), at_once=chance.fraction() < 0.2)
        bet.win = 0 if chance.fraction() < 0.5 else int(chance.fraction() * 10_000)
        self.bets[ref] = bet
        if self.character is ProviderCharacter.REFUNDING and chance.fraction() < 0.15:
            await self._refund(bet)
        code = await self._stake(bet)
        if code in (0, 99, 8):
            # 8 too: a hub whose clock jumped does not know who we are, and may know the stake.
            await self._give_up(bet)
            return
        if code != 1:
            return
        await self._after_stake(bet)

    async def _after_stake(self, bet: Told) -> None:
        chance = self._chance
        if self.character is ProviderCharacter.CHANGING and chance.fraction() < 0.4:
            await self._pay_in(bet)
        if self.character is ProviderCharacter.VANISHING and chance.fraction() < 0.4:
            bet.vanished = True
            return
        if self.character is ProviderCharacter.REFUNDING and chance.fraction() < 0.4:
            await self._refund(bet)
            return
        if not bet.at_once:
            await self._clock.sleep(chance.fraction() * 5)
            await self._win(bet)
        if chance.fraction() < (0.4 if self.character is ProviderCharacter.REFUNDING else 0.05):
            await self._clock.sleep(chance.fraction() * 3)
            await self._refund(bet)

    async def _stake(self, bet: Told) -> int:
        """Pay in; on 99 or silence once more with the same ids."""
        code = await self._pay_in(bet)
        if code in (0, 99, 8) and self.character is not ProviderCharacter.VANISHING:
            code = await self._pay_in(bet)
        return code

    async def _give_up(self, bet: Told) -> None:
        if self.character is ProviderCharacter.VANISHING and self._chance.fraction() < 0.5:
            bet.vanished = True
            return
        await self._refund(bet)

    async def _pay_in(self, bet: Told) -> int:
        body = {"betId": bet.ref, "gameRoundId": "r", "betAmount": format_amount(bet.stake, CURRENCY)}
        verb = "pay-in"
        if bet.at_once:
            assert bet.win is not None
            verb, body["winAmount"] = "pay-in-out", format_amount(bet.win, CURRENCY)
        if self.character is ProviderCharacter.CHANGING and 1 in bet.pay_in:
            # Only of a bet that the hub surely has: what it never heard of has no contents to differ from.
            body["betAmount"] = format_amount(bet.stake + 1, CURRENCY)
            bet.others.append(await self._call(bet, verb, body))
            return bet.others[-1]
        code = await self._call(bet, verb, body)
        bet.pay_in.append(code)
        if bet.at_once and code == 1:
            bet.pay_out.append(1)
        return code

    async def _win(self, bet: Told) -> None:
        assert bet.win is not None
        body = {"betId": bet.ref, "gameRoundId": "r", "winAmount": format_amount(bet.win, CURRENCY)}
        await self._until_taken(bet, "pay-out", body)

    async def _refund(self, bet: Told) -> None:
        await self._until_taken(bet, "refund", {"betId": bet.ref})

    async def _until_taken(self, bet: Told, verb: str, body: dict[str, str]) -> None:
        told = bet.refund if verb == "refund" else bet.pay_out
        for n in range(WIN_TRIES):
            told.append(await self._call(bet, verb, body))
            if told[-1] not in (0, 99, 8):
                return
            await self._clock.sleep(min(0.5 * 2 ** min(n, 7), 60))

    async def _call(self, bet: Told, verb: str, body: dict[str, str]) -> int:
        """One call: the response code, 0 for silence."""
        text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        patience_s = 1.0 if self.character is ProviderCharacter.IMPATIENT else 7.5
        url = f"{self._credentials.hub_url}/v1/sessions/{bet.session}/bets/{verb}"
        request = WireRequest("POST", url, self._signed(text), text, total_s=patience_s)
        if self.character is ProviderCharacter.DOUBLE:
            await self._once(bet, verb, request)
        return await self._once(bet, verb, request)

    async def _once(self, bet: Told, verb: str, request: WireRequest) -> int:
        try:
            answer = await self._wire.send(request)
            code = int(json.loads(answer.body)["_responseCode"])
        except (PeerError, ValueError, KeyError):
            code = 0
        self._log("told", bet.ref, verb, code)
        return code

    def _signed(self, text: bytes) -> dict[str, str]:
        who, secret = self._credentials.counterparty_id, self._credentials.secret
        stamp, request_id = str(self._clock.now_ms()), self._chance.hex(16)
        signed = b".".join([text, who.encode(), stamp.encode(), request_id.encode()])
        return {
            "X-Counterparty-Id": who,
            "X-Timestamp": stamp,
            "X-Request-Id": request_id,
            "X-Sign": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
            "content-type": "application/json",
        }
