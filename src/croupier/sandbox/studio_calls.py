"""The calls a provider makes on the hub, five about money and one about draws, each signed, each answer held against the contract.

Owns: provider.md 4 and 5 as a provider speaks it. Never: what to do about an answer (studio_rounds). An answer that
breaks the contract is a complaint in the journal and is handed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from croupier.core.money import CURRENCIES
from croupier.kit import strictjson
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.strictjson import Json, NumberText
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.sandbox.journal import Journal
from croupier.sandbox.studio_signing import compact, signed_headers

OK, NOT_KNOWN = 1, 99
PATIENCE_S = 7.0
"""Seconds for which a live provider waits for an answer."""

STATUSES: dict[int, frozenset[int]] = {
    OK: frozenset({200}),
    2: frozenset({404}),
    3: frozenset({402}),
    4: frozenset({403}),
    5: frozenset({404}),
    6: frozenset({400, 404, 405, 413, 415}),
    7: frozenset({409}),
    8: frozenset({401}),
    NOT_KNOWN: frozenset({504, 503, 429}),
}
"""The allowed HTTP statuses of each _responseCode (provider.md 2)."""


class ReceivedAnswer(NamedTuple):
    """HTTP status and the answer's JSON object; numbers keep their own text."""

    status: int
    told: dict[str, Json]

    @property
    def code(self) -> int | None:
        """Return _responseCode, or None if it is missing or unreadable."""
        value = self.told.get("_responseCode")
        return int(value) if isinstance(value, NumberText) and value.isdigit() else None

    @property
    def balance(self) -> str | None:
        """Return the balance as decimal text, or None."""
        value = self.told.get("balance")
        return str(value) if isinstance(value, NumberText) else None


class StudioCalls:
    """The calls of one provider to the hub. Every call raises PeerError if the hub does not answer."""

    def __init__(self, *, wire: Wire, clock: Clock, chance: Chance, journal: Journal, hub_url: str) -> None:
        self.hub_url = hub_url.rstrip("/")
        self.counterparty_id = ""
        self.secret = ""
        self.patience_s = PATIENCE_S
        self._wire = wire
        self._clock = clock
        self._chance = chance
        self._journal = journal

    async def balance(self, session: str) -> ReceivedAnswer:
        """Send GET balance."""
        answer = await self._call("GET", session, "balance")
        if answer.code == OK and not {"balance", "currency"} <= set(answer.told):
            self._journal.complain("balance: a success without balance or currency")
        return answer

    async def pay_in(self, session: str, bet: str, round_id: str, *, amount: str) -> ReceivedAnswer:
        """Send POST bets/pay-in. Amounts are decimal text in major units."""
        return await self._bet(session, "pay-in", {"betId": bet, "gameRoundId": round_id, "betAmount": amount})

    async def pay_out(
        self, session: str, bet: str, round_id: str, *, win: str, odd: str | None = None
    ) -> ReceivedAnswer:
        """Send POST bets/pay-out. A win of 0 is a loss."""
        body = {"betId": bet, "gameRoundId": round_id, "winAmount": win}
        return await self._bet(session, "pay-out", body if odd is None else {**body, "winOdd": odd})

    async def pay_in_out(self, session: str, bet: str, round_id: str, *, amount: str, win: str) -> ReceivedAnswer:
        """Send POST bets/pay-in-out."""
        body = {"betId": bet, "gameRoundId": round_id, "betAmount": amount, "winAmount": win}
        return await self._bet(session, "pay-in-out", body)

    async def refund(self, session: str, bet: str) -> ReceivedAnswer:
        """Send POST bets/refund."""
        return await self._call("POST", session, "bets/refund", document={"betId": bet})

    async def _bet(self, session: str, verb: str, body: Mapping[str, object]) -> ReceivedAnswer:
        return await self._call("POST", session, f"bets/{verb}", document={**body, "sessionId": session})

    async def publish(self, draws: Sequence[Mapping[str, object]]) -> ReceivedAnswer:
        """POST feed/draws: what is new of some draws (feed.md 4.1)."""
        return await self._send("POST", "feed/draws", {"draws": list(draws)})

    async def _call(
        self, method: str, session: str, what: str, *, document: Mapping[str, object] | None = None
    ) -> ReceivedAnswer:
        return await self._send(method, f"sessions/{quote(session, safe='')}/{what}", document)

    async def _send(self, method: str, path: str, document: Mapping[str, object] | None) -> ReceivedAnswer:
        what = path.split("/", 2)[-1] if path.startswith("sessions/") else path
        body = b"" if document is None else compact(document)
        headers = signed_headers(
            self.secret,
            counterparty=self.counterparty_id,
            now_ms=self._clock.now_ms(),
            request_id=self._chance.hex(16),
            body=body,
        )
        if body:
            headers["Content-Type"] = "application/json"
        url = f"{self.hub_url}/v1/{path}"
        sent: Json = strictjson.loads(body) if body else None
        try:
            answer = await self._wire.send(WireRequest(method, url, headers, body, total_s=self.patience_s))
        except PeerError as problem:
            self._journal.note("out", what, sent, note=f"no answer: {problem.why}")
            raise
        told = _object(answer)
        self._journal.note("out", what, sent, status=answer.status, answer=told)
        return self._check_against_contract(what, answer, told)

    def _check_against_contract(self, what: str, raw: WireAnswer, told: dict[str, Json]) -> ReceivedAnswer:
        answer = ReceivedAnswer(raw.status, told)
        if answer.code not in STATUSES or raw.status not in STATUSES[answer.code]:
            self._journal.complain(f"{what}: _responseCode {answer.code} with HTTP {raw.status}")
        if raw.status in {503, 429} and "retry-after" not in raw.headers:
            self._journal.complain(f"{what}: HTTP {raw.status} without Retry-After")
        if not _balance_in_form(told):
            self._journal.complain(f"{what}: balance is not a JSON number with the currency's decimals")
        return answer


def _object(answer: WireAnswer) -> dict[str, Json]:
    try:
        return strictjson.record(strictjson.loads(answer.body))
    except ValueError:
        return {}


def _balance_in_form(told: Mapping[str, Json]) -> bool:
    if "balance" not in told:
        return True
    balance, digits = told["balance"], CURRENCIES.get(str(told.get("currency")))
    if not isinstance(balance, NumberText) or digits is None:
        return False
    return re.fullmatch(r"[0-9]+" + (rf"\.[0-9]{{{digits}}}" if digits else ""), balance) is not None
