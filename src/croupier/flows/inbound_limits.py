"""Rate limits of incoming requests: per counterparty, and per address for tokens and failed authentications.

The buckets are in the memory of one process, and each worker has its own. Nothing that is owed is limited: no pay-out, no
refund, no accept, no repeat of a known bet.

Owns: the limits, their metric and one log line a minute for each of them. Never: the answer to who sends too much, which is
each protocol's. Spec: provider.md 2, casino.md 1, operate.md 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from croupier.core.counterparty import Casino, Provider
from croupier.kit.addresses import network_of
from croupier.kit.clock import Clock
from croupier.kit.log import get
from croupier.kit.metrics import Metrics
from croupier.kit.recent_map import RecentMap
from croupier.kit.throttle import Throttle
from croupier.kit.token_buckets import TokenBuckets

log = get("limits")

BURST_S: Final = 3
"""So many seconds' worth of requests may come at once."""
FAILURES_S: Final = 20
"""So many seconds' worth of failed authentications may come at once."""
MOST_UNTOLD: Final = 10_000
"""Limits whose refusals since the last log line are counted; beyond it the counts are forgotten."""


@dataclass(frozen=True, slots=True)
class InboundRates:
    """Requests a second that one process takes."""

    provider_per_s: int | None
    """None: a provider without a rate of its own is not limited."""
    tokens_per_s: float
    feed_per_s: float
    failed_auth_per_s: float


class RateExceeded(Exception):
    """The caller asks too often. After `wait_s` seconds it may ask again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"ask again in {wait_s} s")
        self.wait_s = wait_s


class InboundLimits:
    """The rate limits of one process."""

    def __init__(self, clock: Clock, metrics: Metrics, rates: InboundRates) -> None:
        now_s = clock.monotonic_s
        self._metrics = metrics
        self._provider_per_s = rates.provider_per_s
        self._providers = TokenBuckets(now_s, 1, BURST_S)
        self._tokens = TokenBuckets(now_s, rates.tokens_per_s, rates.tokens_per_s * BURST_S)
        self._feed = TokenBuckets(now_s, rates.feed_per_s, rates.feed_per_s * BURST_S)
        failures = max(rates.failed_auth_per_s * FAILURES_S, 1)
        self._failures = TokenBuckets(now_s, rates.failed_auth_per_s, failures)
        self._any_failed = False
        self._proved: RecentMap[tuple[str, str, str], None] = RecentMap()
        self._throttle = Throttle(clock)
        self._untold: dict[tuple[str, str, str], int] = {}

    def provider_wait_s(self, provider: Provider, call: str) -> int:
        """Take one new bet or balance query. Return 0, or the seconds after which the provider may send one more."""
        per_s = provider.requests_per_s or self._provider_per_s
        wait_s = 0 if per_s is None else self._providers.wait_s(provider.provider_id, per_s)
        if wait_s:
            self._note(("provider", str(provider.provider_id), call), provider=provider.name)
        return wait_s

    def check_feed(self, casino: Casino) -> None:
        """Take one REST call of the feed. Raises RateExceeded."""
        wait_s = self._feed.wait_s(casino.casino_id, casino.requests_per_s)
        if wait_s:
            self.note_casino(casino, "feed")
            raise RateExceeded(wait_s)

    def note_casino(self, casino: Casino, call: str) -> None:
        """Note a refusal of a limit per casino that is kept elsewhere."""
        self._note(("casino", str(casino.casino_id), call), casino=casino.name)

    def note_address(self, address: str, call: str) -> None:
        """Note a refusal of a limit per address, which may be kept elsewhere."""
        self._note(("address", "", call), address=address)

    def check_token(self, client: str, address: str) -> None:
        """Take one request for an access token from this address. Raises RateExceeded."""
        wait_s = self.guess_wait_s("casino", client, address)
        if address and not wait_s:
            wait_s = self._tokens.wait_s(network_of(address))
            if wait_s:
                self.note_address(address, "token")
        if wait_s:
            raise RateExceeded(wait_s)

    def guess_wait_s(self, side: str, who: str | None, address: str) -> int:
        """Return 0 if credentials from this address may be judged, else the seconds to wait.

        Who proved itself from this address before is judged whatever others do there. `who` is whom the caller claims to be.
        """
        if not self._any_failed or not address:
            return 0
        wait_s = self._failures.empty_for_s(network_of(address))
        if not wait_s or (who is not None and (side, who, address) in self._proved):
            return 0
        self.note_address(address, "failed_auth")
        return wait_s

    def failed(self, address: str) -> None:
        """Count a wrong secret, a wrong signature or an unknown counterparty from this address."""
        if address:
            self._any_failed = True
            self._failures.wait_s(network_of(address))

    def proved(self, side: str, who: str | None, address: str) -> None:
        """Remember that this counterparty has proved itself from this address."""
        if who is not None and (side, who, address) not in self._proved:
            self._proved.put((side, who, address), None)

    def _note(self, limit: tuple[str, str, str], **named: str) -> None:
        """Count a refusal, and log the refusals of this limit once a minute."""
        self._metrics.count("croupier_rate_limited_total", *limit)
        side, call, key = limit[0], limit[2], (*limit[:2], limit[2] + named.get("address", ""))
        if len(self._untold) >= MOST_UNTOLD:
            self._untold.clear()
        self._untold[key] = self._untold.get(key, 0) + 1
        if self._throttle.allows(key):
            log.warning("limits.refused", side=side, call=call, requests=self._untold.pop(key), **named)
