"""How work that takes long tells how far it is, without knowing who listens.

Owns: the type. Never: a terminal (cli.progress).
"""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""`tell(what, done, total)`: what is under way, and how many of how many steps are done. A total of 0 is not known."""


def tell_nobody(what: str, done: int, total: int) -> None:
    """Tell nobody."""
    del what, done, total
