"""The protocol pages' worked examples are what the program writes and reads, and what they link to is there."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from croupier.casinos.betcore_v2 import codec, messages
from croupier.casinos.betcore_v2.outcomes import OK
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.readings import Exists, InfoList, PaymentKind, Received, Yes

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "protocols"
CASINOS = (PAGES / "betcore_v2.md").read_text("utf-8")
PROVIDERS = (PAGES / "betcore_v1.md").read_text("utf-8")
AURORA = Casino(4, "Aurora", "betcore_v2", "https://aurora.example", ("EUR",))
BET = 216345600000001
STAKE = Order(BET, PaymentKind.STAKE, "anna", 1000, None, "EUR")
WIN = Order(BET, PaymentKind.PAYOUT, "anna", 2500, None, "EUR")


def flat(page: str) -> str:
    """A page whose examples may be broken over lines, without the breaks and the blanks behind them."""
    return re.sub(r"\n\s+", "", page)


def envelopes(page: str) -> list[bytes]:
    """Every envelope of the page's examples, in order."""
    return [found.encode() for found in re.findall(r'\{"ErrorCode":.*?\}(?=[\s`2]|$)', flat(page), re.MULTILINE)]


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    assert len(links) >= 5
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("order", [STAKE, WIN], ids=["stake", "win"])
def test_the_round_s_makes_are_what_the_hub_sends(order: Order) -> None:
    assert f"data {codec.make_data(order)}" in CASINOS


def test_the_round_s_answers_are_read_as_the_page_says() -> None:
    received, accept, taken, booked, closed, verified, again, listed = envelopes(CASINOS)
    assert isinstance(codec.read_ack(200, received, AURORA, order=STAKE), Received)
    told = codec.read_accept(accept, AURORA)
    assert isinstance(told.outcome, Yes)
    assert (told.subject_id, told.kind, told.outcome.balance) == (BET, PaymentKind.STAKE, "990.00")
    assert taken == closed
    data = codec.close_data(BET, closed=True)
    assert json.loads(verified) == json.loads(messages.write_envelope(OK, messages.sent_value(data, "PartnerClient-4")))
    inline = codec.read_ack(200, booked, AURORA, order=WIN)
    assert isinstance(inline, Yes)
    assert (inline.contents.amount, inline.balance) == (None, "1015.00"), "what it does not say stays unsaid"
    exists = codec.read_ack(200, again, AURORA, order=STAKE)
    assert isinstance(exists, Exists)
    assert exists.contents is not None
    info = codec.read_info(200, listed, AURORA, bet_id=BET)
    assert isinstance(info, InfoList)
    assert [one.partner_tx for one in info.payments] == ["tx-1"]


def test_the_signatures_by_hand_are_right() -> None:
    secret = re.search(r"^secret +(\S+)$", PROVIDERS, re.MULTILINE)
    assert secret is not None
    rows = re.findall(r"^(?:signed|no body) +(\S+)\nX-Sign +(\w+)$", PROVIDERS, re.MULTILINE)
    assert len(rows) == 2
    for signed, sign in rows:
        assert hmac.new(secret[1].encode(), signed.encode(), hashlib.sha256).hexdigest() == sign


@pytest.mark.parametrize(
    "words",
    [
        "`PartnerClient-4`", "An element of `payments/info`", "HTTP statuses of your answers", "**Clocks.**",
        "`IsClosed: false` asks", "overtakes the answer", "How long to resend", "may\nalso hold `Balance`",
        "token for client 4 verified as 3", "A make that you refuse", "A return (2) of a stake that you never booked",
        "A payout return (-2) of a win that the player has spent", "HTTP 400, 404, 405, 413 and 415",
    ],
)  # fmt: skip
def test_what_a_newcomer_had_to_guess_is_said(words: str) -> None:
    assert words in CASINOS


@pytest.mark.parametrize(
    "words", ["2, 5, 6 and 7 are final", "`claim_s`, 15 s if your row", "A bet that was never seen gets 1 too"]
)
def test_what_a_newcomer_among_providers_had_to_guess_is_said(words: str) -> None:
    assert words in PROVIDERS
