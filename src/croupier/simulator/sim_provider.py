"""A simulated provider: it plays bets with real signed calls, by its behaviour, and records the answers.

Owns: the course of a bet for the provider, and the answers that the hub is held to. Never: reads the hub's rows or
uses its amounts. At times it violates the contract to test the refusals: other contents, another player's
or provider's session, too large a stake, a bet that has ended.
Live providers abandon a stake for good on codes 2 to 8; on 99 or no answer they repeat once, then refund; they
repeat wins until these are accepted (provider.md 2.1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireRequest
from croupier.simulator.amounts import text_of
from croupier.simulator.dials import Dials, ProviderCharacter, one_of

CURRENCY = "EUR"
MOST = 10**9
"""The largest stake that the hub accepts, in major units of any currency."""
PATIENCE_S = 1.5
"""Time that a provider waits longer than the hold time; most wait so long."""
AWAY_S = 60.0
"""Shortest time after which a provider that had left asks for a refund."""
WIN_TRIES = 200
REPLAY = "-replay"
"""Suffix of the betId in a request that must be rejected."""
OLD_MS = 60_000
"""Age of a timestamp that is too old (provider.md 1.2: 30 s)."""
AMOUNT = re.compile(r'("(?:betAmount|winAmount)":)"([0-9.]+)"')
Log = Callable[..., None]


@dataclass(slots=True)
class ProviderBet:
    """The provider's record of one bet. Amounts are minor units."""

    ref: str
    session: str
    stake: int
    chance: Chance
    """The bet's own randomness, so that other bets do not change it."""
    win: int | None = None
    at_once: bool = False
    pay_in: list[int] = field(default_factory=list)
    """All answers to a pay-in, in order; 0 is no answer."""
    pay_out: list[int] = field(default_factory=list)
    refund: list[int] = field(default_factory=list)
    denied_s: list[tuple[float, float]] = field(default_factory=list)
    """Times of each pay-in and pay-out, and of its answer 7, which says that the bet is over."""
    others: list[int] = field(default_factory=list)
    """Answers to the same betId with other contents, or through another player's session."""
    afterwards: list[int] = field(default_factory=list)
    """Answers to a pay-in or pay-out after a refund that succeeded."""
    trespass: list[int] = field(default_factory=list)
    """Answers to calls through a session of another provider."""
    too_much: list[int] = field(default_factory=list)
    """Answers to a stake above the session's limit."""
    too_fine: list[int] = field(default_factory=list)
    """Answers to a stake with more decimals than its currency has."""
    replayed: list[int] = field(default_factory=list)
    """Answers to a request with a request id reused for another body, an old timestamp, or a wrong signature."""
    span_s: tuple[float, float] = (float("inf"), 0.0)
    """Times of the first request and of the last answer; virtual seconds."""
    balances: dict[str, set[str]] = field(default_factory=dict)
    """All balances in successful answers, by verb."""
    asked_s: dict[str, float] = field(default_factory=dict)
    """Time of the first request of each verb; virtual seconds."""
    first_told: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Time and amount of the first balance in a successful answer to each verb."""
    vanished: bool = False
    cut_short: bool = False
    """The run ended while the provider was still repeating."""
    request_id: str = ""
    """Id of the last request that the hub authenticated."""
    doubled: bool = False
    """Every call is sent twice at once, and only the second answer is recorded."""

    @property
    def refunded(self) -> bool:
        """Return whether a refund succeeded."""
        return 1 in self.refund


@dataclass(frozen=True, slots=True)
class Credentials:
    """The provider's id and secret, and the address of the hub."""

    hub_url: str
    counterparty_id: str
    secret: str


