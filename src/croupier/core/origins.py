"""Addresses of web pages and the origins they belong to. A page outside a casino's origins is never linked to.

Owns: the one reading of an origin and of an address. Anything that two programs might read differently (a backslash, a
user name, a blank) is refused. Spec: webframe.md 2.3, casino.md 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_ADDRESS = re.compile(r"(https?://[A-Za-z0-9._\[\]:-]{1,255})(?:[/?#][\x21-\x5b\x5d-\x7e]*)?")
"""An origin, and what stands behind it: printable ASCII without the backslash."""
MOST = 2048
"""The longest address, in characters."""


def origin_of(address: str) -> str | None:
    """Return the origin of an address in lower case, or None if it is no plain address of a web page."""
    found = _ADDRESS.fullmatch(address) if len(address) <= MOST else None
    return None if found is None else found[1].lower()


def belongs(address: str, origins: Collection[str]) -> bool:
    """Return whether the address is a page of one of these origins."""
    return origin_of(address) in origins
