"""The answer to `negotiate`: how a client learns its connection's id, and that only WebSockets are offered.

Owns: versions 0 and 1 of the answer. Never: HTTP, tokens: the caller makes the connection token.
"""

from __future__ import annotations

import re
from typing import Any, Final

VERSION: Final = 1
"""The newest version of the answer; a client that asks for a newer one gets this."""
TRANSPORTS: Final = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)


def version(asked: str | None) -> int:
    """The version to answer in: the asked one, no newer than VERSION; 0 without one. Raises ValueError for other text."""
    if asked is None:
        return 0
    if not _VERSION.fullmatch(asked):
        raise ValueError("negotiateVersion must be a number")
    return min(int(asked), VERSION)


def answer(negotiated: int, connection_id: str, connection_token: str) -> dict[str, Any]:
    """The answer's JSON object. In version 0 the token is the id: the client sends it back as `id`."""
    if negotiated == 0:
        return {"connectionId": connection_token, "negotiateVersion": 0, "availableTransports": TRANSPORTS}
    return {
        "connectionId": connection_id,
        "connectionToken": connection_token,
        "negotiateVersion": negotiated,
        "availableTransports": TRANSPORTS,
    }
