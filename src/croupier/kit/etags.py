"""Entity tags of answers, and the question whether the caller has this very answer (RFC 9110 13.1.2).

Owns: both. Never: what an answer holds, or the headers beside the tag.
"""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def tag_of(body: bytes) -> str:
    """Return the tag of these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_current(request: Request, tag: str) -> bool:
    """Return whether the caller has this answer: `*`, or one of its tags, weak or not."""
    told = ",".join(request.headers.getlist("if-none-match")).strip()
    return told == "*" or tag in _TAG.findall(told)
