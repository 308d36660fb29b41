"""Rate limits of incoming requests: who is refused, who never is, and what is told of it."""

from __future__ import annotations

import pytest
import structlog

from croupier.core.counterparty import Casino, Provider
from croupier.flows import inbound_limits
from croupier.flows.inbound_limits import InboundLimits, InboundRates, RateExceeded
from croupier.kit.metrics import Metrics
from tests.store.cast import HandClock

HERE, THERE = "192.0.2.1", "198.51.100.7"


class Limited:
    """The limits of one process, with the clock and the metrics."""

    def __init__(self, *, provider_per_s: int | None = None, failed_auth_per_s: float = 0.5) -> None:
        self.clock = HandClock()
        self.metrics = Metrics()
        rates = InboundRates(provider_per_s, tokens_per_s=2, feed_per_s=1, failed_auth_per_s=failed_auth_per_s)
        self.limits = InboundLimits(self.clock, self.metrics, rates)

    def fail(self, address: str) -> None:
        for _ in range(100):
            self.limits.failed(address)


def provider(provider_id: int = 7, *, per_s: int | None = None) -> Provider:
    return Provider(provider_id, f"guid-{provider_id}", "Reel", "betcore_v1", "https://r.example", requests_per_s=per_s)


def casino(*, per_s: int | None = None) -> Casino:
    return Casino(3, "Owl", "betcore_v2", "https://owl.example", ("EUR",), requests_per_s=per_s)


def test_a_provider_is_not_limited_by_default() -> None:
    limits = Limited().limits
    assert not any(limits.provider_wait_s(provider(), "new_bet") for _ in range(10_000))


def test_a_providers_own_rate_goes_before_the_setting() -> None:
    for setting, own, passed in ((2, None, 6), (None, 3, 9), (2, 4, 12)):
        limits = Limited(provider_per_s=setting).limits
        waits = [limits.provider_wait_s(provider(per_s=own), "new_bet") for _ in range(20)]
        assert waits == [0] * passed + [1] * (20 - passed)
        assert limits.provider_wait_s(provider(8, per_s=own), "new_bet") == 0, "another provider has its own"


def test_the_feed_is_limited_per_casino() -> None:
    limits = Limited().limits
    for own, passed in ((None, 3), (2, 6)):
        limits = Limited().limits
        for _ in range(passed):
            limits.check_feed(casino(per_s=own))
        with pytest.raises(RateExceeded) as refused:
            limits.check_feed(casino(per_s=own))
        assert refused.value.wait_s == 1


def test_a_guesser_slows_himself_down_and_nobody_behind_another_address() -> None:
    it = Limited()
    it.fail(HERE)
    assert it.limits.guess_wait_s("provider", "guid-7", HERE) == 2
    assert it.limits.guess_wait_s("provider", "guid-7", THERE) == 0
    with pytest.raises(RateExceeded):
        it.limits.check_token("PartnerClient-3", HERE)
    it.limits.check_token("PartnerClient-3", THERE)
    it.clock.ms += 2000
    assert it.limits.guess_wait_s("provider", "guid-7", HERE) == 0


def test_one_subscriber_of_ipv6_is_one_address() -> None:
    it = Limited()
    it.fail("2001:db8::1")
    assert it.limits.guess_wait_s("provider", None, "2001:db8::ffff") > 0
    assert it.limits.guess_wait_s("provider", None, "2001:db8:0:1::1") == 0


def test_who_has_proved_itself_from_an_address_is_judged_whatever_others_do_there() -> None:
    """Behind a proxy that the settings do not name, all peers have one address: a stranger must not shut them out."""
    it = Limited()
    it.limits.proved("provider", "guid-7", HERE)
    it.limits.proved("casino", "PartnerClient-3", HERE)
    it.fail(HERE)
    assert it.limits.guess_wait_s("provider", "guid-7", HERE) == 0
    assert it.limits.guess_wait_s("provider", "guid-8", HERE) > 0
    assert it.limits.guess_wait_s("provider", "PartnerClient-3", HERE) > 0
    it.limits.check_token("PartnerClient-3", HERE)


def test_tokens_are_limited_per_address() -> None:
    it = Limited()
    for _ in range(6):
        it.limits.check_token("PartnerClient-3", HERE)
    with pytest.raises(RateExceeded):
        it.limits.check_token("PartnerClient-4", HERE)
    it.limits.check_token("PartnerClient-3", THERE)


def test_a_server_that_knows_no_address_limits_none() -> None:
    it = Limited()
    it.fail("")
    for _ in range(20):
        it.limits.check_token("PartnerClient-3", "")
    assert it.limits.guess_wait_s("provider", None, "") == 0


def test_every_refusal_is_counted_and_one_line_a_minute_is_logged() -> None:
    it = Limited(provider_per_s=1)
    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            it.limits.provider_wait_s(provider(), "new_bet")
        it.limits.provider_wait_s(provider(), "balance")
        it.clock.ms += 61_000
        for _ in range(4):
            it.limits.provider_wait_s(provider(), "new_bet")
    told = [(line["event"], line["provider"], line["call"], line["requests"]) for line in lines]
    assert told == [
        ("limits.refused", "Reel", "new_bet", 1),
        ("limits.refused", "Reel", "balance", 1),
        ("limits.refused", "Reel", "new_bet", 7),
    ]
    counted = 'croupier_rate_limited_total{call="new_bet",counterparty="7",side="provider"} 8.0'
    assert counted in it.metrics.render().decode()


def test_what_is_counted_for_the_next_line_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound_limits, "MOST_UNTOLD", 5)
    it = Limited()
    for number in range(50):
        address = f"192.0.2.{number}"
        it.fail(address)
        it.limits.guess_wait_s("provider", None, address)
        it.limits.guess_wait_s("provider", None, address)
    assert len(it.limits._untold) <= 5
