"""The wire of the feed's REST half: paths, the envelope, the values in it, and the codes.

Owns: every spelling that is not of a push (feed.push). Never: a query (query), a route. Spec: feed.md 1 and 2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from croupier.core import money
from croupier.core.draws import JackpotMeter
from croupier.feed.push import draw_record, iso
from croupier.kit import strictjson
from croupier.store.feed.draws import DrawPage, StoredMeter
from croupier.store.money.jackpots import StoredPot

ROOT: Final = "/partnersmediator-service/api/v2"
SCOPE: Final = "feeds"
"""The scope of the feed's access tokens."""
MAX_CLIENT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """One thing that is said without a value, or around one: HTTP status, ErrorCode and Message."""

    status: int
    code: int
    message: str


OK: Final = FeedAnswer(200, 200, "Success")
NO_SUCH_DRAW: Final = FeedAnswer(404, 404, "Not found")
BAD_QUERY: Final = FeedAnswer(400, 103752, "Incorrect request parameters")
UNAUTHORIZED: Final = FeedAnswer(401, 103752, "Incorrect request parameters")
TOO_LARGE: Final = FeedAnswer(413, 103752, "Incorrect request parameters")
WRONG_TYPE: Final = FeedAnswer(415, 103752, "Incorrect request parameters")
RATE_LIMITED: Final = FeedAnswer(429, 103752, "Incorrect request parameters")
NOT_NOW: Final = FeedAnswer(500, 102823, "Not available now")
"""It cannot be read now, or it is not known; to be asked again."""


def envelope(answer: FeedAnswer, value: object = None) -> bytes:
    """ErrorCode and Message, and Value if there is one; the same value is always the same bytes."""
    fields: dict[str, object] = {"ErrorCode": answer.code, "Message": answer.message}
    if value is not None:
        fields["Value"] = value
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def read_token_request(body: bytes) -> tuple[int, str]:
    """PartnerClientId and Secret of a `POST auth/token`; raises BadJson or BadField."""
    fields = strictjson.record(strictjson.loads(body))
    casino_id = strictjson.integer(fields, "PartnerClientId", low=0, high=MAX_CLIENT)
    return casino_id, strictjson.text(fields, "Secret", 256)


def token_value(token: str, expires_in_s: int) -> dict[str, object]:
    """The Value of a good `POST auth/token`."""
    return {"AccessToken": token, "TokenType": "Bearer", "ExpiresIn": expires_in_s, "Scope": SCOPE}


def draws_value(page: DrawPage) -> dict[str, object]:
    """The Value of `GET games/list`."""
    results = [draw_record(stored, page.last.get(stored.draw.key.game_type)) for stored in page.draws]
    value: dict[str, object] = {"GameResults": results}
    if page.total is not None:
        value["Total"] = page.total
    return value


def pot_meter(stored: StoredPot) -> StoredMeter:
    """What a pot of the hub stands at, as a meter."""
    pot = stored.pot
    return StoredMeter(JackpotMeter(pot.meter_ref, pot.name, pot.amount, pot.currency), stored.changed_ms)


def jackpots_value(meters: list[StoredMeter]) -> list[dict[str, object]]:
    """The Value of `GET jackpots/accumulated`, by name."""
    return [
        {
            "JackpotId": stored.meter.jackpot_ref,
            "Name": stored.meter.name,
            "Amount": money.format_amount(stored.meter.amount, stored.meter.currency),
            "Currency": stored.meter.currency,
            "UpdatedAt": iso(stored.changed_ms),
        }
        for stored in sorted(meters, key=lambda one: (one.meter.name, one.meter.jackpot_ref))
    ]
