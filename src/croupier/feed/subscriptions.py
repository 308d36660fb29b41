"""The request of a client that subscribes: the arguments of `Subscribe` and `Unsubscribe`, read and judged.

Owns: the wire form of a subscription. Never: who is subscribed (fan_out). Contract: feed.md 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from croupier.feed.signalr.messages import CancelInvocation, Invocation, StreamInvocation

TOPIC: Final = "SubOnWholeGamesInfo"
"""The one subscription, and the target of its pushes."""
SUBSCRIBE: Final = "Subscribe"
UNSUBSCRIBE: Final = "Unsubscribe"
MOST_TYPE: Final = 2**31 - 1

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class SubscriptionRefused(ValueError):
    """The call cannot be done; the text is told to the client."""


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """A client wants the snapshots of a game type, or wants them no more."""

    game_type: int
    wanted: bool
    count: int = 0
    """The most draws in a snapshot; 0 for all."""


def change(call: Invocation | StreamInvocation | CancelInvocation, casino_id: int) -> SubscriptionChange:
    """Read a call of this casino's client. Raises SubscriptionRefused."""
    if not isinstance(call, Invocation):
        raise SubscriptionRefused("no method here returns a stream")
    if call.target not in (SUBSCRIBE, UNSUBSCRIBE):
        raise SubscriptionRefused(f"the method must be {SUBSCRIBE} or {UNSUBSCRIBE}")
    if len(call.arguments) != 2 or call.stream_ids:
        raise SubscriptionRefused("two arguments are needed: the subscription, and its JSON text")
    topic, text = call.arguments
    if topic != TOPIC:
        raise SubscriptionRefused(f"the subscription must be {TOPIC}")
    asked = _object(text)
    if type(asked.get("PartnerClientId")) is not int:
        raise SubscriptionRefused("PartnerClientId must be an integer")
    if asked["PartnerClientId"] != casino_id:
        raise SubscriptionRefused("PartnerClientId is not that of the access token")
    if type(asked.get("Count", 1)) is not int or asked.get("Count", 1) < 1:
        raise SubscriptionRefused("Count must be an integer of at least 1")
    game_type = asked.get("GameType")
    if type(game_type) is not int or not 0 <= game_type <= MOST_TYPE:
        raise SubscriptionRefused(f"GameType must be an integer from 0 to {MOST_TYPE}")
    return SubscriptionChange(game_type, call.target == SUBSCRIBE, asked.get("Count", 0))


def _object(text: object) -> dict[str, Any]:
    if type(text) is not str:
        raise SubscriptionRefused("the second argument must be JSON text")
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise SubscriptionRefused("the second argument must be the text of a JSON object") from None
