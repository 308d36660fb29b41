"""Files that hold a secret of somebody else's making: may everybody on this machine read them?

Owns: that question. Never: the hub's own key file, whose rule is stricter (key_file).
"""

from __future__ import annotations

import stat
from pathlib import Path

MOUNTED = Path("/run/secrets")
"""Container runtimes mount secrets here for one container, by default with mode 444: the mode says nothing there."""


def everybody_reads(path: str | Path, mode: int) -> bool:
    """Return whether this file, of this `st_mode`, can be read by every account. A group may read it."""
    public = stat.S_ISREG(mode) and bool(stat.S_IMODE(mode) & stat.S_IROTH)
    return public and MOUNTED not in Path(path).absolute().parents
