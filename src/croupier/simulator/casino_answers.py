"""The answers of a simulated casino to a call: the contract's envelope, and what is none.

Owns: their bytes. Never: decides which one is given (sim_casino).
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from croupier.kit.chance import Chance
from croupier.simulator.dials import one_of


def envelope(code: int, value: Any = None) -> Response:  # noqa: ANN401 - the contract's JSON
    """Return the contract's envelope."""
    said: dict[str, Any] = {"ErrorCode": code, "Message": "sim"}
    if value is not None:
        said["Value"] = value
    return Response(json.dumps(said), media_type="application/json")


def nonsense(chance: Chance) -> Response:
    """Return an answer that is none, or that nobody can read."""
    return one_of(
        chance,
        (
            Response(b"<html>maintenance</html>", 200),
            Response(b"{", 200),
            Response(b"", 500),
            Response(b"", 302, headers={"location": "http://elsewhere.test/"}),
            envelope(999),
            Response(b"x" * 70_000, 200),
        ),
    )
