"""The port of outgoing HTTP: one request, and one bounded answer or a peer error.

Owns: the value types and the port. Implementations: `kit.http` (real network, SSRF-safe) and
`simulator.in_process_http` (an ASGI app in this process). Redirects are never followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from croupier.kit.tls_files import TlsFiles


class PeerError(Exception):
    """The peer could not be reached, was too slow, or sent too long an answer. Never a refusal.

    `sent` is False only if no byte of the request can have left this process. `ours` is True if the cause is on this
    machine, such as a lack of sockets.
    """

    def __init__(self, why: str, *, sent: bool = True, ours: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.ours = ours


class PeerForbidden(PeerError):
    """The address is private or not allowed for another reason (SSRF). Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(why, sent=False)


class TooLate(PeerError):
    """The deadline passed before the request left, for no fault of the peer. Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(why, sent=False)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One outgoing request. Times are seconds; `total_s` is the timeout of the whole call, body included."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    connect_s: float = 2.0
    total_s: float = 10.0
    max_bytes: int = 65536
    peer: str = ""
    """The peer's key: connections and name look-ups are never shared between peers. Empty means the URL's origin."""
    tls: TlsFiles = field(default_factory=TlsFiles)
    """Of a peer with https: the client certificate that it is shown, and the authority that vouches for it."""
    seal: Callable[[], bytes] | None = None
    """Make the body at the moment the request leaves, after name look-up and connecting; raises TooLate."""

    def leaving(self) -> WireRequest:
        """Return the request with its final body; called last. Raises TooLate."""
        return self if self.seal is None else replace(self, body=self.seal(), seal=None)


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """The answer: status, headers (names in lower case), the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Sends one request to a peer."""

    async def send(self, request: WireRequest) -> WireAnswer:
        """Return the answer, whatever its status; raises PeerError if there is none within the timeout and size."""
        ...
