"""Named points in the money path where the chaos tests kill and the simulator crashes.

Owns: the hook. In production no hook is set and a point costs one comparison. Names read `what.when`,
for example `stake.after_commit`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Hook = Callable[[str], Awaitable[None]]

_hook: list[Hook] = []


def set_hook(hook: Hook | None) -> None:
    """Install (or with None remove) the one hook that is told of every point passed."""
    _hook[:] = [] if hook is None else [hook]


async def point(name: str) -> None:
    """Say that this place was passed."""
    if _hook:
        await _hook[0](name)
