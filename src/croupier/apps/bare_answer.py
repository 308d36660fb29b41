"""An HTTP answer without a body that is written straight to a connection, which is closed after it.

Owns: its bytes. Never: when one is due (http_guard, socket_guard, handover).
"""

from __future__ import annotations


def bare_answer(status: str, *headers: str) -> bytes:
    """Return the answer. `status` is the code with its words."""
    lines = (f"HTTP/1.1 {status}", "content-length: 0", *headers, "connection: close", "", "")
    return "\r\n".join(lines).encode()
