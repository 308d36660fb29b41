"""Named points in the money path, at which chaos tests and the simulator crash the process.

Owns: the hook. In production no hook is set, and a point costs one comparison. Names have the form `what.when`, for
example `stake.after_commit`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Hook = Callable[[str], Awaitable[None]]

_hook: list[Hook] = []


def set_hook(hook: Hook | None) -> None:
    """Install the hook that is called at every point; None removes it."""
    _hook[:] = [] if hook is None else [hook]


async def point(name: str) -> None:
    """Call the hook, if one is set, with the name of this point."""
    if _hook:
        await _hook[0](name)