class SimProvider:
    """One provider; `bets` holds its record of each bet."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        wire: Wire,
        clock: Clock,
        character: ProviderCharacter,
        log: Log,
        dials: Dials,
    ) -> None:
        self.bets: dict[str, ProviderBet] = {}
        self.character = character
        self.currencies: dict[str, str] = {}
        """Currencies of sessions, if not EUR."""
        self.sessions: list[str] = []
        """Its own sessions, of all players."""
        self.jackpots: list[str] = []
        """Its own sessions in a game that allows jackpot wins."""
        self.foreign: list[str] = []
        """Sessions of other providers."""
        self._dials = dials
        self._credentials = credentials
        self._wire = wire
        self._clock = clock
        self._log = log

    async def play(self, ref: str, session: str, chance: Chance) -> None:
        """Play one bet from its stake to its end, by the provider's behaviour."""
        stake, at_once = 1 + int(chance.fraction() * 5000), chance.fraction() < 0.2
        bet = ProviderBet(ref, session, stake, chance, at_once=at_once)
        bet.win = 0 if chance.fraction() < 0.5 else int(chance.fraction() * 10_000)
        bet.doubled = self.character is ProviderCharacter.DOUBLE
        self.bets[ref] = bet
        if self._is_odd(bet) and self.foreign:
            bet.trespass.append(await self._through(bet, one_of(chance, tuple(self.foreign)), "pay-in"))
        if self._is_odd(bet):
            await self._too_much(bet)
            await self._too_fine(bet)
        if self.character is ProviderCharacter.REFUNDING and chance.fraction() < 0.15:
            await self._refund(bet)
        code = await self._stake(bet)
        if code in (0, 99, 8):
            # 8 too: a hub whose clock jumped cannot authenticate the provider, and may have the stake.
            await self._give_up(bet)
            return
        if code != 1:
            return
        if self._is_odd(bet):
            await self._replayed(bet)
        await self._after_stake(bet)

    async def jackpot(self, ref: str, chance: Chance) -> None:
        """Send a win without a stake, repeated until it is accepted."""
        session, win = one_of(chance, tuple(self.jackpots)), 1 + int(chance.fraction() * 50_000)
        bet = ProviderBet(ref, session, 0, chance, win=win)
        self.bets[ref] = bet
        await self._until_taken(bet, "pay-out", self._win_body(bet, 0))
        if self._is_odd(bet):
            # A jackpot win cannot be refunded.
            bet.others.append(await self._call(bet, "refund", {"betId": ref}))

    async def ask_once(self, ref: str, session: str, chance: Chance) -> int:
        """Send one pay-in of the smallest stake, and return the answer."""
        bet = self.bets[ref] = ProviderBet(ref, session, 1, chance, win=0)
        return await self._pay_in(bet)

    async def _after_stake(self, bet: ProviderBet) -> None:
        chance = bet.chance
        if self.character is ProviderCharacter.CHANGING and chance.fraction() < 0.4:
            await self._pay_in(bet)
        if self._is_odd(bet):
            await self._through_another(bet)
        if self._is_odd(bet):
            await self._other_contents(bet)
        if self.character is ProviderCharacter.VANISHING and chance.fraction() < 0.4:
            bet.vanished = True
            return
        if self.character is ProviderCharacter.REFUNDING and chance.fraction() < 0.4:
            await self._refund(bet)
            return
        if not bet.at_once:
            await self._clock.sleep(chance.fraction() * 5)
            await self._win(bet)
            if self._is_odd(bet):
                await self._other_contents(bet)
        if chance.fraction() < (0.4 if self.character is ProviderCharacter.REFUNDING else 0.05):
            await self._clock.sleep(chance.fraction() * 3)
            await self._refund(bet)

    async def _stake(self, bet: ProviderBet) -> int:
        """Send a pay-in; on 99 or no answer repeat it once with the same ids."""
        code = await self._pay_in(bet)
        if code in (0, 99, 8) and self.character is not ProviderCharacter.VANISHING:
            code = await self._pay_in(bet)
        return code

    async def _give_up(self, bet: ProviderBet) -> None:
        if self.character is ProviderCharacter.VANISHING and bet.chance.fraction() < 0.5:
            if not self._dials.comes_back or bet.chance.fraction() >= self._dials.comes_back:
                bet.vanished = True
                return
            await self._clock.sleep(AWAY_S + bet.chance.fraction() * 5 * AWAY_S)
            await self._refund(bet)
            return
        if not bet.at_once and self._is_odd(bet):
            # A hasty provider sends the win of a stake without an answer; the refund that follows undoes both.
            await self._win(bet)
        await self._refund(bet)

    async def _pay_in(self, bet: ProviderBet) -> int:
        body = {"betId": bet.ref, "gameRoundId": "r", "betAmount": self._text(bet, bet.stake)}
        verb = "pay-in"
        if bet.at_once:
            assert bet.win is not None
            verb, body["winAmount"] = "pay-in-out", self._text(bet, bet.win)
        if self.character is ProviderCharacter.CHANGING and 1 in bet.pay_in:
            # Only for a bet that the hub surely has: without a stored bet there are no contents to differ from.
            body["betAmount"] = self._text(bet, bet.stake + 1)
            bet.others.append(await self._call(bet, verb, body))
            return bet.others[-1]
        asked_s = self._clock.monotonic_s()
        code = await self._call(bet, verb, body)
        bet.pay_in.append(code)
        if code == 7:
            bet.denied_s.append((asked_s, self._clock.monotonic_s()))
        if bet.at_once and code == 1:
            bet.pay_out.append(1)
        return code

    async def _win(self, bet: ProviderBet) -> None:
        await self._until_taken(bet, "pay-out", self._win_body(bet, 0))
        if 1 in bet.pay_out and self.character is ProviderCharacter.CHANGING and bet.chance.fraction() < 0.4:
            bet.others.append(await self._call(bet, "pay-out", self._win_body(bet, 1)))

    def _win_body(self, bet: ProviderBet, more: int) -> dict[str, str]:
        assert bet.win is not None
        return {"betId": bet.ref, "gameRoundId": "r", "winAmount": self._text(bet, bet.win + more)}

    async def _refund(self, bet: ProviderBet) -> None:
        await self._until_taken(bet, "refund", {"betId": bet.ref})
        if bet.refunded and self._is_odd(bet):
            bet.afterwards.append(await self._call(bet, *self._pay_in_again(bet)))
            if not bet.at_once:
                bet.afterwards.append(await self._call(bet, "pay-out", self._win_body(bet, 0)))

    def _pay_in_again(self, bet: ProviderBet) -> tuple[str, dict[str, str]]:
        body = {"betId": bet.ref, "gameRoundId": "r", "betAmount": self._text(bet, bet.stake)}
        if not bet.at_once:
            return "pay-in", body
        assert bet.win is not None
        return "pay-in-out", {**body, "winAmount": self._text(bet, bet.win)}

    # --- what it must not -------------------------------------------------------------------------------------------

    def _is_odd(self, bet: ProviderBet) -> bool:
        return bet.chance.fraction() < self._dials.odd_acts

    async def _through(self, bet: ProviderBet, session: str, verb: str) -> int:
        """Send a call about this bet through another session."""
        other = replace(bet, session=session)
        body = {"betId": bet.ref, "gameRoundId": "r"}
        if verb == "pay-in":
            body["betAmount"] = self._text(other, bet.stake)
        elif verb == "pay-out":
            body["winAmount"] = self._text(other, bet.win or 0)
        return await self._call(other, verb, body)

    async def _through_another(self, bet: ProviderBet) -> None:
        """Send a call through another player's session, for a bet that the hub surely has. It must change nothing."""
        others = [s for s in self.sessions if s != bet.session]
        if others:
            verb = one_of(bet.chance, ("pay-in", "refund") if bet.at_once else ("pay-in", "pay-out", "refund"))
            bet.others.append(await self._through(bet, one_of(bet.chance, tuple(others)), verb))

    async def _other_contents(self, bet: ProviderBet) -> None:
        """Repeat a bet that the hub surely has with another round, amount, win or verb."""
        stake, win = self._text(bet, bet.stake), self._text(bet, bet.win or 0)
        more = self._text(bet, bet.stake + 1)
        body = {"betId": bet.ref, "gameRoundId": "r", "betAmount": stake}
        choices: list[tuple[str, dict[str, str]]] = [
            ("pay-in", {**body, "gameRoundId": "r2"}),
            ("pay-in", {**body, "betAmount": more}),
            ("pay-out", {"betId": bet.ref, "gameRoundId": "r2", "winAmount": win}),
            ("pay-in-out", {**body, "winAmount": self._text(bet, (bet.win or 0) + 1)}),
        ]
        if bet.at_once:
            choices += [
                ("pay-in", body),
                ("pay-in-out", {**body, "winAmount": win, "gameRoundId": "r2"}),
                ("pay-out", {"betId": bet.ref, "gameRoundId": "r", "winAmount": win}),
            ]
        bet.others.append(await self._call(bet, *one_of(bet.chance, choices)))

    async def _replayed(self, bet: ProviderBet) -> None:
        """Repeat a request id with another body, or use an old timestamp or a wrong signature. All must get 8."""
        body = {"betId": bet.ref + REPLAY, "gameRoundId": "r", "betAmount": self._text(bet, bet.stake)}
        text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        kind = one_of(bet.chance, ("id", "stamp", "signature"))
        headers = self._signed(text, bet.chance)
        if kind == "id":
            headers = self._signed(text, bet.chance, request_id=bet.request_id)
        elif kind == "stamp":
            headers = self._signed(text, bet.chance, older_ms=OLD_MS)
        else:
            text = text.replace(b'"gameRoundId":"r"', b'"gameRoundId":"q"')
        url = f"{self._credentials.hub_url}/v1/sessions/{bet.session}/bets/pay-in"
        over = ProviderBet(body["betId"], bet.session, bet.stake, bet.chance)
        bet.replayed.append(await self._once(over, "pay-in", WireRequest("POST", url, headers, text, total_s=7.5)))

    async def _too_much(self, bet: ProviderBet) -> None:
        over = replace(bet, ref=f"{bet.ref}-over", at_once=False)
        body = {"betId": over.ref, "gameRoundId": "r", "betAmount": str(MOST + 1)}
        bet.too_much.append(await self._call(over, "pay-in", body))

    async def _too_fine(self, bet: ProviderBet) -> None:
        text = self._text(bet, bet.stake)
        fine = replace(bet, ref=f"{bet.ref}-fine", at_once=False)
        body = {"betId": fine.ref, "gameRoundId": "r", "betAmount": f"{text}{'' if '.' in text else '.'}5"}
        bet.too_fine.append(await self._call(fine, "pay-in", body))

    # --- one call ---------------------------------------------------------------------------------------------------

    def _text(self, bet: ProviderBet, minor: int) -> str:
        return text_of(minor, self.currencies.get(bet.session, CURRENCY))

    async def _until_taken(self, bet: ProviderBet, verb: str, body: dict[str, str]) -> None:
        told = bet.refund if verb == "refund" else bet.pay_out
        bet.cut_short = True
        for n in range(WIN_TRIES):
            asked_s = self._clock.monotonic_s()
            told.append(await self._call(bet, verb, body))
            if told[-1] == 7 and verb != "refund":
                bet.denied_s.append((asked_s, self._clock.monotonic_s()))
            if told[-1] not in (0, 99, 8):
                break
            await self._clock.sleep(min(0.5 * 2 ** min(n, 7), 60))
        bet.cut_short = False

    async def _call(self, bet: ProviderBet, verb: str, body: dict[str, str]) -> int:
        """Send one call and return the response code; 0 without an answer."""
        text = self._numbered(json.dumps(body, separators=(",", ":"), sort_keys=True), bet.chance).encode()
        patience_s = 1.0 if self.character is ProviderCharacter.IMPATIENT else self._dials.hold_s + PATIENCE_S
        url = f"{self._credentials.hub_url}/v1/sessions/{bet.session}/bets/{verb}"
        request = WireRequest("POST", url, self._signed(text, bet.chance), text, total_s=patience_s)
        if self.character is ProviderCharacter.DOUBLE:
            await self._once(bet, verb, request)
        return await self._once(bet, verb, request)

    @staticmethod
    def _numbered(text: str, chance: Chance) -> str:
        """Write some amounts as numbers: the contract allows text and numbers."""
        return AMOUNT.sub(r"\1\2", text) if chance.fraction() < 0.5 else text

    async def _once(self, bet: ProviderBet, verb: str, request: WireRequest) -> int:
        code = 0
        bet.asked_s.setdefault(verb, self._clock.monotonic_s())
        bet.span_s = (min(bet.span_s[0], self._clock.monotonic_s()), bet.span_s[1])
        try:
            answer = await self._wire.send(request)
            said = json.loads(answer.body, parse_float=str, parse_int=str)
            code = int(said["_responseCode"])
            if code == 1 and "balance" in said:
                bet.balances.setdefault(verb, set()).add(said["balance"])
                bet.first_told.setdefault(verb, (self._clock.monotonic_s(), said["balance"]))
        except (PeerError, ValueError, KeyError):
            code = 0
        bet.span_s = (bet.span_s[0], self._clock.monotonic_s())
        if code not in (0, 8, 99):
            bet.request_id = request.headers["X-Request-Id"]
        self._log(bet.ref, verb, code)
        return code

    def _signed(
        self, text: bytes, chance: Chance, *, request_id: str | None = None, older_ms: int = 0
    ) -> dict[str, str]:
        who, secret = self._credentials.counterparty_id, self._credentials.secret
        stamp, request_id = str(self._clock.now_ms() - older_ms), request_id or chance.hex(16)
        signed = b".".join([text, who.encode(), stamp.encode(), request_id.encode()])
        return {
            "X-Counterparty-Id": who,
            "X-Timestamp": stamp,
            "X-Request-Id": request_id,
            "X-Sign": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
            "content-type": "application/json",
        }
