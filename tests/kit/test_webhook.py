"""Signatures of Standard Webhooks, against the example of the specification."""

from __future__ import annotations

import pytest

from croupier.kit import webhook
from tests.kit.webhook_receiver import is_genuine

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
ID, SENT_S = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_is_signed_alike() -> None:
    made = webhook.headers(SECRET, ID, BODY, now_s=SENT_S)
    assert made["webhook-signature"] == SIGNATURE
    assert (made["webhook-id"], made["webhook-timestamp"]) == (ID, str(SENT_S))


@pytest.mark.parametrize(
    ("changes", "body", "now_s"),
    [
        ({"webhook-id": "msg_other"}, BODY, SENT_S),
        ({"webhook-signature": "v1,AAAA"}, BODY, SENT_S),
        ({"webhook-signature": ""}, BODY, SENT_S),
        ({"webhook-timestamp": "now"}, BODY, SENT_S),
        ({}, BODY + b" ", SENT_S),
        ({}, BODY, SENT_S + 301),
        ({}, BODY, SENT_S - 301),
    ],
)
def test_what_was_changed_or_is_old_is_not_genuine(changes: dict[str, str], body: bytes, now_s: int) -> None:
    made = webhook.headers(SECRET, ID, BODY, now_s=SENT_S)
    assert is_genuine(SECRET, made, BODY, now_s=SENT_S + 299)
    assert is_genuine(SECRET, {**made, "webhook-signature": f"v1,old {SIGNATURE}"}, BODY, now_s=SENT_S)
    assert not is_genuine(SECRET, {**made, **changes}, body, now_s=now_s)


def test_a_new_secret_signs() -> None:
    secret = webhook.secret_of(bytes(range(32)))
    made = webhook.headers(secret, ID, BODY, now_s=SENT_S)
    assert is_genuine(secret, made, BODY, now_s=SENT_S)
    assert not is_genuine(SECRET, made, BODY, now_s=SENT_S)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        webhook.headers("whsec_%%%", ID, BODY, now_s=SENT_S)
